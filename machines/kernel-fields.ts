// Kernel fields: where an observer finds the fields of the kernel's classes, beside the addresses of kernel/layout.ts.
//
// The kernel's sources are not at hand in a web page, so the offsets stand here a second time.
// Owner: none, constants only. Pairs with: kernel-fields.test.ts, which holds them against the kernel's classes;
// toolchain/layout-header.ts, which makes the same of the sources for C.

/** Of `Hart`, from the hart's region. */
export const HART_STAMP = 64;
export const HART_CURRENT = 76;
export const HART_POSTED = 88;
export const HART_PARKED_IDLE = 128;

/** Of `Counters`, from COUNTERS_OFFSET. */
export const COUNTER_PICKS = 8;
export const COUNTER_STEALS_CONTENDED = 24;
export const COUNTER_DEFERRED_YIELDS = 32;
export const COUNTER_PARKED = 128;
export const COUNTER_MIGRATIONS = 152;
export const COUNTER_WAKES = 160;
export const COUNTER_ENDED = 168;

/** Of `Task`. */
export const TASK_WORD = 0;
export const TASK_LIFE = 8;
export const TASK_EXIT_CODE = 48;
export const TASK_INCARNATION = 56;
export const TASK_PROGRAM = 60;
export const TASK_EXIT_REASON = 63;

/** Of `Runtime`, from GLOBALS_BASE. */
export const RUNTIME_SPAWNED = 0;
export const RUNTIME_NEXT_CPU = 16;
export const RUNTIME_NEXT_TASK = 20;

/** Of `Sleepers`, from the hart's sleepers, and of one `Sleeper`. */
export const SLEEPERS_COUNT = 0;
export const SLEEPERS_ENTRIES = 32;
export const SLEEPER_BYTES = 16;
export const SLEEPER_DEADLINE = 0;
export const SLEEPER_WORD = 8;

/** Where a hart's next evidence goes, from RESCHED_OFFSET. */
export const EVIDENCE_NEXT_POSITION = 16;

/** States of a task's word. */
export const STATE_FREE = 0;
export const STATE_EXITED = 5;

/** Signals of a life word. */
export const SIGNAL_KILL = 2;
export const SIGNAL_ASLEEP = 4;
export const SIGNAL_WOKEN = 64;
export const SIGNAL_EXPIRED = 128;

export const EXIT_KILLED = 3;
