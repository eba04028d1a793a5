// Checks of what is counted, exactly: each action changes its own counters of its own hart and the record of its own
// task, by one, and nothing else. The summary of a run, and the gate's sums over it, rest on these numbers.
//
// Partners: case.ts, records.ts; kernel/counts.test.ts, which runs them on the shipped kernel.

import { EventKind } from "../../abi/events.ts";
import { Program } from "../../abi/programs.ts";
import { Qos } from "../../abi/qos.ts";
import { Syscall } from "../../abi/syscalls.ts";
import { TrapCause } from "../../abi/traps.ts";
import type { Case } from "../rig/case.ts";
import { caller, tryInterleavings } from "../rig/interleaving.ts";
import * as calls from "../rig/kernel-calls.ts";
import type { KernelImage } from "../rig/kernel-image.ts";
import { ENQUEUE, EXIT_REASON, FAR_DEADLINE, KILL, QOS_CHANGE, RESCHED, TASK_STATE, WAKE } from "../rig/kernel-map.ts";
import { NONE } from "../rig/kernel-memory.ts";
import { type Changes, changesOnly, type Counts, markCounts, markRecord, recordOf, runtimeOf } from "../rig/records.ts";
import { holds, same } from "../rig/refutation.ts";
import { Rig } from "../rig/rig.ts";

const CPUS = 3;
const TASKS = [4, 5, 6, 7] as const;

/** Three CPUs, each of whose counters has a number of its own. */
function marked(kernel: KernelImage): Rig {
  const rig = Rig.open(kernel, { cpus: CPUS });
  rig.letTasksRun();
  // The boot hart's housekeeping prints nothing.
  rig.machine.consoleRoom = 0;
  for (let cpu = 0; cpu < CPUS; cpu++) markCounts(rig, cpu);
  return rig;
}

/** Makes a task that `cpu` holds and each of whose fields has a number of its own. lastCpu: where it ran last, or -1. */
function make(rig: Rig, task: number, cpu: number, lastCpu: number): void {
  rig.makeTask(task, Qos.Normal, cpu);
  markRecord(rig, task, { lastCpu, exitReason: EXIT_REASON.Alive, exitCode: 0 });
}

function more(rig: Rig, task: number, field: "runs" | "migrations" | "wakes" | "steals"): number {
  return recordOf(rig, task)[field] + 1;
}

/** The steps of one hart: what each changes of its own counters and of the tasks' records. */
class Script {
  constructor(
    readonly rig: Rig,
    readonly cpu: number,
  ) {}

  step(what: string, counts: Partial<Counts>, records: NonNullable<Changes["records"]>, action: () => void): void {
    changesOnly(this.rig, TASKS, `${what} on cpu${this.cpu}`, { counts: { [this.cpu]: counts }, records }, action);
  }

  /** A step after which a task has the hart that had it last: it counts one run more. */
  turn(what: string, task: number, counts: Partial<Counts>, action: () => void, isWoken = false): void {
    const { rig } = this;
    const wakes = isWoken ? { wakes: more(rig, task, "wakes") } : {};
    const all = { picks: 1, ...(isWoken ? { wakes: 1 } : {}), ...counts };
    this.step(what, all, { [task]: { runs: more(rig, task, "runs"), ...wakes } }, action);
    same(rig.current(this.cpu), task, `the task that cpu${this.cpu} runs after ${what}`);
  }

  trap(cause: number, call = 0, a0 = 0n, value = 0n): void {
    this.rig.trap(this.cpu, cause, call, a0, 0n, 0n, value);
  }
}

/** Task 4 comes by mail, and is sent for twice. */
function countMail(rig: Rig, cpu: number): void {
  const sender = new Script(rig, cpu === 1 ? 2 : 1);
  const own = new Script(rig, cpu);
  make(rig, 4, sender.cpu, -1);
  sender.step("a post and its request", { accepted: 1, sent: 1 }, {}, () => {
    same(rig.place(sender.cpu, cpu, 4), ENQUEUE.Queued, "the post");
    same(rig.requestResched(sender.cpu, cpu), RESCHED.Sent, "the request");
  });
  sender.step("a request that an IPI on its way covers", { accepted: 1, coalesced: 1 }, {}, () => {
    same(rig.requestResched(sender.cpu, cpu), RESCHED.Coalesced, "the request");
  });
  sender.step("a send that an IPI on its way covers", { coalesced: 1 }, {}, () => {
    same(rig.send(sender.cpu, cpu), RESCHED.Coalesced, "the send");
  });
  const first = { 4: { runs: more(rig, 4, "runs"), lastCpu: cpu } };
  own.step("the trap of both requests", { trapped: 1, acked: 1, picks: 1 }, first, () =>
    own.trap(TrapCause.SoftInterrupt),
  );
  own.step("an S_SOFT that nobody sent", { spuriousSoft: 1 }, {}, () => own.trap(TrapCause.SoftInterrupt));
}

