// Trace event: what happened on a hart, as a machine observed it from outside the kernel.
//
// A trace is a header, events in the order of their time (those of one hart in the order in which they happened), and the
// totals. Times are ticks since power-on. A trap event has the time at which the hart entered the kernel; all else that
// this hart writes in that trap has the time of its end, so what it stands for happened between the two. Events of
// several harts at one tick are in no order. Tasks are named by id, CPUs by index; a task that none is, is null.
// Invariant: types only; what makes, reads or judges traces lies beside this file or in machines/.
// Source: docs/running.md.

/** Version of the format: raised when a field changes its meaning or goes. */
export const TRACE_VERSION = 1;

export interface TraceHeader {
  readonly format: "hartbeat-trace";
  readonly version: typeof TRACE_VERSION;
  readonly machine: "sim" | "virt";
  /** CPUs online. */
  readonly cpus: number;
  readonly ticksPerSecond: number;
  /** sim: which order of steps. */
  readonly seed?: number;
  /** SHA-256 of kernel.wasm, hexadecimal. */
  readonly kernel: string;
  /** Program names, by number. */
  readonly programs: readonly string[];
  /** Command line or workload, for people. */
  readonly title?: string;
}

export type TrapKind = "system-call" | "soft" | "timer" | "fault";
export type QosName = "Idle" | "Normal" | "Interactive" | "PerfBurst";

/** Why a task left the hart. */
export type LeaveReason = "yielded" | "preempted" | "blocked" | "exited" | "faulted" | "killed";

/** What each event has. */
interface At {
  /** Ticks. */
  readonly t: number;
  /** The CPU on whose hart it happened. */
  readonly cpu: number;
}

export type TraceEvent =
  /** The hart entered the kernel. call, a0: of a system call (a number of abi/syscalls.ts, its first argument). */
  | (At & {
      readonly kind: "trap";
      readonly cause: TrapKind;
      readonly task: number | null;
      readonly call?: number;
      readonly a0?: number;
    })
  /** A system call was answered; value below 0: a SyscallError. Left out for answers that come when the task runs again. */
  | (At & { readonly kind: "answer"; readonly task: number; readonly call: number; readonly value: number })
  /** The hart leaves the kernel with another task than it entered with. next null: it idles. */
  | (At & {
      readonly kind: "switch";
      readonly previous: number | null;
      readonly reason: LeaveReason | null;
      readonly next: number | null;
      readonly qos: QosName | null;
      /** Sleeps that end here, where any does: the next task's call of SleepUntil is answered now. */
      readonly sleepsEnded?: number;
    })
  /** A task was made. cpu is the boot hart's; target: where it is to run. */
  | (At & {
      readonly kind: "spawn";
      readonly task: number;
      readonly program: number;
      readonly qos: QosName;
      readonly target: number;
    })
  /** What the host knows of a task besides, such as its workload; anywhere after its spawn. */
  | (At & {
      readonly kind: "task-info";
      readonly task: number;
      readonly name: string;
      /** Of a periodic task: its releases are so far apart, by the deadlines of its calls of SleepUntil. */
      readonly periodTicks?: number;
      /** From a release until the job has to be done; the period, where it is left out. */
      readonly deadlineTicks?: number;
    })
  /** A task became an entry of this CPU's run queue of that class. depth: tasks in it at the end of the trap. */
  | (At & { readonly kind: "enqueue"; readonly task: number; readonly qos: QosName; readonly depth: number })
  /** A running task was set aside because its run queue was full. */
  | (At & { readonly kind: "park"; readonly task: number; readonly qos: QosName })
  /** A sleeping task is to run again. by: the waker, null: its time has come. */
  | (At & { readonly kind: "wake"; readonly task: number; readonly by: number | null })
  /** The hart took a task from another CPU. */
  | (At & { readonly kind: "steal"; readonly task: number; readonly victim: number })
  /** A look at other CPUs that took nothing. "nothing-there" leaves no trace in the kernel: no machine writes it yet. */
  | (At & { readonly kind: "steal-failed"; readonly why: "nothing-there" | "contended" | "refused" | "budget-spent" })
  /** The task that begins here ran on another CPU last; from -1: on which is not known, because records were lost. */
  | (At & { readonly kind: "migrate"; readonly task: number; readonly from: number })
  | (At & { readonly kind: "qos"; readonly task: number; readonly qos: QosName })
  /** A task ended. code: of its exit, or the cause of its fault. by: the task whose call killed it while it was waiting. */
  | (At & {
      readonly kind: "end";
      readonly task: number;
      readonly reason: "exited" | "faulted" | "killed";
      readonly code: number;
      readonly by?: number;
    })
  /** Something was refused: a call's answer, or what the kernel counts. */
  | (At & { readonly kind: "reject"; readonly task: number | null; readonly why: RejectReason })
  /** A step of the resched chain of CPU `of`; n, request, detail as in abi/events.ts. */
  | (At & {
      readonly kind: ChainKind;
      readonly of: number;
      readonly n: number;
      readonly request: number;
      readonly detail: number;
    })
  /** Ready tasks of each class, mailbox entries, parked tasks; written when they changed. */
  | (At & {
      readonly kind: "depths";
      readonly queues: readonly [number, number, number, number];
      readonly mailbox: number;
    })
  /** So many records of this hart were overwritten before they were read. */
  | (At & { readonly kind: "lost"; readonly count: number });

export type ChainKind =
  | "accepted"
  | "sent"
  | "send-failed"
  | "trapped"
  | "acked"
  | "coalesced"
  | "unused"
  | "no-pending-request"
  | "rejected-invalid-cpu"
  | "rejected-offline-cpu";

export type RejectReason =
  | "queue-full"
  | "contended"
  | "not-boot-hart"
  | "not-found"
  | "invalid-argument"
  | "fault"
  | "console-full"
  | "no-free-task"
  | "unknown-call";

/** A trace as a whole; totals null where the run ended before them. */
export interface Trace {
  readonly header: TraceHeader;
  readonly events: readonly TraceEvent[];
  readonly totals: TraceTotals | null;
}

export type TraceEventKind = TraceEvent["kind"];

/** The last line: what the kernel itself counted, from its summary on the console. */
export interface TraceTotals {
  readonly kind: "totals";
  readonly harts: readonly HartTotals[];
  readonly tasks: readonly TaskTotals[];
  /** How the run powered off. */
  readonly result: "passed" | "failed" | "panic" | "stopped";
  /** Records overwritten before they were read, of all harts. */
  readonly lost: number;
}

/** The HART and RESCHED lines of a CPU (abi/markers.ts). */
export interface HartTotals {
  readonly cpu: number;
  readonly picks: number;
  readonly steals: number;
  readonly migrations: number;
  readonly wakes: number;
  readonly ended: number;
  readonly faults: number;
  readonly idlePercent: number;
  readonly accepted: number;
  readonly sent: number;
  readonly sendsFailed: number;
  readonly coalesced: number;
  readonly trapped: number;
  readonly acked: number;
}

/** A TASK line. */
export interface TaskTotals {
  readonly task: number;
  readonly program: number;
  readonly qos: QosName;
  readonly runs: number;
  readonly steals: number;
  readonly migrations: number;
  readonly wakes: number;
  readonly lastCpu: number;
  readonly end: "exited" | "faulted" | "killed";
  readonly code: number;
}
