// Checks of answers by name (T8, Q7): the boot hart's operations and wakes on a task in each place that it can be in. The
// answer, the task's word, its signals and the CPUs that are rung are compared.
//
// Partners: case.ts; kernel/answers.test.ts, which runs them on the shipped kernel.

import { RING_CAPACITY } from "../../abi/layout.ts";
import { Qos } from "../../abi/qos.ts";
import { Syscall } from "../../abi/syscalls.ts";
import { TrapCause } from "../../abi/traps.ts";
import type { Case } from "../rig/case.ts";
import * as calls from "../rig/kernel-calls.ts";
import type { KernelImage } from "../rig/kernel-image.ts";
import {
  ENQUEUE,
  EXIT_REASON,
  FAR_DEADLINE,
  KILL,
  QOS_CHANGE,
  QOS_CLASSES,
  SIGNAL,
  SLEEP,
  TASK_STATE,
  WAKE,
} from "../rig/kernel-map.ts";
import { NONE } from "../rig/kernel-memory.ts";
import { runtimeOf } from "../rig/records.ts";
import { same } from "../rig/refutation.ts";
import { Rig } from "../rig/rig.ts";
import { snapshot, unchangedBut } from "../rig/snapshot.ts";

const TASK = 5;
const QOS_SHIFT = 4;

/** Where the task is, and on which CPU. */
const PLACES = ["running", "queued", "mailed", "asleep"] as const;
type Place = (typeof PLACES)[number];
const STATE_OF: Readonly<Record<Place, number>> = {
  running: TASK_STATE.Held,
  queued: TASK_STATE.Queued,
  mailed: TASK_STATE.Mailed,
  asleep: TASK_STATE.Blocked,
};

function open(kernel: KernelImage, place: Place, cpu: number, qos: Qos): Rig {
  const rig = Rig.open(kernel, { cpus: 3 });
  rig.letTasksRun();
  rig.makeTask(TASK, qos, place === "mailed" ? (cpu + 1) % 3 : cpu);
  if (place === "running" || place === "asleep") rig.setCurrent(cpu, TASK);
  if (place === "asleep") same(rig.sleepCurrent(cpu, FAR_DEADLINE), SLEEP.Blocked, "the sleep");
  if (place === "queued") same(rig.enqueue(cpu, TASK), ENQUEUE.Queued, "enqueue");
  if (place === "mailed") same(rig.place((cpu + 1) % 3, cpu, TASK), ENQUEUE.Queued, "the post");
  same([rig.word(TASK).state, rig.word(TASK).cpu], [STATE_OF[place], cpu], `its state and CPU, ${place}`);
  return rig;
}

function asksFor(qos: Qos): number {
  return SIGNAL.ChangeQos | (qos << QOS_SHIFT);
}

/** Calls an operation of the boot hart, or a wake, on another life of the task. */
function onOtherLife(rig: Rig, name: "kill" | "changeQos" | "wake", incarnation: number): number {
  if (name === "wake") return rig.make(0, calls.wake(0, TASK, incarnation));
  return rig.make(0, name === "kill" ? calls.kill(TASK, incarnation) : calls.changeQos(TASK, incarnation, Qos.Idle));
}

function killIn(kernel: KernelImage, place: Place, cpu: number): void {
  const rig = open(kernel, place, cpu, Qos.Interactive);
  const before = { word: rig.word(TASK), life: rig.life(TASK) };
  const what = `the kill of a task ${place} on cpu${cpu}`;
  if (place === "running") {
    for (let i = 1; i <= 2; i++) {
      same(rig.kill(TASK), KILL.Requested, `answer ${i} to ${what}`);
      same([rig.word(TASK), rig.signals(TASK)], [before.word, SIGNAL.Kill], `its word and signals after ${what}`);
    }
    same(rig.machine.rungCpus(), cpu === 0 ? [] : [cpu], `CPUs rung by ${what}`);
    return;
  }
  same(rig.kill(TASK), KILL.Killed, `the answer to ${what}`);
  const word = { ...before.word, generation: before.word.generation + 1, state: TASK_STATE.Exited };
  same(rig.word(TASK), word, `its word after ${what}`);
  same(rig.life(TASK), { ...before.life, signals: 0 }, `its life word after ${what}`);
  same([rig.taskField(TASK, "exitReason"), rig.taskField(TASK, "exitCode")], [EXIT_REASON.Killed, 0], "how it ended");
  same(rig.machine.rungCpus(), [], `CPUs rung by ${what}`);
  same(rig.kill(TASK), KILL.NotFound, `a second kill after ${what}`);
  same(rig.ring(cpu, Qos.Interactive).tombstones, place === "queued" ? 1 : 0, `tombstones after ${what}`);
  rig.reap();
  same([runtimeOf(rig).reaped, rig.word(TASK).state], [1, TASK_STATE.Free], `reaped after ${what}`);
}

