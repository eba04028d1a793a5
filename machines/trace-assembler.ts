// Trace assembler: makes the observations of all harts the events of a trace.
//
// What one hart cannot know of another is added here: the CPU on which a task ran before, a class that differs from the
// one that was seen last, and that two harts claim the same wake. Observations are to come in the order of their time.
// Owner: whoever reads a machine's observations. Pairs with: observation.ts, trace/event.ts.

import { EventKind } from "../abi/events.ts";
import type { Qos } from "../abi/qos.ts";
import { Syscall, SyscallError } from "../abi/syscalls.ts";
import { TrapCause } from "../abi/traps.ts";
import { QOS_NAMES } from "../abi/markers.ts";
import type { ChainKind, QosName, RejectReason, TraceEvent, TrapKind } from "../trace/event.ts";
import type { Observation } from "./observation.ts";

const CLASSES = QOS_NAMES.split(" ") as QosName[];

/** Sleeps of a task that are remembered, so that a second claim of one is known: claims come close together. */
const SLEEPS_REMEMBERED = 16;

/** What is known of a task. */
interface Seen {
  qos: Qos | undefined;
  /** The CPU on which it began last. */
  cpu: number | undefined;
  readonly sleeps: number[];
}

export class TraceAssembler {
  private readonly tasks = new Map<number, Seen>();

  /** The events that an observation stands for, in their order. */
  assemble(found: Observation): TraceEvent[] {
    const { t, cpu } = found;
    const at = { t, cpu };
    switch (found.kind) {
      case "trap":
        return [trapEvent(found)];
      case "answer":
        return answerEvents(found);
      case "switch":
        return this.switchEvents(found);
      case "spawn": {
        const { task, program, qos, target } = found;
        this.seen(task).qos = qos;
        return [{ ...at, kind: "spawn", task, program, qos: classOf(qos), target }];
      }
      case "enqueue": {
        const { task, qos, depth } = found;
        return [...this.classEvents(found), { ...at, kind: "enqueue", task, qos: classOf(qos), depth }];
      }
      case "park": {
        const { task, qos } = found;
        return [...this.classEvents(found), { ...at, kind: "park", task, qos: classOf(qos) }];
      }
      case "wake":
        return this.isKnownSleep(found.task, found.sleep)
          ? []
          : [{ ...at, kind: "wake", task: found.task, by: found.by }];
      case "steals-contended":
        return Array.from({ length: found.count }, () => ({ ...at, kind: "steal-failed", why: "contended" }) as const);
      case "class":
        return this.classEvents(found);
      case "end": {
        const { task, reason, code, by } = found;
        return [{ ...at, kind: "end", task, reason, code, ...(by === null ? {} : { by }) }];
      }
      case "yields-deferred": {
        const { task } = found;
        return Array.from({ length: found.count }, () => ({ ...at, kind: "reject", task, why: "queue-full" }) as const);
      }
      case "evidence":
        return evidenceEvents(found);
      case "depths":
        return [{ ...at, kind: "depths", queues: found.queues, mailbox: found.mailbox }];
      case "lost":
        return [{ ...at, kind: "lost", count: found.count }];
      default:
        return found satisfies never;
    }
  }

  private switchEvents(found: Observation & { kind: "switch" }): TraceEvent[] {
    const { t, cpu, previous, reason, next, qos, sleepsEnded } = found;
    const changed: TraceEvent = {
      ...{ t, cpu, kind: "switch", previous, reason, next, qos: next === null ? null : classOf(qos) },
      ...(sleepsEnded === 0 ? {} : { sleepsEnded }),
    };
    if (next === null) return [changed];
    const events = this.classEvents({ t, cpu, task: next, qos });
    const seen = this.seen(next);
    if (found.migrated) events.push({ t, cpu, kind: "migrate", task: next, from: seen.cpu ?? CPU_UNKNOWN });
    seen.cpu = cpu;
    return [...events, changed];
  }

