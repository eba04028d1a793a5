// Checks of the resched state, case by case: in each state each operation has its answer, its next state, its IPIs, its
// events and its counters, compared whole.
//
// What another hart does while the machine is asked to ring is done from the machine's answer, as it may happen there.
// Partners: case.ts, records.ts; kernel/resched.test.ts, which runs them on the shipped kernel.

import { EventKind } from "../../abi/events.ts";
import { CPUS_MAX } from "../../abi/layout.ts";
import { MachineError } from "../../abi/results.ts";
import { TrapCause } from "../../abi/traps.ts";
import type { Case } from "../rig/case.ts";
import type { KernelImage } from "../rig/kernel-image.ts";
import { ORDER, RESCHED, type ReschedState, TAKE } from "../rig/kernel-map.ts";
import { changesOnly, type Counts, markCounts } from "../rig/records.ts";
import { same } from "../rig/refutation.ts";
import { Rig } from "../rig/rig.ts";

const { Accepted, Sent, SendFailed, Trapped, Coalesced, NoPendingRequest, RejectedInvalidCpu, RejectedOfflineCpu } =
  EventKind;
const NOT_SUPPORTED = MachineError.NotSupported;
const TAKEN = 7;
const TARGET = 1;
const SENDER = 2;
/** Number of the last event that the kernel wrote before a check begins. */
const BEFORE = 5000;

type Marks = readonly [count: number, sent: boolean, failed: boolean];

function stateOf([count, sent, failed]: Marks, taken = TAKEN): ReschedState {
  return { taken, count, sent, failed };
}

/** Events since a check's beginning, in their order: kind, request, detail, the hart that wrote it. */
function eventsSince(rig: Rig, cpu: number): string[] {
  const events = rig.eventsOf(cpu).filter(({ number }) => number > BEFORE);
  same(
    events.map(({ number }) => number),
    events.map((_, index) => BEFORE + 1 + index),
    `numbers of the events of cpu${cpu}, none left out`,
  );
  return events.map(({ kind, request, detail, by }) => `${EventKind[kind]} ${request} ${detail} by cpu${by}`);
}

function event(kind: EventKind, request: number, detail = 0, by = SENDER): string {
  return `${EventKind[kind]} ${request} ${detail} by cpu${by}`;
}

function open(kernel: KernelImage, online = 4): Rig {
  const rig = Rig.open(kernel, { cpus: 4, online });
  for (let cpu = 0; cpu < 4; cpu++) {
    markCounts(rig, cpu);
    rig.setLastEvent(cpu, BEFORE);
  }
  return rig;
}

/** IPIs since the last look: who rang which CPU, and whether the machine did it. */
function rings(rig: Rig): string[] {
  const found = rig.machine.calls.flatMap((call) =>
    call.kind === "ipi" ? [`cpu${call.by} ${call.cpu} ${call.answer}`] : [],
  );
  rig.machine.calls.length = 0;
  return found;
}

const ring = (answer: number = MachineError.Ok, by = SENDER, cpu = TARGET): string => `cpu${by} ${cpu} ${answer}`;

interface Row {
  readonly operation: "request" | "send" | "take";
  readonly from: Marks;
  readonly answer: number;
  readonly to: Marks;
  /** What was taken in the end, if not what was before. */
  readonly taken?: number;
  readonly events: readonly string[];
  readonly counts: Partial<Counts>;
  readonly rings: boolean;
}

