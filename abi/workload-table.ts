// Workload table: how the program `workload` finds what its tasks do. The host compiles it (workload/phase-table.ts), the
// program interprets it. Words of 32 bits; places are indices of words in the table.
//
//   header     WorkloadHeader
//   tasks      a row of WorkloadTaskRow for each task that there can be; a task's argument is its row
//   phases     rows of WorkloadPhaseRow: those of one task follow each other
//   events     rows of WorkloadEventRow: those of one phase follow each other

/** Tasks of one workload: fewer than there are spaces, of which the selftests' probes may still hold some. */
export const WORKLOAD_TASKS_MAX = 120;

/** Words of a table. */
export const WORKLOAD_WORDS_MAX = 6144;

/** Words of state that mutexes, conditions, barriers, suspensions, forks and timers have together. */
export const WORKLOAD_STATE_WORDS_MAX = 1020;

// The memory that the tasks share, in bytes: constants of the program lie below the table.
export const WORKLOAD_TABLE_BASE = 0x2000;
export const WORKLOAD_STATE_BASE = 0x8000;
export const WORKLOAD_BLOCKS_BASE = 0x9000;
/** One task's block. */
export const WORKLOAD_BLOCK_BYTES = 192;

/** First word of a table: a version. */
export const WORKLOAD_MAGIC = 0x4857_0001;

export enum WorkloadHeader {
  Magic = 0,
  TicksPerMicro = 1,
  DurationMillis = 2,
  TaskCount = 3,
  /** Words of state in use. */
  StateCount = 4,
  Words = 5,
}

export enum WorkloadTaskRow {
  /** -1: for ever. */
  Loop = 0,
  DelayMicros = 1,
  /** Place of its first phase. */
  Phases = 2,
  PhaseCount = 3,
  /** The state word that counts the forks of its name; -1: it begins at the start. */
  ForkState = 4,
  /** It begins when that word is past this. */
  ForkRank = 5,
  /** The first state word of its own timers. */
  OwnTimers = 6,
  Words = 7,
}

export enum WorkloadPhaseRow {
  Loop = 0,
  /** Place of its first event. */
  Events = 1,
  EventCount = 2,
  Words = 3,
}

export enum WorkloadEventRow {
  Kind = 0,
  First = 1,
  Second = 2,
  Words = 3,
}

/** What an event does, and what its two words are. A resource is the index of its first state word. */
export enum WorkloadEventKind {
  /** Microseconds of CPU time. */
  Run = 1,
  /** Microseconds of time. */
  Runtime = 2,
  Sleep = 3,
  /** The timer, its period in microseconds. A timer has two state words; -1, -2, ... are the task's own, in order. */
  TimerRelative = 4,
  TimerAbsolute = 5,
  Suspend = 6,
  Resume = 7,
  Lock = 8,
  Unlock = 9,
  /** Condition, mutex. */
  Wait = 10,
  Signal = 11,
  Broadcast = 12,
  /** Condition, mutex. */
  Sync = 13,
  /** The barrier's two state words (arrivals, generation); how many it waits for. */
  Barrier = 14,
  Yield = 15,
  /** The state word that counts the forks. */
  Fork = 16,
}

/** How a task's only line begins; `workload row=3 end=0 loops=10 phases=40 late=0`, the end by its number. */
export const WORKLOAD_LINE_PREFIX = "workload row=";

export enum WorkloadEnd {
  /** All loops are made. */
  Done = 0,
  /** The duration was over before. */
  Duration = 1,
  /** Nothing forked it. */
  Unforked = 2,
  /** The table is not one. */
  Refused = 3,
}
