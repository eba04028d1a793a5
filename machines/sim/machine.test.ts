import { beforeAll, describe, expect, it } from "vitest";
import { HART_BASE, HART_STRIDE } from "../../abi/layout.ts";
import { MachineError, PowerOff } from "../../abi/results.ts";
import { TrapCause } from "../../abi/traps.ts";
import { buildDeviceTree } from "./device-tree-blob.ts";
import { kernelFrom, PROBE_KERNEL, PROBE_USER, userFrom } from "./fixture.test.support.ts";
import { Machine } from "./machine.ts";
import type { MachineImage } from "./machine-parts.ts";
import { stateOf } from "./machine-state.test.support.ts";
import { checkOptions, type CheckedOptions, type SimOptions } from "./options.ts";
import { type Argument, pausableModule } from "./resumable-instance.ts";
import { Space } from "./space.ts";

let image: MachineImage;

beforeAll(async () => {
  image = {
    kernel: pausableModule(await kernelFrom(PROBE_KERNEL)),
    user: pausableModule(await userFrom(PROBE_USER)),
  };
});

function checked(options: SimOptions): CheckedOptions {
  const check = checkOptions(options);
  if (check.kind === "refused") throw new Error(check.reason);
  return check.options;
}

/** A machine whose harts have all started and wait: probes are called on them. */
class Bench {
  readonly lines: string[] = [];
  readonly machine: Machine;

  constructor(options: SimOptions) {
    this.machine = new Machine(image, checked(options), { line: (line) => this.lines.push(line) });
  }

  /** Calls an export on a hart, lets it go on as far as it can, and answers what it returned. */
  ask(name: string, values: Argument[] = [], hart = 0): Argument | undefined {
    this.begin(name, values, hart);
    this.machine.apply({ kind: "advance", hart }, 1_000_000);
    return this.machine.harts[hart]?.returned;
  }

  begin(name: string, values: Argument[] = [], hart = 0): void {
    this.machine.call(hart, hart, { name, values });
  }

  step(hart: number, count = 1): number {
    return this.machine.apply({ kind: "advance", hart }, count);
  }

  mode(hart: number): string | undefined {
    return this.machine.harts[hart]?.mode.kind;
  }

  /** Calls an export on a hart as if it were `trap`: what it returns is the space to enter, or -1. */
  leaveThrough(name: string, values: Argument[] = [], hart = 0): void {
    const found = this.machine.harts[hart];
    if (found === undefined) throw new Error("no such hart");
    found.cpu = hart;
    found.scenario = false;
    found.enterKernel({ name, values });
    while (found.mode.kind === "kernel" && this.machine.end === undefined) this.step(hart);
  }

  enterSpace(hart: number, space: number): void {
    this.leaveThrough("enter", [space], hart);
  }

  /** The trap that the hart is about to take into the kernel. */
  trap(hart: number): readonly Argument[] {
    const mode = this.machine.harts[hart]?.mode;
    if (mode?.kind !== "kernel" || mode.entry.name !== "trap") throw new Error(`hart ${hart} takes no trap`);
    return mode.entry.values;
  }
}

