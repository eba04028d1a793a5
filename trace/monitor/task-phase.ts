// Task phase: whether the harts take tasks by themselves yet. While the selftests run they do not (kernel/phase.ts), so
// tasks wait in run queues of harts that idle, and a refused send stays as it is until its test goes on.
//
// The trace shows the change: a hart begins a task that it has not stolen, which it never does for a selftest.
// Owner: check-trace.ts, which feeds it before the monitors.

import type { TraceEvent } from "../event.ts";

export class TaskPhase {
  tasksRun = false;
  /** CPU by CPU: the task that it stole in the trap that is open. */
  private readonly stolen = new Map<number, number>();

  take(event: TraceEvent): void {
    if (this.tasksRun) return;
    if (event.kind === "trap") this.stolen.delete(event.cpu);
    if (event.kind === "steal") this.stolen.set(event.cpu, event.task);
    if (event.kind === "switch" && event.next !== null && this.stolen.get(event.cpu) !== event.next)
      this.tasksRun = true;
  }
}
