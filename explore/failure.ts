// Failure: from a violation that was found to its counterexample: as short as any where memory allows, with few switches,
// recorded step by step.
//
// Owner: one exploration. Partners: breadth-first.ts, shrink.ts, replay.ts; counterexample.ts is what comes of it.

import { shortest } from "./breadth-first.ts";
import type { Counterexample } from "./counterexample.ts";
import { COUNTEREXAMPLE_FORMAT } from "./counterexample.ts";
import { recordSteps } from "./replay.ts";
import type { Found, Session } from "./session.ts";
import { RESTARTS_MAX } from "./session.ts";
import { runSchedule, shrink } from "./shrink.ts";
import { savable } from "./target.ts";

type IsTarget = (low: number, high: number) => boolean;

export function counterexampleOf(session: Session, found: Found): Counterexample {
  const { program, target, options, artifact, prepared } = session;
  const { states } = found;
  const isTarget: IsTarget | undefined = states && ((low, high) => states.has(`${high}:${low}`));
  // The states of a livelock were found without footprints.
  if (isTarget) program.note(false);
  const short = shorten(session, found, isTarget);
  const best = short ?? found;
  program.restart();
  const schedule =
    options.shortest === false
      ? best.schedule
      : shrink(program, best.schedule, best.violation.kind, session.prefix.length, isTarget);
  const violation = runSchedule(program, schedule, isTarget)?.violation ?? best.violation;
  program.note(program.options.races);
  const { wasm, ...rest } = target;
  void wasm;
  const watched = program.watchedWords();
  return {
    format: COUNTEREXAMPLE_FORMAT,
    version: 1,
    artifact,
    target: {
      ...rest,
      threads: target.threads.map((thread) => (thread.args ? { ...thread, args: thread.args.map(savable) } : thread)),
    },
    threadNames: prepared.threadNames,
    violation,
    shortest: short !== undefined,
    watched,
    schedule,
    steps: recordSteps(target, watched, schedule, options.sourceMap),
  };
}

/** As short as any; undefined when that was not asked for, or not to be had. */
function shorten(session: Session, found: Found, isTarget: IsTarget | undefined): Found | undefined {
  const { program, options, memoryMax, progress } = session;
  if (found.schedule.length <= session.prefix.length) return found;
  if (options.shortest === false) return undefined;
  for (let restarts = 0; restarts < RESTARTS_MAX && !session.begin(); restarts++) {
    const outcome = shortest(program, session.prefix, {
      bytesMax: memoryMax,
      onProgress: (counts, depth, frontier) => progress.goesOn("shortest", counts, depth, frontier),
      ...(isTarget ? { isTarget } : {}),
    });
    switch (outcome.kind) {
      case "restart":
        continue;
      case "found":
        return { ...found, violation: outcome.violation ?? found.violation, schedule: outcome.schedule };
      case "none":
      case "too-large":
      case "interrupted":
        return undefined;
      default:
        outcome satisfies never;
    }
  }
  return undefined;
}