/** Changes the class of a task in a place. pending: a class asked for before and not given yet. */
function changeIn(kernel: KernelImage, place: Place, cpu: number, to: Qos, pending?: Qos): void {
  const from = Qos.Normal;
  const rig = open(kernel, place, cpu, from);
  if (pending !== undefined) {
    const life = rig.life(TASK);
    rig.setLife(TASK, { ...life, signals: life.signals | asksFor(pending) });
  }
  const { word, life } = { word: rig.word(TASK), life: rig.life(TASK) };
  const what = `the change of a task ${place} on cpu${cpu} to class ${to}, class ${pending ?? "none"} asked for before`;
  same(rig.changeQos(TASK, to), QOS_CHANGE.Updated, `the answer to ${what}`);
  const isAsleep = place === "asleep" ? SIGNAL.Asleep : 0;
  const isAsked = place === "running" || place === "asleep" || (pending !== undefined && pending !== to);
  const stays = pending === to ? asksFor(to) : 0;
  same(rig.life(TASK), { ...life, signals: isAsleep | (isAsked ? asksFor(to) : stays) }, `its life word after ${what}`);
  const moves = place === "queued" && to !== from;
  const given = place === "mailed" || moves ? { ...word, qos: to } : word;
  const moved = moves ? { ...given, generation: word.generation + 1 } : given;
  const isMailed = moves && cpu !== 0;
  same(rig.word(TASK), isMailed ? { ...moved, state: TASK_STATE.Mailed } : moved, `its word after ${what}`);
  same(rig.machine.rungCpus(), cpu !== 0 && (place === "running" || isMailed) ? [cpu] : [], `CPUs rung by ${what}`);
  same(rig.ring(cpu, from).tombstones, moves ? 1 : 0, `tombstones after ${what}`);
  if (place === "queued") same(rig.queued(cpu, to), isMailed ? [] : [TASK], `the queue of class ${to} after ${what}`);
}

/** A task queued on a CPU is to have a class in which there are 64 entries, so many of them tombstones. */
function changeToFull(kernel: KernelImage, cpu: number, tombstones: number, pending?: Qos): void {
  const rig = open(kernel, "queued", cpu, Qos.Normal);
  rig.fill(cpu, Qos.PerfBurst, 100);
  for (let task = 100; task < 100 + tombstones; task++) same(rig.kill(task), KILL.Killed, `kill of task ${task}`);
  if (pending !== undefined) rig.setLife(TASK, { ...rig.life(TASK), signals: asksFor(pending) });
  const what = `a change to a class of ${RING_CAPACITY - tombstones} tasks on cpu${cpu}, pending ${pending ?? "none"}`;
  const before = snapshot(rig);
  const isFull = tombstones === 0;
  // What was asked for before is replaced, so that the task gets the class when it runs next.
  const due = isFull && pending === undefined ? QOS_CHANGE.QueueFull : QOS_CHANGE.Updated;
  same(rig.changeQos(TASK, Qos.PerfBurst), due, `the answer to ${what}`);
  if (due === QOS_CHANGE.QueueFull) unchangedBut(rig, before, [], what);
  if (pending !== undefined) same(rig.signals(TASK), asksFor(Qos.PerfBurst), `its signals after ${what}`);
  const state = isFull || cpu === 0 ? TASK_STATE.Queued : TASK_STATE.Mailed;
  const qos = isFull ? Qos.Normal : Qos.PerfBurst;
  same([rig.word(TASK).state, rig.word(TASK).qos], [state, qos], `its state and class after ${what}`);
}

/** A sleeper that is to have a class is woken, from its own CPU or from another. */
function wakeAsked(kernel: KernelImage, qos: Qos, waker: number, isFull: boolean): void {
  const rig = open(kernel, "asleep", 2, Qos.Normal);
  same(rig.changeQos(TASK, qos), QOS_CHANGE.Updated, "the change");
  const isHere = waker === 2;
  if (isFull && isHere) rig.fill(2, qos, 100);
  if (isFull && !isHere) rig.fillMailbox(2, 300);
  rig.run(waker, 6, Qos.PerfBurst);
  rig.machine.calls.length = 0;
  const what = `a wake by cpu${waker} of a sleeper that is to have class ${qos}`;
  const before = snapshot(rig);
  const word = rig.word(TASK);
  const due = isFull ? WAKE.QueueFull : isHere ? WAKE.Queued : WAKE.Posted;
  same(rig.wake(waker, TASK), due, `the answer to ${what}`);
  if (isFull) return unchangedBut(rig, before, [], what);
  same(
    rig.word(TASK),
    { ...word, qos, state: isHere ? TASK_STATE.Queued : TASK_STATE.Mailed },
    `its word after ${what}`,
  );
  same(rig.life(TASK).signals, SIGNAL.Woken, `its signals after ${what}`);
  if (!isHere) same(rig.field(waker, "posted"), 2, `the CPU posted to by ${what}`);
  same(rig.wake(waker, TASK), WAKE.Remembered, `a second wake after ${what}`);
  same(rig.wake(waker, TASK), WAKE.Remembered, `a third wake after ${what}`);
  same(rig.life(TASK).signals, SIGNAL.Woken | SIGNAL.Permit, `its signals after more wakes`);
}

