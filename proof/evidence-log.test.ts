import { expect, test } from "vitest";
import { EventKind } from "../abi/events.ts";
import type { EvidenceEvent } from "./console-line.ts";
import { Evidence } from "./evidence-log.ts";

const VERBS: Readonly<Record<string, EventKind>> = {
  accepts: EventKind.Accepted,
  rides: EventKind.Accepted,
  sends: EventKind.Sent,
  fails: EventKind.SendFailed,
  traps: EventKind.Trapped,
  acks: EventKind.Acked,
  ignores: EventKind.NoPendingRequest,
};

/** `0 accepts 1, 0 sends 1`: events of cpu1, numbered from 1 in this order, as (by, verb, request). */
function eventsOf(story: string): EvidenceEvent[] {
  return story.split(", ").map((step, index) => {
    const [by, verb = "", request] = step.split(" ");
    const kind = VERBS[verb];
    if (kind === undefined) throw new Error(`no such verb: ${verb}`);
    return { of: 1, n: index + 1, by: Number(by), kind, request: Number(request), detail: verb === "rides" ? 1 : 0 };
  });
}

function evidenceOf(story: string): Evidence {
  const evidence = new Evidence();
  for (const event of eventsOf(story)) evidence.add(event);
  return evidence;
}

test("evidence: one request, every step by whom it should be: a complete chain", () => {
  const evidence = evidenceOf("0 accepts 1, 0 sends 1, 1 traps 1, 1 acks 1");
  expect(evidence.faults()).toEqual([]);
  expect(evidence.chains()).toEqual([
    { target: 1, request: 1, by: 0, rides: false, accepted: 1, sendFailed: [], sent: 2, trapped: 3, acked: 4 },
  ]);
});

test("evidence: two requests on one IPI: the rider shares send, trap and ack", () => {
  const evidence = evidenceOf("0 accepts 1, 0 sends 1, 2 rides 2, 1 traps 2, 1 acks 2");
  expect(evidence.faults()).toEqual([]);
  expect(evidence.chains().map((chain) => [chain.sent, chain.trapped, chain.acked])).toEqual([
    [2, 4, 5],
    [2, 4, 5],
  ]);
});

test("evidence: a send that failed, then one that succeeded: complete by the second", () => {
  const evidence = evidenceOf("0 accepts 1, 0 sends 1, 0 fails 1, 0 sends 1, 1 traps 1, 1 acks 1");
  expect(evidence.faults()).toEqual([]);
  expect(evidence.chains()[0]).toMatchObject({ sendFailed: [3], sent: 4, trapped: 5, acked: 6 });
});

test.each([
  ["S_SOFT without a request", "1 ignores 0"],
  // cpu2 was numbered before cpu0 marked its send, and accepted after it.
  ["a send that another CPU's later number rides on", "0 accepts 1, 0 sends 2, 2 accepts 2, 1 traps 2, 1 acks 2"],
  [
    "requests numbered in one order and accepted in the other",
    "2 rides 2, 0 accepts 1, 0 sends 1, 1 traps 2, 1 acks 2",
  ],
  // The first trap took what the second send was for, so the second trap has nothing new.
  [
    "a send whose requests an earlier trap took",
    "0 accepts 1, 2 accepts 2, 2 sends 2, 0 sends 2, 1 traps 2, 1 acks 2, 1 traps 2, 1 acks 2",
  ],
])("evidence: %s: no fault", (_, story) => {
  expect(evidenceOf(story).faults()).toEqual([]);
});

test.each([
  ["ack before trap", /acked request 1: has no trap/, "0 accepts 1, 0 sends 1, 1 acks 1, 1 traps 1"],
  ["missing send", /rests on no successful send/, "0 accepts 1, 1 traps 1, 1 acks 1"],
  ["send before acceptance", /sent request 1: was never accepted/, "0 sends 1, 0 accepts 1"],
  ["trap without acceptance", /trapped request 1: was never accepted/, "1 traps 1"],
  ["failed send without acceptance", /send-failed request 1: was never accepted/, "0 fails 1"],
  ["trap reported by another CPU", /happened by cpu0/, "0 accepts 1, 0 sends 1, 0 traps 1, 1 acks 1"],
  ["ack reported by the sender", /happened by cpu0/, "0 accepts 1, 0 sends 1, 1 traps 1, 0 acks 1"],
  ["ack of more than was trapped", /acked request 2: has no trap/, "0 accepts 1, 0 sends 1, 1 traps 1, 1 acks 2"],
  ["ack twice", /has no trap before/, "0 accepts 1, 0 sends 1, 1 traps 1, 1 acks 1, 1 acks 1"],
  ["trap twice on one send", /rests on no successful/, "0 accepts 1, 0 sends 1, 1 traps 1, 1 acks 1, 1 traps 1"],
  ["trap before the ack of the last", /before the ack/, "0 accepts 1, 0 sends 1, 0 sends 1, 1 traps 1, 1 traps 1"],
  ["trap after a failed send", /rests on no successful send/, "0 accepts 1, 0 sends 1, 0 fails 1, 1 traps 1"],
  ["rider on a failed send", /rests on no successful/, "0 accepts 1, 0 sends 1, 0 fails 1, 2 rides 2, 1 traps 2"],
  ["an old send for a new request", /request 2: rests on no succ/, "0 accepts 1, 0 sends 1, 0 accepts 2, 1 traps 2"],
  ["acceptance after its trap", /after the trap that covers/, "0 accepts 2, 0 sends 2, 1 traps 2, 2 accepts 1"],
  [
    "trap that goes backwards",
    /had its trap before/,
    "0 accepts 1, 0 accepts 2, 0 sends 2, 1 traps 2, 1 acks 2, 1 traps 1",
  ],
  ["a request number used again", /was accepted before/, "0 accepts 1, 2 accepts 1"],
  ["no request, reported by another CPU", /happened by cpu0/, "0 ignores 0"],
])("evidence: %s: reported", (_, message, story) => {
  expect(evidenceOf(story).faults().join("\n")).toMatch(message);
});

test("evidence: rings emptied in any order: the same chains", () => {
  const story = "0 accepts 1, 0 sends 1, 1 traps 1, 1 acks 1";
  const backwards = new Evidence();
  for (const event of eventsOf(story).toReversed()) backwards.add(event);
  expect(backwards.chains()).toEqual(evidenceOf(story).chains());
  expect(backwards.faults()).toEqual([]);
});

test("evidence: a trap whose send has not been shown yet: in doubt until it is", () => {
  const evidence = new Evidence();
  const [accepted, sent, trapped] = eventsOf("0 accepts 1, 0 sends 1, 1 traps 1");
  for (const event of [accepted, trapped]) if (event !== undefined) evidence.add(event);
  expect(evidence.faults()).toEqual([]);
  expect(evidence.doubts()).toEqual([
    "cpu1 n=3 trapped request 1: rests on no successful send, and n=2 was never shown",
  ]);
  if (sent !== undefined) evidence.add(sent);
  expect(evidence.chains()[0]?.trapped).toBe(3);
  expect(evidence.doubts()).toEqual([]);
});

test("evidence: one number given to two events: reported", () => {
  const evidence = evidenceOf("0 accepts 1");
  evidence.add({ of: 1, n: 1, by: 0, kind: EventKind.Accepted, request: 2, detail: 0 });
  expect(evidence.faults().join("\n")).toMatch(/two events have this number/);
});
