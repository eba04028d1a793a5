// Thread machine: the program `workload` as threads over one memory, on a kernel of a few lines: yield, sleep, wake, time.
//
// Every order is decided by the caller's choice: `fifo` switches only where a thread blocks; `random` may switch before
// any atomic access and at any loop head, and refuses wakes now and then, as the kernel may.
// Partners: interpreter.test.ts; workload-model.ts, which a fifo run is compared with.

import { Syscall, SyscallError } from "../../abi/syscalls.ts";
import { WORKLOAD_BLOCK_BYTES, WORKLOAD_BLOCKS_BASE, WORKLOAD_TABLE_BASE } from "../../abi/workload-table.ts";
import { memoryFor, type PausableModule, Resumable } from "../../machines/sim/resumable-instance.ts";
import { Random } from "../../machines/sim/random.ts";
import type { PhaseTable } from "../phase-table.ts";

export interface ThreadMachineOptions {
  readonly order: "fifo" | "random";
  readonly seed: number;
  /** random: a thread that does not block runs for so many steps; a random number, mostly few, unless given. */
  readonly sliceSteps?: number;
  /** A fault: this wake of the run, from 1, is lost. */
  readonly lostWake?: number;
}

type Phase = "ready" | "asleep" | "ended";

interface Thread {
  readonly row: number;
  readonly instance: Resumable;
  readonly region: number;
  phase: Phase;
  isEntered: boolean;
  hasPermit: boolean;
  until: bigint;
  /** Order in which threads went to sleep. */
  sleptAs: number;
  answer: bigint;
  call: { readonly number: number; readonly a0: bigint; readonly a1: bigint } | undefined;
  seen: string;
}

/** Offsets in a block: user/workload-memory.ts. */
const EVENT_OFFSET = 16;
const PHASES_OFFSET = 24;
const TIME_FIRST = 1000n;
const REGION_BYTES = 2048;
const ID_FIRST = 500;
const STEPS_MAX = 3_000_000;

export interface ThreadRun {
  /** `row phases place` in the order in which events began. */
  readonly trace: readonly string[];
  /** By row. */
  readonly lines: readonly string[];
  readonly ticks: bigint;
  /** Loop heads and atomic accesses of each row. */
  readonly turns: readonly number[];
}

export class ThreadMachine {
  readonly memory: WebAssembly.Memory;
  private readonly words: Int32Array;
  private readonly threads: Thread[];
  private readonly random: Random;
  private readonly trace: string[] = [];
  private readonly lines: string[] = [];
  private readonly turns: number[];
  private now = TIME_FIRST;
  private left = 0;
  private wakes = 0;
  private sleeps = 0;
  private readonly ready: Thread[] = [];

  /** look: called at each pause, with the place of the event at which each row is. */
  constructor(
    private readonly module: PausableModule,
    table: PhaseTable,
    private readonly options: ThreadMachineOptions,
    private readonly look: (eventOf: (row: number) => number) => void = () => undefined,
  ) {
    this.memory = memoryFor(module);
    this.random = new Random(options.seed);
    this.threads = table.rows.map((_, row) => this.makeThread(row));
    this.turns = table.rows.map(() => 0);
    this.words = new Int32Array(this.memory.buffer);
    this.words.set(table.words, WORKLOAD_TABLE_BASE / 4);
    this.ready.push(...this.threads);
  }

  run(): ThreadRun {
    for (let step = 0; this.threads.some(({ phase }) => phase !== "ended"); step++) {
      if (step > STEPS_MAX) throw new Error("the run has no end");
      const thread = this.next();
      if (thread !== undefined) this.advance(thread);
    }
    return { trace: this.trace, lines: this.lines, ticks: this.now - TIME_FIRST, turns: this.turns };
  }

  private next(): Thread | undefined {
    if (this.options.order === "random") {
      // Time passes while threads run: some sleepers are due.
      this.wakeDue();
      const index = this.random.below(Math.max(1, this.ready.length));
      const [thread] = this.ready.splice(index, 1);
      if (thread !== undefined) return thread;
    }
    const [first] = this.ready.splice(0, 1);
    if (first !== undefined) return first;
    const times = this.threads.flatMap(({ phase, until }) => (phase === "asleep" ? [until] : []));
    this.now = times.reduce((least, one) => (one < least ? one : least));
    this.wakeDue();
    return undefined;
  }

  private wakeDue(): void {
    const due = this.threads.filter(({ phase, until }) => phase === "asleep" && until <= this.now);
    for (const thread of due.toSorted((a, b) => Number(a.until - b.until) || a.sleptAs - b.sleptAs))
      this.awake(thread, 0n);
  }

  private awake(thread: Thread, answer: bigint): void {
    thread.phase = "ready";
    thread.answer = answer;
    this.ready.push(thread);
  }

