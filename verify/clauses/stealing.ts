// Checks of stealing: section S of the contract.
//
// Partners: case.ts; kernel/scheduler.test.ts, which runs them on the shipped kernel.

import { CPUS_MAX, RING_CAPACITY } from "../../abi/layout.ts";
import { Qos } from "../../abi/qos.ts";
import { TrapCause } from "../../abi/traps.ts";
import type { Case } from "../rig/case.ts";
import { caller, tryInterleavings } from "../rig/interleaving.ts";
import * as calls from "../rig/kernel-calls.ts";
import { ENQUEUE, KILL, QOS_CHANGE, QOS_CLASSES, STEAL, TASK_STATE } from "../rig/kernel-map.ts";
import { NONE } from "../rig/kernel-memory.ts";
import { holds, same } from "../rig/refutation.ts";
import { Rig } from "../rig/rig.ts";
import { findPlaces, strayTasks } from "../rig/places.ts";
import { snapshot, unchangedBut } from "../rig/snapshot.ts";
import { walk } from "../rig/operation-walk.ts";

/**
 * Atomic accesses of one attempt at one CPU: its stamp, its classes twice, its queue's state, the slot, the exchange of
 * the state, that of the task's word, and the tombstone taken back.
 */
const ATTEMPT_STEPS_MAX = 8;

