// Checks of the resched chain: what is accepted, refused, sent, trapped and acknowledged, and in which order (I1, I2, I3, I4, I5, I7, I8).
//
// Partners: rig/case.ts; kernel/resched.test.ts, which runs them on the shipped kernel.

import { EventKind } from "../../abi/events.ts";
import { CPUS_MAX, EVIDENCE_CAPACITY } from "../../abi/layout.ts";
import { Qos } from "../../abi/qos.ts";
import { MachineError } from "../../abi/results.ts";
import { TrapCause } from "../../abi/traps.ts";
import type { Case } from "../rig/case.ts";
import { CHAIN, faultsOfChain } from "../rig/chain-faults.ts";
import { type Actor, tryInterleavings } from "../rig/interleaving.ts";
import * as calls from "../rig/kernel-calls.ts";
import { RESCHED, TAKE } from "../rig/kernel-map.ts";
import { holds, same } from "../rig/refutation.ts";
import { Rig } from "../rig/rig.ts";
import { snapshot, unchangedBut } from "../rig/snapshot.ts";

const { Accepted, Sent, SendFailed, Trapped, Acked, NoPendingRequest, RejectedInvalidCpu, RejectedOfflineCpu } =
  EventKind;
/** What a refused request may write: its own evidence, and the numbers that evidence draws. */
const EVIDENCE_OF_CPU0 = [/^evidence of cpu0 /, /^cpu0 resched \+(8|16)$/];

/** Events of a CPU as `kind request`, in the order of their numbers. */
function chainOf(rig: Rig, cpu: number): string[] {
  return rig.eventsOf(cpu, ...CHAIN).map(({ kind, request }) => `${EventKind[kind]} ${request}`);
}

/** What a hart does with S_SOFT in the smallest case: no mail, no orders. */
function takeAndAcknowledge(rig: Rig, cpu: number): number {
  const outcome = rig.takeRequests(cpu);
  if (outcome === TAKE.Taken) rig.acknowledge(cpu);
  return outcome;
}

/** Each takes two events of the sender's ring and two of the target's. */
const REQUESTS = EVIDENCE_CAPACITY + 3;