describe("machine: calls of the kernel", () => {
  it("machine: tp and stack: those of the CPU that the hart was started as; tp lasts until the next entry", () => {
    const bench = new Bench({ harts: 3, hartIds: [8, 1, 5] });
    expect(bench.ask("pointer", [77n], 2)).toBe(BigInt(HART_BASE + 2 * HART_STRIDE));
    expect(bench.ask("pointerTwice", [78n + (1n << 40n)], 2)).toBe(78n + (1n << 40n));
    expect(bench.ask("pointer", [0n], 2)).toBe(BigInt(HART_BASE + 2 * HART_STRIDE));
    expect(bench.ask("stack", [], 2)).toBe(2);
  });

  it("machine: poisoned tp: that hart enters the kernel with it, no other does", () => {
    const bench = new Bench({ harts: 2, faults: { poisonedPointers: [{ hart: 1, value: 0x666n }] } });
    expect(bench.ask("pointer", [0n], 1)).toBe(0x666n);
    expect(bench.ask("pointer", [0n], 1)).toBe(0x666n);
    expect(bench.ask("pointer", [0n], 0)).toBe(BigInt(HART_BASE));
  });

  it("machine: device tree word by word: the blob, then zeros", () => {
    const bench = new Bench({ harts: 3, sswi: true });
    const blob = buildDeviceTree(checked({ harts: 3, sswi: true }));
    const view = new DataView(blob.buffer);
    let total = 0;
    for (let at = 0; at < blob.length + 16; at += 4) {
      total = (Math.imul(total, 31) + (at < blob.length ? view.getInt32(at) : 0)) | 0;
    }
    expect(bench.ask("sum")).toBe(total);
  });

  it("machine: hart started by another: enters bootSecondary with its CPU, and runs from there", () => {
    const bench = new Bench({ harts: 2, hartIds: [3, 6] });
    expect(bench.ask("state", [6])).toBe(1);
    expect(bench.ask("start", [6, 1])).toBe(MachineError.Ok);
    expect(bench.ask("state", [6])).toBe(0);
    expect(bench.machine.harts[1]?.mode).toEqual({ kind: "kernel", entry: { name: "bootSecondary", values: [1] } });
  });

  it("machine: copy from user memory: the program's bytes; beyond it: InvalidAddress, nothing copied", () => {
    const bench = new Bench({ harts: 1 });
    expect(bench.ask("copy", [3, 0n, 0x3000, 4])).toBe(MachineError.InvalidAddress);
    expect(bench.ask("prepare", [3, 7, 1234])).toBe(MachineError.Ok);
    bench.enterSpace(0, 3);
    bench.step(0, 50);
    expect(bench.ask("copy", [3, 4096n, 0x3000, 4])).toBe(MachineError.Ok);
    expect(bench.ask("touch", [0x3000])).toBe(1234);
    expect(bench.ask("copy", [3, 65532n, 0x3000, 4])).toBe(MachineError.Ok);
    for (const [address, bytes] of [
      [65533n, 4],
      [-1n, 1],
      [2n ** 40n, 1],
      [0n, -1],
    ] as const) {
      expect(bench.ask("copy", [3, address, 0x3000, bytes])).toBe(MachineError.InvalidAddress);
    }
    expect(bench.ask("touch", [0x3000])).toBe(0);
  });

  it("machine: space or program that does not exist: InvalidParameter", () => {
    const bench = new Bench({ harts: 1 });
    expect(bench.ask("prepare", [0, 9, 0])).toBe(MachineError.InvalidParameter);
    expect(bench.ask("prepare", [0, -1, 0])).toBe(MachineError.InvalidParameter);
    expect(bench.ask("prepare", [128, 0, 0])).toBe(MachineError.InvalidParameter);
    expect(bench.ask("prepare", [-1, 0, 0])).toBe(MachineError.InvalidParameter);
    expect(bench.ask("prepare", [127, 8, 0])).toBe(MachineError.Ok);
  });
});

