// Checks of system calls: what a user may print (T5), whom an id means (T6), what an entry keeps (T7), and answers by a reference model (T8).
//
// The model knows tasks by their ids, their classes, who sleeps and who has been woken; it shares nothing with the
// kernel and holds for none of the order in which tasks run: the running task of each CPU is looked up, the answer and
// what becomes of every task are the model's.
// Partners: case.ts; kernel/trap.test.ts, which runs them on the shipped kernel.

import { SPACES_MAX } from "../../abi/layout.ts";
import { Program } from "../../abi/programs.ts";
import { Qos } from "../../abi/qos.ts";
import { Syscall, SyscallError } from "../../abi/syscalls.ts";
import { TrapCause } from "../../abi/traps.ts";
import type { Case } from "../rig/case.ts";
import { Dice } from "../rig/dice.ts";
import { KILL, TASK_STATE, WAKE } from "../rig/kernel-map.ts";
import { NONE } from "../rig/kernel-memory.ts";
import { holds, refute, same } from "../rig/refutation.ts";
import { Rig } from "../rig/rig.ts";

const CPUS = 3;
const STEPS = 3000;
const SEEDS = [1, 2, 3] as const;
/** Live tasks below which others are made. */
const TASKS_MIN = 6;
const TICK = 1000n;
const PROGRAMS = 9n;
const LINE_MAX = 160n;

interface ModelTask {
  readonly id: bigint;
  readonly index: number;
  qos: Qos;
  permit: boolean;
  /** When its sleep ends by itself; undefined: it is awake. */
  deadline: bigint | undefined;
  /** It was asleep and has been woken, or its time has come, and its answer is due: 1 or 0. */
  due: bigint | undefined;
  /** Killed while a CPU ran it: that CPU's next trap ends it. */
  dyingOn: number | undefined;
}

class CallModel {
  readonly live = new Map<bigint, ModelTask>();
  readonly gone: bigint[] = [];

  add(id: bigint, qos: Qos): ModelTask {
    holds(!this.live.has(id) && !this.gone.includes(id), `spawn answered the id ${id} a second time`);
    const index = Number(id & 1023n);
    const task = { id, index, qos, permit: false, deadline: undefined, due: undefined, dyingOn: undefined };
    this.live.set(id, task);
    return task;
  }

  end(task: ModelTask): void {
    this.live.delete(task.id);
    this.gone.push(task.id);
  }

  wake(id: bigint): bigint {
    const task = this.live.get(id);
    if (task === undefined) return BigInt(SyscallError.NotFound);
    if (task.deadline === undefined) {
      // A wake between the end of a sleep and the next run belongs to that sleep.
      if (task.due === undefined) task.permit = true;
      else task.due = 1n;
    } else {
      task.deadline = undefined;
      task.due = 1n;
    }
    return 0n;
  }

  /** The answer, or undefined: the caller sleeps. */
  sleep(task: ModelTask, deadline: bigint, now: bigint): bigint | undefined {
    if (deadline <= now) return 0n;
    if (task.permit) {
      task.permit = false;
      return 1n;
    }
    task.deadline = deadline;
    return undefined;
  }
}

/** One run: a kernel, the model, and the task that made the call whose answer is judged. */
class CallRun {
  readonly rig: Rig;
  readonly model = new CallModel();
  private readonly dice: Dice;

  constructor(kernel: Parameters<Case["run"]>[0], seed: number) {
    this.dice = new Dice(seed);
    this.rig = Rig.open(kernel, { cpus: CPUS });
    this.rig.letTasksRun();
    this.rig.holdBoot();
    for (let i = 0; i < TASKS_MIN; i++) this.populate();
    for (let cpu = 0; cpu < CPUS; cpu++) this.trap(cpu, TrapCause.SoftInterrupt);
  }

  step(): void {
    if (this.model.live.size < TASKS_MIN) this.populate();
    const cpu = this.dice.roll(CPUS);
    const running = this.running(cpu);
    if (running === undefined || this.dice.chance(25)) {
      const isTick = this.dice.chance(50);
      if (isTick) this.tick();
      this.trap(cpu, isTick ? TrapCause.TimerInterrupt : TrapCause.SoftInterrupt);
    } else this.call(cpu, running);
    this.judgeAll();
  }

