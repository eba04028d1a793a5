// Checks of a sender that loses every exchange of a mailbox to others (Q9, I8): it gives up after a stated number, by its
// own name, and has changed nothing; one lost exchange fewer and it is served.
//
// Partners: case.ts, interleaving.ts; kernel/answers.test.ts, which runs them on the shipped kernel.

import { MAILBOX_CAPACITY, RING_CAPACITY } from "../../abi/layout.ts";
import { Program } from "../../abi/programs.ts";
import { Qos } from "../../abi/qos.ts";
import type { Case } from "../rig/case.ts";
import { type Actor, caller, type Segment, trySchedules } from "../rig/interleaving.ts";
import * as calls from "../rig/kernel-calls.ts";
import type { KernelCall } from "../rig/kernel-calls.ts";
import type { KernelImage } from "../rig/kernel-image.ts";
import {
  ENQUEUE,
  FAR_DEADLINE,
  KILL,
  QOS_CHANGE,
  SLEEP,
  SPAWN_REFUSAL,
  TASK_STATE,
  taskId,
  WAKE,
} from "../rig/kernel-map.ts";
import { holds, same } from "../rig/refutation.ts";
import type { Rig } from "../rig/rig.ts";

/** Exchanges of a mailbox's state that a sender loses before it gives up. */
const LOST_MAX = 16;
const TASK = 5;
const TARGET = 1;
const RIVAL = 2;
/** Steps of a whole post: whether the CPU is online, the state, its exchange, the task's word, the place. */
const POST_STEPS = 5;
/** Steps of the sender before its first exchange, at most. */
const BEFORE_MAX = 9;

interface Sender {
  readonly name: string;
  readonly cpu: number;
  readonly setUp: (rig: Rig) => void;
  readonly call: KernelCall;
  readonly served: number;
  readonly refused: number;
  /** The state of the task when the sender has been refused; undefined: it has none. */
  readonly state?: number;
}

const SENDERS: readonly Sender[] = [
  {
    name: "place",
    cpu: 0,
    setUp: (rig) => rig.makeTask(TASK, Qos.Normal, 0),
    call: calls.place(0, TARGET, TASK),
    served: ENQUEUE.Queued,
    refused: ENQUEUE.Contended,
    state: TASK_STATE.Held,
  },
  {
    name: "spawn",
    cpu: 0,
    setUp: () => undefined,
    call: calls.spawn(TARGET, Program.Probe, Qos.Normal),
    served: taskId(0, 1),
    refused: SPAWN_REFUSAL.Contended,
  },
  ...[Qos.Normal, Qos.Interactive].map((asked): Sender => ({
    name: `wake, class ${asked} asked for`,
    cpu: 0,
    setUp: (rig) => {
      rig.run(TARGET, TASK, Qos.Normal);
      same(rig.sleepCurrent(TARGET, FAR_DEADLINE), SLEEP.Blocked, "the sleep");
      if (asked !== Qos.Normal) same(rig.changeQos(TASK, asked), QOS_CHANGE.Updated, "the change");
    },
    call: calls.wake(0, TASK, 1),
    served: WAKE.Posted,
    refused: WAKE.Contended,
    state: TASK_STATE.Blocked,
  })),
];

/** Whole posts of the rival, one between each two looks of the sender at the mailbox. */
function* lost(count: number): Generator<readonly Segment[]> {
  for (let before = 1; before <= BEFORE_MAX; before++)
    yield Array.from({ length: count }, (_, i) => [
      { actor: 0, steps: i === 0 ? before : 2 },
      { actor: 1, steps: POST_STEPS },
    ]).flat();
}

/** Whether a schedule has had the sender refused, and one has had it served. */
function contend(kernel: KernelImage, sender: Sender, count: number): Set<number> {
  const seen = new Set<number>();
  let answer = -99;
  trySchedules(kernel, {
    cpus: 3,
    setUp: (rig) => {
      sender.setUp(rig);
      for (let task = 200; task < 200 + count; task++) rig.makeTask(task, Qos.Idle, RIVAL);
    },
    actors: [
      {
        cpu: sender.cpu,
        *script() {
          answer = yield sender.call;
        },
      },
      {
        cpu: RIVAL,
        *script() {
          for (let task = 200; task < 200 + count; task++) {
            const outcome = yield calls.place(RIVAL, TARGET, task);
            same(outcome, ENQUEUE.Queued, "a post of the rival");
          }
        },
      },
    ],
    schedules: lost(count),
    judge: (rig) => {
      const isServed = answer === sender.served;
      holds(isServed || answer === sender.refused, `${sender.name} answered ${answer}`);
      seen.add(answer);
      same(rig.mailbox(TARGET).room, MAILBOX_CAPACITY - count - (isServed ? 1 : 0), `room left by ${sender.name}`);
      if (!isServed && sender.state !== undefined)
        same([rig.word(TASK).state, rig.signals(TASK) & 1], [sender.state, 0], `the task after ${sender.name}`);
      rig.drainMailbox(TARGET);
      same(rig.queued(TARGET, Qos.Idle).length, count, "posts of the rival that arrived");
    },
  });
  return seen;
}

