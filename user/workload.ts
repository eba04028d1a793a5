// Workload: a user image of one program, which interprets the table of phases that its memory holds. Its tasks are threads:
// all of them share that memory. A task's argument is its row of the table.
//
// A task ends when its loops are made or the workload's duration is over, and prints one line then.
// Pairs with: abi/workload-table.ts (the table and the line); workload/phase-table.ts, which compiles it.

import {
  WORKLOAD_LINE_PREFIX,
  WorkloadEnd,
  WorkloadEventRow,
  WorkloadPhaseRow,
  WorkloadTaskRow,
} from "../abi/workload-table";
import { taskId, time } from "./system-calls";
import { addField, beginTaskLine, endTaskLine } from "./task-line";
import { waitPast } from "./waits";
import { perform, sleepTo } from "./workload-events";
import {
  Block,
  blockOf,
  durationTicks,
  isTable,
  startOfAll,
  stateWord,
  tableWord,
  taskCount,
  taskWord,
  ticksOf,
} from "./workload-memory";

const REFUSED_CODE: i32 = 2;

export function run(argument: i64): i32 {
  const row = argument as i32;
  if (!isTable() || row < 0 || row >= taskCount()) return REFUSED_CODE;
  const block = blockOf(row);
  block.id = taskId();
  const now = time();
  block.end = startOfAll(now) + durationTicks();
  const end = live(block, row);
  beginTaskLine(block, WORKLOAD_LINE_PREFIX, row);
  addField(block, " end=", end);
  addField(block, " loops=", block.loops);
  addField(block, " phases=", block.phases);
  addField(block, " late=", block.late);
  return endTaskLine(block) == 0 ? 0 : REFUSED_CODE;
}

function live(block: Block, row: i32): WorkloadEnd {
  const forks = taskWord(row, WorkloadTaskRow.ForkState);
  if (forks >= 0 && !waitPast(block, forks, stateWord(forks), taskWord(row, WorkloadTaskRow.ForkRank))) {
    return WorkloadEnd.Unforked;
  }
  const delay = ticksOf(taskWord(row, WorkloadTaskRow.DelayMicros));
  if (delay > 0 && !sleepTo(block, time() + delay)) return WorkloadEnd.Duration;
  block.start = time();
  const loops = taskWord(row, WorkloadTaskRow.Loop);
  while (isBelow(block.loops, loops)) {
    if (!loopOnce(block, row)) return WorkloadEnd.Duration;
    block.loops += 1;
  }
  return WorkloadEnd.Done;
}

/** loop: -1, for ever. */
function isBelow(turn: i32, loop: i32): bool {
  return loop < 0 || turn < loop;
}

/** All phases once; false when the duration is over before. */
function loopOnce(block: Block, row: i32): bool {
  const first = taskWord(row, WorkloadTaskRow.Phases);
  const count = taskWord(row, WorkloadTaskRow.PhaseCount);
  for (let i = 0; i < count; i++) {
    const phase = first + i * WorkloadPhaseRow.Words;
    const turns = tableWord(phase + WorkloadPhaseRow.Loop);
    for (let turn = 0; isBelow(turn, turns); turn++) {
      if (time() >= block.end || !phaseOnce(block, row, phase)) return false;
      block.phases += 1;
    }
  }
  return true;
}

function phaseOnce(block: Block, row: i32, phase: i32): bool {
  const first = tableWord(phase + WorkloadPhaseRow.Events);
  const count = tableWord(phase + WorkloadPhaseRow.EventCount);
  for (let i = 0; i < count; i++) {
    if (!perform(block, row, first + i * WorkloadEventRow.Words)) return false;
  }
  block.event = 0;
  return true;
}