  /** One task more, on any CPU, made by the boot hart. */
  private populate(): void {
    const qos = this.dice.roll(4) as Qos;
    const id = this.rig.spawn(this.dice.roll(CPUS), Program.Probe, qos, 0);
    holds(id >= 0, `spawn answered ${id}`);
    this.model.add(BigInt(id), qos);
  }

  private tick(): void {
    this.rig.machine.timeTicks += TICK;
  }

  private running(cpu: number): ModelTask | undefined {
    const current = this.rig.current(cpu);
    if (current === NONE) return undefined;
    const found = [...this.model.live.values()].find(({ index }) => index === current);
    return found ?? refute(`cpu${cpu} runs entry ${current}, which is no live task of the model`);
  }

  private call(cpu: number, caller: ModelTask): void {
    const call = this.dice.one([0, 1, 2, 2, 3, 3, 3, 4, 4, 5, 5, 6, 7, 8, 9, 10, 11, 4711, -1]);
    const [a0, a1] = [this.argument(call, caller), this.second(call)];
    const callLabel = `${Syscall[call] ?? `call ${call}`}(${a0}, ${a1}) by task ${caller.id} on cpu${cpu}`;
    // A task that has been killed ends in this trap: nobody sees its answer.
    const isDying = caller.dyingOn === cpu;
    const expected = this.expect(cpu, caller, call, a0, a1);
    const answers = this.trap(cpu, TrapCause.SystemCall, call, a0, a1);
    const own = answers.get(caller.index)?.[0];
    if (call === Syscall.Spawn && expected === "an id") {
      if (own === BigInt(SyscallError.NoFreeTask) || own === BigInt(SyscallError.QueueFull)) return;
      if (own === undefined || own < 0n) refute(`${callLabel} was answered ${own}`);
      this.model.add(own, Number(a1) as Qos);
      return;
    }
    if (!isDying) same(own, expected, `the answer to ${callLabel}`);
  }

  /** What the model answers; undefined: no answer yet, or never. */
  private expect(cpu: number, caller: ModelTask, call: number, a0: bigint, a1: bigint): bigint | "an id" | undefined {
    const isBoot = cpu === 0;
    const denied = BigInt(SyscallError.NotBootHart);
    const target = this.model.live.get(a0);
    switch (call) {
      case Syscall.Yield:
        return 0n;
      case Syscall.Exit:
        this.model.end(caller);
        return undefined;
      case Syscall.SleepUntil:
        return this.model.sleep(caller, a0, this.rig.machine.timeTicks);
      case Syscall.Wake:
        return this.model.wake(a0);
      case Syscall.Time:
        return this.rig.machine.timeTicks;
      case Syscall.TaskId:
        return caller.id;
      case Syscall.CpuId:
        return BigInt(cpu);
      case Syscall.WriteLine:
        return BigInt(a1 < 0n || a1 > LINE_MAX - 10n ? SyscallError.InvalidArgument : SyscallError.Fault);
      case Syscall.SetQos:
        if (a1 < 0n || a1 > 3n) return BigInt(SyscallError.InvalidArgument);
        if (a0 !== caller.id && !isBoot) return denied;
        if (target === undefined) return BigInt(SyscallError.NotFound);
        target.qos = Number(a1) as Qos;
        return 0n;
      case Syscall.Spawn:
        if (!isBoot) return denied;
        return a0 < 0n || a0 >= PROGRAMS || a1 < 0n || a1 > 3n ? BigInt(SyscallError.InvalidArgument) : "an id";
      case Syscall.Kill:
        if (!isBoot) return denied;
        if (target === undefined) return BigInt(SyscallError.NotFound);
        this.kill(target);
        return 0n;
      default:
        return BigInt(SyscallError.Unknown);
    }
  }

  private kill(target: ModelTask): void {
    for (let cpu = 1; cpu < CPUS; cpu++) {
      if (this.rig.current(cpu) !== target.index) continue;
      target.dyingOn = cpu;
      return;
    }
    this.model.end(target);
  }

