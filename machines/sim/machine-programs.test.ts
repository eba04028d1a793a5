import { beforeAll, describe, expect, it } from "vitest";
import { MachineError } from "../../abi/results.ts";
import { TrapCause } from "../../abi/traps.ts";
import { Bench, probeImage } from "./machine-bench.test-support.ts";
import type { MachineImage } from "./machine-parts.ts";
import { Space } from "./space.ts";
import { UserImage } from "./user-image.ts";

let image: MachineImage;

beforeAll(async () => {
  image = await probeImage();
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
      const bench = new Bench(image, { harts: 1 });
      bench.ask("prepare", [0, program, argument]);
      bench.enterSpace(0, 0);
      while (bench.mode(0) !== "idle") bench.step(0, 1000);
      expect(bench.lines[0]).toBe(`C=${cause}`);
      expect(bench.machine.end).toBeUndefined();
    },
  );

  it("machine: faulted program entered again: faults again", () => {
    const bench = new Bench(image, { harts: 1 });
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
      const bench = new Bench(image, { harts: 1 });
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
    const bench = new Bench(image, { harts: 1 });
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
    const [used, fresh] = [0, 1].map((number) => new Space(new UserImage([user]), number)) as [Space, Space];
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
    const bench = new Bench(image, { harts: 2 });
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