export const reschedChecks: readonly Case[] = [
  {
    clause: "I1",
    title: "resched: an invalid target: refused, evidence of the refusal, none of acceptance, no IPI",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 2 });
      const before = snapshot(rig);
      for (const target of [CPUS_MAX, CPUS_MAX + 1, -1, 0x7fffffff, -0x80000000]) {
        same(rig.requestResched(0, target), RESCHED.InvalidCpu, `request to cpu ${target}`);
      }
      unchangedBut(rig, before, EVIDENCE_OF_CPU0, "a refused request");
      const details = rig.eventsOf(0, RejectedInvalidCpu).map((event) => event.detail);
      same(details, [CPUS_MAX, CPUS_MAX + 1, -1, 0x7ffff, -0x80000], "refusals on record");
      same(rig.counter(0, "accepted"), 0, "requests counted as accepted");
      same(rig.machine.rungCpus(), [], "CPUs rung");
    },
  },
  {
    clause: "I2",
    title: "resched: an offline target: refused, evidence of the refusal, none of acceptance, no IPI",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 3, online: 2 });
      const before = snapshot(rig);
      for (const target of [2, 3, CPUS_MAX - 1])
        same(rig.requestResched(0, target), RESCHED.OfflineCpu, `request to cpu ${target}`);
      unchangedBut(rig, before, EVIDENCE_OF_CPU0, "a refused request");
      same(
        rig.eventsOf(0, RejectedOfflineCpu).map((event) => event.detail),
        [2, 3, CPUS_MAX - 1],
        "refusals on record",
      );
      same([rig.counter(0, "accepted"), rig.machine.rungCpus().length], [0, 0], "accepted and rung");
      rig.join(2);
      same(rig.requestResched(0, 2), RESCHED.Sent, "a request once the CPU is online");
    },
  },
  {
    clause: "I3",
    title: "resched: one request after another: accepted, sent, trapped, acked, in this order and by the right harts",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 2 });
      // More than the rings hold: each event takes the place of an older one, at the ring's end as well.
      for (let request = 1; request <= REQUESTS; request++) {
        same(rig.requestResched(0, 1), RESCHED.Sent, "request");
        same(chainOf(rig, 1).slice(-2), [`Accepted ${request}`, `Sent ${request}`], "the chain before the trap");
        holds(rig.machine.hartOf(1).softPending, "the target has no S_SOFT pending");
        same(rig.takeRequests(1), TAKE.Taken, "the trap");
        same(chainOf(rig, 1).at(-1), `Trapped ${request}`, "the chain before the ack");
        rig.acknowledge(1);
        same(
          chainOf(rig, 1).slice(-4),
          ["Accepted", "Sent", "Trapped", "Acked"].map((kind) => `${kind} ${request}`),
          "the chain",
        );
      }
      same(
        rig.eventsOf(1, Trapped, Acked).every((event) => event.by === 1),
        true,
        "traps and acks are the target's own",
      );
      same(
        rig.eventsOf(1, Accepted, Sent).every((event) => event.by === 0),
        true,
        "acceptance and send are the sender's",
      );
      same(rig.counter(1, "acked"), REQUESTS, "acks counted");
    },
  },
  {
    clause: "I3",
    title: "resched: two senders and the target's traps in every order: the chain is causal (3 harts, 2 switches)",
    run: (kernel) => {
      const sender = (cpu: number): Actor => ({
        cpu,
        *script() {
          yield calls.requestResched(cpu, 1);
        },
      });
      // With an IPI on its way from the start, and with none: then the trap may come before the IPI of a request is rung.
      for (const before of [1, 0])
        tryInterleavings(kernel, {
          cpus: 3,
          switches: 2,
          setUp: (rig) => {
            if (before > 0) same(rig.requestResched(0, 1), RESCHED.Sent, "the request before");
          },
          actors: [
            sender(0),
            {
              cpu: 1,
              *script() {
                const outcome = yield calls.takeRequests(1);
                if (outcome === TAKE.Taken) yield calls.acknowledge(1);
              },
            },
            sender(2),
          ],
          judge: (rig) => {
            for (let i = 0; i < 3 && rig.machine.hartOf(1).softPending; i++) takeAndAcknowledge(rig, 1);
            const events = rig.eventsOf(1, ...CHAIN);
            same(faultsOfChain(events, 1), [], "faults of the chain");
            const numbers = rig.eventsOf(1).map(({ number }) => number);
            same(
              numbers,
              numbers.map((_, index) => index + 1),
              "the numbers of the target's events, none left out",
            );
            same(
              events
                .filter(({ kind }) => kind === Accepted)
                .map(({ request }) => request)
                .toSorted(),
              [1, 2, 3].slice(0, before + 2),
              "requests accepted",
            );
            same(
              Math.max(...events.map(({ kind, request }) => (kind === Acked ? request : 0))),
              before + 2,
              "the last request acked",
            );
            same(rig.pendingRequests(1), { count: 0, sent: false, failed: false }, "what is pending in the end");
          },
        });
    },
  },
  {
    clause: "I4",
    title: "resched: the machine refuses the IPI: SendFailed, pending, no trap, no ack; a later send completes it",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 2 });
      rig.machine.sendAnswer = () => MachineError.Failed;
      same(rig.requestResched(0, 1), RESCHED.SendFailed, "a request whose IPI is refused");
      same(chainOf(rig, 1), ["Accepted 1", "Sent 1", "SendFailed 1"], "the chain after the refusal");
      same(rig.eventsOf(1, SendFailed)[0]?.detail, MachineError.Failed, "the error on record");
      same(rig.pendingRequests(1), { count: 1, sent: true, failed: true }, "what is pending");
      same([rig.counter(0, "sent"), rig.counter(0, "sendsFailed")], [0, 1], "sends counted");
      same(takeAndAcknowledge(rig, 1), TAKE.NoPendingRequest, "an S_SOFT that nobody sent");
      same(rig.pendingRequests(1).count, 1, "requests still pending");
      rig.machine.sendAnswer = () => MachineError.Ok;
      same(rig.send(0, 1), RESCHED.Sent, "a later send");
      same(takeAndAcknowledge(rig, 1), TAKE.Taken, "the trap of the later send");
      same(chainOf(rig, 1).slice(3), ["Sent 1", "Trapped 1", "Acked 1"], "the chain after the later send");
    },
  },
  {
    clause: "I4",
    title: "resched: a refused IPI, then a request by anybody: it rings again, and the ack covers both",
    run: (kernel) => {
      for (const second of [0, 2]) {
        const rig = Rig.open(kernel, { cpus: 3 });
        rig.machine.sendAnswer = () => MachineError.Failed;
        rig.requestResched(0, 1);
        rig.machine.sendAnswer = () => MachineError.Ok;
        same(rig.requestResched(second, 1), RESCHED.Sent, `the request of cpu${second}`);
        same(takeAndAcknowledge(rig, 1), TAKE.Taken, "the trap");
        same(chainOf(rig, 1).slice(-2), ["Trapped 2", "Acked 2"], "the end of the chain");
        same(rig.pendingRequests(1), { count: 0, sent: false, failed: false }, "what is pending in the end");
      }
    },
  },
  {
    clause: "I4",
    title: "notify: a refused IPI after a mailbox entry: sent again at the sender's next tick, until it goes out",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 3 });
      rig.machine.sendAnswer = () => MachineError.Failed;
      rig.run(1, 5, Qos.Normal);
      same(rig.spawn(1, 0, Qos.Normal, 0) >= 0, true, "spawn on a CPU that cannot be rung");
      rig.machine.calls.length = 0;
      rig.retryUnsent(0);
      same(rig.pendingRequests(1), { count: 1, sent: true, failed: true }, "what is pending after another refusal");
      rig.machine.sendAnswer = () => MachineError.Ok;
      rig.retryUnsent(0);
      same(rig.machine.rungCpus(), [1], "CPUs rung");
      same(takeAndAcknowledge(rig, 1), TAKE.Taken, "the trap");
      rig.machine.calls.length = 0;
      rig.retryUnsent(0);
      same(rig.machine.rungCpus(), [], "CPUs rung once it has gone out");
    },
  },
  {
    clause: "I5",
    title: "resched: S_SOFT without a request: NoPendingRequest on record, no trap counted as its own, no ack",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 2 });
      rig.letTasksRun();
      rig.machine.hartOf(1).softPending = true;
      rig.trap(1, TrapCause.SoftInterrupt);
      same(chainOf(rig, 1), [], "the chain of cpu1");
      same(rig.eventsOf(1, NoPendingRequest).length, 1, "the trap on record");
      same(
        [rig.counter(1, "spuriousSoft"), rig.counter(1, "trapped"), rig.counter(1, "acked")],
        [1, 0, 0],
        "spurious, trapped, acked",
      );
      same(rig.machine.hartOf(1).softPending, false, "S_SOFT afterwards");
      rig.requestResched(0, 1);
      rig.trap(1, TrapCause.SoftInterrupt);
      same(chainOf(rig, 1), ["Accepted 1", "Sent 1", "Trapped 1", "Acked 1"], "the chain of a request afterwards");
      rig.trap(1, TrapCause.SoftInterrupt);
      same(rig.counter(1, "acked"), 1, "acks after one more S_SOFT");
    },
  },
  {
    clause: "I7",
    title: "resched: a request while one is pending: no second IPI, and the next ack covers it",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 3 });
      same(rig.requestResched(0, 1), RESCHED.Sent, "the first request");
      for (const sender of [2, 0, 2])
        same(rig.requestResched(sender, 1), RESCHED.Coalesced, `the request of cpu${sender}`);
      same(rig.machine.rungCpus(), [1], "CPUs rung");
      same(
        rig.eventsOf(1, Accepted).map(({ request, detail }) => `${request}:${detail}`),
        ["1:0", "2:1", "3:1", "4:1"],
        "acceptances, and whether each rides on an IPI",
      );
      same(takeAndAcknowledge(rig, 1), TAKE.Taken, "the trap");
      same(chainOf(rig, 1).slice(-2), ["Trapped 4", "Acked 4"], "the trap and the ack that cover all four");
      same(rig.counter(1, "acked"), 1, "acks counted");
      same(rig.requestResched(0, 1), RESCHED.Sent, "a request after the ack");
      same(rig.eventsOf(1, Accepted).at(-1)?.request, 5, "its number");
    },
  },
  {
    clause: "I7",
    title: "resched: 1000 requests before one trap: one IPI, one ack for all",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 2 });
      for (let i = 0; i < 1000; i++) rig.requestResched(0, 1);
      takeAndAcknowledge(rig, 1);
      same(rig.machine.rungCpus().length, 1, "IPIs");
      same(rig.eventsOf(1, Acked).at(-1)?.request, 1000, "the request that the ack reaches to");
    },
  },
  {
    clause: "I8",
    title: "resched: the sender's evidence: names the hart that made the call, whatever it was given",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 4 });
      for (const sender of [3, 0, 2]) rig.requestResched(sender, 1);
      same(
        rig.eventsOf(1, Accepted).map((event) => event.by),
        [3, 0, 2],
        "who accepted",
      );
      for (const sender of [3, 0, 2]) same(rig.counter(sender, "accepted"), 1, `requests counted by cpu${sender}`);
      same(
        rig.machine.calls.flatMap((call) => (call.kind === "ipi" ? [call.by] : [])),
        [3],
        "who rang",
      );
    },
  },
];