const ACCEPTED_AND_SENT = { accepted: 1, sent: 1 };
const ROWS: readonly Row[] = [
  ...(
    [
      [0, false, false],
      [2, false, false],
      [2, true, true],
      [2, false, true],
    ] as const
  ).map((from): Row => ({
    operation: "request",
    from,
    answer: RESCHED.Sent,
    to: [from[0] + 1, true, false],
    events: [event(Accepted, TAKEN + from[0] + 1), event(Sent, TAKEN + from[0] + 1)],
    counts: ACCEPTED_AND_SENT,
    rings: true,
  })),
  {
    operation: "request",
    from: [2, true, false],
    answer: RESCHED.Coalesced,
    to: [3, true, false],
    events: [event(Accepted, 10, 1)],
    counts: { accepted: 1, coalesced: 1 },
    rings: false,
  },
  {
    operation: "send",
    from: [2, true, false],
    answer: RESCHED.Coalesced,
    to: [2, true, false],
    events: [event(Coalesced, 9)],
    counts: { coalesced: 1 },
    rings: false,
  },
  ...(
    [
      [2, false, false],
      [2, true, true],
      [2, false, true],
    ] as const
  ).map((from): Row => ({
    operation: "send",
    from,
    answer: RESCHED.Sent,
    to: [2, true, false],
    events: [event(Sent, 9)],
    counts: { sent: 1 },
    rings: true,
  })),
  {
    operation: "take",
    from: [2, true, false],
    answer: TAKE.Taken,
    to: [0, false, false],
    taken: 9,
    events: [event(Trapped, 9, 0, TARGET)],
    counts: { trapped: 1 },
    rings: false,
  },
  ...(
    [
      [0, false, false],
      [2, false, false],
      [2, true, true],
      [2, false, true],
    ] as const
  ).map((from): Row => ({
    operation: "take",
    from,
    answer: TAKE.NoPendingRequest,
    to: from,
    events: [event(NoPendingRequest, 0, 0, TARGET)],
    counts: { spuriousSoft: 1 },
    rings: false,
  })),
];

function tryRow(kernel: KernelImage, row: Row, isRefused: boolean): void {
  const rig = open(kernel);
  rig.setResched(TARGET, stateOf(row.from));
  const error: number = NOT_SUPPORTED;
  if (isRefused) rig.machine.sendAnswer = () => error;
  const failed = isRefused && row.rings;
  const what = `a ${row.operation} with ${row.from.join(", ")}${isRefused ? ", the machine refusing" : ""}`;
  const { sent: _, ...unsent } = row.counts;
  const counts = failed ? { ...unsent, sendsFailed: 1 } : row.counts;
  const by = row.operation === "take" ? TARGET : SENDER;
  changesOnly(rig, [], what, { counts: { [by]: counts } }, () => {
    const answer =
      row.operation === "request"
        ? rig.requestResched(SENDER, TARGET)
        : row.operation === "send"
          ? rig.send(SENDER, TARGET)
          : rig.takeRequests(TARGET);
    same(answer, failed ? RESCHED.SendFailed : row.answer, `the answer to ${what}`);
  });
  const [count] = row.to;
  same(
    rig.resched(TARGET),
    failed ? stateOf([count, true, true]) : stateOf(row.to, row.taken),
    `the state after ${what}`,
  );
  const more = failed ? [event(SendFailed, TAKEN + count, error)] : [];
  same(eventsSince(rig, TARGET), [...row.events, ...more], `the events of ${what}`);
  same(rings(rig), row.rings ? [ring(isRefused ? error : MachineError.Ok)] : [], `IPIs of ${what}`);
}

/** What the machine answers to the IPIs after the first, which it refuses. */
type Later = readonly [second: number, third: number];
const { Ok, Failed } = MachineError;

/** A request of CPU 2 for CPU 1 whose IPI the machine refuses, after others have acted. */
function refuse(kernel: KernelImage, meanwhile: (rig: Rig) => void, [second, third]: Later = [Ok, Ok]): Rig {
  const rig = open(kernel);
  const answers = [second, third];
  let isFirst = true;
  rig.machine.sendAnswer = () => {
    if (!isFirst) return answers.shift() ?? Ok;
    isFirst = false;
    meanwhile(rig);
    rig.machine.running = SENDER;
    return Failed;
  };
  same(rig.requestResched(SENDER, TARGET), RESCHED.SendFailed, "the answer to the refused request");
  same(eventsSince(rig, TARGET).at(-1), event(SendFailed, 1, Failed), "its last event");
  return rig;
}

/** CPU 1 takes what is pending, by an S_SOFT of another source. */
function take(rig: Rig): void {
  same(rig.takeRequests(TARGET), TAKE.Taken, "the trap meanwhile");
}

