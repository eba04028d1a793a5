// Branch: what a depth-first search has left to do along one schedule, as a plain value.
//
// Along the schedule to its deepest state a search has open levels, each with choices that it has claimed and not applied
// yet. Owner: none, types only. Invariant: nothing but these choices, and what lies below them, is left of the search.
// Pairs with: depth-first.ts (makes it, resumes it), work-queue.ts (work items), resume.ts (saves it).

export interface Branch {
  /** The choices from the root to the deepest open state. */
  readonly schedule: readonly number[];
  /**
   * A mask of choices for each open level: the last belongs to the schedule's end, the one before to one choice earlier,
   * and so on. None at all: the state at the schedule's end has not been looked at.
   */
  readonly todo: readonly number[];
  /** The choices that sleep at each open level. */
  readonly asleep: readonly number[];
}

/** The part of a search that one worker hands to another: one choice. */
export interface WorkItem {
  readonly schedule: readonly number[];
  readonly choice: number;
  readonly asleep: number;
}

export function branchOf({ schedule, choice, asleep }: WorkItem): Branch {
  return { schedule, todo: [1 << choice], asleep: [asleep] };
}

/** The whole search: everything from the state that `prefix` leads to. */
export function wholeFrom(prefix: readonly number[]): Branch {
  return { schedule: prefix, todo: [], asleep: [] };
}
