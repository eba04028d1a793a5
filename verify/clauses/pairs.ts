// Checks of calls at the same time (T8): two system calls, or a call and an interrupt, on two CPUs. Whatever the order of
// their steps, answers and tasks are as if one had come after the other.
//
// What each of the two orders gives is taken from the kernel itself; calls.ts judges one call at a time by a model.
// Partners: case.ts, interleaving.ts, calls.ts; kernel/trap.test.ts, which runs them on the shipped kernel.

import { Qos } from "../../abi/qos.ts";
import { Syscall } from "../../abi/syscalls.ts";
import { TrapCause } from "../../abi/traps.ts";
import type { Case } from "../rig/case.ts";
import { type Actor, caller, tryInterleavings, trySchedules } from "../rig/interleaving.ts";
import * as calls from "../rig/kernel-calls.ts";
import type { KernelImage } from "../rig/kernel-image.ts";
import { FAR_DEADLINE, SIGNAL, TASK_STATE } from "../rig/kernel-map.ts";
import { holds, refute } from "../rig/refutation.ts";
import type { Rig } from "../rig/rig.ts";

const CPUS = 3;
/** The task that CPU 0 runs, the one that CPU 1 runs, and one in some other place. */
const TASKS = [4, 5, 6] as const;
const [BOOT_TASK, PEER_TASK, THIRD] = TASKS;
const SOON = 1000n;

type Ids = ReadonlyMap<number, bigint>;

/** A place of the third task. */
interface Place {
  readonly name: string;
  readonly setUp: (rig: Rig) => void;
  /** CPU 1 has one more tick at the end: a sleeper that another hart had in its hands is woken by the next tick. */
  readonly hasLastTick?: boolean;
}

function sleeper(cpu: number, deadline: bigint): (rig: Rig) => void {
  return (rig) => {
    rig.run(cpu, THIRD, Qos.Normal);
    rig.sleepCurrent(cpu, deadline);
  };
}

function queuedOn(cpu: number): (rig: Rig) => void {
  return (rig) => {
    rig.makeTask(THIRD, Qos.Normal, cpu);
    rig.enqueue(cpu, THIRD);
  };
}

const PLACES: readonly Place[] = [
  { name: "queued on cpu0", setUp: queuedOn(0) },
  { name: "queued on cpu1", setUp: queuedOn(1) },
  { name: "asleep on cpu1", setUp: sleeper(1, FAR_DEADLINE) },
  { name: "asleep on cpu2", setUp: sleeper(2, FAR_DEADLINE) },
  { name: "asleep on cpu1, its time over", setUp: sleeper(1, SOON), hasLastTick: true },
  { name: "running on cpu2", setUp: (rig) => rig.run(2, THIRD, Qos.Normal) },
];

/** What a hart does: a system call of its task, or an interrupt. */
interface Deed {
  readonly name: string;
  readonly actor: (cpu: number, ids: Ids) => Actor;
}

function call(name: string, number: Syscall, first: bigint | number, second = 0n): Deed {
  return {
    name,
    actor: (cpu, ids) => {
      const a0 = typeof first === "number" ? (ids.get(first) ?? 0n) : first;
      return caller(cpu, calls.trap(TrapCause.SystemCall, number, a0, second));
    },
  };
}

const ANY_HART: readonly Deed[] = [
  call("Wake(third)", Syscall.Wake, THIRD),
  call("SleepUntil", Syscall.SleepUntil, FAR_DEADLINE),
  call("Yield", Syscall.Yield, 0n),
  call("Exit", Syscall.Exit, 0n),
  { name: "a tick", actor: (cpu) => caller(cpu, calls.trap(TrapCause.TimerInterrupt)) },
];
const BOOT_HART: readonly Deed[] = [
  ...ANY_HART,
  call("Wake(peer)", Syscall.Wake, PEER_TASK),
  call("Kill(third)", Syscall.Kill, THIRD),
  call("Kill(peer)", Syscall.Kill, PEER_TASK),
  call("SetQos(third)", Syscall.SetQos, THIRD, BigInt(Qos.PerfBurst)),
  call("SetQos(peer)", Syscall.SetQos, PEER_TASK, BigInt(Qos.PerfBurst)),
];
const PEER_HART: readonly Deed[] = [
  ...ANY_HART,
  call("Wake(boot)", Syscall.Wake, BOOT_TASK),
  call("SetQos(itself)", Syscall.SetQos, PEER_TASK, BigInt(Qos.Interactive)),
];

