// Index: what the artifact exports. Machines enter by boot, bootSecondary and trap; scenarios and benchmarks
// call the operations by themselves, with the addresses of hart regions and tasks as arguments.
//
// Pairs with: docs/architecture.md (the boundary).

export { boot, bootSecondary } from "./boot";
export { trap } from "./trap";

export { cpuId } from "./cpu-id";
export { enqueue } from "./run-queue";
export { drainMailbox } from "./drain";
export { pick, place, steal, stealFrom, yieldCurrent } from "./scheduler";
export { sleepCurrent, wake } from "./sleep";
export { wakeExpired } from "./sleepers";
export { changeQos, kill, reap, spawn } from "./authority";
export { acknowledge, requestResched, requestThrough, retryUnsent, send, takeRequests } from "./resched";
export { borrowRuntime } from "./runtime";
export { dispatch, resume } from "./dispatch";
export { join } from "./online";
export { setTopology } from "./topology";
export { letTasksRun } from "./phase";
