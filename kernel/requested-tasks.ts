// Requested tasks: those that the machine asks for by a task table, in the place of the default ones.
//
// Owner: the boot hart, before any task may run.
// Invariant: the table is input like any other: each word is read once and checked before it is used, and a row that
// cannot be ends the run with its number. No task of a refused table ever runs.
// Pairs with: abi/task-table.ts (its words), machine.taskWord, selftest.ts, default-tasks.ts.
// Clauses: Q9, D6.

import { QOS_COUNT } from "../abi/qos";
import { CPUS_IN_TURN, TASK_ROW_WORDS, TASK_ROWS_MAX } from "../abi/task-table";
import { spawn, SpawnRefusal } from "./authority";
import { failAt } from "./failure";
import { Hart } from "./hart-local";
import * as machine from "./machine";
import { Runtime } from "./runtime";
import { spawnInTurn } from "./syscall";

/** Rows of the table; 0: the default tasks are to run. */
export function rowCount(): i32 {
  return machine.taskWord(0);
}

/**
 * Makes the tasks of the rows after the first `done`, as far as each finds a place in its CPU's queue now. How many are
 * done then: `count`, or fewer, to be called again.
 */
export function spawnRows(runtime: Runtime, self: Hart, done: i32, count: i32): i32 {
  // D6: what cannot be ends the run, with its number.
  if ((count as u32) > (TASK_ROWS_MAX as u32)) refuse(self, 0);
  // bound: TASK_ROWS_MAX.
  for (let row = done; row < count; row++) {
    const id = spawnRow(runtime, self, row * TASK_ROW_WORDS + 1);
    if (id == SpawnRefusal.NoProgram || id == SpawnRefusal.InvalidCpu) refuse(self, row + 1);
    // Q9: refused for want of a place, it has left nothing behind. Its CPU may be about to empty its mailbox.
    if (id < 0) return row;
  }
  return count;
}

/** The new task's id, or a SpawnRefusal. */
function spawnRow(runtime: Runtime, self: Hart, at: i32): i64 {
  const program = machine.taskWord(at);
  const qos = machine.taskWord(at + 1);
  const cpu = machine.taskWord(at + 2);
  const argument = ((machine.taskWord(at + 4) as i64) << 32) | (machine.taskWord(at + 3) as u32 as i64);
  if ((qos as u32) >= (QOS_COUNT as u32)) return SpawnRefusal.NoProgram;
  if (cpu == CPUS_IN_TURN) return spawnInTurn(runtime, self, program, qos, argument);
  return spawn(runtime, self, cpu, program, qos, argument);
}

function refuse(self: Hart, row: i32): void {
  failAt(self, "the task table's row ", row, " is refused");
}