/** Pairs tried, and runs of all of them. */
export interface PairCounts {
  readonly pairs: number;
  readonly runs: number;
}

/** Throws the first refutation: the pair, the schedule, what came out, and the two outcomes that may. */
export function tryPairs(kernel: KernelImage, switches: number): PairCounts {
  let pairs = 0;
  let runs = 0;
  for (const place of PLACES)
    for (const here of BOOT_HART)
      for (const there of PEER_HART) {
        runs += tryPair(kernel, place, here, there, switches);
        pairs += 1;
      }
  return { pairs, runs };
}

function tryPair(kernel: KernelImage, place: Place, here: Deed, there: Deed, switches: number): number {
  const title = `${here.name} on cpu0 against ${there.name} on cpu1, the third task ${place.name}`;
  const ids = new Map<number, bigint>();
  const allowed = new Set<string>();
  const options = (actors: readonly Actor[], judge: (outcome: string) => void) => ({
    cpus: CPUS,
    setUp: (rig: Rig) => setUp(rig, place, ids),
    actors,
    judge: (rig: Rig) => judge(outcomeOf(rig, place)),
  });
  // Ids are known once a set-up has run.
  const deedOf = (cpu: number): Deed => (cpu === 0 ? here : there);
  const actors = [0, 1].map((cpu): Actor => ({ cpu, script: (rig) => deedOf(cpu).actor(cpu, ids).script(rig) }));
  const inTurn = [0, 1].map((actor) => [{ actor, steps: Infinity }]);
  trySchedules(kernel, { ...options(actors, (outcome) => allowed.add(outcome)), schedules: inTurn });
  return tryInterleavings(kernel, {
    ...options(actors, (outcome) => {
      if (!allowed.has(outcome)) refute(`${title}: ${outcome}; one after the other: ${[...allowed].join(" or ")}`);
    }),
    switches,
  });
}

function setUp(rig: Rig, place: Place, ids: Map<number, bigint>): void {
  rig.letTasksRun();
  rig.holdBoot();
  place.setUp(rig);
  rig.run(0, BOOT_TASK, Qos.Normal);
  rig.run(1, PEER_TASK, Qos.Normal);
  rig.machine.timeTicks = SOON;
  for (const task of TASKS) ids.set(task, rig.idOf(task));
}

/** What has become of each task, once every pending request has been taken. */
function outcomeOf(rig: Rig, place: Place): string {
  if (place.hasLastTick === true) rig.trap(1, TrapCause.TimerInterrupt);
  rig.settle([0, 1, 2]);
  return TASKS.map((task) => fateOf(rig, task)).join("; ");
}

/** A task's end; or whether it sleeps, its class, its permit, and the answers that it has had or will have. */
function fateOf(rig: Rig, task: number): string {
  const { state } = rig.word(task);
  const signals = rig.signals(task);
  const isKilled = (signals & SIGNAL.Kill) !== 0;
  // One that was killed and will run ends before that (T8).
  const isOver = state === TASK_STATE.Free || state === TASK_STATE.Exited || (isKilled && state !== TASK_STATE.Blocked);
  if (isOver) return `task ${task} ends`;
  const answers = rig.machine.calls.flatMap((one) => (one.kind === "answer" && one.space === task ? [one.value] : []));
  if ((signals & SIGNAL.Woken) !== 0) answers.push(1n);
  if ((signals & SIGNAL.Expired) !== 0) answers.push(0n);
  const sleeps = state === TASK_STATE.Blocked ? "sleeps" : "runs";
  const permit = (signals & SIGNAL.Permit) !== 0 ? "a permit" : "no permit";
  return `task ${task} ${sleeps}, class ${rig.classOf(task)}, ${permit}, answers ${answers.join()}`;
}

export const pairChecks: readonly Case[] = [
  {
    clause: "T8",
    title:
      "system calls: two at once on two CPUs, every order with one switch: as if one came after the other (420 pairs)",
    run: (kernel) => {
      const { pairs, runs } = tryPairs(kernel, 1);
      holds(pairs === PLACES.length * BOOT_HART.length * PEER_HART.length, `${pairs} pairs were tried`);
      holds(runs > 10 * pairs, `only ${runs} runs`);
    },
  },
];
