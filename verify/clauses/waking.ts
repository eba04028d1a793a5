// Checks of waking: a wake is not lost, whatever falls asleep, expires, changes or traps at the same time (I6).
//
// Partners: case.ts, interleaving.ts; kernel/resched.test.ts, which runs them on the shipped kernel.

import { Qos } from "../../abi/qos.ts";
import { TrapCause } from "../../abi/traps.ts";
import type { Case } from "../rig/case.ts";
import { CHAIN, faultsOfChain } from "../rig/chain-faults.ts";
import { type Actor, caller, tryInterleavings, waker } from "../rig/interleaving.ts";
import * as calls from "../rig/kernel-calls.ts";
import { FAR_DEADLINE, SIGNAL, SLEEP, TASK_STATE, WAKE } from "../rig/kernel-map.ts";
import { NONE } from "../rig/kernel-memory.ts";
import { strayTasks } from "../rig/places.ts";
import { holds, same } from "../rig/refutation.ts";
import { Rig } from "../rig/rig.ts";

/** CPU 1 runs task 5. */
function runsTask5(rig: Rig): void {
  rig.letTasksRun();
  rig.run(1, 5, Qos.Normal);
}

/** CPU 1's task goes to sleep, for ever unless it is woken. */
const FALLS_ASLEEP: Actor = caller(1, calls.sleepCurrent(1, FAR_DEADLINE));

export const wakeChecks: readonly Case[] = [
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
          rig.settle([0, 1, 2]);
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
          rig.letTasksRun();
          rig.run(1, 5, Qos.Normal);
          rig.sleepCurrent(1, FAR_DEADLINE);
        },
        actors: [waker(0, 5, checkWoken), waker(2, 5, checkWoken)],
        judge: (rig) => {
          rig.settle([1]);
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
        actors: [caller(1, calls.wakeExpired(1, 2_000_000n)), waker(2, 5)],
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
            rig.letTasksRun();
            rig.run(sleeperCpu, 5, Qos.Normal);
            rig.sleepCurrent(sleeperCpu, FAR_DEADLINE);
          },
          actors: [changer(5, Qos.PerfBurst), waker(1, 5, (outcome) => (answer = outcome))],
          judge: (rig) => {
            rig.settle([1, 2]);
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
        actors: [changer(5, Qos.PerfBurst), caller(1, calls.wakeExpired(1, 2_000_000n))],
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
          rig.settle([1]);
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
          rig.letTasksRun();
          rig.run(1, 5, Qos.Normal);
          rig.sleepCurrent(1, FAR_DEADLINE);
          rig.requestResched(0, 1);
        },
        actors: [caller(1, calls.trap(TrapCause.SoftInterrupt)), waker(2, 5, checkWoken)],
        judge: (rig) => {
          rig.settle([1]);
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
      same(rig.sleepCurrent(1, FAR_DEADLINE), SLEEP.AlreadyWoken, "the first sleep");
      same(rig.current(1), 5, "the current task");
      same(rig.life(5).signals & SIGNAL.Permit, 0, "the permit afterwards");
      same(rig.sleepCurrent(1, FAR_DEADLINE), SLEEP.Blocked, "the second sleep");
      same(rig.current(1), NONE, "the current task after it fell asleep");
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
      yield calls.changeQos(task, incarnation, qos);
    },
  };
}
