// Checks of the task table: its tasks are made as its rows have them, or the run fails with the number of the row (D6).
//
// Partners: case.ts; task-table-model.ts, which knows what each table has to come to; kernel/requested-tasks.test.ts.

import { CPUS_IN_TURN, TASK_ROWS_MAX } from "../../abi/task-table.ts";
import { Qos } from "../../abi/qos.ts";
import type { Case } from "../rig/case.ts";
import { Dice } from "../rig/dice.ts";
import { same } from "../rig/refutation.ts";
import { comeTo, drawTable, outcomeOf, PROGRAMS, type Row, rowsOf, tableOf } from "../rig/task-table-model.ts";

/** Tables that a check draws; the command of soak draws as many as it is asked for. */
const DRAWN = 400;

const row = (change: Partial<Row> = {}): Row => ({
  program: 1,
  qos: Qos.Normal,
  cpu: CPUS_IN_TURN,
  argument: 7n,
  ...change,
});

const MINIMUM = -0x8000_0000;

export const taskTableChecks: readonly Case[] = [
  {
    clause: "D6",
    title:
      "task table: rows of every class, CPU and argument: their tasks and no others, where and as the rows have them",
    run: (kernel) => {
      const rows = [
        row({ argument: -1n }),
        row({ program: 0, qos: Qos.Idle, cpu: 2, argument: 1n << 62n }),
        row({ program: PROGRAMS - 1, qos: Qos.PerfBurst, cpu: 0, argument: 0x8000_0000n }),
        row({ qos: Qos.Interactive, argument: -(1n << 63n) }),
        row({ cpu: 1 }),
        row(),
      ];
      same(outcomeOf(kernel, 3, tableOf(rows)), comeTo(3, tableOf(rows)), "what became of a table");
    },
  },
  {
    clause: "D6",
    title: "task table: one row that cannot be, among others: the run fails with its number, and no task runs",
    run: (kernel) => {
      const wrong: readonly Partial<Row>[] = [
        ...[PROGRAMS, -1, MINIMUM, 0x10000, 0x7fff_ffff].map((program) => ({ program })),
        ...[4, -1, MINIMUM, 0x100, 0x7fff_ffff].map((qos) => ({ qos })),
        ...[3, -2, MINIMUM, 64, 0x1_0000, 0x7fff_ffff].map((cpu) => ({ cpu })),
      ];
      for (const change of wrong)
        for (const at of [0, 2]) {
          const rows = [row(), row(), row()].with(at, row(change));
          same(outcomeOf(kernel, 3, tableOf(rows)), { kind: "refused", row: at + 1 }, JSON.stringify([change, at]));
        }
    },
  },
  {
    clause: "D6",
    title: "task table: a count that cannot be, and as many rows as there may be: refused, and made",
    run: (kernel) => {
      const full = tableOf(Array.from({ length: TASK_ROWS_MAX }, () => row()));
      for (const count of [TASK_ROWS_MAX + 1, -1, MINIMUM, 0x7fff_ffff])
        same(outcomeOf(kernel, 4, full.with(0, count)), { kind: "refused", row: 0 }, `a table of ${count} rows`);
      same(outcomeOf(kernel, 4, full), comeTo(4, full), "what became of the longest table");
      // Cut short, the words that are missing read as 0, which is a row of its own.
      same(
        rowsOf(full.slice(0, 4)).at(-1),
        { program: 0, qos: Qos.Idle, cpu: 0, argument: 0n },
        "the last row of a cut table",
      );
      same(outcomeOf(kernel, 4, full.slice(0, 4)).kind, "too-many", "a table cut after its first row");
    },
  },
  {
    clause: "D6",
    title: "task table: tables drawn at random, most of them wrong: refused with their first wrong row, or made whole",
    run: (kernel) => {
      for (let seed = 1; seed <= DRAWN; seed++) {
        const { cpus, words } = drawTable(new Dice(seed));
        same(outcomeOf(kernel, cpus, words), comeTo(cpus, words), `the table of seed ${seed}`);
      }
    },
  },
];
