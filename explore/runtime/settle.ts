// Settle: what the search wants to know of a state: its fingerprint, which threads can step and which have finished.
//
// Owner: the control page's fingerprint and masks. Invariant: a thread's part and its bits follow from its block.
// Pairs with: step.ts, wait.ts, explore/program/program.ts (reads these words).

import { BLOCK, BLOCK_BYTES, CONTROL, STATUS } from "./addresses";
import { mixed, rawLog } from "./log";
import { engine, layout } from "./supplied";

/** Bits of CONTROL.choices of thread 0: it can step; its wait can expire. Those of others are shifted by their numbers. */
const CAN_STEP = 1;
const CAN_EXPIRE = 0x10000;
export const BOTH_CHOICES = CAN_STEP | CAN_EXPIRE;

// @inline: a product and a sum.
export function blockOf(thread: u32): u32 {
  return thread * BLOCK_BYTES + layout.blocks;
}

/** Brings the thread's part of the fingerprint and its bits of the masks up to date with its block. */
export function settle(thread: u32): void {
  const block = blockOf(thread);
  const part = mixed(load<u32>(thread << 2, CONTROL.classes), load<u64>(block, BLOCK.sum));
  rawLog(CONTROL.threadSum);
  rawLog(CONTROL.choices);
  rawLog(block + BLOCK.part);
  store<u64>(CONTROL.threadSum, load<u64>(CONTROL.threadSum) + part - load<u64>(block, BLOCK.part));
  store<u64>(block, part, BLOCK.part);
  let choices = load<u32>(CONTROL.choices) & ~(BOTH_CHOICES << thread);
  let finished = load<u32>(CONTROL.finished) & ~(1 << thread);
  const status = load<u32>(block, BLOCK.status);
  if (status < (STATUS.finished as u32)) choices |= CAN_STEP << thread;
  else if (status == STATUS.finished) finished |= 1 << thread;
  else if (status == STATUS.waitingTimed) choices |= CAN_EXPIRE << thread;
  store<u32>(CONTROL.choices, choices);
  store<u32>(CONTROL.finished, finished);
}

/** As settle, for every thread; and the fingerprint of the state as it is. */
export function finish(): void {
  let thread: u32 = 0;
  do settle(thread);
  while (++thread < layout.threads);
  sumUp();
}

/** The fingerprint is user memory's sum and the threads' parts; reports whether the step touched what a check reads. */
// @inline: part of every step.
export function sumUp(): void {
  store<u64>(CONTROL.fingerprint, load<u64>(CONTROL.memorySum) + load<u64>(CONTROL.threadSum));
  store<u32>(CONTROL.touched, engine.touched);
}
