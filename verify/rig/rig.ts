// Rig: several harts over one kernel, driven by hand, one call at a time.
//
// Every operation names the CPU whose hart makes it. Tasks are named by their index in the task table; a test makes
// them out of nothing by writing their word, as the kernel's own spawn would.
// Owner: one test. Partners: fake-machine.ts (what the kernel reaches), kernel-memory.ts (how its data is read and written).

import { MAILBOX_CAPACITY, RING_CAPACITY } from "../../abi/layout.ts";
import { Qos } from "../../abi/qos.ts";
import { TrapCause } from "../../abi/traps.ts";
import { type Engine, plainEngine } from "./engine.ts";
import type { FakeMachine } from "./fake-machine.ts";
import * as calls from "./kernel-calls.ts";
import type { KernelImage } from "./kernel-image.ts";
import { ENQUEUE, EXITS, hartAddress, TASK_STATE } from "./kernel-map.ts";
import { KernelMemory, taskOf } from "./kernel-memory.ts";
import { Refutation } from "./refutation.ts";

const SETTLE_ROUNDS_MAX = 10;

export interface RigOptions {
  /** CPUs in the device tree. */
  readonly cpus: number;
  /** How many of them, from CPU 0 on, have joined; all unless given. */
  readonly online?: number;
}

export class Rig extends KernelMemory {
  readonly machine: FakeMachine;
  private readonly engine: Engine;

  constructor(engine: Engine, options: RigOptions) {
    super(engine.memory);
    this.engine = engine;
    this.machine = engine.machine;
    this.call("setTopology", options.cpus, 1000);
    for (let cpu = 0; cpu < options.cpus; cpu++) {
      this.setField(cpu, "hartId", this.machine.hartOf(cpu).hartId);
      this.setField(cpu, "doorbell", this.machine.hartOf(cpu).doorbell);
      if (cpu < (options.online ?? options.cpus)) this.join(cpu);
    }
    this.machine.running = 0;
  }

  static open(image: KernelImage, options: RigOptions): Rig {
    return new Rig(plainEngine(image, options.cpus), options);
  }

  join(cpu: number): void {
    this.callOn(cpu, "join", hartAddress(cpu), cpu);
  }

  // The kernel's operations, by the hart of `cpu`.

  cpuId(cpu: number): number {
    return this.callOn(cpu, "cpuId");
  }

  enqueue(cpu: number, task: number): number {
    return this.make(cpu, calls.enqueue(cpu, task));
  }

  place(cpu: number, target: number, task: number): number {
    return this.make(cpu, calls.place(cpu, target, task));
  }

  /** The task's index or NONE. */
  pick(cpu: number): number {
    return taskOf(this.make(cpu, calls.pick(cpu)));
  }

  yieldCurrent(cpu: number): number {
    return this.make(cpu, calls.yieldCurrent(cpu));
  }

  drainMailbox(cpu: number): number {
    return this.make(cpu, calls.drainMailbox(cpu));
  }

  steal(cpu: number, bound: Qos): number {
    return this.make(cpu, calls.steal(cpu, bound));
  }

  stealFrom(cpu: number, victim: number, bound: Qos): number {
    return this.make(cpu, calls.stealFrom(cpu, victim, bound));
  }

  sleepCurrent(cpu: number, deadline: bigint): number {
    return this.make(cpu, calls.sleepCurrent(cpu, deadline));
  }

  wake(cpu: number, task: number): number {
    return this.make(cpu, calls.wake(cpu, task, this.life(task).incarnation));
  }

  wakeExpired(cpu: number, now: bigint): void {
    this.make(cpu, calls.wakeExpired(cpu, now));
  }

  changeQos(task: number, qos: Qos): number {
    return this.make(0, calls.changeQos(task, this.life(task).incarnation, qos));
  }

  kill(task: number): number {
    return this.make(0, calls.kill(task, this.life(task).incarnation));
  }

  reap(): void {
    this.make(0, calls.reap());
  }

  /** The task's id, or a refusal below zero. */
  spawn(cpu: number, program: number, qos: Qos, argument: number): number {
    return this.make(0, calls.spawn(cpu, program, qos, BigInt(argument)));
  }

  /** Address of the handle, or 0. */
  borrowRuntime(cpu: number): number {
    return this.callOn(cpu, "borrowRuntime", hartAddress(cpu));
  }