export const answerChecks: readonly Case[] = [
  {
    clause: "T6",
    title: "kill: of a task in each place on each CPU: its answer, how it ended, its word, and who is rung",
    run: (kernel) => {
      for (const place of PLACES) for (const cpu of [0, 1, 2]) killIn(kernel, place, cpu);
    },
  },
  {
    clause: "Q7",
    title:
      "change class: of a task in each place on each CPU, with and without a class asked for before: its answer, class, place, and who is rung",
    run: (kernel) => {
      for (const place of PLACES)
        for (const cpu of [0, 1, 2])
          for (const to of QOS_CLASSES)
            for (const pending of [undefined, ...QOS_CLASSES]) changeIn(kernel, place, cpu, to, pending);
    },
  },
  {
    clause: "Q7",
    title:
      "change class: to a class of 64 entries, here and elsewhere: refused unchanged, unless there are tombstones or an older request",
    run: (kernel) => {
      for (const cpu of [0, 1])
        for (const tombstones of [0, 1, RING_CAPACITY])
          for (const pending of [undefined, Qos.Idle]) changeToFull(kernel, cpu, tombstones, pending);
      const rig = open(kernel, "queued", 1, Qos.Normal);
      rig.fillMailbox(1, 300);
      const before = snapshot(rig);
      same(rig.changeQos(TASK, Qos.Idle), QOS_CHANGE.QueueFull, "the answer with the CPU's mailbox full");
      unchangedBut(rig, before, [], "a change that finds the mailbox full");
    },
  },
  {
    clause: "T6",
    title:
      "kill, change class, wake: of another life, or an entry that is free or has ended: NotFound and nothing changed",
    run: (kernel) => {
      for (const place of PLACES) {
        const rig = open(kernel, place, 1, Qos.Normal);
        const before = snapshot(rig);
        for (const incarnation of [0, 2, 0x7fff_ffff])
          for (const name of ["kill", "changeQos", "wake"] as const)
            same(onOtherLife(rig, name, incarnation), NOT_FOUND[name], `${name} of life ${incarnation}, ${place}`);
        unchangedBut(rig, before, [], "operations on other lives");
      }
      for (const state of [TASK_STATE.Free, TASK_STATE.Exited]) {
        const rig = open(kernel, "running", 1, Qos.Normal);
        rig.setWord(TASK, { ...rig.word(TASK), state });
        const before = snapshot(rig);
        for (const name of ["kill", "changeQos", "wake"] as const)
          same(onOtherLife(rig, name, 1), NOT_FOUND[name], `${name} of an entry in state ${state}`);
        unchangedBut(rig, before, [], `operations on an entry in state ${state}`);
      }
    },
  },
  {
    clause: "Q9",
    title:
      "wake: of a sleeper that is to have another class: queued or posted in that class, or refused with nothing changed",
    run: (kernel) => {
      for (const qos of QOS_CLASSES)
        for (const waker of [2, 1, 0]) for (const isFull of [false, true]) wakeAsked(kernel, qos, waker, isFull);
    },
  },
  {
    clause: "I6",
    title: "system call: wake of a sleeper of another CPU: that CPU is rung, and no other",
    run: (kernel) => {
      for (const [waker, sleeper] of [
        [1, 2],
        [2, 1],
        [0, 2],
        [2, 0],
      ] as const) {
        const rig = open(kernel, "asleep", sleeper, Qos.Normal);
        rig.run(waker, 6, Qos.Normal);
        same(rig.trap(waker, TrapCause.SystemCall, Syscall.Wake, rig.idOf(TASK)), 6, "the space entered");
        same(rig.machine.rungCpus(), [sleeper], `CPUs rung by a wake from cpu${waker}`);
        same(rig.current(sleeper), NONE, "what the sleeper's CPU runs before its trap");
      }
    },
  },
];

const NOT_FOUND = { kill: KILL.NotFound, changeQos: QOS_CHANGE.NotFound, wake: WAKE.NotFound } as const;
