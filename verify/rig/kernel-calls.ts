// Kernel calls: the exported operations of the kernel with their arguments, by CPU and by task index.
//
// Pairs with: rig.ts, which makes them; interleaving.ts, whose actors yield them.

import type { Qos } from "../../abi/qos.ts";
import type { TrapCause } from "../../abi/traps.ts";
import type { Argument } from "../../machines/sim/resumable-instance.ts";
import { GLOBALS, hartAddress, taskAddress } from "./kernel-map.ts";

/** One call of an export by the hart of `cpu`. */
export interface KernelCall {
  readonly name: string;
  readonly values: readonly Argument[];
}

const byHart = (name: string, cpu: number, ...values: readonly Argument[]): KernelCall => ({
  name,
  values: [hartAddress(cpu), ...values],
});
/** By the boot hart, which has the runtime's handle. */
const byBootHart = (name: string, ...values: readonly Argument[]): KernelCall => ({
  name,
  values: [GLOBALS, hartAddress(0), ...values],
});

export const enqueue = (cpu: number, task: number): KernelCall => byHart("enqueue", cpu, taskAddress(task));
export const place = (cpu: number, target: number, task: number): KernelCall =>
  byHart("place", cpu, target, taskAddress(task));
export const pick = (cpu: number): KernelCall => byHart("pick", cpu);
export const yieldCurrent = (cpu: number): KernelCall => byHart("yieldCurrent", cpu);
export const dispatch = (cpu: number): KernelCall => byHart("dispatch", cpu);
export const drainMailbox = (cpu: number): KernelCall => byHart("drainMailbox", cpu);
export const steal = (cpu: number, bound: Qos): KernelCall => byHart("steal", cpu, bound);
export const stealFrom = (cpu: number, victim: number, bound: Qos): KernelCall =>
  byHart("stealFrom", cpu, victim, bound);
export const sleepCurrent = (cpu: number, deadline: bigint): KernelCall => byHart("sleepCurrent", cpu, deadline);
export const wake = (cpu: number, task: number, life: number): KernelCall =>
  byHart("wake", cpu, taskAddress(task), life);
export const wakeExpired = (cpu: number, now: bigint): KernelCall => byHart("wakeExpired", cpu, now);
export const requestResched = (cpu: number, target: number): KernelCall => byHart("requestResched", cpu, target);
export const takeRequests = (cpu: number): KernelCall => byHart("takeRequests", cpu);
export const acknowledge = (cpu: number): KernelCall => byHart("acknowledge", cpu);

export const spawn = (cpu: number, program: number, qos: Qos, argument = 0n): KernelCall =>
  byBootHart("spawn", cpu, program, qos, argument);
export const changeQos = (task: number, life: number, qos: Qos): KernelCall =>
  byBootHart("changeQos", taskAddress(task), life, qos);
export const kill = (task: number, life: number): KernelCall => byBootHart("kill", taskAddress(task), life);
export const reap = (): KernelCall => ({ name: "reap", values: [GLOBALS] });

/** A trap of any hart. call and a0 to a2: of a system call. */
export const trap = (cause: TrapCause, call = 0, a0 = 0n, a1 = 0n, a2 = 0n, value = 0n): KernelCall => ({
  name: "trap",
  values: [cause, value, call, a0, a1, a2],
});
