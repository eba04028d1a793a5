// Checks of work conservation: clause S6 of the contract.
//
// A hart that is idle takes what it may at its own ticks, whatever the owner's highest class looks like by then.
// Partners: case.ts; kernel/scheduler.test.ts, which runs them on the shipped kernel.

import { Qos } from "../../abi/qos.ts";
import { TrapCause } from "../../abi/traps.ts";
import type { Case } from "../rig/case.ts";
import { caller, tryInterleavings } from "../rig/interleaving.ts";
import * as calls from "../rig/kernel-calls.ts";
import { STEAL, TASK_STATE } from "../rig/kernel-map.ts";
import { NONE } from "../rig/kernel-memory.ts";
import { holds, same } from "../rig/refutation.ts";
import { Rig } from "../rig/rig.ts";

/** Ticks of its own within which an idle hart has to have found work that was there all the while. */
const IDLE_TICKS_MAX = 2;
/** Ticks of the owner: several slices. */
const OWNER_TICKS = 8;

function tick(rig: Rig, cpu: number): void {
  rig.machine.timeTicks += 1000n;
  rig.trap(cpu, TrapCause.TimerInterrupt);
}

/** Ticks of the idle CPU until it runs a task, with a tick of the owner before each; refuted past the bound. */
function runsWithin(rig: Rig, owner: number, idle: number, ticksMax: number, what: string): void {
  for (let ticks = 0; ticks < ticksMax; ticks++) {
    tick(rig, owner);
    tick(rig, idle);
    if (rig.current(idle) !== NONE) return;
  }
  holds(false, `${what}: cpu${idle} is idle after ${ticksMax} ticks of its own`);
}

/** Picks a task of the highest class on its CPU, and ends it: nothing but the note that it was there is left. */
function leaveOccupied(rig: Rig, cpu: number, task: number, qos: Qos): void {
  rig.makeTask(task, qos, cpu);
  rig.enqueue(cpu, task);
  same(rig.pick(cpu), task, "the task picked");
  rig.endTask(task);
}

export const conservationChecks: readonly Case[] = [
  {
    clause: "S6",
    title:
      "work map: one hart leaves it while another enters, every order: the one that has work stays on it (3 harts, 2 switches)",
    run: (kernel) => {
      tryInterleavings(kernel, {
        cpus: 3,
        switches: 2,
        setUp: (rig) => {
          rig.letTasksRun();
          leaveOccupied(rig, 1, 900, Qos.Normal);
          // Finds the class empty, so that the next tick leaves the map.
          same(rig.pick(1), NONE, "what is left on cpu1");
          rig.makeTask(901, Qos.Normal, 2);
        },
        actors: [caller(1, calls.trap(TrapCause.TimerInterrupt)), caller(2, calls.enqueue(2, 901))],
        judge: (rig) => {
          const isQueued = rig.word(901).state === TASK_STATE.Queued && rig.word(901).cpu === 2;
          holds(!isQueued || rig.onWorkMap().includes(2), "cpu2 has a task, and is not on the map of work");
        },
      });
    },
  },
  {
    clause: "S6",
    title:
      "steal: a spinner that queues itself at each slice, tasks of a lower class behind it: an idle hart takes one",
    run: (kernel) => {
      for (const spinning of [Qos.PerfBurst, Qos.Interactive]) {
        for (const waiting of [Qos.Normal, Qos.Idle]) {
          for (const ownerTicks of [1, OWNER_TICKS]) {
            const rig = Rig.open(kernel, { cpus: 3 });
            rig.letTasksRun();
            rig.makeTask(20, spinning, 1);
            rig.enqueue(1, 20);
            rig.fill(1, waiting, 0, 3);
            rig.trap(1, TrapCause.SoftInterrupt);
            same(rig.current(1), 20, "what cpu1 runs");
            for (let i = 0; i < ownerTicks; i++) tick(rig, 1);
            runsWithin(rig, 1, 2, IDLE_TICKS_MAX, `class ${waiting} behind a spinner of class ${spinning}`);
            same(rig.word(rig.current(2)).qos, waiting, "the class of the task taken");
          }
        }
      }
    },
  },
  {
    clause: "S6",
    title: "steal: a higher class of the victim noted as occupied and empty: the class below is taken, any bound",
    run: (kernel) => {
      for (const bound of [Qos.PerfBurst, Qos.Interactive]) {
        const rig = Rig.open(kernel, { cpus: 2 });
        rig.fill(1, Qos.Normal, 0, 3);
        leaveOccupied(rig, 1, 20, Qos.Interactive);
        same(rig.steal(0, bound), STEAL.Stolen, `steal with bound ${bound}`);
        same(rig.stolen(0), 0, "the task taken");
      }
    },
  },
  {
    clause: "S6",
    title: "steal: the first victim has only what the bound forbids, or nothing, the second has work: it is taken",
    run: (kernel) => {
      for (const isStale of [false, true]) {
        const rig = Rig.open(kernel, { cpus: 4 });
        if (isStale) leaveOccupied(rig, 2, 20, Qos.PerfBurst);
        else rig.fill(2, Qos.PerfBurst, 20, 1);
        rig.fill(3, Qos.Normal, 0, 3);
        same(rig.steal(1, isStale ? Qos.PerfBurst : Qos.Normal), STEAL.Stolen, "steal");
        same(rig.stolen(1), 0, "the task taken");
      }
    },
  },
  {
    clause: "S6",
    title: "steal: the highest class holds one tombstone, tasks below it: an idle hart takes one",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 3 });
      rig.letTasksRun();
      rig.run(1, 30, Qos.PerfBurst);
      rig.fill(1, Qos.Interactive, 20, 1);
      rig.fill(1, Qos.Normal, 0, 3);
      rig.kill(20);
      // One tick more than without: the tombstone costs an attempt (S4).
      runsWithin(rig, 1, 2, IDLE_TICKS_MAX + 1, "Normal tasks behind a tombstone");
    },
  },
];
