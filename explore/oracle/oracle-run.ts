// Oracle run: many programs, one seed after the other: counts what was found, and shrinks what does not agree.
//
// Owner: one run. Partners: main.ts is the command; compare.ts judges one program.

import type { AbstractProgram } from "./ast.ts";
import type { Comparison, CompareOptions } from "./compare.ts";
import { compare } from "./compare.ts";
import { ALL_CONFIGURATIONS } from "./configurations.ts";
import { generate } from "./generate.ts";
import { listing } from "./listing.ts";
import type { StillFails } from "./program-shrink.ts";
import { shrink } from "./program-shrink.ts";

export interface Tally {
  compared: number;
  /** Programs with more states than the interpreter is allowed. */
  tooLarge: number;
  /** States that the interpreter met. */
  states: number;
  /** How many programs had which kinds of faults. */
  readonly found: Map<string, number>;
  readonly mismatches: Mismatch[];
}

export interface Mismatch {
  readonly seed: number;
  readonly configuration: string;
  readonly what: string;
  /** The program, as small as it was made. */
  readonly program: AbstractProgram;
}

export interface OracleRunOptions extends CompareOptions {
  readonly mismatchesMax: number;
  /** Smaller programs to try, for each mismatch. */
  readonly candidatesMax?: number;
  /** Asked before each program; false: stop. */
  readonly goesOn?: (tally: Tally, seed: number) => boolean | Promise<boolean>;
}

/** Seeds from `from` on, as many as `count`; the seed that would be next. */
export async function runOracle(
  from: number,
  count: number,
  options: OracleRunOptions,
): Promise<{ readonly tally: Tally; readonly next: number }> {
  const tally: Tally = { compared: 0, tooLarge: 0, states: 0, found: new Map(), mismatches: [] };
  let seed = from;
  for (; seed < from + count; seed++) {
    if (tally.mismatches.length >= options.mismatchesMax) break;
    if (options.goesOn && !(await options.goesOn(tally, seed))) break;
    const program = generate(seed);
    const comparison = await compared(program, options);
    switch (comparison.kind) {
      case "agree":
        tally.compared++;
        tally.states += comparison.states;
        tally.found.set(comparison.found, (tally.found.get(comparison.found) ?? 0) + 1);
        break;
      case "too-large":
        tally.tooLarge++;
        break;
      case "mismatch":
        tally.mismatches.push(await minimal(seed, program, comparison, options));
        break;
      default:
        comparison satisfies never;
    }
  }
  return { tally, next: seed };
}

/** Whatever breaks, in the explorer or in the oracle, is a mismatch. */
async function compared(program: AbstractProgram, options: CompareOptions): Promise<Comparison> {
  try {
    return await compare(program, options);
  } catch (error) {
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { kind: "mismatch", configuration: BROKEN, what };
  }
}

const BROKEN = "an exception";

async function minimal(
  seed: number,
  program: AbstractProgram,
  { configuration, what }: Extract<Comparison, { kind: "mismatch" }>,
  options: OracleRunOptions,
): Promise<Mismatch> {
  const configurations = ALL_CONFIGURATIONS.filter(({ name }) => name === configuration);
  let last = what;
  const stillFails: StillFails = async (candidate) => {
    const result = await compare(candidate, { ...options, ...(configurations.length > 0 ? { configurations } : {}) });
    if (result.kind !== "mismatch" || result.configuration !== configuration) return false;
    last = result.what;
    return true;
  };
  const small = await shrink(program, stillFails, options.candidatesMax);
  return { seed, configuration, what: last, program: small };
}

export function describeMismatch({ seed, configuration, what, program }: Mismatch): string {
  return [
    `seed ${seed}, ${configuration}: ${what}`,
    listing(program),
    `replay: npm run oracle -- --programs 1 --seed ${seed}`,
  ].join("\n");
}
