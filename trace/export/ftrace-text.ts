// Ftrace text: a trace as the text of Linux's function tracer, which perfetto and the scripts of scheduler people read.
//
// The lines are those of /sys/kernel/tracing/trace (Documentation/trace/ftrace.rst): thread, CPU, flags, seconds, event.
// The flags are what a real kernel has in the scheduler: interrupts off, and rescheduling at a switch.

import type { Trace } from "../event.ts";
import { schedEventsOf, type SchedEvent } from "./linux-sched.ts";

const HEAD = [
  "# tracer: nop",
  "#",
  "#                                _-----=> irqs-off/BH-disabled",
  "#                               / _----=> need-resched",
  "#                              | / _---=> hardirq/softirq",
  "#                              || / _--=> preempt-depth",
  "#                              ||| / _-=> migrate-disable",
  "#                              |||| /     delay",
  "#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION",
  "#              | |         |   |||||     |         |",
];

export function formatFtrace(trace: Trace): string {
  return `${[...HEAD, ...schedEventsOf(trace).map((event) => formatLine(event))].join("\n")}\n`;
}

function formatLine(event: SchedEvent): string {
  const { context, cpu, ns } = event;
  const comm = context.pid === 0 ? "<idle>" : context.comm;
  const thread = `${comm.padStart(16)}-${String(context.pid).padEnd(7)}`;
  const seconds = `${ns / 1_000_000_000n}.${String(ns % 1_000_000_000n).padStart(9, "0")}`;
  return `${thread} [${String(cpu).padStart(3, "0")}] d..2. ${seconds}: ${event.kind}: ${formatFields(event)}`;
}

function formatFields(event: SchedEvent): string {
  switch (event.kind) {
    case "sched_switch": {
      const { prev, prevState, next } = event;
      const left = `prev_comm=${prev.comm} prev_pid=${prev.pid} prev_prio=${prev.prio} prev_state=${prevState}`;
      return `${left} ==> next_comm=${next.comm} next_pid=${next.pid} next_prio=${next.prio}`;
    }
    case "sched_waking":
    case "sched_wakeup_new": {
      const { thread, targetCpu } = event;
      const target = String(targetCpu).padStart(3, "0");
      return `comm=${thread.comm} pid=${thread.pid} prio=${thread.prio} target_cpu=${target}`;
    }
    case "sched_migrate_task": {
      const { thread, from, to } = event;
      return `comm=${thread.comm} pid=${thread.pid} prio=${thread.prio} orig_cpu=${from} dest_cpu=${to}`;
    }
    default:
      return event satisfies never;
  }
}
