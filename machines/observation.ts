// Observation: what a look at one hart's part of the kernel's memory finds, before it is made an event of a trace.
//
// Tasks are ids, classes and causes the kernel's numbers. t: ticks, of the trap's entry for `trap`, else of the look.
// Owner: none, types only. Pairs with: sim/observer.ts, which looks; trace-assembler.ts.

import type { EventKind } from "../abi/events.ts";
import type { Qos } from "../abi/qos.ts";
import type { LeaveReason } from "../trace/event.ts";

interface Look {
  readonly t: number;
  readonly cpu: number;
}

export type Observation = Look &
  (
    | {
        readonly kind: "trap";
        /** A TrapCause. */
        readonly cause: number;
        readonly task: number | null;
        /** Of a system call. */
        readonly call: number;
        readonly a0: number;
      }
    | { readonly kind: "answer"; readonly task: number; readonly call: number; readonly value: number }
    | {
        readonly kind: "switch";
        readonly previous: number | null;
        readonly reason: LeaveReason | null;
        readonly next: number | null;
        readonly qos: Qos;
        /** The next task ran on another CPU last. */
        readonly migrated: boolean;
        /** Sleeps whose answer this trap gave. */
        readonly sleepsEnded: number;
      }
    | {
        readonly kind: "spawn";
        readonly task: number;
        readonly program: number;
        readonly qos: Qos;
        readonly target: number;
      }
    | { readonly kind: "enqueue"; readonly task: number; readonly qos: Qos; readonly depth: number }
    | { readonly kind: "park"; readonly task: number; readonly qos: Qos }
    /** sleep: which sleep of the task's was ended, as its life word counts them. Two harts may both claim it. */
    | { readonly kind: "wake"; readonly task: number; readonly by: number | null; readonly sleep: number }
    | { readonly kind: "steals-contended"; readonly count: number }
    /** The running task's class. */
    | { readonly kind: "class"; readonly task: number; readonly qos: Qos }
    | {
        readonly kind: "end";
        readonly task: number;
        readonly reason: "exited" | "faulted" | "killed";
        readonly code: number;
        readonly by: number | null;
      }
    | { readonly kind: "yields-deferred"; readonly task: number | null; readonly count: number }
    | {
        readonly kind: "evidence";
        readonly event: EventKind;
        readonly of: number;
        readonly n: number;
        readonly request: number;
        readonly detail: number;
      }
    | {
        readonly kind: "depths";
        readonly queues: readonly [number, number, number, number];
        readonly mailbox: number;
      }
    | { readonly kind: "lost"; readonly count: number }
  );
