// Checks of bounded retries at their end: another hart moves the task at every look that the boot hart takes, so that an
// operation gives up. Clause T6: giving up is an answer, and what was answered holds.
//
// Partners: case.ts, interleaving.ts; kernel/dispatch.test.ts, which runs them on the shipped kernel.

import { EventKind } from "../../abi/events.ts";
import { Qos } from "../../abi/qos.ts";
import { MachineError } from "../../abi/results.ts";
import type { Case } from "../rig/case.ts";
import { type Actor, caller, type Segment, tryInterleavings, trySchedules } from "../rig/interleaving.ts";
import * as calls from "../rig/kernel-calls.ts";
import type { KernelCall } from "../rig/kernel-calls.ts";
import type { KernelImage } from "../rig/kernel-image.ts";
import { ENQUEUE, KILL, QOS_CHANGE, RESCHED, SIGNAL, TAKE, TASK_STATE } from "../rig/kernel-map.ts";
import { holds, same } from "../rig/refutation.ts";
import type { Rig } from "../rig/rig.ts";

const TASK = 900;
const OTHER = 901;
const FIRST_LIFE = 1;
/** Yields, at least as many as an operation takes looks. */
const YIELDS = 24;
/** Steps of a look until it has lost, and of a yield with one other task, at most. */
const LOOK_STEPS_MAX = 6;
/** The same of a look that posts to the other CPU and rings it. */
const CHANGE_STEPS_MAX = 28;
const YIELD_STEPS_MAX = 8;

/** CPU 1 runs the task and has one more of its class: at each yield the task goes from running to queued, or back. */
function alternates(rig: Rig): void {
  rig.letTasksRun();
  rig.run(1, TASK, Qos.Normal);
  rig.makeTask(OTHER, Qos.Normal);
  same(rig.enqueue(1, OTHER), ENQUEUE.Queued, "enqueue");
  // So that every later request takes the same steps: it rides on this one's IPI.
  same(rig.requestResched(0, 1), RESCHED.Sent, "a request");
}

const yielder: Actor = {
  cpu: 1,
  *script() {
    for (let i = 0; i < YIELDS; i++) yield calls.yieldCurrent(1);
  },
};

/**
 * Schedules in which parts of looks and yields take turns: every two lengths of a look's parts, one after the other.
 * restStepsMax: of the second part.
 */
function* byTurns(restStepsMax: number): Generator<readonly Segment[]> {
  for (let first = 1; first <= LOOK_STEPS_MAX; first++) {
    for (let even = 1; even <= LOOK_STEPS_MAX; even++) {
      for (let odd = 1; odd <= restStepsMax; odd++) {
        for (let steps = 1; steps <= YIELD_STEPS_MAX; steps++) {
          const turns = Array.from({ length: YIELDS }, (_, i) => [
            { actor: 0, steps: i === 0 ? first : i % 2 === 0 ? even : odd },
            { actor: 1, steps },
          ]);
          yield turns.flat();
        }
      }
    }
  }
}

/** Whether the task has ended, or will before it runs again. */
function isDoomed(rig: Rig): boolean {
  return rig.word(TASK).state === TASK_STATE.Exited || (rig.signals(TASK) & SIGNAL.Kill) !== 0;
}

/** Makes a call of the boot hart against the yields, in many schedules; the answers that there were. */
function answersAmongYields(
  kernel: KernelImage,
  call: KernelCall,
  restStepsMax: number,
  judge: (rig: Rig, answer: number) => void,
): ReadonlySet<number> {
  const seen = new Set<number>();
  let answer = -1;
  trySchedules(kernel, {
    cpus: 2,
    setUp: alternates,
    actors: [
      {
        cpu: 0,
        *script() {
          answer = yield call;
        },
      },
      yielder,
    ],
    schedules: byTurns(restStepsMax),
    judge: (rig) => {
      seen.add(answer);
      judge(rig, answer);
    },
  });
  return seen;
}

/** Steps of a request until it is accepted, where the state shows an IPI on its way, and from there until its mark. */
const ACCEPT_STEPS_MAX = 5;
const MARK_STEPS_MAX = 8;

/**
 * Two CPUs see an IPI on its way to a third, whose trap then takes the requests that it is for: both have to ring. Every
 * length of their looks, of the way to the first one's mark, and of the second one's.
 */
