// Checks of a sender that loses every exchange of a mailbox to others (Q9, I8): it gives up after a stated number, by its
// own name, and has changed nothing; one lost exchange fewer and it is served.
//
// Partners: case.ts, interleaving.ts; kernel/answers.test.ts, which runs them on the shipped kernel.

import { MAILBOX_CAPACITY } from "../../abi/layout.ts";
import { Program } from "../../abi/programs.ts";
import { Qos } from "../../abi/qos.ts";
import type { Case } from "../rig/case.ts";
import { type Segment, trySchedules } from "../rig/interleaving.ts";
import * as calls from "../rig/kernel-calls.ts";
import type { KernelCall } from "../rig/kernel-calls.ts";
import type { KernelImage } from "../rig/kernel-image.ts";
import {
  ENQUEUE,
  FAR_DEADLINE,
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
];
