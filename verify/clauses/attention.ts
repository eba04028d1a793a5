// Checks of what a hart does for a task before the task runs on: its end, its class, the task that has its turn instead.
// Each way through a trap is taken with each signal, and what it changes is compared whole.
//
// Partners: case.ts, records.ts; kernel/dispatch.test.ts, which runs them on the shipped kernel.

import { IDLE_SPACE } from "../../abi/layout.ts";
import { Qos } from "../../abi/qos.ts";
import { Syscall } from "../../abi/syscalls.ts";
import { TrapCause } from "../../abi/traps.ts";
import type { Case } from "../rig/case.ts";
import type { KernelImage } from "../rig/kernel-image.ts";
import { ENQUEUE, EXIT_REASON, KILL, SIGNAL, TASK_STATE } from "../rig/kernel-map.ts";
import { NONE } from "../rig/kernel-memory.ts";
import { type Changes, changesOnly, markRecord, recordOf } from "../rig/records.ts";
import { same } from "../rig/refutation.ts";
import { Rig } from "../rig/rig.ts";

const CPU = 1;
const RUNNING = 5;
const QUEUED = 6;
const TASKS = [RUNNING, QUEUED, 7, 8] as const;
const QOS_SHIFT = 4;
/** An end on CPU 1 rings the boot hart. */
const RINGS = { accepted: 1, sent: 1 } as const;

/** Traps after which the running task goes on, with what each counts. */
const ENTRIES = [
  {
    name: "a sleep until now",
    counts: {},
    isLook: false,
    enter: (rig: Rig) => rig.trap(CPU, TrapCause.SystemCall, Syscall.SleepUntil, rig.machine.timeTicks),
  },
  {
    name: "a call for its id",
    counts: {},
    isLook: true,
    enter: (rig: Rig) => rig.trap(CPU, TrapCause.SystemCall, Syscall.TaskId),
  },
  {
    name: "an S_SOFT that nobody sent",
    counts: { spuriousSoft: 1 },
    isLook: true,
    enter: (rig: Rig) => rig.trap(CPU, TrapCause.SoftInterrupt),
  },
  {
    name: "a tick within its slice",
    counts: { ticks: 1 },
    isLook: true,
    enter: (rig: Rig) => rig.trap(CPU, TrapCause.TimerInterrupt),
  },
] as const;

function open(kernel: KernelImage): Rig {
  const rig = Rig.open(kernel, { cpus: 3 });
  rig.letTasksRun();
  return rig;
}

function make(rig: Rig, task: number, qos: Qos): void {
  rig.makeTask(task, qos, CPU);
  markRecord(rig, task, { lastCpu: CPU, exitReason: EXIT_REASON.Alive, exitCode: 0 });
}

function queue(rig: Rig, task: number, qos: Qos): void {
  make(rig, task, qos);
  same(rig.enqueue(CPU, task), ENQUEUE.Queued, `enqueue of task ${task}`);
}

/** Leaves signals for a task, as the boot hart does that lost the race for its word. */
function leave(rig: Rig, task: number, signals: number): void {
  rig.setLife(task, { ...rig.life(task), signals });
}

function asksFor(qos: Qos): number {
  return SIGNAL.ChangeQos | (qos << QOS_SHIFT);
}

function runsMore(rig: Rig, task: number): Changes["records"] & object {
  return { [task]: { runs: recordOf(rig, task).runs + 1 } };
}

/** Enters the kernel and compares the space, the running task and all that changed. */
function enters(rig: Rig, what: string, due: number, changes: Changes, enter: () => number): void {
  changesOnly(rig, TASKS, what, changes, () => {
    same(enter(), due === NONE ? IDLE_SPACE : due, `the space entered after ${what}`);
  });
  same(rig.current(CPU), due, `the running task after ${what}`);
}