/** Exchanges of a ring's state that its owner loses before it gives up to drop tombstones. */
const CLEANING_MAX = 2 * RING_CAPACITY;
/** A kill that a thief forestalls changes the state three times: announced, taken, retracted. */
const THEFTS = Math.ceil((CLEANING_MAX + 1) / 3);
const NEW_TASK = 500;

/** CPU 1 enqueues; for each of its oldest tasks the boot hart has a kill and CPU 2 a steal. */
function forestalled(): readonly Actor[] {
  const thefts = Array.from({ length: THEFTS }, (_, task) => [
    caller(0, calls.kill(task, 1)),
    caller(RIVAL, calls.stealFrom(RIVAL, 1, Qos.PerfBurst)),
  ]);
  return [caller(1, calls.enqueue(1, NEW_TASK)), ...thefts.flat()];
}

/** The owner's looks, one between each two changes; ahead: its steps before its first exchange. */
function* changesAtEveryLook(): Generator<readonly Segment[]> {
  const look: Segment = { actor: 0, steps: 2 };
  for (let ahead = 1; ahead <= 6; ahead++)
    yield [
      { actor: 0, steps: ahead },
      ...Array.from({ length: THEFTS }, (_, task): readonly Segment[] => {
        const [kill, steal] = [1 + 2 * task, 2 + 2 * task];
        return [
          { actor: kill, steps: 2 },
          look,
          { actor: steal, steps: 9 },
          look,
          { actor: steal, steps: Infinity },
          { actor: kill, steps: 2 },
          look,
          { actor: kill, steps: Infinity },
        ];
      }).flat(),
    ];
}

export const contentionChecks: readonly Case[] = [
  {
    clause: "Q9",
    title:
      "mailbox: a sender that loses 16 exchanges in a row: Contended, unchanged, for a post, a spawn and a wake; one that loses 15 is served",
    run: (kernel) => {
      for (const sender of SENDERS) {
        const seen = contend(kernel, sender, LOST_MAX);
        holds(seen.has(sender.refused), `no schedule has ${sender.name} refused: the check is blind`);
        same(
          [...contend(kernel, sender, LOST_MAX - 1)],
          [sender.served],
          `answers of ${sender.name} with one exchange fewer lost`,
        );
      }
    },
  },
  {
    clause: "S3",
    title:
      "run queue: the owner loses 128 exchanges in a row while it drops tombstones: it leaves them, and queues its task (3 harts)",
    run: (kernel) => {
      let stepsMost = 0;
      trySchedules(kernel, {
        cpus: 3,
        setUp: (rig) => {
          // As if a tick came before each steal.
          rig.setField(RIVAL, "stealsInTick", -THEFTS);
          rig.fill(1, Qos.Normal, 0);
          same(rig.kill(RING_CAPACITY - 1), KILL.Killed, "the kill that leaves a tombstone");
          rig.makeTask(NEW_TASK, Qos.Normal, 1);
        },
        actors: forestalled(),
        schedules: changesAtEveryLook(),
        judge: (rig, steps) => {
          stepsMost = Math.max(stepsMost, steps[0] ?? 0);
          const left = Array.from({ length: RING_CAPACITY - 1 - THEFTS }, (_, index) => THEFTS + index);
          same(rig.queued(1, Qos.Normal), [...left, NEW_TASK], "the queue");
          const { room, tombstones } = rig.ring(1, Qos.Normal);
          const kept = RING_CAPACITY - room - left.length - 1;
          same(tombstones, kept, "the tombstones announced, of those that the ring holds");
        },
      });
      holds(stepsMost > 2 * CLEANING_MAX, "no schedule has every exchange lost: the check is blind");
    },
  },
];