describe("machine: time and interrupts", () => {
  it("machine: idle hart with a timer and nobody else runs: time elapses to the deadline, then it takes the trap", () => {
    const bench = new Bench({ harts: 1 });
    bench.leaveThrough("alarm", [5000n]);
    expect(bench.mode(0)).toBe("idle");
    expect(bench.machine.choices()).toEqual([{ kind: "elapse" }]);
    bench.machine.apply({ kind: "elapse" });
    expect(bench.machine.choices()).toEqual([{ kind: "interrupt", hart: 0 }]);
    bench.machine.apply({ kind: "interrupt", hart: 0 });
    expect(bench.trap(0)[0]).toBe(TrapCause.TimerInterrupt);
    bench.step(0, 100);
    expect(bench.lines[0]).toBe("C=1000");
    const ticks = Number(bench.lines[1]?.slice(2));
    expect(ticks).toBeGreaterThanOrEqual(5000);
    expect(ticks).toBeLessThan(5020);
  });

  it("machine: idle hart with no interrupt to come: nothing can happen, until one is sent", () => {
    const bench = new Bench({ harts: 2 });
    bench.step(0);
    expect(bench.machine.choices()).toEqual([]);
    expect(bench.ask("send", [0], 1)).toBe(0);
    expect(bench.machine.choices()).toEqual([{ kind: "interrupt", hart: 0 }]);
  });

  it("machine: hart raises its own S_SOFT and goes idle: it takes the trap, once", () => {
    const bench = new Bench({ harts: 1 });
    bench.leaveThrough("raise");
    bench.machine.apply({ kind: "interrupt", hart: 0 });
    bench.step(0, 100);
    expect(bench.lines[0]).toBe("C=2000");
    expect(bench.machine.choices()).toEqual([]);
  });

  it("machine: a software interrupt is taken: S_SOFT stays pending until the kernel clears it", () => {
    const bench = new Bench({ harts: 1 });
    bench.leaveThrough("raise");
    bench.machine.apply({ kind: "interrupt", hart: 0 });
    expect(bench.machine.harts[0]?.softPending).toBe(true);
    bench.step(0, 100);
    expect(bench.machine.harts[0]?.softPending).toBe(false);
  });

  it("machine: idle hart gets a software and a timer interrupt: the software interrupt is taken first", () => {
    const bench = new Bench({ harts: 1, offerSpurious: true });
    bench.step(0);
    expect(bench.mode(0)).toBe("idle");
    expect(bench.machine.choices()).toEqual([{ kind: "spurious", hart: 0 }]);
    const hart = bench.machine.harts[0];
    if (hart !== undefined) hart.deadline = 0;
    bench.machine.apply({ kind: "spurious", hart: 0 });
    expect(bench.machine.choices()).toEqual([{ kind: "interrupt", hart: 0 }]);
    bench.machine.apply({ kind: "interrupt", hart: 0 });
    expect(bench.trap(0)[0]).toBe(TrapCause.SoftInterrupt);
    bench.step(0, 100);
    expect(bench.lines[0]).toBe("C=2000");
  });

  it("machine: interrupt pending on a hart in the kernel: not offered until it is back in a program", () => {
    const bench = new Bench({ harts: 1 });
    bench.ask("prepare", [0, 5, 0]);
    const hart = bench.machine.harts[0];
    if (hart === undefined) throw new Error("no hart");
    hart.softPending = true;
    hart.scenario = false;
    hart.enterKernel({ name: "enter", values: [0] });
    expect(bench.machine.choices()).toEqual([{ kind: "advance", hart: 0 }]);
    bench.step(0);
    expect(bench.machine.choices()).toEqual([
      { kind: "advance", hart: 0 },
      { kind: "interrupt", hart: 0 },
    ]);
  });

  it("machine: frozen time: steps take none, and a timer may expire at any moment", () => {
    const bench = new Bench({ harts: 1, time: "frozen" });
    bench.leaveThrough("alarm", [5n]);
    expect(bench.machine.clock.ticks()).toBe(0n);
    expect(bench.machine.choices()).toEqual([{ kind: "elapse" }]);
    bench.ask("prepare", [0, 5, 0]);
    bench.enterSpace(0, 0);
    expect(bench.machine.choices()).toEqual([{ kind: "advance", hart: 0 }, { kind: "elapse" }]);
  });
});

