// Checks of determinism: one hart schedules as a single-hart kernel does (D4), and time passes no check (D5).
//
// The reference of D4 is a scheduler for one hart on plain lists: it has no mailbox, no thief and no request. It shares no
// code with the kernel or with scheduler-model.ts.
// Partners: case.ts; kernel/determinism.test.ts, which runs these on the shipped kernel.

import { IDLE_SPACE } from "../../abi/layout.ts";
import { Program } from "../../abi/programs.ts";
import { type Qos, QOS_COUNT } from "../../abi/qos.ts";
import { PowerOff } from "../../abi/results.ts";
import { Syscall } from "../../abi/syscalls.ts";
import { TrapCause } from "../../abi/traps.ts";
import type { SimOptions } from "../../machines/sim/options.ts";
import type { Case } from "../rig/case.ts";
import { Dice } from "../rig/dice.ts";
import type { KernelImage } from "../rig/kernel-image.ts";
import { holds, isRefutation, Refutation, same } from "../rig/refutation.ts";
import { Rig } from "../rig/rig.ts";
import { bootOnSim } from "../rig/sim-run.ts";

const SEEDS = [1, 2, 3, 4] as const;
const TRAPS = 3000;
const TICK = 1000n;
/** Fewer than a run queue or the list of sleepers holds: nothing is refused. */
const TASKS_MAX = 40;
/** Within an id: the entry's index. */
const INDEX_MASK = 1023;

interface PlainTask {
  readonly id: bigint;
  readonly space: number;
  qos: Qos;
  /** When its sleep ends; undefined: it is awake. */
  deadline: bigint | undefined;
}

/** A scheduler for one hart: strict order of the classes, first in first out within one. */
class PlainScheduler {
  readonly tasks: PlainTask[] = [];
  current: PlainTask | undefined;
  private readonly queues: PlainTask[][] = Array.from({ length: QOS_COUNT }, () => []);
  /** In the order in which they fell asleep. */
  private sleepers: PlainTask[] = [];

  add(task: PlainTask): void {
    this.tasks.push(task);
    this.push(task);
  }

  /** The running task goes behind its class; the next one is at least of its class. */
  yield(): void {
    if (this.current !== undefined) this.push(this.current);
    this.pick();
  }

  /** The highest class that is ready takes the hart, if the running task is of a lower one. */
  resume(): void {
    const running: number = this.current?.qos ?? -1;
    if (this.queues.some((queue, qos) => qos > running && queue.length > 0)) this.yield();
  }

  end(): void {
    this.tasks.splice(this.tasks.indexOf(this.running()), 1);
    this.pick();
  }

  sleep(deadline: bigint): void {
    const task = this.running();
    task.deadline = deadline;
    this.sleepers.push(task);
    this.pick();
  }

  wake(task: PlainTask): void {
    task.deadline = undefined;
    this.sleepers.splice(this.sleepers.indexOf(task), 1);
    this.push(task);
  }

  /** Wakes those whose time has come: the earliest first, and of equal times the one that fell asleep first. */
  expire(now: bigint): void {
    const due = this.sleepers.filter(({ deadline }) => deadline !== undefined && deadline <= now);
    for (const task of due.toSorted((one, other) => Number((one.deadline ?? 0n) - (other.deadline ?? 0n)))) {
      this.wake(task);
    }
  }

  running(): PlainTask {
    if (this.current === undefined) throw new Error("the reference has no running task");
    return this.current;
  }

  private push(task: PlainTask): void {
    this.queues[task.qos]?.push(task);
  }

  private pick(): void {
    this.current = this.queues.findLast((queue) => queue.length > 0)?.shift();
  }
}

/** The kernel on one CPU and the reference, given the same traps. */
class OneHart {
  private readonly rig: Rig;
  private readonly plain = new PlainScheduler();
  private readonly dice: Dice;
  /** Ticks that the running task has had the hart. */
  private ticksUsed = 0;

  constructor(kernel: KernelImage, seed: number) {
    this.dice = new Dice(seed);
    this.rig = Rig.open(kernel, { cpus: 1 });
    this.rig.letTasksRun();
    this.rig.holdBoot();
  }

  step(): void {
    if (this.plain.tasks.length < TASKS_MAX && this.dice.chance(20)) this.spawn();
    const idle = this.plain.current === undefined;
    if (idle || this.dice.chance(30)) return this.dice.chance(70) ? this.tick() : this.softInterrupt();
    this.dice.one([
      () => this.yield(),
      () => this.exit(),
      () => this.sleep(),
      () => this.wake(),
      () => this.setQos(),
    ])();
  }

  private spawn(): void {
    const qos = this.dice.roll(QOS_COUNT) as Qos;
    const id = this.rig.spawn(0, Program.Probe, qos, 0);
    holds(id >= 0, `spawn returned ${id}`);
    this.plain.add({ id: BigInt(id), space: id & INDEX_MASK, qos, deadline: undefined });
  }