  /** An event if the task's class is not the one that was seen last. */
  private classEvents(found: { t: number; cpu: number; task: number; qos: Qos }): TraceEvent[] {
    const { t, cpu, task, qos } = found;
    const seen = this.seen(task);
    const before = seen.qos;
    seen.qos = qos;
    return before === undefined || before === qos ? [] : [{ t, cpu, kind: "qos", task, qos: classOf(qos) }];
  }

  private isKnownSleep(task: number, sleep: number): boolean {
    const { sleeps } = this.seen(task);
    if (sleeps.includes(sleep)) return true;
    sleeps.push(sleep);
    if (sleeps.length > SLEEPS_REMEMBERED) sleeps.shift();
    return false;
  }

  private seen(task: number): Seen {
    const known = this.tasks.get(task);
    if (known !== undefined) return known;
    const made: Seen = { qos: undefined, cpu: undefined, sleeps: [] };
    this.tasks.set(task, made);
    return made;
  }
}

/** In the place of a CPU that is not known, because records were lost. */
const CPU_UNKNOWN = -1;

function classOf(qos: Qos): QosName {
  return CLASSES[qos] ?? "Idle";
}

function trapEvent({ t, cpu, cause, task, call, a0 }: Observation & { kind: "trap" }): TraceEvent {
  const kind = trapKindOf(cause);
  return { t, cpu, kind: "trap", cause: kind, task, ...(kind === "system-call" ? { call, a0 } : {}) };
}

function trapKindOf(cause: number): TrapKind {
  if (cause === TrapCause.SystemCall) return "system-call";
  if (cause === TrapCause.SoftInterrupt) return "soft";
  return cause === TrapCause.TimerInterrupt ? "timer" : "fault";
}

/** By what a system call answers; Kill and the like have no others. */
const REJECTS: ReadonlyMap<number, RejectReason> = new Map([
  [SyscallError.Unknown, "unknown-call"],
  [SyscallError.NotBootHart, "not-boot-hart"],
  [SyscallError.QueueFull, "queue-full"],
  [SyscallError.NotFound, "not-found"],
  [SyscallError.InvalidArgument, "invalid-argument"],
  [SyscallError.Fault, "fault"],
  [SyscallError.Contended, "contended"],
  [SyscallError.ConsoleFull, "console-full"],
  [SyscallError.NoFreeTask, "no-free-task"],
]);

function answerEvents({ t, cpu, task, call, value }: Observation & { kind: "answer" }): TraceEvent[] {
  const answer: TraceEvent = { t, cpu, kind: "answer", task, call, value };
  const why = call === Syscall.Time ? undefined : REJECTS.get(value);
  return why === undefined ? [answer] : [answer, { t, cpu, kind: "reject", task, why }];
}

const CHAIN: ReadonlyMap<EventKind, ChainKind> = new Map([
  [EventKind.Accepted, "accepted"],
  [EventKind.Sent, "sent"],
  [EventKind.SendFailed, "send-failed"],
  [EventKind.Trapped, "trapped"],
  [EventKind.Acked, "acked"],
  [EventKind.Coalesced, "coalesced"],
  [EventKind.Unused, "unused"],
  [EventKind.NoPendingRequest, "no-pending-request"],
  [EventKind.RejectedInvalidCpu, "rejected-invalid-cpu"],
  [EventKind.RejectedOfflineCpu, "rejected-offline-cpu"],
]);

/** What the kernel writes as evidence besides (a hart came online, a task began) is in no trace, or in other events. */
function evidenceEvents({ t, cpu, event, of, n, request, detail }: Observation & { kind: "evidence" }): TraceEvent[] {
  const kind = CHAIN.get(event);
  if (kind !== undefined) return [{ t, cpu, kind, of, n, request, detail }];
  if (event === EventKind.Stolen) return [{ t, cpu, kind: "steal", task: request, victim: detail }];
  if (event === EventKind.StealRefused) return [{ t, cpu, kind: "steal-failed", why: "refused" }];
  if (event === EventKind.StealBudgetSpent) return [{ t, cpu, kind: "steal-failed", why: "budget-spent" }];
  return [];
}
