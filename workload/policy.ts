// Policy: rt-app's scheduling policies and priorities as QoS classes.
//
// The table is docs/running.md's. Partners: task-reader.ts, global-reader.ts.

import { Qos } from "../abi/qos.ts";

export type Policy = "SCHED_OTHER" | "SCHED_IDLE" | "SCHED_BATCH" | "SCHED_RR" | "SCHED_FIFO";

export const POLICIES: readonly Policy[] = ["SCHED_OTHER", "SCHED_BATCH", "SCHED_IDLE", "SCHED_RR", "SCHED_FIFO"];

/** From this nice level on a task is of the class Idle. */
const NICE_IDLE = 10;

export interface PriorityRange {
  readonly least: number;
  readonly most: number;
  /** Where the file gives none. */
  readonly usual: number;
}

/** Nice levels, or real-time priorities. */
export function priorityRange(policy: Policy): PriorityRange {
  return isRealTime(policy) ? { least: 1, most: 99, usual: 10 } : { least: -20, most: 19, usual: 0 };
}

export function qosOfPolicy(policy: Policy, priority: number): Qos {
  switch (policy) {
    case "SCHED_FIFO":
    case "SCHED_RR":
      return Qos.PerfBurst;
    case "SCHED_IDLE":
      return Qos.Idle;
    case "SCHED_BATCH":
      return priority >= NICE_IDLE ? Qos.Idle : Qos.Normal;
    case "SCHED_OTHER":
      if (priority < 0) return Qos.Interactive;
      return priority >= NICE_IDLE ? Qos.Idle : Qos.Normal;
    default:
      return policy satisfies never;
  }
}

export function policyNamed(name: string): Policy | undefined {
  return POLICIES.find((policy) => policy === name);
}

/** Why a name is no policy here. */
export function policyRefusal(name: string): string {
  return name === "SCHED_DEADLINE"
    ? "SCHED_DEADLINE is not supported: the kernel has no deadline class; use SCHED_FIFO"
    : `"${name}" is no policy; use one of ${POLICIES.join(", ")}`;
}

function isRealTime(policy: Policy): boolean {
  return policy === "SCHED_FIFO" || policy === "SCHED_RR";
}
