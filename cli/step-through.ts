// Step through: a counterexample forward and back, by what the user types.
//
// Each position shows the steps so far as the module takes them now; going back undoes them. The end shows the whole.
// Partners: explore/report/replay.ts steps; replay.ts (the verb) gives the lines.

import type { Counterexample, StepRecord } from "../explore/report/counterexample.ts";
import { renderCounterexample } from "../explore/report/render.ts";
import { Replay, differenceOf } from "../explore/report/replay.ts";
import type { Violation } from "../explore/program/violation.ts";
import type { CommandEnding } from "./exit-code.ts";
import { paint } from "./paint.ts";

/** Rows of the past that stay in sight. */
const ROWS_SHOWN = 12;

export interface StepConsole {
  readonly lines: AsyncIterable<string>;
  readonly print: (text: string) => void;
  readonly plain: boolean;
}

/** Red once it has reached the end, or a step that no longer fits; done where the user left before. */
export async function stepThrough(
  counterexample: Counterexample,
  wasm: Uint8Array,
  sourceMap: string | undefined,
  stepConsole: StepConsole,
): Promise<CommandEnding> {
  const player = new Replay({ ...counterexample.target, wasm }, counterexample, sourceMap);
  const { schedule } = counterexample;
  const steps: StepRecord[] = [];
  let violation: Violation | undefined;
  const show = (): void => {
    const isEnd = steps.length === schedule.length;
    const text = renderCounterexample(
      { ...counterexample, steps, violation: violation ?? counterexample.violation },
      { width: process.stdout.columns ?? 120, plain: stepConsole.plain, isWhole: isEnd, paint },
    );
    if (isEnd) return stepConsole.print(text);
    const [names = "", rules = "", ...rows] = text.split("\n");
    const place = `step ${steps.length} of ${schedule.length}: Enter forward, p back, a number to go there, q quit`;
    stepConsole.print([names, rules, ...rows.slice(-ROWS_SHOWN), place].join("\n"));
  };
  show();
  for await (const line of stepConsole.lines) {
    const word = line.trim();
    if (word === "q") break;
    const wanted = positionOf(word, steps.length);
    if (wanted === undefined) {
      stepConsole.print(`"${word}" is no command: Enter, n, p, q or the number of a step`);
      continue;
    }
    while (steps.length > wanted && player.back()) steps.pop();
    for (const choice of schedule.slice(steps.length, Math.min(wanted, schedule.length))) {
      const recorded = counterexample.steps[steps.length];
      const taken = player.fits(choice) ? player.forward(choice) : undefined;
      const difference = differenceOf(counterexample, choice, recorded, taken?.step);
      if (taken === undefined || difference !== undefined) {
        stepConsole.print(`${paint("red", "DIVERGED")}: step ${steps.length + 1} no longer fits: ${difference}`);
        return { kind: "red" };
      }
      steps.push(taken.step);
      violation = taken.violation;
    }
    show();
  }
  return steps.length === schedule.length ? { kind: "red" } : { kind: "done" };
}

/** How many steps are to be taken after this word; undefined: the word is none. */
function positionOf(word: string, position: number): number | undefined {
  if (word === "" || word === "n") return position + 1;
  if (word === "p") return Math.max(0, position - 1);
  return /^\d+$/.test(word) ? Number(word) : undefined;
}