export const requestChecks: readonly Case[] = [
  {
    clause: "I3",
    title:
      "resched: each operation in each state, the machine ringing or refusing: its answer, next state, IPI, events and counters",
    run: (kernel) => {
      for (const row of ROWS) for (const isRefused of [false, true]) tryRow(kernel, row, isRefused);
    },
  },
  {
    clause: "I4",
    title:
      "resched: a refused IPI whose request another S_SOFT has taken meanwhile: nothing is pending, and nobody rings again",
    run: (kernel) => {
      const rig = refuse(kernel, take);
      same(rig.resched(TARGET), stateOf([0, false, false], 1), "the state in the end");
      same(rings(rig), [ring(Failed)], "IPIs");
      const twice = refuse(kernel, (other) => {
        take(other);
        same(other.requestResched(3, TARGET), RESCHED.Sent, "a request meanwhile");
        take(other);
      });
      same(twice.resched(TARGET), stateOf([0, false, false], 2), "the state when a second request was taken as well");
      same(rings(twice), [ring(Ok, 3), ring(Failed)], "IPIs then");
    },
  },
  {
    clause: "I4",
    title:
      "resched: a refused IPI, its request taken and another sent meanwhile: the other's mark is made good and rung for, or stays refused",
    run: (kernel) => {
      for (const [second, third] of [
        [Ok, Ok],
        [Ok, Failed],
        [Failed, Ok],
        [Failed, Failed],
      ] as const) {
        const rig = refuse(
          kernel,
          (other) => {
            take(other);
            const due = second === Ok ? RESCHED.Sent : RESCHED.SendFailed;
            same(other.requestResched(3, TARGET), due, "a request meanwhile");
          },
          [second, third],
        );
        const what = `the second and third IPI answered ${second} and ${third}`;
        same(rig.resched(TARGET), stateOf([1, true, third !== Ok], 1), `the state, ${what}`);
        same(rings(rig), [ring(second, 3), ring(Failed), ring(third)], `IPIs, ${what}`);
      }
    },
  },
  {
    clause: "I4",
    title: "resched: a refused IPI, and another hart's request before the refusal is noted: it stays pending, visibly",
    run: (kernel) => {
      const rig = refuse(kernel, (other) =>
        same(other.requestResched(3, TARGET), RESCHED.Coalesced, "a request meanwhile"),
      );
      same(rig.resched(TARGET), stateOf([2, true, true], 0), "the state in the end");
      same(rings(rig), [ring(Failed)], "IPIs");
    },
  },
  {
    clause: "I1",
    title:
      "evidence: refused targets and an S_SOFT that nobody sent: on record field by field, by the hart that met them",
    run: (kernel) => {
      const rig = open(kernel, 3);
      same(rig.requestResched(SENDER, CPUS_MAX), RESCHED.InvalidCpu, "a request to no CPU");
      same(rig.requestResched(SENDER, -7), RESCHED.InvalidCpu, "a request to a CPU below 0");
      same(rig.requestResched(SENDER, 3), RESCHED.OfflineCpu, "a request to an offline CPU");
      same(rig.takeRequests(SENDER), TAKE.NoPendingRequest, "a trap");
      same(
        eventsSince(rig, SENDER),
        [
          event(RejectedInvalidCpu, 0, CPUS_MAX),
          event(RejectedInvalidCpu, 0, -7),
          event(RejectedOfflineCpu, 0, 3),
          event(NoPendingRequest, 0),
        ],
        "what is on record",
      );
    },
  },
  {
    clause: "I3",
    title: "report: ordered while a request is not acknowledged: it waits for the ack, which names the last request",
    run: (kernel) => {
      const rig = open(kernel);
      const lines = (): number => rig.machine.calls.filter(({ kind }) => kind === "line").length;
      rig.setOrder(TARGET, ORDER.Report);
      rig.machine.sendAnswer = () => Failed;
      for (let i = 0; i < 2; i++) same(rig.requestResched(SENDER, TARGET), RESCHED.SendFailed, "a refused request");
      rig.trap(TARGET, TrapCause.SoftInterrupt);
      same([rig.acked(TARGET), lines()], [0, 0], "acknowledged, and lines, before the request is sent");
      rig.machine.sendAnswer = () => Ok;
      same(rig.send(SENDER, TARGET), RESCHED.Sent, "the send");
      rig.trap(TARGET, TrapCause.SoftInterrupt);
      same([rig.acked(TARGET), lines() > 0], [2, true], "acknowledged, and whether it has reported");
      same(
        [0, 2, 3].map((cpu) => rig.acked(cpu)),
        [0, 0, 0],
        "what others have acknowledged",
      );
      same(rig.order(TARGET), ORDER.None, "its order");
    },
  },
];
