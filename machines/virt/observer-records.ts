// Observer records: what a hart's observer wrote into its ring, as observations.
//
// Owner: none, pure functions of bytes. Pairs with: observer.h, whose numbers these are, which a test checks; observer.c.

import { TrapCause } from "../../abi/traps.ts";
import type { LeaveReason } from "../../trace/event.ts";
import type { Observation } from "../observation.ts";

export const RECORD_BYTES = 32;

/** A record's kind, as observer.h numbers them. */
export enum RecordKind {
  /** flags: 1 for a system call. extra: its number, or the cause. a: the running task + 1. b: a0. */
  Trap = 1,
  /** extra: the call. a: the task. b: the value. */
  Answer = 2,
  /** flags: reason, class, whether it migrated. extra: sleeps that ended. a, b: the task before and the next one, + 1. */
  Switch = 3,
  /** flags: class. extra: program and target CPU. a: the task. */
  Spawn = 4,
  /** flags: class. extra: depth. a: the task. */
  Enqueue = 5,
  /** flags: class. a: the task. */
  Park = 6,
  /** extra: which sleep. a: the task. b: the waker + 1. */
  Wake = 7,
  /** extra: how often. */
  StealsContended = 8,
  /** flags: class. a: the task. */
  Class = 9,
  /** flags: reason. extra: code. a: the task. b: who killed it, + 1. */
  End = 10,
  /** extra: how often. a: the task + 1. */
  YieldsDeferred = 11,
  /** a, b: the event's words, see kernel/evidence.ts. */
  Evidence = 12,
  /** extra: mailbox entries. a: the tasks of each class, 16 bits each. */
  Depths = 13,
  /** extra: how many. */
  Lost = 14,
}

const LEFT: readonly (LeaveReason | null)[] = [null, "yielded", "preempted", "blocked", "exited", "faulted", "killed"];
const ENDED = ["exited", "faulted", "killed"] as const;

/** Time of the record at an offset, in ticks. */
export function timeAt(bytes: Buffer, offset: number): number {
  return numberAt(bytes, offset);
}

/** Throws where there is no such kind: then these are no records of this version. */
export function observationAt(bytes: Buffer, offset: number): Observation {
  const at = { t: timeAt(bytes, offset), cpu: bytes.readUInt8(offset + 9) };
  const kind: RecordKind = bytes.readUInt8(offset + 8);
  const flags = bytes.readUInt16LE(offset + 10);
  const extra = bytes.readUInt32LE(offset + 12);
  const a = numberAt(bytes, offset + 16);
  const qos = flags & 3;
  switch (kind) {
    case RecordKind.Trap: {
      const isCall = flags === 1;
      const call = isCall ? extra | 0 : 0;
      const cause = isCall ? TrapCause.SystemCall : extra | 0;
      return { ...at, kind: "trap", cause, call, task: taskOrNone(a), a0: numberAt(bytes, offset + 24) };
    }
    case RecordKind.Answer:
      return { ...at, kind: "answer", task: a, call: extra | 0, value: numberAt(bytes, offset + 24) };
    case RecordKind.Switch:
      return {
        ...at,
        kind: "switch",
        previous: taskOrNone(a),
        reason: LEFT[flags & 7] ?? null,
        next: taskOrNone(numberAt(bytes, offset + 24)),
        qos: (flags >> 3) & 3,
        migrated: (flags & 32) !== 0,
        sleepsEnded: extra,
      };
    case RecordKind.Spawn:
      return { ...at, kind: "spawn", task: a, program: extra & 0xffff, qos, target: extra >>> 16 };
    case RecordKind.Enqueue:
      return { ...at, kind: "enqueue", task: a, qos, depth: extra };
    case RecordKind.Park:
      return { ...at, kind: "park", task: a, qos };
    case RecordKind.Wake:
      return { ...at, kind: "wake", task: a, by: taskOrNone(numberAt(bytes, offset + 24)), sleep: extra };
    case RecordKind.StealsContended:
      return { ...at, kind: "steals-contended", count: extra };
    case RecordKind.Class:
      return { ...at, kind: "class", task: a, qos };
    case RecordKind.End: {
      const reason = ENDED[flags] ?? "killed";
      return { ...at, kind: "end", task: a, reason, code: extra | 0, by: taskOrNone(numberAt(bytes, offset + 24)) };
    }
    case RecordKind.YieldsDeferred:
      return { ...at, kind: "yields-deferred", task: taskOrNone(a), count: extra };
    case RecordKind.Evidence:
      return evidenceAt(bytes, offset, at);
    case RecordKind.Depths: {
      const [idle, normal, interactive, perfBurst] = [16, 18, 20, 22].map((one) => bytes.readUInt16LE(offset + one));
      const queues = [idle ?? 0, normal ?? 0, interactive ?? 0, perfBurst ?? 0] as const;
      return { ...at, kind: "depths", queues, mailbox: extra };
    }
    case RecordKind.Lost:
      return { ...at, kind: "lost", count: extra };
    default:
      throw new Error(`an observer's record of kind ${String(kind satisfies never)}: the image is of another version`);
  }
}

/** The two words of an event, see kernel/evidence.ts. */
function evidenceAt(bytes: Buffer, offset: number, at: { readonly t: number; readonly cpu: number }): Observation {
  const low = bytes.readUInt32LE(offset + 16);
  const second = bytes.readUInt32LE(offset + 24);
  return {
    ...at,
    kind: "evidence",
    event: low & 0xff,
    of: (low >> 8) & 0xff,
    n: bytes.readUInt32LE(offset + 20) * 0x1_0000 + (low >>> 16),
    request: bytes.readUInt32LE(offset + 28) * 0x1000 + (second >>> 20),
    detail: (second << 12) >> 12,
  };
}

function taskOrNone(value: number): number | null {
  return value === 0 ? null : value - 1;
}

/** A number of 64 bits with a sign, as near as a number comes. */
function numberAt(bytes: Buffer, offset: number): number {
  return bytes.readInt32LE(offset + 4) * 0x1_0000_0000 + bytes.readUInt32LE(offset);
}
