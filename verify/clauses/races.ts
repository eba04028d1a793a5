// Checks of two harts that meet in the middle of an operation, in every order: drains, steals, sleeps, wakes, ends.
//
// Partners: case.ts, interleaving.ts; kernel/dispatch.test.ts, which runs them on the shipped kernel.

import { MAILBOX_CAPACITY } from "../../abi/layout.ts";
import { Program } from "../../abi/programs.ts";
import { Qos } from "../../abi/qos.ts";
import { Syscall } from "../../abi/syscalls.ts";
import { TrapCause } from "../../abi/traps.ts";
import type { Case } from "../rig/case.ts";
import { type Actor, caller, tryInterleavings } from "../rig/interleaving.ts";
import * as calls from "../rig/kernel-calls.ts";
import { ENQUEUE, FAR_DEADLINE, KILL, SIGNAL, SLEEP, TASK_STATE, WAKE } from "../rig/kernel-map.ts";
import { holds, same } from "../rig/refutation.ts";
import { Rig } from "../rig/rig.ts";
import { answersOf } from "./switching.ts";

const FIRST_LIFE = 1;
const SLEEPER = 900;

/** A hart that takes one Normal task from CPU 1. */
const thief: Actor = caller(0, calls.stealFrom(0, 1, Qos.Normal));

/** A hart that wakes the sleeper once. */
const waker: Actor = caller(0, calls.wake(0, SLEEPER, FIRST_LIFE));

