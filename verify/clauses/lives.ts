// Checks of a task's record from one life of its entry to the next (T7), and of the ids and events that name a life.
//
// Partners: case.ts, records.ts; kernel/lives.test.ts, which runs them on the shipped kernel.

import { EventKind } from "../../abi/events.ts";
import { MAILBOX_CAPACITY, SPACES_MAX } from "../../abi/layout.ts";
import { Program } from "../../abi/programs.ts";
import { Qos } from "../../abi/qos.ts";
import { MachineError } from "../../abi/results.ts";
import { Syscall } from "../../abi/syscalls.ts";
import { TrapCause } from "../../abi/traps.ts";
import type { Case } from "../rig/case.ts";
import { EXIT_REASON, FAR_DEADLINE, KILL, SPAWN_REFUSAL, TASK_STATE, taskId, WAKE } from "../rig/kernel-map.ts";
import { markRecord, recordOf, type TaskRecord } from "../rig/records.ts";
import { same } from "../rig/refutation.ts";
import { Rig } from "../rig/rig.ts";

/** Every signal that a life word can hold. */
const ALL_SIGNALS = 0x3ff;

function freshRecord(program: number): TaskRecord {
  return {
    runs: 0,
    migrations: 0,
    wakes: 0,
    faultAddress: 0,
    exitCode: 0,
    steals: 0,
    program,
    lastCpu: -1,
    exitReason: EXIT_REASON.Alive,
  };
}

/** Events of a kind, without their numbers. */
function eventsOf(rig: Rig, kind: EventKind): readonly object[] {
  return rig
    .events()
    .filter((event) => event.kind === kind)
    .map(({ by, of, request, detail }) => ({ by, of, request, detail }));
}

