// The command `npm run tables [-- COUNT [FIRST]]`: task tables drawn from seeds FIRST, FIRST + 1 ..., before the shipped kernel.
//
// Exit code 1 where the kernel makes something else of a table than the model: its seed is printed, and COUNT 1 with that
// seed as FIRST draws it again.

import { Dice } from "../rig/dice.ts";
import { shippedKernel } from "../rig/kernel-image.ts";
import { comeTo, drawTable, outcomeOf } from "../rig/task-table-model.ts";

const PROGRESS_EVERY = 10_000;

async function main(): Promise<number> {
  const [count = 1_000_000, first = 1] = process.argv.slice(2).map(Number);
  if (![count, first].every((one) => Number.isSafeInteger(one) && one >= 1) || process.argv.length > 4) {
    process.stderr.write(
      "tables: give a number of tables and a first seed, whole numbers from 1: npm run tables -- 1000 1\n",
    );
    return 2;
  }
  const kernel = await shippedKernel();
  const tally = { made: 0, refused: 0, "too-many": 0 };
  for (let seed = first; seed < first + count; seed++) {
    const { cpus, words } = drawTable(new Dice(seed));
    const [seen, due] = [outcomeOf(kernel, cpus, words), comeTo(cpus, words)];
    if (JSON.stringify(seen) !== JSON.stringify(due)) {
      process.stderr.write(`tables: seed ${seed}: ${JSON.stringify(seen)} where ${JSON.stringify(due)} was due\n`);
      return 1;
    }
    tally[due.kind] += 1;
    if (process.stderr.isTTY && seed % PROGRESS_EVERY === 0) process.stderr.write(`\r${seed - first + 1} tables`);
  }
  const { made, refused } = tally;
  process.stdout.write(
    `${count} tables: ${made} made, ${refused} refused, ${tally["too-many"]} without a place; no panic\n`,
  );
  return 0;
}

process.exitCode = await main();