function* besideTrap(): Generator<readonly Segment[]> {
  for (let first = 1; first <= ACCEPT_STEPS_MAX; first++)
    for (let second = 1; second <= ACCEPT_STEPS_MAX; second++)
      for (let mark = 1; mark <= MARK_STEPS_MAX; mark++)
        for (let other = 1; other <= MARK_STEPS_MAX; other++)
          yield [
            { actor: 0, steps: first },
            { actor: 1, steps: second },
            { actor: 2, steps: Infinity },
            { actor: 0, steps: mark },
            { actor: 1, steps: other },
          ];
}

/** What the boot hart's operations on that life of the task begin with. */

export const retryChecks: readonly Case[] = [
  {
    clause: "T6",
    title: "kill: of a task that yields at every look: answered Contended it lives on, else it ends",
    run: (kernel) => {
      const seen = answersAmongYields(kernel, calls.kill(TASK, FIRST_LIFE), LOOK_STEPS_MAX, (rig, answer) =>
        same(isDoomed(rig), answer !== KILL.Contended, `the task ends after the answer ${answer}`),
      );
      for (const answer of [KILL.Killed, KILL.Requested, KILL.Contended]) {
        holds(seen.has(answer), `no schedule has the answer ${answer}: the check is blind`);
      }
    },
  },
  {
    clause: "T6",
    title:
      "change class: of a task that yields at every look: answered Contended it keeps its class, else it is asked for",
    run: (kernel) => {
      const call = calls.changeQos(TASK, FIRST_LIFE, Qos.Interactive);
      const seen = answersAmongYields(kernel, call, CHANGE_STEPS_MAX, (rig, answer) => {
        const due = answer === QOS_CHANGE.Updated ? Qos.Interactive : Qos.Normal;
        same(rig.classOf(TASK), due, `the class of the task after the answer ${answer}`);
      });
      // Contended takes eight looks lost in a row: no schedule here has that.
      holds(seen.has(QOS_CHANGE.Updated), "no schedule has the class changed: the check is blind");
    },
  },
  {
    clause: "I7",
    title:
      "resched: two senders after a refused IPI, every order: one rings, the other finds that it has (3 harts, 2 switches)",
    run: (kernel) => {
      let coalesced = 0;
      const outcomes: number[] = [];
      const sender = (cpu: number): Actor => ({
        cpu,
        *script() {
          outcomes[cpu] = yield calls.requestResched(cpu, 1);
        },
      });
      tryInterleavings(kernel, {
        cpus: 3,
        switches: 2,
        setUp: (rig) => {
          rig.machine.sendAnswer = () => MachineError.Failed;
          same(rig.requestResched(0, 1), RESCHED.SendFailed, "a request whose IPI is refused");
          rig.machine.sendAnswer = () => MachineError.Ok;
        },
        actors: [sender(0), sender(2)],
        judge: (rig) => {
          same([outcomes[0], outcomes[2]].toSorted(), [RESCHED.Sent, RESCHED.Coalesced], "the answers of the two");
          const found = rig.eventsOf(1, EventKind.Coalesced);
          coalesced += found.length;
          for (const { request } of found) holds(request >= 2, `request ${request} is reported as rung for`);
          same(rig.pendingRequests(1), { count: 3, sent: true, failed: false }, "what is pending");
          same(rig.takeRequests(1), TAKE.Taken, "the trap");
          rig.acknowledge(1);
          same(rig.pendingRequests(1), { count: 0, sent: false, failed: false }, "what is pending after the trap");
        },
      });
      holds(coalesced > 0, "no order has a sender find its request rung for: the check is blind");
    },
  },
  {
    clause: "I7",
    title:
      "resched: two CPUs ask a third whose trap has just taken what they saw pending, every order: one IPI more (3 harts)",
    run: (kernel) => {
      let coalesced = 0;
      trySchedules(kernel, {
        cpus: 3,
        setUp: (rig) => same(rig.requestResched(0, 1), RESCHED.Sent, "a request before"),
        actors: [
          caller(0, calls.requestResched(0, 1)),
          caller(2, calls.requestResched(2, 1)),
          caller(1, calls.takeRequests(1)),
        ],
        schedules: besideTrap(),
        judge: (rig) => {
          const made = rig.machine.calls;
          const cleared = made.findIndex(({ kind }) => kind === "clear-soft");
          const ipis = made.slice(cleared).filter(({ kind }) => kind === "ipi").length;
          holds(ipis <= 1, `${ipis} IPIs after the trap, where the second rings for what the first has rung for`);
          coalesced += rig.eventsOf(1, EventKind.Coalesced).length;
        },
      });
      holds(coalesced > 0, "no order has a sender find that another has rung: the check is blind");
    },
  },
];