  private tick(): void {
    this.rig.machine.timeTicks += TICK;
    this.plain.expire(this.rig.machine.timeTicks);
    this.ticksUsed += 1;
    const before = this.plain.current;
    if (before !== undefined && this.ticksUsed >= 2) this.plain.yield();
    this.plain.resume();
    this.enters("tick", TrapCause.TimerInterrupt, before);
  }

  private softInterrupt(): void {
    const before = this.plain.current;
    this.plain.resume();
    this.enters("S_SOFT without a request", TrapCause.SoftInterrupt, before);
  }

  private yield(): void {
    const before = this.plain.current;
    this.plain.yield();
    this.calls("yield", before, Syscall.Yield);
  }

  private exit(): void {
    if (!this.dice.chance(40)) return this.yield();
    this.plain.end();
    this.calls("exit", undefined, Syscall.Exit);
  }

  private sleep(): void {
    const deadline = this.rig.machine.timeTicks + BigInt(1 + this.dice.roll(8)) * (TICK / 2n);
    this.plain.sleep(deadline);
    this.calls("sleep", undefined, Syscall.SleepUntil, deadline);
  }

  private wake(): void {
    const asleep = this.plain.tasks.filter(({ deadline }) => deadline !== undefined);
    if (asleep.length === 0) return this.yield();
    const before = this.plain.current;
    const task = this.dice.one(asleep);
    this.plain.wake(task);
    this.plain.resume();
    this.calls("wake", before, Syscall.Wake, task.id);
  }

  private setQos(): void {
    const before = this.plain.running();
    before.qos = this.dice.roll(QOS_COUNT) as Qos;
    this.plain.resume();
    this.calls("change of the caller's class", before, Syscall.SetQos, before.id, BigInt(before.qos));
  }

  private calls(what: string, before: PlainTask | undefined, call: Syscall, a0 = 0n, a1 = 0n): void {
    this.enters(what, TrapCause.SystemCall, before, call, a0, a1);
  }

  /** Makes the trap and compares the space that it enters. before: the task that ran until then and may run on. */
  private enters(what: string, cause: TrapCause, before: PlainTask | undefined, call = 0, a0 = 0n, a1 = 0n): void {
    const { current } = this.plain;
    same(this.rig.trap(0, cause, call, a0, a1), current?.space ?? IDLE_SPACE, `the space entered after a ${what}`);
    this.rig.machine.calls.length = 0;
    // A task that yields to nobody may keep its slice or get a fresh one; no order depends on anything else of it.
    if (current !== before) this.ticksUsed = 0;
    else if (current !== undefined) this.ticksUsed = 2 - this.rig.field(0, "sliceTicks");
  }
}

const FAILED = { kind: "powered-off", result: PowerOff.Failed } as const;
const PASSED = { kind: "powered-off", result: PowerOff.Passed } as const;
/** Longer than the kernel waits for another hart, in ticks. */
const TOO_LATE_TICKS = 10_000_000 * 60;

export const determinismChecks: readonly Case[] = [
  {
    clause: "D4",
    title: "one hart: random traps: each enters the task that a scheduler for one hart would run",
    run: (kernel) => {
      for (const seed of SEEDS) {
        const run = new OneHart(kernel, seed);
        for (let trap = 0; trap < TRAPS; trap++) {
          try {
            run.step();
          } catch (thrown) {
            if (!isRefutation(thrown)) throw thrown;
            throw new Refutation(`${thrown.message} (seed ${seed}, trap ${trap})`);
          }
        }
      }
    },
  },
  {
    clause: "D5",
    title: "boot on sim: IPIs that come too late, each in turn: the run fails by name, and no later marker is printed",
    run: async (kernel) => {
      const whole = await bootOnSim(kernel, { harts: 2 });
      same(whole.outcome, PASSED, "a run without faults");
      let failed = 0;
      for (let nth = 1; nth <= 5; nth++) {
        const options: SimOptions = { harts: 2, faults: { lateSends: [{ nth, ticks: TOO_LATE_TICKS }] } };
        const { outcome, failures, markers } = await bootOnSim(kernel, options);
        same(markers, whole.markers.slice(0, markers.length), `the markers with IPI ${nth} late`);
        if (failures.length === 0) {
          same([outcome, markers], [PASSED, whole.markers], `a run that passes with IPI ${nth} late`);
          continue;
        }
        failed += 1;
        same(outcome, FAILED, `the end of a run with IPI ${nth} late`);
        holds(markers.length < whole.markers.length, `every marker was printed with IPI ${nth} late`);
      }
      holds(failed >= 4, `only ${failed} late IPIs failed the run`);
    },
  },
  {
    clause: "D5",
    title: "boot on sim: clocks of four speeds: the same markers in the same order, and passed",
    run: async (kernel) => {
      const whole = await bootOnSim(kernel, { harts: 2 });
      for (const ticksPerSecond of [2_000_000, 10_000_000, 100_000_000, 1_000_000_000]) {
        const { outcome, markers } = await bootOnSim(kernel, { harts: 2, ticksPerSecond });
        same([outcome, markers], [PASSED, whole.markers], `a clock of ${ticksPerSecond} ticks a second`);
      }
    },
  },
];
