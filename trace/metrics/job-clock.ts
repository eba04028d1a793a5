// Job clock: response times of periodic tasks. A job is released at the deadline of the call of SleepUntil before it and
// is done when the task calls SleepUntil for a later release, or ends.
//
// Only tasks of which the trace has a period (task-info) are looked at. A call whose deadline is no whole number of
// periods after the release is a sleep within the job. A sleep that another task ends early leaves its release unknown,
// as does the first call before it: those jobs are not counted.

import { Syscall } from "../../abi/syscalls.ts";
import type { TraceEvent } from "../event.ts";

/** responseTicks: null where the job was not done when the trace ended, past its deadline. */
export type ReportJob = (task: number, responseTicks: number | null, isMissed: boolean) => void;

interface Periodic {
  readonly periodTicks: number;
  readonly deadlineTicks: number;
  release: number | null;
}

export class JobClock {
  private readonly periodic = new Map<number, Periodic>();
  private readonly report: ReportJob;

  constructor(events: readonly TraceEvent[], report: ReportJob) {
    this.report = report;
    for (const event of events) {
      if (event.kind !== "task-info" || event.periodTicks === undefined || !(event.periodTicks > 0)) continue;
      const { periodTicks, deadlineTicks = periodTicks } = event;
      this.periodic.set(event.task, { periodTicks, deadlineTicks, release: null });
    }
  }

  get tasks(): Iterable<number> {
    return this.periodic.keys();
  }

  take(event: TraceEvent): void {
    if (event.kind === "wake" && event.by !== null) return this.forget(event.task);
    if (event.kind === "end") return this.done(event.task, event.t, null);
    if (event.kind !== "trap" || event.task === null || event.call !== Syscall.SleepUntil) return;
    this.done(event.task, event.t, event.a0 ?? null);
  }

  finish(last: number): void {
    for (const [task, { release, deadlineTicks }] of this.periodic)
      if (release !== null && release + deadlineTicks < last) this.report(task, null, true);
  }

  private forget(task: number): void {
    const one = this.periodic.get(task);
    if (one !== undefined) one.release = null;
  }

  private done(task: number, t: number, next: number | null): void {
    const one = this.periodic.get(task);
    if (one === undefined) return;
    const { release } = one;
    const isWithin = next !== null && release !== null && (next <= release || (next - release) % one.periodTicks !== 0);
    if (isWithin) return;
    one.release = next;
    // A release in the future: the call came before the time of the job, which is then no job.
    if (release !== null && t >= release) this.report(task, t - release, t - release > one.deadlineTicks);
  }
}
