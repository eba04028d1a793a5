// Checks of the resched chain and of waking: section I of the contract.
//
// Partners: rig/case.ts; kernel/resched.test.ts, which runs them on the shipped kernel.

import { EventKind } from "../../abi/events.ts";
import { CPUS_MAX, EVIDENCE_CAPACITY, MAILBOX_CAPACITY } from "../../abi/layout.ts";
import { Qos } from "../../abi/qos.ts";
import { MachineError } from "../../abi/results.ts";
import { TrapCause } from "../../abi/traps.ts";
import type { Case } from "../rig/case.ts";
import { type Actor, tryInterleavings } from "../rig/interleaving.ts";
import {
  ENQUEUE,
  GLOBALS,
  hartAddress,
  RESCHED,
  SIGNAL,
  TAKE,
  TASK_STATE,
  taskAddress,
  WAKE,
} from "../rig/kernel-map.ts";
import { strayTasks } from "../rig/places.ts";
import { holds, same } from "../rig/refutation.ts";
import { type KernelEvent, NONE, Rig } from "../rig/rig.ts";
import { snapshot, unchangedBut } from "../rig/snapshot.ts";

const { Accepted, Sent, SendFailed, Trapped, Acked, NoPendingRequest, RejectedInvalidCpu, RejectedOfflineCpu } =
  EventKind;
const CHAIN = [Accepted, Sent, SendFailed, Trapped, Acked] as const;
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

/** What of the chain's causality does not hold among the events of a CPU. */
function faultsOfChain(events: readonly KernelEvent[], target: number): string[] {
  const faults: string[] = [];
  let accepted = 0;
  let sent = 0;
  let trapped = 0;
  let acked = 0;
  for (const { kind, request, by } of events) {
    if (kind === Accepted) accepted = Math.max(accepted, request);
    if (kind === Sent && request > accepted) faults.push(`request ${request} sent before it was accepted`);
    if (kind === Sent) sent = Math.max(sent, request);
    if ((kind === Trapped || kind === Acked) && by !== target)
      faults.push(`cpu${by} recorded a trap or an ack of cpu${target}`);
    if (kind === Trapped && sent === 0) faults.push(`request ${request} trapped before any was sent`);
    if (kind === Trapped && request > accepted) faults.push(`request ${request} trapped before it was accepted`);
    if (kind === Trapped) trapped = Math.max(trapped, request);
    if (kind === Acked && request > trapped) faults.push(`request ${request} acked before its trap`);
    if (kind === Acked) acked = Math.max(acked, request);
  }
  return acked <= trapped ? faults : [...faults, "an ack without a trap"];
}

/** Each takes two events of the sender's ring and two of the target's. */
const REQUESTS = EVIDENCE_CAPACITY + 3;

const MAY_RUN = (rig: Rig): void => rig.letTasksRun();

/** CPU 1 runs task 5. */
function runsTask5(rig: Rig): void {
  MAY_RUN(rig);
  rig.run(1, 5, Qos.Normal);
}

/** CPU 1's task goes to sleep, for ever unless it is woken. */
const FALLS_ASLEEP: Actor = {
  cpu: 1,
  *script() {
    yield { name: "sleepCurrent", values: [hartAddress(1), 1n << 60n] };
  },
};

/** Wakes a task as the system call does: a mailbox entry is followed by a request to its CPU. */
function waker(cpu: number, task: number, heard: (outcome: number) => void): Actor {
  return {
    cpu,
    *script(rig) {
      const { incarnation } = rig.life(task);
      const outcome = yield { name: "wake", values: [hartAddress(cpu), taskAddress(task), incarnation] };
      heard(outcome);
      if (outcome === WAKE.Posted) {
        yield { name: "requestResched", values: [hartAddress(cpu), rig.field(cpu, "posted")] };
      }
    },
  };
}