  /** A trap of a CPU; the answers that spaces were given in it. */
  private trap(cpu: number, cause: number, call = 0, a0 = 0n, a1 = 0n): ReadonlyMap<number, readonly bigint[]> {
    const dying = [...this.model.live.values()].filter(({ dyingOn }) => dyingOn === cpu);
    const first = this.rig.machine.calls.length;
    this.rig.machine.hartOf(cpu).softPending = false;
    this.rig.trap(cpu, cause, call, a0, a1, 7n);
    for (const task of dying) if (this.model.live.has(task.id)) this.model.end(task);
    const answers = new Map<number, bigint[]>();
    for (const one of this.rig.machine.calls.slice(first)) {
      if (one.kind === "answer") answers.set(one.space, [...(answers.get(one.space) ?? []), one.value]);
    }
    this.rig.machine.calls.length = 0;
    this.awake(cpu, cause, answers);
    return answers;
  }

  /** Sleepers of a CPU whose time has come are due at its tick; one that runs again is answered what is due. */
  private awake(cpu: number, cause: number, answers: ReadonlyMap<number, readonly bigint[]>): void {
    for (const task of this.model.live.values()) {
      const isOver = task.deadline !== undefined && task.deadline <= this.rig.machine.timeTicks;
      if (cause === TrapCause.TimerInterrupt && isOver && this.rig.word(task.index).state !== TASK_STATE.Blocked) {
        task.deadline = undefined;
        task.due = 0n;
      }
      if (task.due === undefined || !answers.has(task.index)) continue;
      same(answers.get(task.index), [task.due], `the answer to the sleep of task ${task.id}, now on cpu${cpu}`);
      task.due = undefined;
    }
  }

  /** Every live task is where the model has it, in its class; every other one is not. */
  private judgeAll(): void {
    for (const task of this.model.live.values()) {
      const { state } = this.rig.word(task.index);
      same(this.rig.idOf(task.index), task.id, `the id of entry ${task.index}`);
      holds(state !== TASK_STATE.Free && state !== TASK_STATE.Exited, `task ${task.id} has ended by itself`);
      same(state === TASK_STATE.Blocked, task.deadline !== undefined, `task ${task.id} sleeps`);
      same(this.rig.classOf(task.index), task.qos, `the class of task ${task.id}`);
    }
    const live = new Set([...this.model.live.values()].map(({ index }) => index));
    for (let index = 0; index < SPACES_MAX; index++) {
      if (live.has(index)) continue;
      const { state } = this.rig.word(index);
      holds(state === TASK_STATE.Free || state === TASK_STATE.Exited, `entry ${index} lives on in state ${state}`);
    }
  }

  /** Ids of every kind, and numbers that are none. */
  private argument(call: number, caller: ModelTask): bigint {
    const { dice } = this;
    if (call === Syscall.SleepUntil) {
      return this.rig.machine.timeTicks + dice.one([-1n, 0n, 1n, TICK, 3n * TICK, -(1n << 62n), 1n << 40n]);
    }
    if (call === Syscall.Spawn) return dice.one([0n, 1n, 8n, 0n, 2n, 9n, -1n, 1n << 32n, 1025n]);
    const live = [...this.model.live.keys()];
    const odd = dice.one([-1n, -(1n << 63n), (1n << 63n) - 1n, 1n << 41n, 1n << 32n, 1023n, caller.id + (1n << 41n)]);
    const choice = dice.roll(10);
    if (choice < 6) return dice.one(live);
    if (choice < 8) return this.model.gone.length > 0 ? dice.one(this.model.gone) : odd;
    return choice === 8 ? odd : caller.id;
  }

  private second(call: number): bigint {
    const { dice } = this;
    if (call === Syscall.WriteLine) return dice.one([-1n, 0n, 1n, 100n, 161n, 1n << 32n, -(1n << 63n)]);
    return dice.one([0n, 1n, 2n, 3n, 1n, 2n, -1n, 4n, 1n << 32n]);
  }
}