describe("machine: user programs", () => {
  const OUTSIDE = 65536;
  it.each([
    ["returns", 0, 0, TrapCause.SystemCall],
    ["writes beyond its memory", 1, OUTSIDE, TrapCause.StorePage],
    ["writes at the last word", 1, OUTSIDE - 4, TrapCause.SystemCall],
    ["writes across the end", 1, OUTSIDE - 3, TrapCause.StorePage],
    ["reads beyond its memory", 2, OUTSIDE + 70000, TrapCause.LoadPage],
    ["reads at the top of the address space", 2, -4, TrapCause.LoadPage],
    ["executes unreachable", 3, 0, TrapCause.IllegalInstruction],
    ["divides by zero", 8, 0, TrapCause.IllegalInstruction],
    ["calls itself too deeply", 6, 0, TrapCause.StorePage],
  ])(
    "machine: program %s: traps with the cause of the deed (program=%i, argument=%i)",
    (_, program, argument, cause) => {
      const bench = new Bench({ harts: 1 });
      bench.ask("prepare", [0, program, argument]);
      bench.enterSpace(0, 0);
      while (bench.mode(0) !== "idle") bench.step(0, 1000);
      expect(bench.lines[0]).toBe(`C=${cause}`);
      expect(bench.machine.end).toBeUndefined();
    },
  );

  it("machine: faulted program entered again: faults again", () => {
    const bench = new Bench({ harts: 1 });
    bench.ask("prepare", [0, 3, 0]);
    for (let entry = 0; entry < 2; entry += 1) {
      bench.enterSpace(0, 0);
      bench.step(0);
      expect(bench.trap(0)[0]).toBe(TrapCause.IllegalInstruction);
    }
  });

  it("machine: system call: arguments arrive, and it answers what the kernel set, else its first argument", () => {
    for (const [set, want] of [
      [undefined, 41n],
      [-7n, -7n],
    ] as const) {
      const bench = new Bench({ harts: 1 });
      bench.ask("prepare", [5, 4, 41]);
      bench.enterSpace(0, 5);
      bench.step(0);
      expect(bench.trap(0)).toEqual([TrapCause.SystemCall, 0n, 98, 41n, 2n, 3n]);
      if (set !== undefined) bench.ask("answer", [5, set]);
      bench.enterSpace(0, 5);
      bench.step(0);
      expect(bench.trap(0).slice(2, 4)).toEqual([99, want]);
    }
  });

  it("machine: two programs write at the same address: neither sees the other's; prepared again: zero again", () => {
    const bench = new Bench({ harts: 1 });
    bench.ask("prepare", [0, 7, 11]);
    bench.ask("prepare", [1, 7, 22]);
    const written = (space: number) => {
      bench.enterSpace(0, space);
      bench.step(0);
      return bench.trap(0)[3];
    };
    expect([written(0), written(1)]).toEqual([11n, 22n]);
    bench.ask("prepare", [0, 7, 33]);
    expect(written(0)).toBe(33n);
  });

  it("machine: space whose program has marked all of its memory, prepared again: as one that never ran", () => {
    const user = image.user;
    if (user === undefined) throw new Error("no user image");
    const [used, fresh] = [new Space(user), new Space(user)];
    for (const [program, argument] of [
      [1, 65532n],
      [7, 11n],
    ] as const) {
      used.prepare(program, argument);
      used.advance(1000);
    }
    used.read(0n, user.ownBytes)?.fill(0xa5);
    for (const space of [used, fresh]) space.prepare(0, 0n);
    expect(used.read(0n, user.ownBytes)).toEqual(fresh.read(0n, user.ownBytes));
  });

  it("machine: program left at a loop head on one hart: goes on from there on another", () => {
    const bench = new Bench({ harts: 2 });
    bench.ask("prepare", [0, 5, 0]);
    bench.enterSpace(0, 0);
    bench.step(0, 10);
    bench.machine.apply({ kind: "spurious", hart: 0 });
    bench.machine.apply({ kind: "interrupt", hart: 0 });
    bench.step(0, 100);
    expect(bench.mode(0)).toBe("idle");
    bench.enterSpace(1, 0);
    bench.step(1, 10);
    expect(bench.ask("copy", [0, 64n, 0x3000, 4])).toBe(MachineError.Ok);
    expect(bench.ask("touch", [0x3000])).toBe(19);
  });
});

