// Shrink: from one failing schedule to one with fewer steps and fewer switches between threads.
//
// Owner: none. Invariants: what it returns fails in the same way as what it got, and is never longer; the program's words
// are those that it had before. A try that shows a new word to be shared is the last one.
// Pairs with: breadth-first.ts (the shortest length), counterexample.ts.

import type { Program } from "../program/program.ts";
import type { Violation } from "../program/violation.ts";
import { assertDefined } from "../../wasm/assert-defined.ts";

/** Runs a schedule from the root: the failing part of it and how it fails; undefined when it does not fit or pass. */
export function runSchedule(
  program: Program,
  schedule: readonly number[],
  isTarget?: (low: number, high: number) => boolean,
): { readonly schedule: readonly number[]; readonly violation: Violation | undefined } | undefined {
  program.undo(program.root);
  program.engine.finish();
  for (let step = 0; step < schedule.length; step++) {
    const choice = assertDefined(schedule[step]);
    if (!((program.enabled >>> choice) & 1)) return undefined;
    const violation = program.apply(choice) ?? program.judge();
    if (violation) return { schedule: schedule.slice(0, step + 1), violation };
    if (isTarget?.(program.low, program.high)) return { schedule: schedule.slice(0, step + 1), violation: undefined };
  }
  return undefined;
}

export function countSwitches(schedule: readonly number[]): number {
  let switches = 0;
  for (let i = 1; i < schedule.length; i++)
    if ((assertDefined(schedule[i]) & 15) !== (assertDefined(schedule[i - 1]) & 15)) switches++;
  return switches;
}

/** Greedy: moves a thread's later steps up to its earlier ones while the failure stays the same. */
export function shrink(
  program: Program,
  schedule: readonly number[],
  kind: Violation["kind"],
  prefixLength: number,
  isTarget?: (low: number, high: number) => boolean,
): readonly number[] {
  let best = schedule;
  const fails = (candidate: readonly number[]): readonly number[] | undefined => {
    if (program.words.metNewWord) return undefined;
    const result = runSchedule(program, candidate, isTarget);
    if (program.words.metNewWord) return undefined;
    return result && (isTarget ? !result.violation : result.violation?.kind === kind) ? result.schedule : undefined;
  };
  for (let improved = true; improved;) {
    improved = false;
    for (let at = prefixLength; at < best.length - 1 && !improved; at++) {
      const thread = assertDefined(best[at]) & 15;
      if ((assertDefined(best[at + 1]) & 15) === thread) continue;
      for (let from = at + 2; from < best.length && !improved; from++) {
        if ((assertDefined(best[from]) & 15) !== thread) continue;
        for (let to = best.length; to > from && !improved; to--) {
          const block = best.slice(from, to);
          if (block.some((choice) => (choice & 15) !== thread)) continue;
          const candidate = [...best.slice(0, at + 1), ...block, ...best.slice(at + 1, from), ...best.slice(to)];
          const result = fails(candidate);
          if (!result || result.length > best.length) continue;
          if (result.length < best.length || countSwitches(result) < countSwitches(best)) {
            best = result;
            improved = true;
          }
        }
        break;
      }
    }
  }
  return best;
}
