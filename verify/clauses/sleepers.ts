// Checks of a hart's list of sleepers (I6, Q6): after each step the whole list, its order and its earliest time.
//
// Partners: case.ts, records.ts; kernel/sleepers.test.ts, which runs them on the shipped kernel.

import { RING_CAPACITY } from "../../abi/layout.ts";
import { Qos } from "../../abi/qos.ts";
import { Syscall } from "../../abi/syscalls.ts";
import { TrapCause } from "../../abi/traps.ts";
import type { Case } from "../rig/case.ts";
import { type Actor, caller, type Segment, trySchedules } from "../rig/interleaving.ts";
import * as calls from "../rig/kernel-calls.ts";
import type { KernelImage } from "../rig/kernel-image.ts";
import { FAR_DEADLINE, QOS_CHANGE, SIGNAL, SLEEP, SLEEPERS_CAPACITY, TASK_STATE, WAKE } from "../rig/kernel-map.ts";
import { NONE } from "../rig/kernel-memory.ts";
import { sleepersOf } from "../rig/records.ts";
import { holds, same } from "../rig/refutation.ts";
import { Rig } from "../rig/rig.ts";

const CPU = 1;
const NEVER = 0x7fff_ffff_ffff_ffffn;

function open(kernel: KernelImage): Rig {
  const rig = Rig.open(kernel, { cpus: 3 });
  rig.letTasksRun();
  return rig;
}

function sleep(rig: Rig, task: number, deadline: bigint, due: number = SLEEP.Blocked): void {
  rig.run(CPU, task, Qos.Normal);
  same(rig.sleepCurrent(CPU, deadline), due, `the sleep of task ${task}`);
}

/** Compares the whole list: tasks with their times. */
function listIs(rig: Rig, due: readonly (readonly [task: number, deadline: bigint])[], what: string): void {
  const { list, earliest } = sleepersOf(rig, CPU);
  same(
    list,
    due.map(([task, deadline]) => `${task}:${deadline}`),
    `the sleepers after ${what}`,
  );
  same(earliest, due[0]?.[1] ?? NEVER, `the earliest time after ${what}`);
}

/** Tasks 1 to 5 in the order of their times: 10, 20, 20, 30, 40. */
function five(kernel: KernelImage): Rig {
  const rig = open(kernel);
  const [one, two, three, four, fifth] = FIVE;
  sleep(rig, 4, 30n);
  listIs(rig, [four], "the first sleep");
  sleep(rig, 2, 20n);
  listIs(rig, [two, four], "a sooner one");
  sleep(rig, 5, 40n);
  listIs(rig, [two, four, fifth], "a later one");
  sleep(rig, 3, 20n);
  listIs(rig, [two, three, four, fifth], "one of an equal time");
  sleep(rig, 1, 10n);
  listIs(rig, [one, two, three, four, fifth], "the soonest");
  return rig;
}

const FIVE = [
  [1, 10n],
  [2, 20n],
  [3, 20n],
  [4, 30n],
  [5, 40n],
] as const;

const without = (...tasks: readonly number[]) => FIVE.filter(([task]) => !tasks.includes(task));

/** One tick of CPU 1, at a time at which no sleep ends. */
function tick(rig: Rig): void {
  rig.machine.timeTicks = 0n;
  rig.trap(CPU, TrapCause.TimerInterrupt);
}

/** Where the sweep stands is compared as well: no entry is passed by. */
function sweeps(rig: Rig, due: readonly (readonly [number, bigint])[], swept: number, what: string): void {
  rig.run(CPU, 900, Qos.PerfBurst);
  tick(rig);
  rig.endTask(900);
  rig.setCurrent(CPU, NONE);
  listIs(rig, due, what);
  same(sleepersOf(rig, CPU).swept, swept, `the next entry to be looked at after ${what}`);
}

/** Requests of the boot hart for another class, each between a look of the sleeper and its exchange. */
const REQUESTS = 4;