export const stealChecks: readonly Case[] = [
  {
    clause: "S1",
    title: "steal: a full victim: one task, the oldest, and the other 63 stay",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 2 });
      rig.fill(0, Qos.Normal, 0);
      same(rig.steal(1, Qos.PerfBurst), STEAL.Stolen, "steal");
      same(rig.stolen(1), 0, "the stolen task");
      same(rig.word(0), { ...rig.word(0), state: TASK_STATE.Held, cpu: 1 }, "its word");
      same(rig.field(1, "stolenFrom"), 0, "where it was taken from");
      same(rig.queued(0, Qos.Normal).length, RING_CAPACITY - 1, "tasks left");
      same(rig.queued(1, Qos.Normal), [], "tasks queued at the thief");
    },
  },
  {
    clause: "S1",
    title: "steal: a second time within one tick: BudgetSpent and nothing changed; after the next tick it may again",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 3 });
      rig.fill(0, Qos.Normal, 0, 5);
      same(rig.stealFrom(1, 0, Qos.Normal), STEAL.Stolen, "first steal");
      const before = snapshot(rig);
      same(rig.steal(1, Qos.Normal), STEAL.BudgetSpent, "second steal in the tick");
      same(rig.stealFrom(1, 0, Qos.Normal), STEAL.BudgetSpent, "second steal in the tick, from that CPU");
      unchangedBut(rig, before, [], "a refused steal");
      same(rig.stealFrom(2, 0, Qos.Normal), STEAL.Stolen, "another hart's steal in the same tick");
      rig.setCurrent(1, 0);
      rig.trap(1, TrapCause.TimerInterrupt);
      same(rig.stealFrom(1, 0, Qos.Normal), STEAL.Stolen, "steal in the next tick");
    },
  },
  {
    clause: "S2",
    title: "steal: every bound, every set of classes: nothing above the bound is taken",
    run: (kernel) => {
      for (const bound of QOS_CLASSES) {
        for (let set = 1; set < 16; set++) {
          const rig = Rig.open(kernel, { cpus: 2 });
          for (const qos of QOS_CLASSES) if (set & (1 << qos)) rig.fill(0, qos, 10 * qos, 2);
          const before = snapshot(rig);
          const highest = QOS_CLASSES.findLast((qos) => qos <= bound && set & (1 << qos));
          const outcome = rig.stealFrom(1, 0, bound);
          const what = `steal with bound ${bound} from the classes ${set}`;
          same(outcome, highest === undefined ? STEAL.AboveBound : STEAL.Stolen, what);
          if (highest === undefined) unchangedBut(rig, before, [], what);
          else same(rig.stolen(1), 10 * highest, `the task taken by a ${what}`);
          same(rig.steal(1, bound) === STEAL.Stolen, false, `a second ${what}`);
        }
      }
    },
  },
  {
    clause: "S2",
    title: "steal from any CPU: only work above the bound: AboveBound and not one byte changed",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 3 });
      rig.fill(0, Qos.PerfBurst, 0, 3);
      rig.fill(2, Qos.Interactive, 10, 3);
      const before = snapshot(rig);
      same(rig.steal(1, Qos.Normal), STEAL.AboveBound, "steal");
      unchangedBut(rig, before, [], "a steal above its bound");
    },
  },
  {
    clause: "S3",
    title: "run queue: owner and thief want the last task: exactly one gets it (2 harts, 3 switches)",
    run: (kernel) => {
      const winners = new Set<string>();
      tryInterleavings(kernel, {
        cpus: 2,
        switches: 3,
        setUp: (rig) => rig.fill(0, Qos.Normal, 0, 1),
        actors: [
          {
            cpu: 0,
            *script(rig) {
              const picked = yield calls.pick(0);
              if (picked !== 0) rig.setField(0, "current", picked);
            },
          },
          {
            cpu: 1,
            *script(rig) {
              const outcome = yield calls.stealFrom(1, 0, Qos.PerfBurst);
              if (outcome === STEAL.Stolen) rig.setField(1, "current", rig.field(1, "stolen"));
            },
          },
        ],
        judge: (rig) => {
          same(strayTasks(rig, [0], 2), [], "tasks that are not in exactly one place");
          winners.add(findPlaces(rig, 2).get(0)?.join() ?? "");
        },
      });
      if (winners.size !== 2) throw new Error("one side always won: the check is blind");
    },
  },
  {
    clause: "S3",
    title: "run queue: owner queues and picks while two thieves steal: every task in one place (3 harts, 3 switches)",
    run: (kernel) => {
      const thief = (cpu: number) => ({
        cpu,
        *script(rig: Rig) {
          const outcome: number = yield calls.stealFrom(cpu, 0, Qos.PerfBurst);
          if (outcome === STEAL.Stolen) rig.setField(cpu, "current", rig.field(cpu, "stolen"));
        },
      });
      tryInterleavings(kernel, {
        cpus: 3,
        switches: 3,
        setUp: (rig) => {
          rig.fill(0, Qos.Normal, 0, 2);
          rig.run(0, 2, Qos.Normal);
        },
        actors: [caller(0, calls.yieldCurrent(0)), thief(1), thief(2)],
        judge: (rig) => same(strayTasks(rig, [0, 1, 2], 3), [], "tasks that are not in exactly one place"),
      });
    },
  },
  {
    clause: "S3",
    title: "run queue: tombstones dropped while a thief steals: every task in one place (2 harts, 3 switches)",
    run: (kernel) => {
      tryInterleavings(kernel, {
        cpus: 2,
        switches: 3,
        setUp: (rig) => {
          rig.fill(0, Qos.Normal, 0, 3);
          rig.fill(0, Qos.Normal, 100, 61);
          for (let task = 100; task < 161; task++) same(rig.kill(task), KILL.Killed, `kill of task ${task}`);
          rig.makeTask(3, Qos.Normal);
        },
        actors: [
          {
            cpu: 0,
            *script() {
              const outcome = yield calls.enqueue(0, 3);
              same(outcome, ENQUEUE.Queued, "enqueue in a queue of tombstones");
            },
          },
          {
            cpu: 1,
            *script(rig) {
              const outcome = yield calls.stealFrom(1, 0, Qos.PerfBurst);
              if (outcome === STEAL.Stolen) rig.setField(1, "current", rig.field(1, "stolen"));
            },
          },
        ],
        judge: (rig) => {
          same(strayTasks(rig, [0, 1, 2, 3], 2), [], "tasks that are not in exactly one place");
          while (rig.pick(0) !== NONE);
          same(rig.ring(0, Qos.Normal).tombstones, 0, "tombstones in the end");
        },
      });
    },
  },
  {
    clause: "S3",
    title:
      "change class and kill: while thief and owner take: every task in one place, no tombstone left over (3 harts, 3 switches)",
    run: (kernel) => {
      for (const change of ["changeQos", "kill"] as const) {
        tryInterleavings(kernel, {
          cpus: 3,
          switches: 3,
          setUp: (rig) => rig.fill(1, Qos.Normal, 0, 2),
          actors: [
            {
              cpu: 0,
              *script(rig) {
                const life = rig.life(0).incarnation;
                const outcome = yield change === "kill" ? calls.kill(0, life) : calls.changeQos(0, life, Qos.Idle);
                holds(
                  outcome !== (change === "kill" ? KILL.NotFound : QOS_CHANGE.NotFound),
                  `${change} did not find its task`,
                );
              },
            },
            {
              cpu: 1,
              *script(rig) {
                const picked = yield calls.pick(1);
                if (picked !== 0) rig.setField(1, "current", picked);
              },
            },
            {
              cpu: 2,
              *script(rig) {
                const outcome = yield calls.stealFrom(2, 1, Qos.PerfBurst);
                if (outcome === STEAL.Stolen) rig.setField(2, "current", rig.field(2, "stolen"));
              },
            },
          ],
          judge: (rig) => {
            same(strayTasks(rig, [0, 1], 3), [], `tasks that are not in exactly one place after a ${change}`);
            while (rig.pick(1) !== NONE);
            for (const qos of QOS_CLASSES)
              same(rig.ring(1, qos).tombstones, 0, `tombstones of class ${qos} in the end`);
          },
        });
      }
    },
  },
  {
    clause: "S3",
    title: "scheduler: random operations on three CPUs: as the model says after each, and every task in one place",
    run: (kernel) => {
      for (let seed = 1; seed <= 10; seed++) walk(kernel, seed, 400);
    },
  },
  {
    clause: "S4",
    title: "steal: every other CPU has work: the next one in the order of the ring of CPUs is taken from",
    run: (kernel) => {
      for (let thief = 0; thief < 4; thief++) {
        for (let set = 1; set < 16; set++) {
          const rig = Rig.open(kernel, { cpus: 4 });
          for (let cpu = 0; cpu < 4; cpu++) if (set & (1 << cpu)) rig.fill(cpu, Qos.Normal, 10 * cpu, 1);
          const due = [1, 2, 3].map((step) => (thief + step) % 4).find((cpu) => set & (1 << cpu));
          const what = `cpu${thief} steals from the CPUs ${set}`;
          same(rig.steal(thief, Qos.PerfBurst), due === undefined ? STEAL.NothingThere : STEAL.Stolen, what);
          if (due !== undefined) same(rig.field(thief, "stolenFrom"), due, what);
        }
      }
    },
  },
  {
    clause: "S4",
    title: "steal: each queue changes under the thief: Contended after a bounded number of steps, without a second try",
    run: (kernel) => {
      const outcomes = new Set<number>();
      tryInterleavings(kernel, {
        cpus: 2,
        switches: 4,
        setUp: (rig) => rig.fill(0, Qos.Normal, 0, 6),
        actors: [
          {
            cpu: 0,
            *script(rig) {
              for (let i = 0; i < 2; i++) rig.setField(0, "current", yield calls.pick(0));
            },
          },
          {
            cpu: 1,
            *script(rig) {
              const outcome = yield calls.stealFrom(1, 0, Qos.PerfBurst);
              outcomes.add(outcome);
              if (outcome === STEAL.Contended)
                same(rig.field(1, "stealsInTick"), 0, "steals counted after a lost race");
            },
          },
        ],
        judge: (_, steps) => {
          const taken = steps[1] ?? 0;
          holds(
            taken <= ATTEMPT_STEPS_MAX,
            `one attempt at one CPU took ${taken} steps, not ${ATTEMPT_STEPS_MAX} at most`,
          );
        },
      });
      holds(outcomes.has(STEAL.Contended), "no lost race was ever answered with Contended: the thief tries again");
      if (!outcomes.has(STEAL.Stolen)) throw new Error("the thief never won: the check is blind");
    },
  },
  {
    clause: "S5",
    title: "steal from: oneself, an invalid or an offline CPU: InvalidVictim and not one byte changed",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 3 });
      rig.fill(1, Qos.Normal, 0, 3);
      rig.fill(2, Qos.Normal, 10, 3);
      // Offline again, with work left in its queues.
      rig.setField(2, "stamp", 0);
      const before = snapshot(rig);
      for (const victim of [1, 2, 3, CPUS_MAX, CPUS_MAX + 1, -1, 0x7fffffff, -0x80000000]) {
        same(rig.stealFrom(1, victim, Qos.PerfBurst), STEAL.InvalidVictim, `steal from cpu ${victim}`);
      }
      unchangedBut(rig, before, [], "a refused steal");
    },
  },
  {
    clause: "S5",
    title: "steal from any CPU: work on the thief's own queue only: NothingThere, and it keeps its work",
    run: (kernel) => {
      for (const cpus of [1, 2, 3]) {
        const rig = Rig.open(kernel, { cpus });
        rig.fill(0, Qos.Normal, 0, 3);
        const before = snapshot(rig);
        same(rig.steal(0, Qos.PerfBurst), STEAL.NothingThere, `steal on a machine of ${cpus}`);
        unchangedBut(rig, before, [], "a steal that found nothing");
      }
    },
  },
];