/** Tasks 4 and 5 take turns, sleep and are woken. */
function countTurns(rig: Rig, cpu: number): void {
  const own = new Script(rig, cpu);
  own.step("a tick within the slice", { ticks: 1 }, {}, () => own.trap(TrapCause.TimerInterrupt));
  make(rig, 5, cpu, cpu);
  same(rig.enqueue(cpu, 5), ENQUEUE.Queued, "enqueue");
  own.turn("the end of a slice", 5, { ticks: 1 }, () => own.trap(TrapCause.TimerInterrupt));
  own.turn("a sleep", 4, {}, () => own.trap(TrapCause.SystemCall, Syscall.SleepUntil, FAR_DEADLINE));
  const time = rig.machine.timeTicks + 10n;
  own.step("a sleep of the last task", {}, {}, () => own.trap(TrapCause.SystemCall, Syscall.SleepUntil, time));
  rig.machine.timeTicks = time;
  own.turn("the end of a sleep", 4, { ticks: 1, idleTicks: 10 }, () => own.trap(TrapCause.TimerInterrupt), true);
  rig.machine.timeTicks = time + 20n;
  own.turn("a yield of the only task", 4, {}, () => own.trap(TrapCause.SystemCall, Syscall.Yield));
  own.step("a wake", {}, {}, () => same(rig.wake(cpu, 5), WAKE.Queued, "the wake"));
  own.turn("a yield to the task that was woken", 5, {}, () => own.trap(TrapCause.SystemCall, Syscall.Yield), true);
}

/** Task 5 runs and 4 is queued: both end, and so does one that is killed. */
function countEnds(rig: Rig, cpu: number): void {
  const own = new Script(rig, cpu);
  // Every end rings the boot hart, which is not rung by itself.
  const rings = cpu === 0 ? {} : { accepted: 1, sent: 1 };
  const covered = cpu === 0 ? {} : { accepted: 1, coalesced: 1 };
  const ended = { 4: { runs: more(rig, 4, "runs") }, 5: { exitCode: 77, exitReason: EXIT_REASON.Exited } };
  own.step("an end", { ended: 1, picks: 1, ...rings }, ended, () => own.trap(TrapCause.SystemCall, Syscall.Exit, 77n));
  const faulted = { 4: { exitCode: TrapCause.LoadPage, exitReason: EXIT_REASON.Faulted, faultAddress: 0xabcd } };
  own.step("a fault", { faults: 1, ended: 1, ...covered }, faulted, () => own.trap(TrapCause.LoadPage, 0, 0n, 0xabcdn));
  make(rig, 6, cpu, cpu);
  rig.setCurrent(cpu, 6);
  rig.setField(cpu, "idleSince", 0);
  const ringing = cpu === 0 ? {} : { 0: { accepted: 1, sent: 1 } };
  changesOnly(rig, TASKS, `a kill of cpu${cpu}'s task`, { counts: ringing }, () =>
    same(rig.kill(6), KILL.Requested, "the kill"),
  );
  // Who kills on the boot hart kills its own running task, and rings nobody.
  if (cpu === 0) same(rig.requestResched(1, 0), RESCHED.Sent, "a request to the boot hart");
  const killed = { 6: { exitCode: 0, exitReason: EXIT_REASON.Killed } };
  own.step("the trap after a kill", { ended: 1, trapped: 1, acked: 1, ...covered }, killed, () =>
    own.trap(TrapCause.SoftInterrupt),
  );
}

