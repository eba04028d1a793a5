// Event checks: what the evidence rings hold, and whether it is a causal chain of requests.
//
// Owner: none, it reads only; everything rests, and no ring has wrapped.
// Pairs with: kernel/evidence.ts (how an event lies in memory), rest-checks.ts and invariant.ts, which ask.
// Clauses: I3, I5, I7.

import { EventKind } from "../../../abi/events";
import { eventAt, NEXT_POSITION } from "../../../kernel/evidence";
import { FAILED } from "../../../kernel/resched";
import { Hart } from "../../../kernel/hart-local";
import { RESCHED_OFFSET } from "../../../kernel/layout";
import { Broken } from "../broken";
import { hartAddress, hartCount } from "./model";

const STAMP: i32 = offsetof<Hart>("stamp") as i32;

/** Events of a kind about a CPU, numbered from `from` to before `before`, whose request is at least `least`. */
function countOf(subject: i32, kind: i32, from: i64, before: i64, least: i64, most: i64): i32 {
  let found = 0;
  for (let by = 0; by < hartCount(); by++) {
    const end = load<i64>((hartAddress(by) + NEXT_POSITION) as usize);
    for (let position: i64 = 0; position < end; position++) {
      const at = eventAt(by, position);
      if (subjectAt(at) != subject || kindAt(at) != kind) continue;
      const number = numberAt(at);
      const request = requestAt(at);
      if (number >= from && number < before && request >= least && request <= most) found += 1;
    }
  }
  return found;
}

// The fields of an event, by plain reads: see evidence.ts.
function subjectAt(event: i32): i32 {
  return (load<i32>(event as usize) >> 8) & 0xff;
}
function kindAt(event: i32): i32 {
  return load<i32>(event as usize) & 0xff;
}
function numberAt(event: i32): i64 {
  return load<i64>(event as usize) >> 16;
}
function requestAt(event: i32): i64 {
  return load<i64>((event + 8) as usize) >> 20;
}

/** The causal chain of the requests for a CPU, by event numbers (I3, I5, I7). Everything rests; no ring has wrapped. */
export function chain(subject: i32): Broken {
  const every = 0x7fffffff;
  for (let by = 0; by < hartCount(); by++) {
    const end = load<i64>((hartAddress(by) + NEXT_POSITION) as usize);
    for (let position: i64 = 0; position < end; position++) {
      const at = eventAt(by, position);
      if (subjectAt(at) != subject) continue;
      const kind = kindAt(at);
      const number = numberAt(at);
      const request = requestAt(at);
      if (kind == EventKind.Acked) {
        // As many traps for it before as acks up to this one.
        if (
          countOf(subject, EventKind.Trapped, 0, number, request, request) <
          countOf(subject, EventKind.Acked, 0, number + 1, request, request)
        )
          return Broken.AckWithoutTrap;
      } else if (kind == EventKind.Trapped) {
        if (countOf(subject, EventKind.Accepted, 0, number, 1, request) != request) return Broken.TrapWithoutRequest;
        // Every trap of its own has a send of its own before it.
        if (
          countOf(subject, EventKind.Sent, 0, number, 0, request) <
          countOf(subject, EventKind.Trapped, 0, number + 1, 0, every)
        )
          return Broken.TrapWithoutSend;
        if (countOf(subject, EventKind.Acked, number, every, request, request) == 0)
          return Broken.RequestUnacknowledged;
      } else if (kind == EventKind.Accepted) {
        if (countOf(subject, EventKind.Accepted, 0, every, request, request) != 1) return Broken.EvidenceTwice;
        if (!isRefused(subject) && countOf(subject, EventKind.Acked, number, every, request, every) == 0)
          return Broken.RequestUnacknowledged;
      }
    }
  }
  return Broken.Nothing;
}

/** Has every hart joined, and reported it? */
export function isComplete(harts: i32): bool {
  for (let cpu = 0; cpu < harts; cpu++) {
    if (load<i32>((hartAddress(cpu) + STAMP) as usize) == 0) return false;
    if (countOf(cpu, EventKind.Online, 0, 0x7fffffff, 0, 0) != 1) return false;
  }
  return true;
}

/** Did the machine refuse the last IPI for a CPU? */
export function isRefused(cpu: i32): bool {
  return (load<i64>((hartAddress(cpu) + RESCHED_OFFSET) as usize) & FAILED) != 0;
}
