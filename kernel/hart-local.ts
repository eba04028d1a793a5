// Hart-local: what belongs to one hart. The S-mode `tp` of a hart points at its region.
//
// Owner: the hart itself, field by field; what others read or write is stated beside the field.
// Invariant: `stamp` identifies exactly one block, and only while its CPU is online.
// Pairs with: cpu-id.ts, which believes a pointer only by its stamp; machines, which load `tp`.
// Clauses: Q3, S5, I1, I2, I9, C1, T2.

import { CPUS_MAX } from "../abi/layout";
import { COUNTERS_OFFSET, HARTS, HART_LOG2, IDENTITY_OFFSET } from "./layout";
import { load32 } from "./shared";

/** Added to a trap stack's slot number in the stamp (T2), so that no counter or address looks like one (C1). */
export const STAMP_MAGIC: i32 = 0x48425000;

/** The region of a hart. Its first line is shared: thieves exchange `ringState` and read `occupied`. */
@unmanaged
export class Hart {
  /** State of this hart's Idle-class run queue; see run-queue.ts. */
  ringState: i64;
  /** One bit a QoS class, set while that run queue may hold tasks. The hart writes, thieves read. */
  occupied: i32;
  /** The machine's number of the hart. The boot hart writes before it starts any other. */
  hartId: i32;
  /** In each bank, at this offset: 1 while this class's bit in `occupied` is set. Only the hart reads and writes. */
  announced: i32;
  padding1: i32;
  padding2: i64;
  padding3: i64;
  padding4: i64;
  padding5: i64;
  padding6: i64;

  // From here on: the hart's own line, at IDENTITY_OFFSET.
  /** STAMP_MAGIC + slot number of the hart's trap stack while online, else 0. Everybody reads it. */
  stamp: i32;
  cpu: i32;
  /** What sendIpi takes for this hart: see boot.ts. Written before the stamp; senders of IPIs read it. */
  doorbell: i32;
  /** The running task, or 0. */
  current: i32;
  /** The task that the last successful steal took. */
  stolen: i32;
  /** The CPU that it was taken from. */
  stolenFrom: i32;
  /** The CPU that the last wake posted to. */
  posted: i32;
  /** Ticks that the running task may still use. */
  sliceTicks: i32;
  /** Successful steals since the last tick. */
  stealsInTick: i32;
  /** CPU + 1 whose IPI the machine refused, to be sent again at the next tick; -1: more than one. */
  unsentTarget: i32;
  /** When the next tick comes. */
  tickDeadline: i64;
  /** When the hart began to idle, or 0. */
  idleSince: i64;
  /** The place of a task that this hart holds, as bits of its word. Written when the hart joins. */
  heldHere: i32;
  /** 1 while this hart's bit in the machine's map of work is set: see work-map.ts. */
  isOnWorkMap: i32;
  /** The parked tasks of each class, the last one first: see parking.ts. */
  parkedIdle: i32;
  parkedNormal: i32;
  parkedInteractive: i32;
  parkedPerfBurst: i32;
}

/** What a hart counts for the summary. Only the hart writes. 64 bits: none of these can come to its end (I9). */
@unmanaged
export class Counters {
  ticks: i64;
  picks: i64;
  steals: i64;
  stealsContended: i64;
  deferredYields: i64;
  identityFallbacks: i64;
  runtimeDenied: i64;
  accepted: i64;
  sent: i64;
  sendsFailed: i64;
  coalesced: i64;
  trapped: i64;
  acked: i64;
  spuriousSoft: i64;
  faults: i64;
  /** Times that a mailbox entry had to wait for room in its run queue. */
  mailWaits: i64;
  /** Times that a running task was parked because its run queue was full. */
  parked: i64;
  idleTicks: i64;
  onlineSince: i64;
  /** Times that a task came here from another CPU on which it had run. */
  migrations: i64;
  /** Sleeps that ended here. */
  wakes: i64;
  /** Tasks whose last instruction ran here. */
  ended: i64;
  /** Number of the last event of this CPU that was reported. Written by the boot hart. */
  shown: i64;
}

export const OCCUPIED_OFFSET: i32 = 8;
export const ANNOUNCED_OFFSET: i32 = 16;
export const PARKED_OFFSET: i32 = IDENTITY_OFFSET + 64;
export const STAMP_OFFSET: i32 = IDENTITY_OFFSET;

export function hartAt(cpu: i32): Hart {
  return changetype<Hart>((HARTS + (cpu << HART_LOG2)) as usize);
}

export function countersOf(hart: Hart): Counters {
  return changetype<Counters>(changetype<usize>(hart) + COUNTERS_OFFSET);
}

export function addressOf(hart: Hart): i32 {
  return changetype<usize>(hart) as i32;
}

/** Whether a CPU is there and has joined (Q3, I2, S5). Any number may be asked about. */
export function isOnline(cpu: i32): bool {
  return isValid(cpu) && load32(addressOf(hartAt(cpu)) + STAMP_OFFSET) != 0;
}

/** Whether a number is a CPU's: compared without a sign, so that none below 0 is (Q3, I1). */
export function isValid(cpu: i32): bool {
  return (cpu as u32) < (CPUS_MAX as u32);
}
