// The table of expected tasks against the sources that it is about.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Intrusion, Program } from "../abi/programs.ts";
import { Qos } from "../abi/qos.ts";
import { packageRoot } from "../toolchain/package-root.ts";
import { BEYOND_OWN_MEMORY, DEFAULT_TASKS, KERNEL_IMAGE, KERNEL_MEMORY } from "./expected-tasks.ts";

const read = (path: string): Promise<string> => readFile(join(packageRoot, path), "utf8");

/** The spawns of default-tasks.ts, as `Program Qos argument`, in order. */
async function spawnsInSource(): Promise<string[]> {
  const source = await read("kernel/default-tasks.ts");
  const body = source.slice(source.indexOf("export function spawnDefaultTasks"), source.indexOf("/** 1 when the task"));
  const spawns = [...body.matchAll(/Program\.(\w+), Qos\.(\w+), (\w+)\)/g)];
  // As many as there are calls: none is written in a way that this does not read.
  expect(spawns).toHaveLength([...body.matchAll(/\bspawn\w*\(runtime,/g)].length);
  return spawns.flatMap(([, program, qos, argument]) => {
    if (argument !== "attempt") return [`${program} ${qos} ${argument}`];
    const bounds = /let attempt = Intrusion\.(\w+); attempt <= Intrusion\.(\w+);/.exec(body);
    const [first, last] = [bounds?.[1], bounds?.[2]].map((name) => Intrusion[name as keyof typeof Intrusion]);
    if (first === undefined || last === undefined) throw new Error("the loop over the intrusions reads differently");
    return Array.from({ length: last - first + 1 }, (_, index) => `${program} ${qos} ${first + index}`);
  });
}

test("expected tasks: against kernel/default-tasks.ts: the same programs, classes and arguments, in the same order", async () => {
  const table = DEFAULT_TASKS.map(({ program, qos, argument }) => `${Program[program]} ${Qos[qos]} ${argument}`);
  expect(await spawnsInSource()).toEqual(table);
});

test("expected tasks: every program and every intrusion of abi/programs.ts: in the set, but for the probe", () => {
  const programs = Object.values(Program).filter((value) => typeof value === "number");
  const used = new Set(DEFAULT_TASKS.map(({ program }) => program));
  expect(programs.filter((program) => !used.has(program)).every((program) => program === Program.Probe)).toBe(true);
  const intrusions = Object.values(Intrusion).filter((value) => typeof value === "number");
  const tried = DEFAULT_TASKS.filter(({ program }) => program === Program.Intruder).map(({ argument }) => argument);
  expect(tried).toEqual(intrusions);
});

describe("expected faults against user/program-bodies.ts", () => {
  /** Where a program's memory begins on virt. */
  const PROGRAM_BASE = 0x40000000;

  test.each([
    ["TO_KERNEL_MEMORY", KERNEL_MEMORY],
    ["TO_KERNEL_IMAGE", KERNEL_IMAGE],
    ["BEYOND_OWN", BEYOND_OWN_MEMORY],
  ])("expected tasks: %s: leads to the address that the fault names", async (name, address) => {
    const source = await read("user/program-bodies.ts");
    const offset = Number(new RegExp(`const ${name}: u32 = (0x[0-9a-f]+);`).exec(source)?.[1]);
    expect((PROGRAM_BASE + offset) % 2 ** 32).toBe(address);
  });
});
