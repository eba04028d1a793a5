// Fuzzers on real harts: a small share of what `hartbeat soak --machine virt --programs …` runs by the hundred.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Random } from "../../machines/sim/random.ts";
import { bootVirt } from "../../machines/virt/machine-boot.ts";
import { findQemu } from "../../machines/virt/qemu.ts";
import { buildFuzzElf, type FuzzPrograms, seedBytes, seedCalls } from "../../toolchain/fuzz-image.ts";
import { findCompiler } from "../../toolchain/gcc.ts";
import { verdictMessage } from "../proof-event.ts";
import { judgeFor } from "./judge.ts";

const tools = (await findQemu()) !== undefined && (await findCompiler()) !== undefined;

const HARTS = 4;
const CALLS = 400;

describe.skipIf(!tools)("fuzzers on virt", () => {
  let folder = "";
  const images = new Map<FuzzPrograms, Buffer>();

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "hartbeat-fuzz-"));
    for (const programs of ["calls", "bytes"] as const) {
      const built = await buildFuzzElf(programs);
      if (built.kind !== "built") throw new Error(JSON.stringify(built));
      images.set(programs, await readFile(built.path));
    }
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function boot(programs: FuzzPrograms, seed: number, icount = false) {
    const image = images.get(programs) ?? Buffer.alloc(0);
    const random = new Random(seed);
    const elf = join(folder, `${programs}-${seed}.elf`);
    await writeFile(elf, programs === "calls" ? seedCalls(image, seed, CALLS) : seedBytes(image, () => random.next()));
    const judge = judgeFor({ machine: "virt", harts: HARTS, ipi: "firmware", programs, faults: false });
    const run = bootVirt({ elf, harts: HARTS, icount });
    for await (const line of run.lines) judge.feed(line);
    return { verdict: verdictMessage(judge.conclude(await run.outcome)), counts: judge.counts() };
  }

  test("fuzz: random system calls on parallel harts: nothing panics, every task is reaped, the sums agree", async () => {
    const { verdict, counts } = await boot("calls", 1);
    expect(verdict, "seed 1").toBe("passed");
    // A task that was killed does not report what it made.
    expect(counts["system calls"]).toBeGreaterThan(CALLS);
  });

  test("fuzz: random bytes as programs on parallel harts: every task ends, the kernel goes on (seed=1)", async () => {
    // How many faulted depends on who was faster: a task of the boot hart's kills all others in the end.
    expect((await boot("bytes", 1)).verdict).toBe("passed");
  });

  test("fuzz: random bytes as programs, one instruction a tick: the same, and some end by a fault (seed=2)", async () => {
    const { verdict, counts } = await boot("bytes", 2, true);
    expect(verdict).toBe("passed");
    expect(counts["tasks ended by fault"]).toBeGreaterThan(0);
  });

  test("fuzz: image without a place for its seed: refused", () => {
    expect(() => seedCalls(images.get("bytes") ?? Buffer.alloc(0), 1, 1)).toThrow(/not exactly one place/);
  });
});
