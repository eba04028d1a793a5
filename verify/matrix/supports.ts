// Supports: for each clause that a scenario lists and plants no fault of its own for, a break that turns it red.
//
// Written by hand from what `npm run matrix` finds, and checked against it: matrix.test.ts looks that no claim is missing
// and runs one pair of each clause; `npm run matrix -- --needed` runs all of them.
// Owner: none. Pairs with: ../breaks/table.ts (the titles), needed.ts, matrix.test.ts.

import type { ClauseId } from "../clause-id.ts";

export interface Support {
  readonly clause: ClauseId;
  /** Title of a break of the clause. */
  readonly break: string;
  /** The scenarios that it turns red. */
  readonly scenarios: readonly string[];
}

export const SUPPORTS: readonly Support[] = [
  { clause: "Q1", break: "a queue holds one task fewer than its capacity", scenarios: ["full-queue"] },
  { clause: "Q3", break: "the CPU index is taken modulo the CPU count", scenarios: ["full-mailbox", "nobody-there"] },
  { clause: "Q6", break: "classes are scanned upward", scenarios: ["owner-thieves", "class-here"] },
  {
    clause: "Q7",
    break: "a class that was asked of a running task is never given to it",
    scenarios: ["class-outrun-always"],
  },
  {
    clause: "Q7",
    break: "the task leaves its queue before its new class is known to have room",
    scenarios: ["class-here-full"],
  },
  { clause: "Q7", break: "a full class of another CPU is not looked at", scenarios: ["class-there-full"] },
  { clause: "Q7", break: "of two requests for a class, the older one stands", scenarios: ["class-twice"] },
  { clause: "Q8", break: "a running task whose class is full is not preempted", scenarios: ["preempt-when-full"] },
  { clause: "Q9", break: "a wake that has lost every exchange leaves a permit", scenarios: ["wake-contended"] },
  {
    clause: "S1",
    break: "a thief takes two and keeps one",
    scenarios: ["owner-thieves", "spinner", "steal-one", "ladder", "ladder-of-three"],
  },
  { clause: "S2", break: "the bound is ignored", scenarios: ["ladder", "ladder-of-three"] },
  {
    clause: "S3",
    break: "a thief's take is not atomic",
    scenarios: [
      "no-victim",
      "reclassify-queued",
      "full-queue",
      "wake-against-sleep",
      "wake-twice",
      "two-wakers",
      "two-entries",
      "two-sleepers",
      "kill-in-motion",
      "class-in-motion",
      "fault-and-go-on",
      "late-wake",
      "late-authority",
      "kill-outrun",
      "kill-outrun-always",
      "class-outrun",
      "class-outrun-always",
      "spinner",
      "class-here",
      "class-here-full",
      "kill-here",
      "steal-one",
      "preempt-when-full",
      "class-twice",
      "late-ipi",
    ],
  },
  { clause: "S3", break: "a plain load where an atomic is needed", scenarios: ["class-and-sleep"] },
  { clause: "S3", break: "a thief leaves the entry behind", scenarios: ["class-there-full"] },
  { clause: "S4", break: "a thief tries again until it works", scenarios: ["owner-thieves", "tombstone-at-head"] },
  { clause: "S6", break: "a thief looks at the highest class of a victim alone", scenarios: ["spinner"] },
  {
    clause: "I1",
    break: "the bounds of the target are not checked",
    scenarios: ["spurious-soft", "ladder", "ladder-of-three"],
  },
  {
    clause: "I3",
    break: "the sender acknowledges when it sends",
    scenarios: ["spurious-soft", "failed-send-of-two", "late-chain", "one-ipi"],
  },
  { clause: "I3", break: "the ack is given where the IPI is sent", scenarios: ["ladder", "ladder-of-three"] },
  { clause: "I4", break: "a refused IPI is taken for one that was sent", scenarios: ["failed-send"] },
  {
    clause: "I6",
    break: "S_SOFT is cleared after the requests are taken and the mailbox is read",
    scenarios: [
      "two-sleepers",
      "two-refused",
      "kill-in-motion",
      "class-in-motion",
      "late-wake",
      "class-twice",
      "failed-send-of-two",
      "late-chain",
    ],
  },
  { clause: "I6", break: "requests are taken after the queues were looked at", scenarios: ["timer-against-waker"] },
  {
    clause: "I6",
    break: "a task falls asleep without looking for a wake again",
    scenarios: ["refused-send", "late-ipi"],
  },
  {
    clause: "I6",
    break: "a trap takes requests without marking that later ones must ring",
    scenarios: ["refused-then-tick"],
  },
  {
    clause: "I7",
    break: "a second request is forgotten",
    scenarios: ["coalesced-requests", "failed-send-of-two", "late-chain"],
  },
  { clause: "I7", break: "a second request rings a second time", scenarios: ["one-ipi"] },
  { clause: "C1", break: "a pointer in range is believed", scenarios: ["bring-up-of-three", "bring-up-of-four"] },
  { clause: "C2", break: "tp is preferred to the stack", scenarios: ["impostor", "identity"] },
  { clause: "C3", break: "a lone hint is believed when the stack is nobody's", scenarios: ["impostor"] },
  { clause: "C4", break: "the fallback searches the stacks one by one", scenarios: ["impostor"] },
  { clause: "C5", break: "fallbacks are not counted", scenarios: ["ladder", "ladder-of-three", "impostor"] },
  { clause: "T3", break: "a task goes on after its fault", scenarios: ["fault-and-go-on"] },
  { clause: "T6", break: "the life is checked before a permit is left, and not with it", scenarios: ["late-wake"] },
  { clause: "T6", break: "a wake does not look whose life it meets", scenarios: ["late-authority"] },
  {
    clause: "T7",
    break: "how a task ended is written after its end is published and counted",
    scenarios: ["exit-and-reap"],
  },
  { clause: "T7", break: "signals of a former life reach the next", scenarios: ["late-wake", "late-authority"] },
  {
    clause: "T8",
    break: "a kill that has ended its task is answered as if there were none",
    scenarios: ["kill-answered"],
  },
];