/** A tick of `thief` takes task 7 from another CPU's queue. steals: what its record counts before. */
function countSteal(kernel: KernelImage, thief: number, lastCpu: number, steals: number): void {
  const rig = marked(kernel);
  const victim = thief === 1 ? 2 : 1;
  make(rig, 7, victim, lastCpu);
  rig.setTaskField(7, "steals", steals);
  rig.setTaskField(7, "runs", 9);
  same(rig.enqueue(victim, 7), ENQUEUE.Queued, "enqueue");
  const own = new Script(rig, thief);
  const isMoved = lastCpu >= 0 && lastCpu !== thief;
  const counts = { ticks: 1, picks: 1, steals: 1, ...(isMoved ? { migrations: 1 } : {}) };
  const after = steals >>> 0 === 0xffff_ffff ? steals : (steals + 1) | 0;
  const moved = isMoved ? { migrations: more(rig, 7, "migrations") } : {};
  own.step(
    `a steal of a task of cpu${lastCpu}`,
    counts,
    { 7: { runs: 10, lastCpu: thief, steals: after, ...moved } },
    () => own.trap(TrapCause.TimerInterrupt),
  );
}

export const countChecks: readonly Case[] = [
  {
    clause: "D6",
    title:
      "counters: requests, turns, sleeps, wakes and ends of each hart: each counts its own, by one, and so do the tasks",
    run: (kernel) => {
      for (let cpu = 0; cpu < CPUS; cpu++) {
        const rig = marked(kernel);
        countMail(rig, cpu);
        countTurns(rig, cpu);
        countEnds(rig, cpu);
      }
    },
  },
  {
    clause: "D6",
    title:
      "counters: a steal of a task that has run nowhere, on each CPU, on the thief's: steal, migration and turn, and no number wraps",
    run: (kernel) => {
      for (let thief = 0; thief < CPUS; thief++)
        for (const lastCpu of [-1, 0, 1, 2])
          for (const steals of [0, 41, -3, -2, -1]) countSteal(kernel, thief, lastCpu, steals);
    },
  },
  {
    clause: "D6",
    title:
      "counters: a thief and the owner want work of one queue, every order: it is stolen, or one lost race is counted (2 harts, 1 switch)",
    run: (kernel) => {
      const seen = new Set<string>();
      tryInterleavings(kernel, {
        cpus: 3,
        switches: 1,
        setUp: (rig) => {
          rig.letTasksRun();
          rig.fill(2, Qos.Normal, 0, 2);
          for (let cpu = 0; cpu < 3; cpu++) markCounts(rig, cpu);
        },
        actors: [caller(1, calls.trap(TrapCause.TimerInterrupt)), caller(2, calls.pick(2))],
        judge: (rig) => {
          const isStolen = rig.current(1) !== NONE;
          const marks = [30_000, 40_000].map((mark) => mark + 2_000_000);
          const counted = [
            rig.counter(1, "steals") - (marks[0] ?? 0),
            rig.counter(1, "stealsContended") - (marks[1] ?? 0),
          ];
          same(counted, isStolen ? [1, 0] : [0, 1], "steals, and races lost");
          same(rig.eventsOf(1, EventKind.Stolen).length, isStolen ? 1 : 0, "steals on record");
          seen.add(`${isStolen}`);
        },
      });
      same(seen.size, 2, "thief and owner both won a race, else the check is blind");
    },
  },
  {
    clause: "D6",
    title: "runtime: tasks spawned and reaped: counted by one, and an ended task is not reaped twice",
    run: (kernel) => {
      const rig = marked(kernel);
      for (let task = 0; task < 3; task++) {
        holds(rig.spawn(0, Program.Probe, Qos.Normal, 0) >= 0, `spawn ${task}`);
        same(runtimeOf(rig), { spawned: task + 1, reaped: 0, nextCpu: 0, nextTask: task + 1 }, `spawn ${task} counted`);
      }
      same(rig.kill(1), KILL.Killed, "the kill of a queued task");
      same(rig.changeQos(2, Qos.Idle), QOS_CHANGE.Updated, "a change of class");
      rig.reap();
      same([runtimeOf(rig).reaped, rig.word(1).state], [1, TASK_STATE.Free], "reaped, and the entry's state");
      rig.reap();
      for (const task of [rig.pick(0), rig.pick(0)]) rig.endTask(task);
      rig.reap();
      same([runtimeOf(rig).reaped, runtimeOf(rig).spawned], [3, 3], "reaped and spawned in the end");
    },
  },
];
