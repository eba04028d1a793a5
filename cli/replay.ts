// hartbeat replay: shows a saved counterexample again, from the module itself; --step goes through it.

import { createInterface } from "node:readline";
import type { Command } from "commander";
import { refusalOf } from "../explore/report/refusal.ts";
import { renderCounterexample } from "../explore/report/render.ts";
import { type ReplayOutcome, replay } from "../explore/report/replay.ts";
import { describeViolation } from "../explore/program/violation.ts";
import { sha256Of } from "../toolchain/sha256.ts";
import { type SavedCounterexample, loadCounterexample } from "./counterexample-file.ts";
import type { CommandEnding } from "./exit-code.ts";
import { readIfThere, readInput } from "./input-file.ts";
import { paint } from "./paint.ts";
import { stepThrough } from "./step-through.ts";

interface ReplayFlags {
  readonly step?: true;
  readonly plain?: true;
  readonly json?: true;
  readonly sourceMap?: string;
}

const REPLAY_FORMAT = "hartbeat-replay";

const MORE = `
Against a module that has changed it reports which step no longer fits, or that the fault is gone.
With --step: Enter or n goes forward, p back, a number to that step, q leaves.

Exit codes: 0 the fault is gone (or --step left early), 1 it is there or a step no longer fits, 2 usage.`;

export function addReplay(program: Command, end: (ending: CommandEnding) => void): void {
  program
    .command("replay")
    .description("run a saved counterexample again, step by step")
    .argument("<file>", "the counterexample that explore has saved")
    .argument("[module]", "the module, where it lies elsewhere or has changed")
    .option("--step", "go through it forward and back")
    .option("--plain", "show plain accesses too")
    .option("--json", "one versioned object")
    .option("--source-map <file>", "source map of the module (default: the module's name with .map, where it is)")
    .addHelpText("after", MORE)
    .action(async (file: string, module: string | undefined, flags: ReplayFlags) => {
      end(await replayFile(file, module, flags));
    });
}

async function replayFile(file: string, module: string | undefined, flags: ReplayFlags): Promise<CommandEnding> {
  if (flags.step && flags.json) return { kind: "usage", message: "--step and --json exclude each other" };
  const loaded = loadCounterexample(file);
  if (loaded.kind !== "loaded") return loaded;
  const { counterexample } = loaded;
  const path = module ?? counterexample.module;
  if (path === undefined) {
    return {
      kind: "usage",
      message: `${file}: it does not say where its module is; name it: replay ${file} MODULE.wasm`,
    };
  }
  const input = readInput(path);
  if (input.kind !== "read") return input;
  const sourceMap = readIfThere(flags.sourceMap ?? `${path}.map`);
  if (sha256Of(input.bytes) !== counterexample.artifact.sha256) {
    process.stderr.write(`hartbeat: ${path} has changed since the counterexample was found\n`);
  }
  try {
    if (flags.step) {
      const lines = createInterface({ input: process.stdin });
      return await stepThrough(counterexample, input.bytes, sourceMap, { lines, print, plain: flags.plain === true });
    }
    const outcome = replay(counterexample, input.bytes, sourceMap);
    return flags.json ? report(counterexample, outcome) : show(counterexample, outcome, flags.plain === true);
  } catch (error) {
    const message = refusalOf(error);
    if (message === undefined) throw error;
    return { kind: "usage", message: `${path}: ${message}` };
  }
}

function show(counterexample: SavedCounterexample, outcome: ReplayOutcome, plain: boolean): CommandEnding {
  switch (outcome.kind) {
    case "reproduced": {
      const again = { ...counterexample, steps: outcome.steps, violation: outcome.violation };
      print(renderCounterexample(again, { width: process.stdout.columns ?? 120, plain, paint }));
      return { kind: "red" };
    }
    case "diverged":
      print(`${paint("red", "DIVERGED")}: step ${outcome.step} no longer fits: ${outcome.reason}`);
      return { kind: "red" };
    case "different":
      if (outcome.violation === undefined) {
        print(`${paint("green", "GONE")}: every step fits, and nothing is wrong any more`);
        return { kind: "done" };
      }
      print(
        `${paint("red", "DIFFERENT")}: every step fits, and it ends otherwise: ${messageOf(counterexample, outcome)}`,
      );
      return { kind: "red" };
    default:
      return outcome satisfies never;
  }
}

function report(counterexample: SavedCounterexample, outcome: ReplayOutcome): CommandEnding {
  const isGone = outcome.kind === "different" && outcome.violation === undefined;
  const details =
    outcome.kind === "diverged"
      ? { step: outcome.step, reason: outcome.reason }
      : { violation: outcome.violation ?? null, message: messageOf(counterexample, outcome) };
  const steps = outcome.kind === "reproduced" ? { steps: outcome.steps } : {};
  const kind = isGone ? "gone" : outcome.kind;
  print(JSON.stringify({ kind: "replayed", format: REPLAY_FORMAT, version: 2, outcome: kind, ...details, ...steps }));
  return isGone ? { kind: "done" } : { kind: "red" };
}

function messageOf(
  { threadNames }: SavedCounterexample,
  outcome: Exclude<ReplayOutcome, { kind: "diverged" }>,
): string {
  if (outcome.violation === undefined) return "nothing is wrong any more";
  return describeViolation(outcome.violation, (thread) => threadNames[thread] ?? "the check");
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