/** CPU 1's task falls asleep, and has to be taken back: a wake comes, and the boot hart asks for a class at every look. */
function* lostLooks(): Generator<readonly Segment[]> {
  for (let until = 1; until <= 4; until++)
    for (let mark = 1; mark <= 2; mark++)
      for (let change = 3; change <= 6; change++)
        yield [
          { actor: 0, steps: until },
          { actor: 1, steps: 60 },
          { actor: 0, steps: mark },
          ...Array.from({ length: REQUESTS }, () => [
            { actor: 2, steps: change },
            { actor: 0, steps: 2 },
          ]).flat(),
        ];
}

export const sleeperChecks: readonly Case[] = [
  {
    clause: "Q6",
    title:
      "sleepers: put in at either end, in the middle and at an equal time: the list ascends, equal times in their order",
    run: (kernel) => {
      const rig = five(kernel);
      for (const [now, queued, left] of [
        [9n, [], FIVE],
        [10n, [1], without(1)],
        [19n, [1], without(1)],
        [20n, [1, 2, 3], without(1, 2, 3)],
        [39n, [1, 2, 3, 4], without(1, 2, 3, 4)],
        [40n, [1, 2, 3, 4, 5], []],
        [FAR_DEADLINE, [1, 2, 3, 4, 5], []],
      ] as const) {
        rig.wakeExpired(CPU, now);
        same(rig.queued(CPU, Qos.Normal), [...queued], `the queue at ${now}`);
        listIs(rig, left, `the time ${now}`);
      }
    },
  },
  {
    clause: "I6",
    title:
      "sleepers: one of them woken, any of five: its entry goes with the next sweep that comes to it, the others stay",
    run: (kernel) => {
      for (let woken = 1; woken <= 5; woken++) {
        const rig = five(kernel);
        same(rig.wake(CPU, woken), WAKE.Queued, "the wake");
        same(rig.pick(CPU), woken, "the pick");
        const index = woken - 1;
        for (let i = 0; i < index; i++) sweeps(rig, FIVE, i + 1, `${i + 1} ticks`);
        sweeps(rig, without(woken), index, "the tick that comes to it");
        // From the end the sweep begins again.
        for (let i = index; i < 4; i++) sweeps(rig, without(woken), i + 1, "further ticks");
        sweeps(rig, without(woken), 1, "the tick after the last entry");
      }
    },
  },
  {
    clause: "I6",
    title: "sleepers: woken, and asleep again before the old entry is gone: only the new time ends its sleep",
    run: (kernel) => {
      for (const [first, second] of [
        [20n, 50n],
        [50n, 20n],
        [20n, 20n],
      ] as const) {
        const rig = open(kernel);
        sleep(rig, 1, first);
        same(rig.wake(CPU, 1), WAKE.Queued, "the wake");
        rig.setCurrent(CPU, rig.pick(CPU));
        rig.trap(CPU, TrapCause.SystemCall, Syscall.TaskId);
        same(rig.sleepCurrent(CPU, second), SLEEP.Blocked, "the second sleep");
        const sorted = first <= second ? [first, second] : [second, first];
        listIs(
          rig,
          sorted.map((time) => [1, time] as const),
          "the second sleep",
        );
        rig.wakeExpired(CPU, second - 1n);
        same(rig.word(1).state, TASK_STATE.Blocked, "its state before the second time");
        rig.wakeExpired(CPU, second);
        same(rig.queued(CPU, Qos.Normal), [1], "the queue at the second time");
        rig.wakeExpired(CPU, FAR_DEADLINE);
        same(rig.queued(CPU, Qos.Normal), [1], "the queue later");
        listIs(rig, [], "all times");
      }
    },
  },
  {
    clause: "I6",
    title:
      "sleepers: the time has come and the class is full: they wait in their order, and each place that is made takes one",
    run: (kernel) => {
      const rig = five(kernel);
      rig.fill(CPU, Qos.Normal, 100, RING_CAPACITY - 1);
      rig.wakeExpired(CPU, 30n);
      same(rig.queued(CPU, Qos.Normal).at(-1), 1, "the task that found the last place");
      listIs(rig, without(1), "a class with one place");
      rig.wakeExpired(CPU, 30n);
      listIs(rig, without(1), "a full class");
      for (const task of [2, 3, 4]) {
        rig.pick(CPU);
        rig.wakeExpired(CPU, 30n);
        same(rig.queued(CPU, Qos.Normal).at(-1), task, "the task that found the next place");
        listIs(rig, FIVE.slice(task), `a place for task ${task}`);
      }
      rig.pick(CPU);
      rig.wakeExpired(CPU, 39n);
      listIs(rig, without(1, 2, 3, 4), "a time before the last one's");
    },
  },
  {
    clause: "I6",
    title:
      "sleepers: the table full: a sleep more drops the entries of those awake, first, last and between, and no others",
    run: (kernel) => {
      for (const awake of [[0], [SLEEPERS_CAPACITY - 1], [0, 1, 30, 58], [1, 59], []]) {
        const rig = open(kernel);
        const all = Array.from(
          { length: SLEEPERS_CAPACITY },
          (_, task) => [task, FAR_DEADLINE + BigInt(task)] as const,
        );
        for (const [task, deadline] of all) sleep(rig, task, deadline);
        for (const task of awake) same(rig.wake(CPU, task), WAKE.Queued, `the wake of task ${task}`);
        const isFull = awake.length === 0;
        sleep(rig, 100, 7n, isFull ? SLEEP.SleepersFull : SLEEP.Blocked);
        const left = all.filter(([task]) => !awake.includes(task));
        listIs(rig, isFull ? left : [[100, 7n], ...left], `a sleep with ${awake.length} awake`);
        if (!isFull) same(sleepersOf(rig, CPU).list.length, SLEEPERS_CAPACITY + 1 - awake.length, "entries");
      }
    },
  },
  {
    clause: "I6",
    title:
      "sleepers: woken while it falls asleep, and its class asked for at every look that takes it back: the next tick wakes it (3 harts)",
    run: (kernel) => {
      let hastened = 0;
      const asker: Actor = {
        cpu: 0,
        *script() {
          for (let i = 0; i < REQUESTS; i++) {
            const outcome = yield calls.changeQos(5, 1, i % 2 === 0 ? Qos.Idle : Qos.Interactive);
            same(outcome, QOS_CHANGE.Updated, "the change");
          }
        },
      };
      trySchedules(kernel, {
        cpus: 3,
        setUp: (rig) => {
          rig.letTasksRun();
          sleep(rig, 4, FAR_DEADLINE);
          sleep(rig, 6, FAR_DEADLINE + 2n);
          rig.run(CPU, 5, Qos.Normal);
        },
        actors: [caller(CPU, calls.sleepCurrent(CPU, FAR_DEADLINE + 1n)), caller(2, calls.wake(2, 5, 1)), asker],
        schedules: lostLooks(),
        judge: (rig) => {
          const { list, earliest } = sleepersOf(rig, CPU);
          const isHastened = list.includes("5:0");
          if (isHastened) {
            hastened += 1;
            same(list, ["5:0", `4:${FAR_DEADLINE}`, `6:${FAR_DEADLINE + 2n}`], "the sleepers");
            same(earliest, 0n, "the earliest time");
            same(rig.current(CPU), NONE, "the running task");
            holds((rig.signals(5) & SIGNAL.Permit) !== 0, "the wake has left no permit");
          }
          rig.drainMailbox(CPU);
          rig.wakeExpired(CPU, 1n);
          holds(rig.word(5).state !== TASK_STATE.Blocked, "the task sleeps on although it was woken");
        },
      });
      holds(hastened > 0, "no schedule has every look lost: the check is blind");
    },
  },
];