  requestResched(cpu: number, target: number): number {
    return this.make(cpu, calls.requestResched(cpu, target));
  }

  retryUnsent(cpu: number): void {
    this.callOn(cpu, "retryUnsent", hartAddress(cpu));
  }

  send(cpu: number, target: number): number {
    return this.callOn(cpu, "send", hartAddress(cpu), target, this.machine.hartOf(target).doorbell);
  }

  takeRequests(cpu: number): number {
    return this.make(cpu, calls.takeRequests(cpu));
  }

  acknowledge(cpu: number): void {
    this.make(cpu, calls.acknowledge(cpu));
  }

  letTasksRun(): void {
    this.call("letTasksRun");
  }

  /** A trap as the machine makes it; the space to enter. */
  trap(cpu: number, cause: number, call = 0, a0 = 0n, a1 = 0n, a2 = 0n, value = 0n): number {
    return this.make(cpu, calls.trap(cause, call, a0, a1, a2, value));
  }

  /** Lets every one of these CPUs that has S_SOFT pending take its trap, until none has. */
  settle(cpus: readonly number[]): void {
    for (let round = 0; round < SETTLE_ROUNDS_MAX; round++) {
      const pending = cpus.filter((cpu) => this.machine.hartOf(cpu).softPending);
      if (pending.length === 0) return;
      for (const cpu of pending) this.trap(cpu, TrapCause.SoftInterrupt);
    }
    throw new Refutation("S_SOFT is raised again and again");
  }

  // Tasks.

  /** Makes a task that `cpu` holds, in a generation of its own. */
  makeTask(task: number, qos: Qos, cpu = 0): void {
    const generation = this.word(task).generation + 1;
    this.setWord(task, { task, generation, cpu, state: TASK_STATE.Held, qos });
    const { incarnation, sleeps } = this.life(task);
    this.setLife(task, { incarnation: incarnation + 1, sleeps, signals: 0 });
    this.setTaskField(task, "lastCpu", -1);
  }

  /** Makes tasks first, first + 1 … and queues them on `cpu`; throws where the kernel refuses one. */
  fill(cpu: number, qos: Qos, first: number, count = RING_CAPACITY): void {
    for (let task = first; task < first + count; task++) {
      this.makeTask(task, qos, cpu);
      const outcome = this.enqueue(cpu, task);
      if (outcome !== 0) throw new Error(`task ${task} was refused while filling: outcome ${outcome}`);
    }
  }

  /** Makes Normal tasks first, first + 1 … and posts them to `cpu` until its empty mailbox has `free` places left. */
  fillMailbox(cpu: number, first: number, { free = 0, by = 0 } = {}): void {
    for (let task = first; task < first + MAILBOX_CAPACITY - free; task++) {
      this.makeTask(task, Qos.Normal, by);
      const outcome = this.place(by, cpu, task);
      if (outcome !== ENQUEUE.Queued) throw new Refutation(`post of task ${task} to cpu${cpu}: outcome ${outcome}`);
    }
  }

  /** Makes a task that runs on `cpu`. */
  run(cpu: number, task: number, qos: Qos): void {
    this.makeTask(task, qos, cpu);
    this.setCurrent(cpu, task);
  }

  /** Makes a task one that has ended, as its hart would. */
  endTask(task: number): void {
    this.setWord(task, { ...this.word(task), state: TASK_STATE.Exited });
    this.view.setBigInt64(EXITS, this.view.getBigInt64(EXITS, true) + 1n, true);
  }

  /** Frees a task that was made and found no place. */
  giveUp(task: number): void {
    this.setWord(task, { ...this.word(task), state: TASK_STATE.Free });
  }

  // Calls.

  /** Calls an export as the hart of `cpu`; an i32 or nothing (0) comes back. */
  callOn(cpu: number, name: string, ...values: (number | bigint)[]): number {
    this.machine.running = cpu;
    return this.call(name, ...values);
  }

  /** Makes a call as the hart of `cpu`. */
  make(cpu: number, { name, values }: calls.KernelCall): number {
    return this.callOn(cpu, name, ...values);
  }

  private call(name: string, ...values: (number | bigint)[]): number {
    return Number(this.engine.call(name, values) ?? 0);
  }
}
