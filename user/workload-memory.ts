// Workload memory: what the tasks of a workload share: the table, the words of state, a block for each task.
//
// Owner: the table is constant. A block is its task's, but for `waitingOn`, which whoever ends the wait clears; words of
// state are changed by atomic accesses alone.
// Partners: abi/workload-table.ts (the layout); waits.ts (waits); workload.ts (the interpreter).

import {
  WORKLOAD_BLOCK_BYTES,
  WORKLOAD_BLOCKS_BASE,
  WORKLOAD_MAGIC,
  WORKLOAD_STATE_BASE,
  WORKLOAD_TABLE_BASE,
  WorkloadHeader,
  WorkloadTaskRow,
} from "../abi/workload-table";

@unmanaged
export class Block {
  /** The state word on which it waits, plus one; 0: on none. Written by its task, cleared by who ends the wait. */
  waitingOn: i32;
  /** Its turn among those that wait: lower first. */
  ticket: i32;
  /** Its id, before it waits for the first time. */
  id: i64;
  /** Place of the event that it performs; 0 between phases. */
  event: i32;
  loops: i32;
  phases: i32;
  /** Periods of timers that had passed. */
  late: i32;
  /** When it began its first phase, in ticks. */
  start: i64;
  /** When the workload is over, in ticks. */
  end: i64;
  /** Turns of the loop that take a chunk of CPU time. */
  turns: i32;
  /** Length of the line. */
  length: i32;
  /** What it computes. */
  value: i32;
}

/** Offset of a block's line. */
export const LINE_OFFSET: i32 = 64;

// Two words before the first block that all tasks change: the last place of the words of state.
const START: usize = WORKLOAD_BLOCKS_BASE - 16;
const TICKETS: usize = WORKLOAD_BLOCKS_BASE - 8;

export function tableWord(place: i32): i32 {
  return load<i32>((WORKLOAD_TABLE_BASE + (place << 2)) as usize);
}

export function isTable(): bool {
  return tableWord(WorkloadHeader.Magic) == WORKLOAD_MAGIC;
}

export function taskCount(): i32 {
  return tableWord(WorkloadHeader.TaskCount);
}

export function taskWord(row: i32, field: WorkloadTaskRow): i32 {
  return tableWord(WorkloadHeader.Words + row * WorkloadTaskRow.Words + field);
}

export function ticksOf(micros: i32): i64 {
  return (micros as i64) * tableWord(WorkloadHeader.TicksPerMicro);
}

export function durationTicks(): i64 {
  return (tableWord(WorkloadHeader.DurationMillis) as i64) * ticksOf(1000);
}

/** The address of a word of state. */
export function stateWord(place: i32): usize {
  return (WORKLOAD_STATE_BASE + (place << 2)) as usize;
}

export function blockOf(row: i32): Block {
  return changetype<Block>((WORKLOAD_BLOCKS_BASE + row * WORKLOAD_BLOCK_BYTES) as usize);
}

/** When the workload began: its first task sets it. */
export function startOfAll(now: i64): i64 {
  const before = atomic.cmpxchg<i64>(START, 0, now);
  return before == 0 ? now : before;
}

export function nextTicket(): i32 {
  return atomic.add<i32>(TICKETS, 1);
}