export const lifeChecks: readonly Case[] = [
  {
    clause: "T7",
    title:
      "spawn: into an entry whose every field and signal is set: its record is as of a first life, and its neighbours keep theirs",
    run: (kernel) => {
      for (const cpu of [0, 1]) {
        const rig = Rig.open(kernel, { cpus: 2 });
        for (const task of [0, 1, 2]) {
          rig.setLife(task, { incarnation: 41, sleeps: 1234, signals: task === 0 ? ALL_SIGNALS : 0 });
          rig.setWord(task, { task, generation: 77, cpu: 5, state: TASK_STATE.Free, qos: Qos.PerfBurst });
          markRecord(rig, task);
        }
        const neighbours = [1, 2].map((task) => recordOf(rig, task));
        same(rig.spawn(cpu, Program.Spinner, Qos.Interactive, 0), taskId(0, 42), "the id");
        same(recordOf(rig, 0), freshRecord(Program.Spinner), "the record");
        same(rig.life(0), { incarnation: 42, sleeps: 1234, signals: 0 }, "the life word");
        same(rig.taskField(0, "incarnation"), 42, "the boot hart's count of its lives");
        const state = cpu === 0 ? TASK_STATE.Queued : TASK_STATE.Mailed;
        same(rig.word(0), { task: 0, generation: 78, cpu, state, qos: Qos.Interactive }, "the word");
        same(
          [1, 2].map((task) => recordOf(rig, task)),
          neighbours,
          "the records of its neighbours",
        );
      }
    },
  },
  {
    clause: "T7",
    title: "spawn: after a life that ran on two CPUs, slept, was stolen and faulted: the next life's record is fresh",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 3 });
      rig.letTasksRun();
      rig.machine.consoleRoom = 0;
      same(rig.spawn(1, Program.Probe, Qos.Normal, 0), taskId(0, 1), "the id of the first life");
      same(rig.trap(1, TrapCause.SoftInterrupt), 0, "the space entered on cpu1");
      rig.trap(1, TrapCause.SystemCall, Syscall.SleepUntil, FAR_DEADLINE);
      same(rig.wake(1, 0), WAKE.Queued, "the wake");
      same(rig.trap(2, TrapCause.TimerInterrupt), 0, "the space entered on cpu2, which steals");
      rig.trap(2, TrapCause.StorePage, 0, 0n, 0n, 0n, 0x1_2345_6789n);
      const ended = { runs: 2, migrations: 1, wakes: 1, faultAddress: 0x1_2345_6789, steals: 1, lastCpu: 2 };
      const due = {
        ...freshRecord(Program.Probe),
        ...ended,
        exitCode: TrapCause.StorePage,
        exitReason: EXIT_REASON.Faulted,
      };
      same(recordOf(rig, 0), due, "the record of the first life");
      rig.reap();
      same(recordOf(rig, 0), due, "the record once the entry is free");
      for (let task = 1; task < SPACES_MAX; task++) rig.spawn(0, Program.Probe, task >> 6, 0);
      same(rig.spawn(1, Program.Spinner, Qos.Idle, 0), taskId(0, 2), "the id of the second life");
      same(recordOf(rig, 0), freshRecord(Program.Spinner), "the record of the second life");
    },
  },
  {
    clause: "T7",
    title:
      "spawn: the last entry that is free, its search from any entry on: found, and none beyond the spaces is used",
    run: (kernel) => {
      for (const free of [0, 1, 63, 64, SPACES_MAX - 1]) {
        const rig = Rig.open(kernel, { cpus: 1 });
        for (let task = 0; task < SPACES_MAX; task++) if (task !== free) rig.makeTask(task, Qos.Normal);
        same(rig.spawn(0, Program.Probe, Qos.Normal, 0), taskId(free, 1), `the id, entry ${free} free`);
        same(rig.spawn(0, Program.Probe, Qos.Normal, 0), SPAWN_REFUSAL.NoFreeTask, "one task more");
        same(rig.word(SPACES_MAX).state, TASK_STATE.Free, "the entry behind the last space");
        // The search begins behind the entry, and comes to it last.
        rig.endTask(free);
        rig.reap();
        same(rig.spawn(0, Program.Probe, Qos.Normal, 0), taskId(free, 2), `the id of entry ${free}'s second life`);
      }
    },
  },
  {
    clause: "Q9",
    title:
      "spawn: a space that cannot be prepared: the place goes back, here and in a mailbox, and the next task has it",
    run: (kernel) => {
      for (const cpu of [0, 1]) {
        const rig = Rig.open(kernel, { cpus: 2 });
        rig.letTasksRun();
        rig.machine.consoleRoom = 0;
        rig.machine.prepareAnswer = MachineError.InvalidParameter;
        same(
          rig.spawn(cpu, Program.Probe, Qos.Normal, 0),
          SPAWN_REFUSAL.MachineFailed,
          "a space that cannot be prepared",
        );
        rig.machine.prepareAnswer = MachineError.Ok;
        same(rig.spawn(cpu, Program.Probe, Qos.Normal, 0), taskId(0, 1), "the next spawn");
        rig.machine.calls.length = 0;
        same(rig.trap(cpu, TrapCause.TimerInterrupt), 0, "the space entered at the CPU's next tick");
        same([rig.mailbox(1).room, rig.mailEntries(1)], [MAILBOX_CAPACITY, []], "the mailbox of cpu1");
      }
    },
  },
  {
    clause: "D6",
    title: "evidence: a task that starts, and one that is stolen: on record with its id, its victim and the hart, once",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 3 });
      rig.letTasksRun();
      rig.setLife(0, { incarnation: 6, sleeps: 0, signals: 0 });
      rig.setLife(1, { incarnation: 8, sleeps: 0, signals: 0 });
      const first = rig.spawn(2, Program.Probe, Qos.Normal, 0);
      const second = rig.spawn(2, Program.Probe, Qos.Normal, 0);
      same([first, second], [taskId(0, 7), taskId(1, 9)], "the ids");
      rig.trap(2, TrapCause.SoftInterrupt);
      rig.trap(1, TrapCause.TimerInterrupt);
      rig.trap(2, TrapCause.TimerInterrupt);
      same(
        eventsOf(rig, EventKind.Started),
        [
          { by: 1, of: 1, request: second, detail: 0 },
          { by: 2, of: 2, request: first, detail: 0 },
        ],
        "tasks that started",
      );
      same(eventsOf(rig, EventKind.Stolen), [{ by: 1, of: 1, request: second, detail: 2 }], "tasks that were stolen");
      // A second turn is no start.
      for (const cpu of [1, 2]) rig.trap(cpu, TrapCause.SystemCall, Syscall.Yield);
      same(eventsOf(rig, EventKind.Started).length, 2, "starts on record after a yield");
      same(rig.kill(1), KILL.Requested, "the kill of the stolen task");
    },
  },
];
