// npm run oracle: random programs, the explorer against an interpreter of its own. Parses, runs, prints.
//
// Results go to stdout, progress to stderr where it is a terminal. Exit codes as everywhere: 0 all agree, 1 a mismatch,
// 2 usage, 130 interrupted.
// Partners: oracle-run.ts; docs/oracle.md states what is compared.

import type { Tally } from "./oracle-run.ts";
import { describeMismatch, runOracle } from "./oracle-run.ts";

const USAGE =
  "npm run oracle -- [--programs COUNT] [--seed SEED] [--states COUNT] [--mismatches COUNT] [--report-every COUNT]";
const PROGRESS_MILLISECONDS = 500;

interface Asked {
  readonly programs: number;
  readonly seed: number;
  readonly states: number;
  readonly mismatches: number;
  readonly reportEvery: number;
}

const DEFAULTS = { programs: 1000, seed: 1, states: 3000, mismatches: 5, "report-every": 0 } as const;

const isOption = (name: string): name is keyof typeof DEFAULTS => Object.hasOwn(DEFAULTS, name);

/** What is asked for, or the line that states what is wrong with it. */
function parse(argv: readonly string[]): Asked | string {
  const values: Record<keyof typeof DEFAULTS, number> = { ...DEFAULTS };
  for (let at = 0; at < argv.length; at += 2) {
    const name = argv[at]?.replace(/^--/, "") ?? "";
    const text = argv[at + 1] ?? "";
    if (!isOption(name)) return `there is no option ${argv[at]}; usage: ${USAGE}`;
    if (!/^\d{1,9}$/.test(text)) return `--${name} takes a whole number below 10^9, not "${text}"; usage: ${USAGE}`;
    values[name] = Number(text);
  }
  const { programs, seed, states, "report-every": reportEvery } = values;
  return { programs, seed, states, mismatches: Math.max(1, values.mismatches), reportEvery };
}

const count = (value: number): string => value.toLocaleString("en-US");

function summary({ compared, tooLarge, states, found, mismatches }: Tally): string {
  const kinds = [...found].toSorted((a, b) => b[1] - a[1]).map(([kind, programs]) => `${kind} ${count(programs)}`);
  return [
    `${count(compared)} programs agree, ${count(mismatches.length)} do not; ${count(tooLarge)} were too large and left out`,
    `${count(states)} states interpreted; what the programs have: ${kinds.join(", ")}`,
  ].join("\n");
}

async function main(): Promise<number> {
  const asked = parse(process.argv.slice(2));
  if (typeof asked === "string") {
    process.stderr.write(`oracle: ${asked}\n`);
    return 2;
  }
  const { programs, seed, states, mismatches, reportEvery } = asked;
  let isInterrupted = false;
  process.once("SIGINT", () => (isInterrupted = true));
  let drawn = 0;
  const { tally, next } = await runOracle(seed, programs, {
    statesMax: states,
    mismatchesMax: mismatches,
    workerModule: new URL("../search/worker.js", import.meta.url),
    goesOn: async (soFar, at) => {
      const done = at - seed;
      if (reportEvery > 0 && done > 0 && done % reportEvery === 0)
        process.stdout.write(`seeds ${seed} to ${at - 1}: ${summary(soFar).replace("\n", "; ")}\n`);
      if (performance.now() - drawn > PROGRESS_MILLISECONDS) {
        drawn = performance.now();
        if (process.stderr.isTTY)
          process.stderr.write(
            `\r${count(done)} of ${count(programs)} programs, ${soFar.mismatches.length} mismatches `,
          );
        // A signal is delivered between two turns of the event loop.
        await new Promise((resolve) => setImmediate(resolve));
      }
      return !isInterrupted;
    },
  });
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  for (const mismatch of tally.mismatches) process.stdout.write(`${describeMismatch(mismatch)}\n\n`);
  process.stdout.write(`${summary(tally)}\n`);
  if (next < seed + programs)
    process.stdout.write(`to go on: npm run oracle -- --programs ${seed + programs - next} --seed ${next}\n`);
  if (isInterrupted) return 130;
  return tally.mismatches.length > 0 ? 1 : 0;
}

process.exitCode = await main();
