// Phase: while the selftests run, harts take no tasks by themselves, so that each test meets the state that
// it has made.
//
// Owner: the boot hart writes; everybody reads.
// Pairs with: selftest.ts, dispatch.ts.

import { GLOBALS_BASE } from "./layout";
import { load32, store32 } from "./shared";

export const TASKS_MAY_RUN: i32 = GLOBALS_BASE + 192;

export function mayRunTasks(): bool {
  return load32(TASKS_MAY_RUN) != 0;
}

export function letTasksRun(): void {
  store32(TASKS_MAY_RUN, 1);
}
