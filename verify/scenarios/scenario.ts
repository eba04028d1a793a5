// Scenario: what one exploration of the shipped kernel is made of, as a plain value, and the messages for what it finds.
//
// Owner: none. Invariant: `fast` is explored to its end within seconds, `full` within minutes; neither builds a kernel
// of its own.
// Pairs with: the .scenario.ts files (the table), harness/ (the functions named here), run.ts (explores them).

import type { Target, ThreadSpec, Violation } from "../../explore/index.ts";
import { HART_BASE, HART_STRIDE } from "../../abi/layout.ts";
import {
  COUNTERS_BYTES,
  COUNTERS_OFFSET,
  EVIDENCE_BASE,
  LINES_BASE,
  RESCHED_OFFSET,
  TASKS_BASE,
} from "../../kernel/layout.ts";
import type { ClauseId } from "../clause-id.ts";
import { Broken } from "./broken.ts";

/** A break of verify/breaks that the scenario has to report. */
export interface PlantedFault {
  /** Title of the break; the scenario lists a clause of it. */
  readonly break: string;
  /** How it shows first in the fast tier, or in the full one where there is no fast one. */
  readonly reported: Violation["kind"];
  /** With an invariant or final violation: what is broken. */
  readonly broken?: Broken;
}

export interface Scenario {
  readonly name: string;
  /** One sentence: who does what to whom. */
  readonly about: string;
  /** Clauses of docs/contract.md. */
  readonly clauses: readonly ClauseId[];
  readonly harts: number;
  /** Exported function of the harness that makes the first state. */
  readonly init: string;
  /** What the end is judged by: `atRest` for whole traps, `signalled` for bare operations, `rung` for a sender alone. */
  readonly final: "atRest" | "signalled" | "rung";
  /** Evidence rings and counters are part of the state, and the chain is checked; else they are ghosts. */
  readonly evidence: "kept" | "ghost";
  /** Small bounds; absent where even the smallest takes long. */
  readonly fast?: readonly ThreadSpec[];
  /** Larger bounds; absent where `fast` is all there is. */
  readonly full?: readonly ThreadSpec[];
  readonly faults: readonly PlantedFault[];
}

/** The threads of a tier; undefined where the scenario has none for it. */
export function threadsOf(scenario: Scenario, tier: Tier): readonly ThreadSpec[] | undefined {
  return tier === "full" ? (scenario.full ?? scenario.fast) : scenario.fast;
}

export type Tier = "fast" | "full";

/** `thread("hart", 1)`. */
export function thread(name: string, ...args: readonly number[]): ThreadSpec {
  return { function: name, args };
}

/** The harts of CPUs 0 to `count - 1`. */
export function harts(count: number): ThreadSpec[] {
  return Array.from({ length: count }, (_, cpu) => thread("hart", cpu));
}

/** Every scenario's console lines: built and never read back. */
const LINES: readonly [number, number] = [LINES_BASE, EVIDENCE_BASE];
const EVIDENCE: readonly [number, number] = [EVIDENCE_BASE, TASKS_BASE];
/** Within a hart's region: its counters, and the number and position of its next event. */
const COUNTERS: readonly [number, number] = [COUNTERS_OFFSET, COUNTERS_OFFSET + COUNTERS_BYTES];
const NEXT_EVENT: readonly [number, number] = [RESCHED_OFFSET + 8, RESCHED_OFFSET + 24];

/**
 * Bytes that are no part of the state: written by the kernel and read by nothing but its reports. Selftests do read
 * them, so scenarios in which selftests run keep them; suite.test.ts compares explorations with and without.
 */
export function ghostsOf(scenario: Scenario): readonly (readonly [number, number])[] {
  if (scenario.evidence === "kept") return [LINES];
  const ranges = [LINES, EVIDENCE];
  for (let cpu = 0; cpu < scenario.harts; cpu++) {
    const base = HART_BASE + cpu * HART_STRIDE;
    for (const [from, end] of [COUNTERS, NEXT_EVENT]) ranges.push([base + from, base + end]);
  }
  return ranges;
}

/** What is asked of the linked module: threads, checks and bounds. Throws where the scenario has no such tier. */
export function questionOf(scenario: Scenario, tier: Tier): Omit<Target, "wasm"> {
  const threads = threadsOf(scenario, tier);
  if (threads === undefined) throw new Error(`${scenario.name} has no ${tier} tier`);
  return {
    threads,
    init: scenario.init,
    invariant: "invariant",
    final: scenario.final,
    allowBlockedEnd: true,
    ghosts: ghostsOf(scenario),
    growPages: 0,
  };
}

const WORDS: Record<Broken, string> = {
  [Broken.Nothing]: "nothing is broken",
  [Broken.RoomOutOfRange]: "a run queue's room is out of range",
  [Broken.EntryTwice]: "a task is in two run queue entries",
  [Broken.TombstoneUncounted]: "a run queue holds more tombstones than were announced",
  [Broken.TombstoneOvercounted]: "a run queue has fewer tombstones than were announced",
  [Broken.OccupiedMissing]: "a run queue holds tasks and its hart does not say so",
  [Broken.WorkMapMissing]: "a hart has a class announced and is not on the map of work",
  [Broken.MailboxRoom]: "a mailbox's room does not match its mailbox entries",
  [Broken.CurrentNotHeld]: "a hart runs a task that it does not hold",
  [Broken.CurrentTwice]: "two harts run one task",
  [Broken.TaskLost]: "a task is nowhere",
  [Broken.TaskInTwoPlaces]: "a running task is somewhere else as well",
  [Broken.IpiLost]: "an IPI counts as on its way and is not",
  [Broken.TaskBeyondTable]: "a run queue names a task that there is not",
  [Broken.IdleWithWork]: "all harts are idle while a task is ready",
  [Broken.WakeLost]: "a task sleeps on though it was woken",
  [Broken.PostLost]: "a mailbox entry lies in a mailbox and nobody comes for it",
  [Broken.RequestLost]: "a request was accepted and nothing is on its way",
  [Broken.NotEnded]: "a task that has to end has not",
  [Broken.NotAsleep]: "a task that has to sleep does not",
  [Broken.WrongClass]: "a task does not have the class that it was given last",
  [Broken.AckWithoutTrap]: "an ack has no trap before it",
  [Broken.TrapWithoutSend]: "a trap counts as a request's own and has no send before it",
  [Broken.TrapWithoutRequest]: "a trap takes requests that were not accepted",
  [Broken.RequestUnacknowledged]: "a request was sent and never acknowledged",
  [Broken.EvidenceTwice]: "two requests have one number",
  [Broken.RunFailed]: "the boot does not end as it should",
  [Broken.EntryMisplaced]: "a run queue entry is of another class, CPU or state than its ring",
  [Broken.IdleOverWork]: "a hart is idle while a task is ready in its own queues",
  [Broken.InversionHere]: "a hart runs a task while one of a higher class is ready in its own queues",
  [Broken.MailUnseenAtAck]:
    "a hart acknowledges while its mailbox holds an entry that it has not looked at since the trap",
  [Broken.QueueUnseenAtAck]: "a hart acknowledges while a ready task that it should run is in its own queues",
  [Broken.TaskUnmoved]: "more tasks are between two places than harts are moving one",
};

/** What an invariant's or a final check's result means. */
export function messageOf(result: number): string {
  return WORDS[result as Broken] ?? `the check returned ${result}`;
}