export const callChecks: readonly Case[] = [
  {
    clause: "T5",
    title:
      "WriteLine: every byte that a user may write: printed as it is or as a full stop, in one line, behind the task's id",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 2 });
      rig.letTasksRun();
      rig.run(1, 5, Qos.Normal);
      rig.machine.userByte = (address) => Number(address & 255n);
      for (let first = 0; first < 256; first += 64) {
        rig.machine.calls.length = 0;
        rig.trap(1, TrapCause.SystemCall, Syscall.WriteLine, BigInt(first), 64n);
        const lines = rig.machine.calls.flatMap((call) => (call.kind === "line" ? [call.text] : []));
        const shown = Array.from({ length: 64 }, (_, i) => first + i)
          .map((byte) => (byte < 32 || byte > 126 ? "." : String.fromCharCode(byte)))
          .join("");
        same(lines, [`[${rig.idOf(5)}] ${shown}`], `the lines of bytes ${first} to ${first + 63}`);
      }
    },
  },
  {
    clause: "T7",
    title: "spawn: in the entry of a task that was woken, given a class and killed: nothing of that is left",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 2 });
      rig.letTasksRun();
      const first = rig.spawn(0, Program.Probe, Qos.Normal, 0);
      const entry = rig.pick(0);
      rig.setCurrent(0, entry);
      same(rig.wake(1, entry), WAKE.Remembered, "a wake while it runs");
      rig.changeQos(entry, Qos.PerfBurst);
      rig.kill(entry);
      rig.trap(0, TrapCause.SystemCall, Syscall.Time);
      same(rig.word(entry).state, TASK_STATE.Exited, "its state after its hart has trapped");
      rig.reap();
      rig.setNextTask(entry);
      const second = rig.spawn(0, Program.Probe, Qos.Normal, 0);
      same([second & 1023, second !== first], [entry, true], "the entry and the id of the next task");
      same([rig.signals(entry), rig.classOf(entry)], [0, Qos.Normal], "its signals and its class");
      const fields = ["runs", "migrations", "wakes", "exitCode", "exitReason", "lastCpu"] as const;
      same(
        fields.map((field) => rig.taskField(entry, field)),
        [0, 0, 0, 0, 0, -1],
        fields.join(", "),
      );
    },
  },
  {
    clause: "T6",
    title:
      "system calls: the id of an entry's former life, on every call that takes one: NotFound, and the heir as before",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 2 });
      rig.letTasksRun();
      rig.run(0, 5, Qos.PerfBurst);
      const old = rig.spawn(0, Program.Probe, Qos.Normal, 0);
      const entry = old & 1023;
      same(rig.kill(entry), KILL.Killed, "kill of the first life");
      rig.reap();
      rig.setNextTask(entry);
      const heir = rig.spawn(0, Program.Probe, Qos.Normal, 0);
      same(heir & 1023, entry, "the entry of the heir");
      const before = [rig.rawWord(entry), rig.signals(entry)];
      for (const call of [Syscall.Wake, Syscall.SetQos, Syscall.Kill]) {
        rig.trap(0, TrapCause.SystemCall, call, BigInt(old), BigInt(Qos.Idle));
        const answer = rig.machine.calls.flatMap((one) =>
          one.kind === "answer" && one.space === 5 ? [one.value] : [],
        );
        same(answer.at(-1), BigInt(SyscallError.NotFound), `the answer to ${Syscall[call]} of the former life`);
        same([rig.rawWord(entry), rig.signals(entry)], before, `the heir after ${Syscall[call]}`);
      }
    },
  },
  {
    clause: "T8",
    title:
      "system calls: random calls and arguments on three CPUs: answers, classes and lives as the reference model has them",
    run: (kernel) => {
      for (const seed of SEEDS) {
        const run = new CallRun(kernel, seed);
        for (let step = 0; step < STEPS; step++) {
          try {
            run.step();
          } catch (thrown) {
            if (thrown instanceof Error) thrown.message = `seed ${seed}, step ${step}: ${thrown.message}`;
            throw thrown;
          }
        }
        holds(run.model.gone.length > 50, `only ${run.model.gone.length} tasks have ended: the walk is too tame`);
      }
    },
  },
];
