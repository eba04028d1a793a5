// Ack checks: what a hart has looked at when it acknowledges, from the moment of the ack to the end of its trap.
//
// What the kernel promises (kernel/resched.ts and trap.ts): an S_SOFT trap takes the requests, reads the mailbox up to the
// first place that is reserved and not filled, decides what runs, and then acknowledges. So at the ack
//   - every entry that stood in front of the first such place when the trap began has been queued or was void, unless its
//     class had less space then than a mailbox has entries: it may have become full;
//   - no task is queued on this hart in a higher class than the one that it is about to run, and none at all if it is
//     about to be idle.
// An entry behind a place that is not filled is not covered: whoever fills that place sends a request of its own.
//
// Owner: each hart notes its own trap; the check reads only, between steps.
// Pairs with: trap-checks.ts (notes), invariant.ts (which asks for each hart inside the kernel).
// Clauses: I6, I3.

import { MAILBOX_CAPACITY } from "../../../abi/layout";
import { Hart } from "../../../kernel/hart-local";
import { BANK_STRIDE_LOG2, MAILBOX_OFFSET } from "../../../kernel/layout";
import { EMPTY_ENTRY, Mailbox, PLACES_OFFSET } from "../../../kernel/mailbox";
import { TASKS_MAY_RUN } from "../../../kernel/phase";
import { ACKED_OFFSET } from "../../../kernel/resched";
import { roomOf } from "../../../kernel/run-queue";
import { cpuOf, qosOf, stateOf, TaskState } from "../../../kernel/task";
import { Broken } from "../broken";
import { hartAddress } from "./model";

const CURRENT: i32 = offsetof<Hart>("current") as i32;
const MAIL_HEAD: i32 = offsetof<Mailbox>("head") as i32;
const POSITION_MASK: i32 = 0x7fffffff;

/** What a hart notes of the trap that it is in. All zero outside a trap. */
@unmanaged
export class Watch {
  /** The number that it had acknowledged last, plus 1; 0: it is in no S_SOFT trap. */
  acked: i64;
  /** Entries of the mailbox in front of the first place that was not filled, and where the first of them stood. */
  mailed: i32;
  mailHead: i32;
  /** A bit for each class that the drain may have filled up. */
  tight: i32;
  padding0: i32;
}

function ackedOf(hart: i32): i64 {
  return load<i64>((hart + ACKED_OFFSET) as usize);
}

function entryAt(hart: i32, position: i32): usize {
  return (hart + MAILBOX_OFFSET + PLACES_OFFSET + ((position & (MAILBOX_CAPACITY - 1)) << 3)) as usize;
}

/** At the entry of an S_SOFT trap. Others fill places meanwhile, so these are atomic reads. */
export function recordTrap(watch: Watch, hart: i32): void {
  const head = load<i32>((hart + MAILBOX_OFFSET + MAIL_HEAD) as usize);
  let mailed = 0;
  while (mailed < MAILBOX_CAPACITY && atomic.load<i64>(entryAt(hart, head + mailed)) != 0) mailed += 1;
  if (mailed != 0) {
    for (let qos = 0; qos < 4; qos++) {
      const state = atomic.load<i64>((hart + (qos << BANK_STRIDE_LOG2)) as usize);
      if (roomOf(state) < MAILBOX_CAPACITY) watch.tight |= 1 << qos;
    }
  }
  watch.mailed = mailed;
  watch.mailHead = head;
  watch.acked = ackedOf(hart) + 1;
}

export function forgetTrap(watch: Watch): void {
  watch.acked = 0;
  watch.mailed = 0;
  watch.mailHead = 0;
  watch.tight = 0;
}

/** What a hart inside the kernel has not looked at, though it has acknowledged in this trap. highest: of its queues, or -1. */
export function unseenAtAck(watch: Watch, cpu: i32, highest: i32): Broken {
  const hart = hartAddress(cpu);
  if (watch.acked == 0 || watch.acked == ackedOf(hart) + 1) return Broken.Nothing;
  // Entries that wait have been moved together, behind those that are done.
  const head = load<i32>((hart + MAILBOX_OFFSET + MAIL_HEAD) as usize);
  const left = watch.mailed - ((head - watch.mailHead) & POSITION_MASK);
  for (let i = 0; i < left; i++) {
    const entry = load<i64>(entryAt(hart, head + i));
    if (entry == 0 || entry == EMPTY_ENTRY) continue;
    const word = load<i64>((entry >> 32) as i32 as usize);
    const isHere = stateOf(word) == TaskState.Mailed && cpuOf(word) == cpu;
    if (isHere && ((watch.tight >> qosOf(word)) & 1) == 0) return Broken.MailUnseenAtAck;
  }
  if (highest < 0 || load<i32>(TASKS_MAY_RUN as usize) == 0) return Broken.Nothing;
  const current = load<i32>((hart + CURRENT) as usize);
  if (current == 0 || highest > qosOf(load<i64>(current as usize))) return Broken.QueueUnseenAtAck;
  return Broken.Nothing;
}
