// Counterexample search: from a violation that was found to its counterexample: the shortest schedule where memory allows, with few switches,
// recorded step by step by another program. What that program does not show is not reported.
//
// Owner: one exploration. Partners: breadth-first.ts, shrink.ts, replay.ts; counterexample.ts is what comes of it.

import { shortest } from "../search/breadth-first.ts";
import type { Counterexample } from "./counterexample.ts";
import { COUNTEREXAMPLE_FORMAT, COUNTEREXAMPLE_VERSION } from "./counterexample.ts";
import type { Program } from "../program/program.ts";
import { DivergedReplay, recordSteps } from "./replay.ts";
import type { Found, Session } from "../search/session.ts";
import { RESTARTS_MAX } from "../search/session.ts";
import { runSchedule, shrink } from "../search/shrink.ts";
import { savable } from "../program/target.ts";

type IsTarget = (low: number, high: number) => boolean;

/** Throws DivergedReplay when the violation does not show again: a fault of the explorer. */
export function counterexampleOf(session: Session, found: Found): Counterexample {
  const { target, options, artifact, prepared } = session;
  const { states } = found;
  const isTarget: IsTarget | undefined = states && ((low, high) => states.has(`${high}:${low}`));
  // The states of a livelock were found without footprints.
  if (isTarget) session.program.trackRaces(false);
  const short = shorten(session, found, isTarget);
  const best = short ?? found;
  const shrunk = shrinkFound(session, best, isTarget);
  session.program.trackRaces(session.program.options.races);
  const { wasm, ...rest } = target;
  void wasm;
  const { steps, violation } = recordSteps(
    target,
    { raceTracked: best.known, violation: best.violation },
    shrunk,
    options.sourceMap,
  );
  return {
    format: COUNTEREXAMPLE_FORMAT,
    version: COUNTEREXAMPLE_VERSION,
    artifact,
    target: {
      ...rest,
      threads: target.threads.map((thread) => (thread.args ? { ...thread, args: thread.args.map(savable) } : thread)),
    },
    threadNames: prepared.threadNames,
    violation,
    shortest: short !== undefined,
    raceTracked: best.known,
    schedule: shrunk.slice(0, steps.length),
    steps,
  };
}

/** With fewer switches, if asked for. Throws DivergedReplay where a livelock's schedule does not lead into its states. */
function shrinkFound(session: Session, found: Found, isTarget: IsTarget | undefined): readonly number[] {
  const isWanted = session.options.shortest !== false;
  if (!isWanted && !isTarget) return found.schedule;
  const program = programKnowing(session, found);
  const schedule = isWanted
    ? shrink(program, found.schedule, found.violation.kind, session.prefix.length, isTarget)
    : found.schedule;
  if (!isTarget) return schedule;
  // The record keeps footprints, so it cannot know a livelock's states.
  const arrived = runSchedule(program, schedule, isTarget);
  if (arrived && !arrived.violation) return schedule;
  throw new DivergedReplay(schedule.length, "it does not lead into the livelock");
}

/** A program in which the schedule of a violation means what it meant when it was found. */
function programKnowing({ program, prepared }: Session, { known, violation }: Found): Program {
  program.restart();
  if (program.words.known.join() === known.join()) return program;
  const other = prepared.newProgram();
  other.trackRaces(program.isTrackingRaces);
  other.words.expect(known, violation);
  other.restart();
  return other;
}

/** The shortest schedule; undefined if not requested or over the memory bound. */
function shorten(session: Session, found: Found, isTarget: IsTarget | undefined): Found | undefined {
  const { program, options, memoryMax, progress } = session;
  if (found.schedule.length <= session.prefix.length) return found;
  if (options.shortest === false) return undefined;
  for (let restarts = 0; restarts < RESTARTS_MAX && !session.begin(); restarts++) {
    const { known } = program.words;
    const outcome = shortest(program, session.prefix, {
      bytesMax: memoryMax,
      onProgress: (counts, depth, frontier) => progress.goesOn("shortest", counts, depth, frontier),
      ...(isTarget ? { isTarget } : {}),
    });
    switch (outcome.kind) {
      case "restart":
        continue;
      case "found":
        return { ...found, violation: outcome.violation ?? found.violation, schedule: outcome.schedule, known };
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
