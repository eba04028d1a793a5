import { beforeAll, describe, expect, it } from "vitest";
import { HART_BASE, HART_STRIDE } from "../../abi/layout.ts";
import { MachineError, PowerOff } from "../../abi/results.ts";
import { TrapCause } from "../../abi/traps.ts";
import { buildDeviceTree } from "./device-tree-blob.ts";
import { Bench, checked, probeImage } from "./machine-bench.test-support.ts";
import type { MachineImage } from "./machine-parts.ts";
import { stateOf } from "./machine-state.test-support.ts";
import type { Argument } from "./resumable-instance.ts";

let image: MachineImage;

beforeAll(async () => {
  image = await probeImage();
});

describe("machine: calls of the kernel", () => {
  it("machine: tp and stack: those of the CPU that the hart was started as; tp lasts until the next entry", () => {
    const bench = new Bench(image, { harts: 3, hartIds: [8, 1, 5] });
    expect(bench.ask("pointer", [77n], 2)).toBe(BigInt(HART_BASE + 2 * HART_STRIDE));
    expect(bench.ask("pointerTwice", [78n + (1n << 40n)], 2)).toBe(78n + (1n << 40n));
    expect(bench.ask("pointer", [0n], 2)).toBe(BigInt(HART_BASE + 2 * HART_STRIDE));
    expect(bench.ask("stack", [], 2)).toBe(2);
  });

  it("machine: poisoned tp: that hart enters the kernel with it, no other does", () => {
    const bench = new Bench(image, { harts: 2, faults: { poisonedPointers: [{ hart: 1, value: 0x666n }] } });
    expect(bench.ask("pointer", [0n], 1)).toBe(0x666n);
    expect(bench.ask("pointer", [0n], 1)).toBe(0x666n);
    expect(bench.ask("pointer", [0n], 0)).toBe(BigInt(HART_BASE));
  });

  it("machine: device tree word by word: the blob, then zeros", () => {
    const bench = new Bench(image, { harts: 3, sswi: true });
    const blob = buildDeviceTree(checked({ harts: 3, sswi: true }));
    const view = new DataView(blob.buffer);
    let total = 0;
    for (let at = 0; at < blob.length + 16; at += 4) {
      total = (Math.imul(total, 31) + (at < blob.length ? view.getInt32(at) : 0)) | 0;
    }
    expect(bench.ask("sum")).toBe(total);
  });

  it("machine: hart started by another: enters bootSecondary with its CPU, and runs from there", () => {
    const bench = new Bench(image, { harts: 2, hartIds: [3, 6] });
    expect(bench.ask("state", [6])).toBe(1);
    expect(bench.ask("start", [6, 1])).toBe(MachineError.Ok);
    expect(bench.ask("state", [6])).toBe(0);
    expect(bench.machine.harts[1]?.mode).toEqual({ kind: "kernel", entry: { name: "bootSecondary", values: [1] } });
  });

  it("machine: copy from user memory: the program's bytes; beyond it: InvalidAddress, nothing copied", () => {
    const bench = new Bench(image, { harts: 1 });
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
    const bench = new Bench(image, { harts: 1 });
    expect(bench.ask("prepare", [0, 9, 0])).toBe(MachineError.InvalidParameter);
    expect(bench.ask("prepare", [0, -1, 0])).toBe(MachineError.InvalidParameter);
    expect(bench.ask("prepare", [128, 0, 0])).toBe(MachineError.InvalidParameter);
    expect(bench.ask("prepare", [-1, 0, 0])).toBe(MachineError.InvalidParameter);
    expect(bench.ask("prepare", [127, 8, 0])).toBe(MachineError.Ok);
  });
});

describe("machine: time and interrupts", () => {
  it("machine: idle hart with a timer and nobody else runs: time elapses to the deadline, then it takes the trap", () => {
    const bench = new Bench(image, { harts: 1 });
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
    const bench = new Bench(image, { harts: 2 });
    bench.step(0);
    expect(bench.machine.choices()).toEqual([]);
    expect(bench.ask("send", [0], 1)).toBe(0);
    expect(bench.machine.choices()).toEqual([{ kind: "interrupt", hart: 0 }]);
  });

  it("machine: hart raises its own S_SOFT and goes idle: it takes the trap, once", () => {
    const bench = new Bench(image, { harts: 1 });
    bench.leaveThrough("raise");
    bench.machine.apply({ kind: "interrupt", hart: 0 });
    bench.step(0, 100);
    expect(bench.lines[0]).toBe("C=2000");
    expect(bench.machine.choices()).toEqual([]);
  });

  it("machine: a software interrupt is taken: S_SOFT stays pending until the kernel clears it", () => {
    const bench = new Bench(image, { harts: 1 });
    bench.leaveThrough("raise");
    bench.machine.apply({ kind: "interrupt", hart: 0 });
    expect(bench.machine.harts[0]?.softPending).toBe(true);
    bench.step(0, 100);
    expect(bench.machine.harts[0]?.softPending).toBe(false);
  });

  it("machine: idle hart gets a software and a timer interrupt: the software interrupt is taken first", () => {
    const bench = new Bench(image, { harts: 1, offerSpurious: true });
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
    const bench = new Bench(image, { harts: 1 });
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
    const bench = new Bench(image, { harts: 1, time: "frozen" });
    bench.leaveThrough("alarm", [5n]);
    expect(bench.machine.clock.ticks()).toBe(0n);
    expect(bench.machine.choices()).toEqual([{ kind: "elapse" }]);
    bench.ask("prepare", [0, 5, 0]);
    bench.enterSpace(0, 0);
    expect(bench.machine.choices()).toEqual([{ kind: "advance", hart: 0 }, { kind: "elapse" }]);
  });
});

describe("machine: ends", () => {
  it.each([PowerOff.Passed, PowerOff.Failed])("machine: power-off: ends with its result (result=%i)", (result) => {
    const bench = new Bench(image, { harts: 2 });
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
  ])("machine: kernel breaks a rule in %s: panic with cpu, reason and detail", (name, values, message) => {
    const bench = new Bench(image, { harts: 2 });
    bench.ask(name, values, 1);
    expect(bench.lines).toEqual([`PANIC: cpu=1 ${message}`]);
    expect(bench.machine.end).toEqual({ kind: "powered-off", result: PowerOff.Panic });
  });

  it("machine: kernel enters a space that another hart runs, or that was never prepared: panic", () => {
    const bench = new Bench(image, { harts: 2 });
    bench.ask("prepare", [6, 5, 0]);
    bench.enterSpace(0, 6);
    bench.enterSpace(1, 6);
    expect(bench.lines).toEqual(["PANIC: cpu=1 reason=space-runs-elsewhere detail=0x6"]);
    const other = new Bench(image, { harts: 1 });
    other.enterSpace(0, 2);
    expect(other.lines).toEqual(["PANIC: cpu=0 reason=space-not-prepared detail=0x2"]);
  });

  it("machine: kernel turns without a pause: hung, with the function's name", () => {
    const bench = new Bench(image, { harts: 1 });
    bench.ask("turn");
    expect(bench.machine.end).toEqual({ kind: "hung", reason: expect.stringContaining("cpu 0 turns in a loop of") });
  });
});

describe("machine: states", () => {
  /** Two harts in the middle of a plain count, a program in a loop, a call to be answered, a timer set. */
  function busyBench(): Bench {
    const bench = new Bench(image, { harts: 4 });
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
      const bench = new Bench(image, { harts: 2 });
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
