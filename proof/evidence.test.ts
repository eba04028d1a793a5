import { expect, test } from "vitest";
import { EventKind } from "../abi/events.ts";
import type { EvidenceEvent } from "./console-line.ts";
import { Evidence } from "./evidence.ts";

type Step = readonly [kind: EventKind, by: number, request: number, detail?: number];

/** Evidence of cpu1 in which the steps have the numbers 1, 2, 3 and so on. */
function evidenceOf(...steps: readonly Step[]): Evidence {
  const evidence = new Evidence();
  for (const event of eventsOf(steps)) evidence.add(event);
  return evidence;
}

function eventsOf(steps: readonly Step[]): EvidenceEvent[] {
  return steps.map(([kind, by, request, detail = 0], index) => ({ of: 1, n: index + 1, by, kind, request, detail }));
}

const { Accepted, Sent, SendFailed, Trapped, Acked, NoPendingRequest } = EventKind;

test("evidence: one request, every step by whom it should be: a complete chain", () => {
  const evidence = evidenceOf([Accepted, 0, 1], [Sent, 0, 1], [Trapped, 1, 1], [Acked, 1, 1]);
  expect(evidence.faults()).toEqual([]);
  expect(evidence.chains()).toEqual([
    { target: 1, request: 1, by: 0, rides: false, accepted: 1, sendFailed: [], sent: 2, trapped: 3, acked: 4 },
  ]);
});

test("evidence: two requests on one IPI: the rider shares send, trap and ack", () => {
  const evidence = evidenceOf([Accepted, 0, 1], [Sent, 0, 1], [Accepted, 2, 2, 1], [Trapped, 1, 2], [Acked, 1, 2]);
  expect(evidence.faults()).toEqual([]);
  expect(evidence.chains().map((chain) => [chain.sent, chain.trapped, chain.acked])).toEqual([
    [2, 4, 5],
    [2, 4, 5],
  ]);
});

test("evidence: a send that failed after it was recorded, then one that succeeded: complete by the second", () => {
  const steps: Step[] = [
    [Accepted, 0, 1],
    [Sent, 0, 1],
    [SendFailed, 0, 1, -3],
    [Sent, 0, 1],
    [Trapped, 1, 1],
    [Acked, 1, 1],
  ];
  const evidence = evidenceOf(...steps);
  expect(evidence.faults()).toEqual([]);
  expect(evidence.chains()[0]).toMatchObject({ sendFailed: [3], sent: 4, trapped: 5, acked: 6 });
});

test("evidence: S_SOFT without a request: recorded, and no fault", () => {
  expect(evidenceOf([NoPendingRequest, 1, 0]).faults()).toEqual([]);
});

test.each<[string, RegExp, Step[]]>([
  [
    "ack before trap",
    /acked request 1: has no trap/,
    [
      [Accepted, 0, 1],
      [Sent, 0, 1],
      [Acked, 1, 1],
      [Trapped, 1, 1],
    ],
  ],
  [
    "missing send",
    /no successful send carries/,
    [
      [Accepted, 0, 1],
      [Trapped, 1, 1],
      [Acked, 1, 1],
    ],
  ],
  [
    "send before acceptance",
    /sent request 1: was never accepted/,
    [
      [Sent, 0, 1],
      [Accepted, 0, 1],
    ],
  ],
  ["trap without acceptance", /trapped request 1: was never accepted/, [[Trapped, 1, 1]]],
  [
    "trap told by another CPU",
    /happened by cpu0/,
    [
      [Accepted, 0, 1],
      [Sent, 0, 1],
      [Trapped, 0, 1],
      [Acked, 1, 1],
    ],
  ],
  [
    "ack told by the sender",
    /happened by cpu0/,
    [
      [Accepted, 0, 1],
      [Sent, 0, 1],
      [Trapped, 1, 1],
      [Acked, 0, 1],
    ],
  ],
  [
    "ack of more than was trapped",
    /acked request 2: has no trap/,
    [
      [Accepted, 0, 1],
      [Sent, 0, 1],
      [Trapped, 1, 1],
      [Acked, 1, 2],
    ],
  ],
  [
    "ack twice",
    /was acked before/,
    [
      [Accepted, 0, 1],
      [Sent, 0, 1],
      [Trapped, 1, 1],
      [Acked, 1, 1],
      [Acked, 1, 1],
    ],
  ],
  [
    "trap twice",
    /had its trap before/,
    [
      [Accepted, 0, 1],
      [Sent, 0, 1],
      [Trapped, 1, 1],
      [Trapped, 1, 1],
    ],
  ],
  [
    "trap after a failed send",
    /no successful send carries/,
    [
      [Accepted, 0, 1],
      [Sent, 0, 1],
      [SendFailed, 0, 1],
      [Trapped, 1, 1],
    ],
  ],
  [
    "an old send for a new request",
    /request 2, which no successful send/,
    [
      [Accepted, 0, 1],
      [Sent, 0, 1],
      [Accepted, 0, 2],
      [Trapped, 1, 2],
    ],
  ],
  ["a rider on nothing", /rides on an earlier request/, [[Accepted, 0, 1, 1]]],
  [
    "a request number used again",
    /only grow/,
    [
      [Accepted, 0, 1],
      [Accepted, 2, 1],
    ],
  ],
  ["no trap told by another CPU", /happened by cpu0/, [[NoPendingRequest, 0, 0]]],
])("evidence: %s: reported", (_, words, steps) => {
  expect(
    evidenceOf(...steps)
      .faults()
      .join("\n"),
  ).toMatch(words);
});

test("evidence: rings emptied in any order: the same chains", () => {
  const steps: Step[] = [
    [Accepted, 0, 1],
    [Sent, 0, 1],
    [Trapped, 1, 1],
    [Acked, 1, 1],
  ];
  const shuffled = new Evidence();
  for (const event of eventsOf(steps).toReversed()) shuffled.add(event);
  expect(shuffled.chains()).toEqual(evidenceOf(...steps).chains());
});

test("evidence: a trap whose send has not been shown yet: not judged, and the gap named", () => {
  const evidence = new Evidence();
  const [accepted, sent, trapped] = eventsOf([
    [Accepted, 0, 1],
    [Sent, 0, 1],
    [Trapped, 1, 1],
  ]);
  for (const event of [accepted, trapped]) if (event !== undefined) evidence.add(event);
  expect(evidence.faults()).toEqual([]);
  expect(evidence.chains()[0]?.trapped).toBeNull();
  expect(evidence.gaps()).toEqual(["cpu1 n=2 is missing"]);
  if (sent !== undefined) evidence.add(sent);
  expect(evidence.chains()[0]?.trapped).toBe(3);
  expect(evidence.gaps()).toEqual([]);
});

test("evidence: one number given to two events: reported", () => {
  const evidence = evidenceOf([Accepted, 0, 1]);
  evidence.add({ of: 1, n: 1, by: 0, kind: Accepted, request: 2, detail: 0 });
  expect(evidence.faults().join("\n")).toMatch(/two events have this number/);
});