describe("machine: ends", () => {
  it.each([PowerOff.Passed, PowerOff.Failed])("machine: power-off: ends with its result (result=%i)", (result) => {
    const bench = new Bench({ harts: 2 });
    bench.ask("off", [result], 1);
    expect(bench.machine.end).toEqual({ kind: "powered-off", result });
    expect(bench.machine.choices()).toEqual([]);
  });

  it.each<[string, Argument[], string]>([
    ["fail", [], "reason=unreachable detail=0x0"],
    ["divide", [0], "reason=divide-by-zero detail=0x0"],
    ["touch", [8 * 65536], "reason=access-out-of-bounds detail=0x80000"],
    ["touch", [-4], "reason=access-out-of-bounds detail=0xfffffffc"],
    ["write", [8 * 65536 - 1, 2], "reason=access-out-of-bounds detail=0x7ffff"],
    ["write", [0, 161], "reason=line-too-long detail=0xa1"],
    ["answer", [4, 0n], "reason=answer-without-system-call detail=0x4"],
  ])("machine: kernel breaks a rule in %s: panic with cpu, reason and detail", (name, values, words) => {
    const bench = new Bench({ harts: 2 });
    bench.ask(name, values, 1);
    expect(bench.lines).toEqual([`PANIC: cpu=1 ${words}`]);
    expect(bench.machine.end).toEqual({ kind: "powered-off", result: PowerOff.Panic });
  });

  it("machine: kernel enters a space that another hart runs, or that was never prepared: panic", () => {
    const bench = new Bench({ harts: 2 });
    bench.ask("prepare", [6, 5, 0]);
    bench.enterSpace(0, 6);
    bench.enterSpace(1, 6);
    expect(bench.lines).toEqual(["PANIC: cpu=1 reason=space-runs-elsewhere detail=0x6"]);
    const other = new Bench({ harts: 1 });
    other.enterSpace(0, 2);
    expect(other.lines).toEqual(["PANIC: cpu=0 reason=space-not-prepared detail=0x2"]);
  });

  it("machine: kernel turns without a pause: hung, with the function's name", () => {
    const bench = new Bench({ harts: 1 });
    bench.ask("turn");
    expect(bench.machine.end).toEqual({ kind: "hung", reason: expect.stringContaining("cpu 0 turns in a loop of") });
  });
});

describe("machine: states", () => {
  /** Two harts in the middle of a plain count, a program in a loop, a call to be answered, a timer set. */
  function busyBench(): Bench {
    const bench = new Bench({ harts: 4 });
    bench.ask("prepare", [0, 5, 0], 3);
    bench.ask("prepare", [1, 4, 9], 3);
    bench.enterSpace(2, 1);
    bench.step(2);
    bench.step(2, 100);
    bench.enterSpace(2, 0);
    bench.step(2, 7);
    bench.begin("add", [5], 0);
    bench.begin("add", [6], 1);
    bench.leaveThrough("alarm", [900n], 3);
    for (let turn = 0; turn < 3; turn += 1) {
      bench.step(0);
      bench.step(1);
    }
    return bench;
  }

  it("machine: n steps at once: the same state as n times one step", () => {
    const [at, by] = [busyBench(), busyBench()];
    for (const hart of [0, 1, 2]) {
      at.step(hart, 9);
      for (let step = 0; step < 9; step += 1) by.step(hart);
      expect(stateOf(at.machine)).toEqual(stateOf(by.machine));
    }
  });

  it.each<[string, (bench: Bench) => void]>([
    ["one step of a hart", (bench) => bench.step(0)],
    ["one turn of a program", (bench) => bench.step(2)],
    ["a pending interrupt", (bench) => bench.machine.apply({ kind: "spurious", hart: 1 })],
    ["another hart stepped instead", (bench) => bench.step(1)],
    ["a poisoned pointer", (bench) => Object.assign(bench.machine.harts[1] ?? {}, { pointer: 5n })],
    ["a later deadline", (bench) => Object.assign(bench.machine.harts[3] ?? {}, { deadline: 1e9 })],
  ])("machine: states that differ by %s: the comparison reports it", (_, change) => {
    const [one, two] = [busyBench(), busyBench()];
    expect(stateOf(one.machine)).toEqual(stateOf(two.machine));
    change(two);
    expect(stateOf(one.machine)).not.toEqual(stateOf(two.machine));
  });

  it("machine: two harts count without care: stepping them in turn loses counts, one after the other does not", () => {
    const counted = (order: "in turn" | "one after the other") => {
      const bench = new Bench({ harts: 2 });
      bench.begin("add", [4], 0);
      bench.begin("add", [4], 1);
      for (let turn = 0; turn < 100; turn += 1) {
        const hart = order === "in turn" ? turn % 2 : turn < 50 ? 0 : 1;
        if (bench.mode(hart) === "kernel") bench.step(hart);
      }
      return Math.max(...bench.machine.harts.map((hart) => Number(hart.returned)));
    };
    expect(counted("one after the other")).toBe(8);
    expect(counted("in turn")).toBe(4);
  });
});