export const raceChecks: readonly Case[] = [
  {
    clause: "Q6",
    title:
      "drain: a thief makes place in a full class meanwhile, every order: entries of one class keep their order (2 harts, 3 switches)",
    run: (kernel) => {
      const mailed = [10, 11, 12, 13];
      let delivered = 0;
      let kept = 0;
      tryInterleavings(kernel, {
        cpus: 2,
        switches: 3,
        setUp: (rig) => {
          rig.fill(1, Qos.Normal, 100);
          for (const task of mailed) {
            rig.makeTask(task, task === 12 ? Qos.Interactive : Qos.Normal);
            same(rig.place(0, 1, task), ENQUEUE.Queued, `place of task ${task}`);
          }
        },
        actors: [caller(1, calls.drainMailbox(1)), thief],
        judge: (rig) => {
          const queued = rig.queued(1, Qos.Normal).filter((task) => mailed.includes(task));
          same([...queued, ...rig.mailEntries(1)], [10, 11, 13], "the Normal tasks, those queued first");
          same(rig.queued(1, Qos.Interactive), [12], "the class with room");
          delivered += queued.length;
          kept += rig.mailEntries(1).length;
        },
      });
      if (delivered === 0 || kept === 0)
        throw new Error("no order had an entry delivered and others kept: it is blind");
    },
  },
  {
    clause: "T6",
    title:
      "wake: by the id of a task that ends, its entry given to another meanwhile, every order: the other gets no permit (2 harts, 3 switches)",
    run: (kernel) => {
      const answers = new Set<number>();
      tryInterleavings(kernel, {
        cpus: 2,
        switches: 3,
        setUp: (rig) => {
          rig.letTasksRun();
          rig.run(0, 0, Qos.Normal);
        },
        actors: [
          {
            cpu: 1,
            *script() {
              answers.add(yield calls.wake(1, 0, FIRST_LIFE));
            },
          },
          {
            cpu: 0,
            *script() {
              yield calls.trap(TrapCause.SystemCall, Syscall.Exit);
              yield calls.reap();
              yield calls.spawn(0, Program.Probe, Qos.Normal);
            },
          },
        ],
        judge: (rig) => {
          same(rig.life(0).incarnation, FIRST_LIFE + 1, "the life of the entry");
          same(rig.signals(0), 0, "the signals of its new life");
        },
      });
      holds(answers.has(WAKE.NotFound) && answers.has(WAKE.Remembered), "no order had both answers");
    },
  },
  {
    clause: "T6",
    title: "kill: a task that runs on another CPU: asked for, and that hart is rung, once",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 2 });
      rig.run(1, 5, Qos.Normal);
      same(rig.kill(5), KILL.Requested, "the kill");
      same(rig.machine.rungCpus(), [1], "CPUs rung");
    },
  },
  {
    clause: "T7",
    title:
      "exit: the boot hart reaps meanwhile, every order: the record is complete before the entry is free (2 harts, 2 switches)",
    run: (kernel) => {
      let reaped = 0;
      tryInterleavings(kernel, {
        cpus: 2,
        switches: 2,
        setUp: (rig) => {
          rig.letTasksRun();
          rig.run(1, 5, Qos.Normal);
          // Another has ended, so that the boot hart looks at every entry.
          rig.makeTask(6, Qos.Normal);
          rig.endTask(6);
        },
        actors: [
          caller(1, calls.trap(TrapCause.SystemCall, Syscall.Exit, 77n)),
          {
            cpu: 0,
            *script(rig) {
              yield calls.reap();
              if (rig.word(5).state !== TASK_STATE.Free) return;
              reaped += 1;
              same(
                [rig.taskField(5, "exitReason"), rig.taskField(5, "exitCode")],
                [1, 77],
                "the record of a free entry",
              );
            },
          },
        ],
        judge: (rig) => same(rig.taskField(5, "exitCode"), 77, "the exit code"),
      });
      holds(reaped > 0, "no order had the entry freed: the check is blind");
    },
  },
  {
    clause: "T8",
    title:
      "kill: of a task that yields on another CPU, every order: answered 0, since it was there (2 harts, 3 switches)",
    run: (kernel) => {
      tryInterleavings(kernel, {
        cpus: 2,
        switches: 3,
        setUp: (rig) => {
          rig.letTasksRun();
          rig.run(0, 4, Qos.Normal);
          rig.run(1, 5, Qos.Normal);
        },
        actors: [
          {
            cpu: 0,
            *script(rig) {
              yield calls.trap(TrapCause.SystemCall, Syscall.Kill, rig.idOf(5));
            },
          },
          caller(1, calls.trap(TrapCause.SystemCall, Syscall.Yield)),
        ],
        judge: (rig) => {
          const answers = answersOf(rig).filter(({ space }) => space === 4);
          same(answers, [{ space: 4, value: 0n }], "the answer to the kill");
        },
      });
    },
  },
  {
    clause: "T8",
    title: "sleep: one wake against it, every order: it ends one sleep, and the next one sleeps (2 harts, 3 switches)",
    run: (kernel) => {
      const met = new Set<number>();
      const answers: number[] = [];
      tryInterleavings(kernel, {
        cpus: 2,
        switches: 3,
        setUp: (rig) => {
          rig.letTasksRun();
          rig.run(1, SLEEPER, Qos.Normal);
        },
        actors: [
          waker,
          {
            cpu: 1,
            *script() {
              answers[0] = yield calls.sleepCurrent(1, FAR_DEADLINE);
            },
          },
        ],
        judge: (rig) => {
          met.add(answers[0] ?? -1);
          if (answers[0] !== SLEEP.AlreadyWoken) return;
          same(rig.word(SLEEPER).state, TASK_STATE.Held, "the state of a task whose sleep ended at once");
          same(rig.signals(SLEEPER) & SIGNAL.Permit, 0, "the permit that has ended a sleep");
          same(rig.sleepCurrent(1, FAR_DEADLINE), SLEEP.Blocked, "the next sleep");
        },
      });
      holds(met.has(SLEEP.Blocked) && met.has(SLEEP.AlreadyWoken), "no order had both ends of a sleep");
    },
  },
  {
    clause: "I8",
    title:
      "mailbox: a post while its owner drains it full, every order: it is refused, or the task is there (2 harts, 2 switches)",
    run: (kernel) => {
      let posted = 0;
      tryInterleavings(kernel, {
        cpus: 2,
        switches: 2,
        setUp: (rig) => {
          // Tasks that have ended, so that the drain is short.
          rig.fillMailbox(1, 0);
          for (let task = 0; task < MAILBOX_CAPACITY; task++) same(rig.kill(task), KILL.Killed, `kill of task ${task}`);
          rig.makeTask(SLEEPER, Qos.Normal);
        },
        actors: [caller(1, calls.drainMailbox(1)), caller(0, calls.place(0, 1, SLEEPER))],
        judge: (rig) => {
          if (rig.word(SLEEPER).state === TASK_STATE.Held) return;
          posted += 1;
          rig.drainMailbox(1);
          same(rig.queued(1, Qos.Normal), [SLEEPER], "the queue after the next drain");
        },
      });
      if (posted === 0) throw new Error("no order had a task posted: it is blind");
    },
  },
  {
    clause: "T6",
    title:
      "wake: of a task that is woken, changes its class and sleeps again meanwhile, every order: it keeps that class (2 harts, 2 switches)",
    run: (kernel) => {
      let hasChanged = false;
      let changes = 0;
      tryInterleavings(kernel, {
        cpus: 2,
        switches: 2,
        setUp: (rig) => {
          rig.letTasksRun();
          rig.run(1, SLEEPER, Qos.Normal);
          same(rig.sleepCurrent(1, FAR_DEADLINE), SLEEP.Blocked, "the first sleep");
        },
        actors: [
          {
            cpu: 1,
            *script(rig) {
              hasChanged = false;
              const outcome = yield calls.wake(1, SLEEPER, FIRST_LIFE);
              if (outcome !== WAKE.Queued) return;
              yield calls.dispatch(1);
              yield calls.trap(TrapCause.SystemCall, Syscall.SetQos, rig.idOf(SLEEPER), BigInt(Qos.PerfBurst));
              hasChanged = true;
              yield calls.sleepCurrent(1, FAR_DEADLINE);
            },
          },
          waker,
        ],
        judge: (rig) => {
          if (!hasChanged) return;
          changes += 1;
          same(rig.classOf(SLEEPER), Qos.PerfBurst, "the class that it gave itself");
        },
      });
      if (changes === 0) throw new Error("no order had the class changed: it is blind");
    },
  },
];