export const attentionChecks: readonly Case[] = [
  {
    clause: "T6",
    title: "trap: the running task is to be killed: it ends in that trap, whatever the trap is, and the next one runs",
    run: (kernel) => {
      for (const { name, counts, enter } of ENTRIES) {
        for (const hasNext of [true, false]) {
          const rig = open(kernel);
          make(rig, RUNNING, Qos.Normal);
          rig.setCurrent(CPU, RUNNING);
          rig.setField(CPU, "sliceTicks", 2);
          if (hasNext) queue(rig, QUEUED, Qos.Idle);
          leave(rig, RUNNING, SIGNAL.Kill);
          const ends = { [RUNNING]: { exitReason: EXIT_REASON.Killed, exitCode: 0 } };
          const changes = {
            counts: { [CPU]: { ...counts, ...RINGS, ended: 1, ...(hasNext ? { picks: 1 } : {}) } },
            records: { ...ends, ...(hasNext ? runsMore(rig, QUEUED) : {}) },
          };
          enters(rig, `${name} of a killed task`, hasNext ? QUEUED : NONE, changes, () => enter(rig));
          same(rig.word(RUNNING).state, TASK_STATE.Exited, `its state after ${name}`);
        }
      }
    },
  },
  {
    clause: "Q7",
    title:
      "trap: another class asked for the running task: it has it after that trap, and goes on unless it must give way",
    run: (kernel) => {
      for (const { name, counts, isLook, enter } of ENTRIES) {
        for (const qos of [Qos.Idle, Qos.Normal, Qos.Interactive, Qos.PerfBurst]) {
          const rig = open(kernel);
          make(rig, RUNNING, Qos.Interactive);
          rig.setCurrent(CPU, RUNNING);
          rig.setField(CPU, "sliceTicks", 2);
          queue(rig, QUEUED, Qos.Normal);
          leave(rig, RUNNING, asksFor(qos));
          // The trap of a sleep that is over already does not look for higher classes: the next tick does.
          const givesWay = isLook && qos < Qos.Normal;
          const changes = {
            counts: { [CPU]: { ...counts, ...(givesWay ? { picks: 1 } : {}) } },
            records: givesWay ? runsMore(rig, QUEUED) : {},
          };
          const what = `${name} of a task that is to have class ${qos}`;
          enters(rig, what, givesWay ? QUEUED : RUNNING, changes, () => enter(rig));
          same([rig.word(RUNNING).qos, rig.signals(RUNNING)], [qos, 0], `class and signals after ${what}`);
          same(rig.field(CPU, "sliceTicks"), "ticks" in counts && !givesWay ? 1 : 2, `the slice after ${what}`);
        }
      }
    },
  },
  {
    clause: "T6",
    title: "dispatch: queued tasks that are to be killed: each ends when it is picked, and the first that is not runs",
    run: (kernel) => {
      for (const killed of [0, 1, 2]) {
        const rig = open(kernel);
        for (const task of [6, 7, 8]) queue(rig, task, Qos.Normal);
        for (let task = 6; task < 6 + killed; task++) leave(rig, task, SIGNAL.Kill);
        const due = 6 + killed;
        const ends = Object.fromEntries(
          Array.from({ length: killed }, (_, i) => [6 + i, { exitReason: EXIT_REASON.Killed, exitCode: 0 }]),
        );
        const rung = [{}, RINGS, { accepted: 2, sent: 1, coalesced: 1 }][killed] ?? {};
        const changes = {
          counts: { [CPU]: { spuriousSoft: 1, picks: 1, ...rung, ...(killed > 0 ? { ended: killed } : {}) } },
          records: { ...ends, ...runsMore(rig, due) },
        };
        enters(rig, `a look at a queue whose first ${killed} are to be killed`, due, changes, () =>
          rig.trap(CPU, TrapCause.SoftInterrupt),
        );
        same(rig.field(CPU, "sliceTicks"), 2, "the slice of the task that runs");
      }
    },
  },
  {
    clause: "Q8",
    title:
      "dispatch: a picked task is given a class: below a ready one it gives way to it, else it runs, also by a stale bit",
    run: (kernel) => {
      for (const qos of [Qos.Idle, Qos.Normal, Qos.Interactive, Qos.PerfBurst]) {
        for (const hasOther of [true, false]) {
          const rig = open(kernel);
          queue(rig, 6, Qos.Interactive);
          queue(rig, 7, Qos.Normal);
          // A bit without a task, as a thief leaves it.
          if (!hasOther) same([rig.pick(CPU), rig.pick(CPU)], [6, 7], "picks");
          if (!hasOther) queue(rig, 6, Qos.Interactive);
          leave(rig, 6, asksFor(qos));
          const givesWay = hasOther && qos < Qos.Normal;
          const due = givesWay ? 7 : 6;
          const changes = { counts: { [CPU]: { spuriousSoft: 1, picks: 1 } }, records: runsMore(rig, due) };
          enters(rig, `the pick of a task that is to have class ${qos}`, due, changes, () =>
            rig.trap(CPU, TrapCause.SoftInterrupt),
          );
          same([rig.word(6).qos, rig.signals(6)], [qos, 0], "class and signals of the task that was picked");
          same(rig.queued(CPU, Qos.Idle), givesWay ? [6] : [], "the queue of the Idle class");
        }
      }
    },
  },
  {
    clause: "S6",
    title:
      "idle: work of its own queue, of another's, of any class: found in the trap of a request; before the start, none",
    run: (kernel) => {
      for (const owner of [0, 1, 2]) {
        for (const qos of [Qos.Idle, Qos.Normal, Qos.Interactive, Qos.PerfBurst]) {
          for (const mayRun of [true, false]) {
            const rig = Rig.open(kernel, { cpus: 3 });
            if (mayRun) rig.letTasksRun();
            rig.makeTask(6, qos, owner);
            same(rig.enqueue(owner, 6), ENQUEUE.Queued, "enqueue");
            rig.requestResched(0, CPU);
            const what = `the trap of an idle hart, a task of class ${qos} on cpu${owner}`;
            same(rig.trap(CPU, TrapCause.SoftInterrupt), mayRun ? 6 : IDLE_SPACE, `the space entered after ${what}`);
            same(rig.queued(owner, qos), mayRun ? [] : [6], `the queue after ${what}`);
            same(rig.counter(CPU, "acked"), 1, `acks after ${what}`);
          }
        }
      }
    },
  },
  {
    clause: "S6",
    title: "idle: nothing in its mailbox but tombstones, and work on another CPU: it is stolen in the same trap",
    run: (kernel) => {
      const rig = open(kernel);
      rig.run(CPU, RUNNING, Qos.Normal);
      rig.makeTask(6, Qos.Normal, 0);
      same(rig.place(0, CPU, 6), ENQUEUE.Queued, "the post");
      same(rig.kill(6), KILL.Killed, "the kill of the mailed task");
      rig.fill(2, Qos.PerfBurst, 7, 1);
      same(rig.trap(CPU, TrapCause.SystemCall, Syscall.Exit), 7, "the space entered after the end of the running task");
      same(rig.mailEntries(CPU), [], "the mailbox");
    },
  },
  {
    clause: "D6",
    title: "idle time: a hart that found work counts it once, and none of the time for which its task runs",
    run: (kernel) => {
      const rig = open(kernel);
      rig.run(CPU, RUNNING, Qos.Normal);
      rig.trap(CPU, TrapCause.SystemCall, Syscall.Exit);
      rig.machine.timeTicks += 300n;
      rig.makeTask(6, Qos.Normal, 0);
      same(rig.place(0, CPU, 6), ENQUEUE.Queued, "the post");
      for (const passed of [0n, 500n, 700n]) {
        rig.machine.timeTicks += passed;
        same(rig.trap(CPU, TrapCause.SoftInterrupt), 6, "the space entered");
        same(rig.counter(CPU, "idleTicks"), 300, "idle ticks");
      }
    },
  },
];