  /** Runs a thread until it blocks, yields or is preempted. */
  private advance(thread: Thread): void {
    this.left = this.slice();
    for (;;) {
      thread.call = undefined;
      const { instance, region } = thread;
      const outcome = thread.isEntered
        ? instance.resume(region, "run", [BigInt(thread.row)])
        : instance.enter(region, REGION_BYTES, "run", [BigInt(thread.row)]);
      thread.isEntered = true;
      if (outcome.kind === "returned") {
        if (outcome.value !== 0) throw new Error(`row ${thread.row} returned ${outcome.value}`);
        thread.phase = "ended";
        return;
      }
      if (thread.call === undefined || !this.answer(thread, thread.call)) break;
    }
    if (thread.phase === "ready" && !this.ready.includes(thread)) this.ready.push(thread);
  }

  private slice(): number {
    if (this.options.order === "fifo") return Infinity;
    return this.options.sliceSteps ?? 1 + this.random.below(this.random.below(4) === 0 ? 400 : 12);
  }

  /** False: the thread does not go on now. */
  private answer(thread: Thread, { number, a0, a1 }: NonNullable<Thread["call"]>): boolean {
    switch (number) {
      case Syscall.Time:
        thread.answer = this.now;
        return true;
      case Syscall.TaskId:
        thread.answer = BigInt(ID_FIRST + thread.row);
        return true;
      case Syscall.Yield:
        thread.answer = 0n;
        return false;
      case Syscall.Wake:
        thread.answer = this.wake(Number(a0) - ID_FIRST);
        return true;
      case Syscall.SleepUntil:
        return this.sleep(thread, a0);
      case Syscall.WriteLine:
        this.lines[thread.row] = String.fromCharCode(...new Uint8Array(this.memory.buffer, Number(a0), Number(a1)));
        thread.answer = 0n;
        return true;
      default:
        throw new Error(`system call ${number}`);
    }
  }

  private sleep(thread: Thread, until: bigint): boolean {
    const hadPermit = thread.hasPermit;
    thread.hasPermit = false;
    thread.answer = hadPermit ? 1n : 0n;
    if (hadPermit || until <= this.now) return true;
    thread.phase = "asleep";
    thread.until = until;
    thread.sleptAs = this.sleeps++;
    return false;
  }

  private wake(row: number): bigint {
    const thread = this.threads[row];
    if (thread === undefined || thread.phase === "ended") return BigInt(SyscallError.NotFound);
    if (this.options.order === "random" && this.random.below(8) === 0) {
      return BigInt(this.random.below(2) === 0 ? SyscallError.QueueFull : SyscallError.Contended);
    }
    this.wakes += 1;
    if (this.wakes === this.options.lostWake) return 0n;
    if (thread.phase === "asleep") this.awake(thread, 1n);
    else thread.hasPermit = true;
    return 0n;
  }

  private pause(thread: Thread): void {
    if (thread.instance.arrive()) return;
    this.turns[thread.row] = (this.turns[thread.row] ?? 0) + 1;
    this.record(thread);
    this.look((row) => (this.threads[row]?.phase === "ended" ? 0 : this.blockWord(row, EVENT_OFFSET)));
    if (this.options.order === "fifo") return;
    this.now += 1n;
    this.left -= 1;
    if (this.left <= 0) thread.instance.leave();
  }

  private record(thread: Thread): void {
    const seen = `${thread.row} ${this.blockWord(thread.row, PHASES_OFFSET)} ${this.blockWord(thread.row, EVENT_OFFSET)}`;
    if (seen !== thread.seen && this.blockWord(thread.row, EVENT_OFFSET) !== 0) this.trace.push(seen);
    thread.seen = seen;
  }

  private blockWord(row: number, offset: number): number {
    return this.words[(WORKLOAD_BLOCKS_BASE + row * WORKLOAD_BLOCK_BYTES + offset) / 4] ?? 0;
  }

  private makeThread(row: number): Thread {
    const call = (number: number, a0: bigint, a1: bigint): bigint => {
      if (thread.instance.arrive()) return thread.answer;
      thread.call = { number, a0, a1 };
      this.record(thread);
      thread.instance.leave();
      return 0n;
    };
    const pause = (): void => this.pause(thread);
    const outside = (address: number): never => {
      throw new Error(`row ${row}: access at ${address}`);
    };
    const stuck = (): never => {
      throw new Error(`row ${row}: a loop without end`);
    };
    const imports = {
      env: { memory: this.memory },
      os: { call },
      sim: { pause, outside, stuck, access: () => undefined },
    };
    const thread: Thread = {
      row,
      instance: new Resumable(this.module.module, imports, this.memory),
      region: this.module.ownBytes + row * REGION_BYTES,
      phase: "ready",
      isEntered: false,
      hasPermit: false,
      until: 0n,
      sleptAs: 0,
      answer: 0n,
      call: undefined,
      seen: "",
    };
    return thread;
  }
}