/** Lets every hart that has S_SOFT pending take its trap, until none has. */
function settle(rig: Rig, cpus: readonly number[]): void {
  for (let round = 0; round < 10; round++) {
    const pending = cpus.filter((cpu) => rig.machine.hartOf(cpu).softPending);
    if (pending.length === 0) return;
    for (const cpu of pending) rig.trap(cpu, TrapCause.SoftInterrupt);
  }
  holds(false, "S_SOFT is raised again and again");
}

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
      same(rig.machine.rung(), [], "harts rung");
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
      same([rig.counter(0, "accepted"), rig.machine.rung().length], [0, 0], "accepted and rung");
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
          yield { name: "requestResched", values: [hartAddress(cpu), 1] };
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
                const outcome = yield { name: "takeRequests", values: [hartAddress(1)] };
                if (outcome === TAKE.Taken) yield { name: "acknowledge", values: [hartAddress(1)] };
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
      same(rig.machine.rung(), [rig.machine.hartOf(1).hartId], "harts rung");
      same(takeAndAcknowledge(rig, 1), TAKE.Taken, "the trap");
      rig.machine.calls.length = 0;
      rig.retryUnsent(0);
      same(rig.machine.rung(), [], "harts rung once it has gone out");
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
    clause: "I6",
    title:
      "wake: against a task going to sleep, every order: it is never asleep with the wake lost (2 harts, 3 switches)",
    run: (kernel) => {
      const outcomes = new Set<number>();
      tryInterleavings(kernel, {
        cpus: 3,
        switches: 3,
        setUp: runsTask5,
        actors: [FALLS_ASLEEP, waker(2, 5, (outcome) => outcomes.add(outcome))],
        judge: (rig) => {
          settle(rig, [0, 1, 2]);
          holds(rig.word(5).state !== TASK_STATE.Blocked, "the task sleeps on although it was woken");
          same(strayTasks(rig, [5], 3), [], "tasks that are not in exactly one place");
        },
      });
      same([...outcomes].toSorted(), [WAKE.Posted, WAKE.Remembered], "what the waker was answered, over all orders");
    },
  },
  {
    clause: "I6",
    title:
      "wake: two wakers of one sleeper, every order: it wakes once, and nobody is answered that it sleeps on (3 harts, 2 switches)",
    run: (kernel) => {
      tryInterleavings(kernel, {
        cpus: 3,
        switches: 2,
        setUp: (rig) => {
          MAY_RUN(rig);
          rig.run(1, 5, Qos.Normal);
          rig.sleepCurrent(1, 1n << 60n);
        },
        actors: [waker(0, 5, checkWoken), waker(2, 5, checkWoken)],
        judge: (rig) => {
          settle(rig, [1]);
          same(strayTasks(rig, [5], 3), [], "tasks that are not in exactly one place");
          same(rig.word(5).state, TASK_STATE.Held, "the state of the task that was woken");
          same(rig.mailEntries(1), [], "entries left");
        },
      });
    },
  },
  {
    clause: "I6",
    title: "wake: against the sleeper's own time, every order: it wakes once (2 harts, 3 switches)",
    run: (kernel) => {
      tryInterleavings(kernel, {
        cpus: 3,
        switches: 3,
        setUp: (rig) => {
          rig.run(1, 5, Qos.Normal);
          rig.sleepCurrent(1, 2_000_000n);
        },
        actors: [
          {
            cpu: 1,
            *script() {
              yield { name: "wakeExpired", values: [hartAddress(1), 2_000_000n] };
            },
          },
          waker(2, 5, () => undefined),
        ],
        judge: (rig) => {
          for (let i = 0; i < 2; i++) rig.drainMailbox(1);
          same(rig.queued(1, Qos.Normal), [5], "the queue of its CPU");
          same(strayTasks(rig, [], 3), [], "tasks that are not in exactly one place");
          rig.pick(1);
          same(rig.pick(1), NONE, "a second pick");
        },
      });
    },
  },
  {
    clause: "I6",
    title:
      "wake: while the boot hart changes the sleeper's class, every order: it wakes, or the waker is answered that it did not (3 harts, 3 switches)",
    run: (kernel) => {
      for (const sleeperCpu of [1, 2]) {
        let answer = -1;
        tryInterleavings(kernel, {
          cpus: 3,
          switches: 3,
          setUp: (rig) => {
            MAY_RUN(rig);
            rig.run(sleeperCpu, 5, Qos.Normal);
            rig.sleepCurrent(sleeperCpu, 1n << 60n);
          },
          actors: [changer(5, Qos.PerfBurst), waker(1, 5, (outcome) => (answer = outcome))],
          judge: (rig) => {
            settle(rig, [1, 2]);
            const asleep = rig.word(5).state === TASK_STATE.Blocked;
            holds(
              !asleep || answer === WAKE.Contended || answer === WAKE.QueueFull,
              `the waker was answered ${answer}, and the task sleeps on`,
            );
            same(rig.classOf(5), Qos.PerfBurst, "its class");
          },
        });
      }
    },
  },
  {
    clause: "I6",
    title:
      "timer: while the boot hart changes the sleeper's class, every order: it wakes now or at the next tick (2 harts, 3 switches)",
    run: (kernel) => {
      tryInterleavings(kernel, {
        cpus: 2,
        switches: 3,
        setUp: (rig) => {
          rig.run(1, 5, Qos.Normal);
          rig.sleepCurrent(1, 2_000_000n);
          rig.fill(1, Qos.PerfBurst, 100, 64);
        },
        actors: [
          changer(5, Qos.PerfBurst),
          {
            cpu: 1,
            *script() {
              yield { name: "wakeExpired", values: [hartAddress(1), 2_000_000n] };
            },
          },
        ],
        judge: (rig) => {
          while (rig.pick(1) !== NONE && rig.word(5).state === TASK_STATE.Blocked);
          rig.wakeExpired(1, 2_000_001n);
          holds(rig.word(5).state !== TASK_STATE.Blocked, "the task sleeps past its time for ever");
        },
      });
    },
  },
  {
    clause: "I6",
    title:
      "sleep: a wake and a change of class while it falls asleep, every order: the wake is not lost (3 harts, 3 switches)",
    run: (kernel) => {
      let answer = -1;
      tryInterleavings(kernel, {
        cpus: 3,
        switches: 3,
        setUp: runsTask5,
        actors: [FALLS_ASLEEP, changer(5, Qos.PerfBurst), waker(2, 5, (outcome) => (answer = outcome))],
        judge: (rig) => {
          settle(rig, [1]);
          // A wake that met a change of class may take the next tick.
          rig.wakeExpired(1, rig.machine.timeTicks);
          const asleep = rig.word(5).state === TASK_STATE.Blocked;
          holds(!asleep || answer === WAKE.Contended, `the waker was answered ${answer}, and the task sleeps on`);
        },
      });
    },
  },
  {
    clause: "I6",
    title:
      "trap: a mailbox entry and its request at every instant of an S_SOFT trap: the task runs or an interrupt is on its way (2 harts, 2 switches)",
    run: (kernel) => {
      tryInterleavings(kernel, {
        cpus: 3,
        switches: 2,
        setUp: (rig) => {
          MAY_RUN(rig);
          rig.run(1, 5, Qos.Normal);
          rig.sleepCurrent(1, 1n << 60n);
          rig.requestResched(0, 1);
        },
        actors: [
          {
            cpu: 1,
            *script() {
              yield { name: "trap", values: [TrapCause.SoftInterrupt, 0n, 0, 0n, 0n, 0n] };
            },
          },
          waker(2, 5, checkWoken),
        ],
        judge: (rig) => {
          settle(rig, [1]);
          same(rig.current(1), 5, "what cpu1 runs once no interrupt is on its way");
          same(faultsOfChain(rig.eventsOf(1, ...CHAIN), 1), [], "faults of the chain");
          same(rig.pendingRequests(1), { count: 0, sent: false, failed: false }, "what is pending in the end");
        },
      });
    },
  },
  {
    clause: "I6",
    title: "sleep: a wake came before: it goes on at once, and the next sleep is a sleep",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 2 });
      rig.run(1, 5, Qos.Normal);
      for (let i = 0; i < 2; i++) same(rig.wake(0, 5), WAKE.Remembered, "wake of a task that runs");
      same(rig.sleepCurrent(1, 1n << 60n), 1, "the first sleep");
      same(rig.current(1), 5, "the current task");
      same(rig.life(5).signals & SIGNAL.Permit, 0, "the permit afterwards");
      same(rig.sleepCurrent(1, 1n << 60n), 0, "the second sleep");
      same(rig.current(1), NONE, "the current task after it fell asleep");
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
      same(rig.machine.rung(), [rig.machine.hartOf(1).hartId], "harts rung");
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
      same(rig.machine.rung().length, 1, "IPIs");
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
  {
    clause: "I8",
    title:
      "mailbox: 32 mailbox entries from several harts, and tombstones among them: QueueFull until they are drained, in their order",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 3 });
      // Close to where the position would turn negative.
      rig.setMailboxPosition(1, 0x7ffffff0);
      for (let i = 0; i < MAILBOX_CAPACITY; i++) {
        const sender = i % 2 === 0 ? 0 : 2;
        rig.makeTask(i, Qos.Normal, sender);
        same(rig.place(sender, 1, i), ENQUEUE.Queued, `mailbox entry ${i}`);
      }
      for (const task of [0, 7, 31]) rig.kill(task);
      rig.run(1, 50, Qos.Normal);
      rig.sleepCurrent(1, 1n << 60n);
      rig.makeTask(40, Qos.Normal, 2);
      const before = snapshot(rig);
      same(rig.place(2, 1, 40), ENQUEUE.QueueFull, "a mailbox entry to a full mailbox");
      same(rig.wake(2, 50), WAKE.QueueFull, "a wake through a full mailbox");
      unchangedBut(rig, before, [], "a refused mailbox entry");
      same(rig.drainMailbox(1), 0, "drain");
      same(
        rig.queued(1, Qos.Normal),
        Array.from({ length: 32 }, (_, i) => i).filter((i) => ![0, 7, 31].includes(i)),
        "what was drained",
      );
      same(rig.mailbox(1).room, MAILBOX_CAPACITY, "room afterwards");
      same(rig.place(2, 1, 40), ENQUEUE.Queued, "a mailbox entry afterwards");
      same(rig.wake(2, 50), WAKE.Posted, "a wake afterwards");
    },
  },
  {
    clause: "I8",
    title: "mailbox: a mailbox entry whose queue is full: it waits, and the ones behind it keep their order",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 2 });
      rig.fill(1, Qos.Normal, 100);
      for (let task = 0; task < 3; task++) {
        rig.makeTask(task, Qos.Normal);
        rig.place(0, 1, task);
      }
      same(rig.drainMailbox(1), 1, "drain into a full queue");
      same(rig.mailEntries(1), [0, 1, 2], "entries that wait");
      same([rig.pick(1), rig.pick(1)], [100, 101], "two picks");
      same(rig.drainMailbox(1), 1, "drain into room for two");
      same(rig.queued(1, Qos.Normal).slice(-2), [0, 1], "the end of the queue");
      same(rig.mailEntries(1), [2], "entries that wait");
    },
  },
];

function checkWoken(outcome: number): void {
  const fine: readonly number[] = [WAKE.Queued, WAKE.Posted, WAKE.Remembered];
  holds(fine.includes(outcome), `a waker was answered ${outcome}`);
}

/** The boot hart gives a task a class. */
function changer(task: number, qos: Qos): Actor {
  return {
    cpu: 0,
    *script(rig) {
      const { incarnation } = rig.life(task);
      yield { name: "changeQos", values: [GLOBALS, hartAddress(0), taskAddress(task), incarnation, qos] };
    },
  };
}
