import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { PowerOff } from "../../abi/results.ts";
import { packageRoot } from "../../toolchain/package-root.ts";
import type { RunOutcome } from "../machine-run.ts";
import { bootSim, type BootOptions } from "./machine-boot.ts";
import { formatSchedule } from "./choice.ts";
import { BUSY_KERNEL, BUSY_USER, kernelFrom, PROBE_KERNEL, SAY, userFrom } from "./fixture.test-support.ts";
import { Machine } from "./machine.ts";
import { checkOptions } from "./options.ts";
import { pausableModule } from "./resumable-instance.ts";
import { Runner } from "./runner.ts";
import { SeededStrategy } from "./strategy.ts";

let busy: { kernel: WebAssembly.Module; user: WebAssembly.Module };
let probe: WebAssembly.Module;

beforeAll(async () => {
  busy = { kernel: await kernelFrom(BUSY_KERNEL), user: await userFrom(BUSY_USER) };
  probe = await kernelFrom(PROBE_KERNEL);
});

async function finish(options: BootOptions): Promise<{ lines: string[]; outcome: RunOutcome }> {
  const run = bootSim(options);
  const lines: string[] = [];
  for await (const line of run.lines) lines.push(line);
  return { lines, outcome: await run.outcome };
}

const PASSED = { kind: "powered-off", result: PowerOff.Passed };

describe("boot", () => {
  it.each([1, 2, 5, 64])(
    "boot: kernel that starts harts and preempts programs: runs to its end (harts=%i)",
    async (harts) => {
      const { lines, outcome } = await finish({ ...busy, harts, seed: 7 });
      expect(outcome).toEqual(PASSED);
      const letters = Array.from({ length: harts }, (_, index) => `U${String.fromCharCode(65 + index)}`);
      expect(lines.filter((line) => line.startsWith("U")).toSorted()).toEqual(letters.toSorted());
      expect(lines).toContain(`A=${harts * 10}`);
      expect(lines.at(-1)).toBe("T=1");
    },
  );

  it("boot: one seed twice: the same lines; many seeds: several orders and several lost counts", async () => {
    const seen = new Set<string>();
    const counts = new Set<string | undefined>();
    for (let seed = 0; seed < 12; seed += 1) {
      const first = await finish({ ...busy, harts: 3, seed });
      const second = await finish({ ...busy, harts: 3, seed });
      expect(second).toEqual(first);
      seen.add(first.lines.join());
      counts.add(first.lines.find((line) => line.startsWith("P=")));
    }
    expect(seen.size).toBeGreaterThan(4);
    expect(counts.size).toBeGreaterThan(2);
  });

  it("boot: recorded schedule replayed under any other seed: the same lines, though the seeds alone differ", async () => {
    const options = { harts: 3, faults: { spuriousSoft: [{ hart: 1, step: 300 }] } };
    const check = checkOptions(options);
    if (check.kind === "refused") throw new Error(check.reason);
    const image = { kernel: pausableModule(busy.kernel), user: pausableModule(busy.user) };
    const lines: string[] = [];
    const machine = new Machine(image, check.options, { line: (line) => lines.push(line) });
    const outcome = new Runner(machine, new SeededStrategy(4), check.options).run(1_000_000);
    expect(outcome).toEqual({ kind: "ended", end: PASSED });
    const schedule = formatSchedule(machine.recorded());
    expect(schedule).toContain("s1");
    const unscheduled = new Set<string>();
    for (const seed of [90, 91, 92, 93]) {
      const replayed = await finish({ ...busy, harts: 3, seed, schedule });
      expect(replayed).toEqual({ lines, outcome: PASSED });
      unscheduled.add((await finish({ ...busy, harts: 3, seed })).lines.join());
    }
    expect(unscheduled.size).toBeGreaterThan(1);
  });

  it("boot: free hart numbering, boot hart in the middle: runs all the same", async () => {
    const { lines, outcome } = await finish({ ...busy, harts: 3, hartIds: [11, 0, 63], bootHart: 0, seed: 1 });
    expect(outcome).toEqual(PASSED);
    expect(lines).toContain("A=30");
  });

  it("boot: nobody can run and no timer is set: deadlocked, saying who stands where", async () => {
    const { outcome } = await finish({ kernel: probe, harts: 2, seed: 1 });
    const reason = "no hart can go on and no timer is set: hart 0 is idle, hart 1 is stopped";
    expect(outcome).toEqual({ kind: "deadlocked", reason });
  });

  it("boot: kernel with a lost wake-up: some seeds end deadlocked, some pass; with a second look, none deadlocks", async () => {
    // Hart 1 sleeps unless there is work; hart 0 makes work and rings only a hart that is asleep.
    const text = (secondLook: string) => `import * as machine from "./machine";
      export function boot(hart: i32): i32 {
        machine.startHart(1, 1);
        atomic.store<i32>(0x1000, 1);
        if (atomic.load<i32>(0x1004) == 1) machine.sendIpi(1);
        return -1;
      }
      function serve(): i32 { if (atomic.load<i32>(0x1000) == 1) machine.powerOff(0); return -1; }
      export function bootSecondary(cpu: i32): i32 {
        serve();
        atomic.store<i32>(0x1004, 1);
        ${secondLook}
        return -1;
      }
      export function trap(cause: i32, value: i64, call: i32, a0: i64, a1: i64, a2: i64): i32 { return serve(); }`;
    const ends = async (kernel: WebAssembly.Module) => {
      const found = new Set<string>();
      for (let seed = 0; seed < 100; seed += 1) found.add((await finish({ kernel, harts: 2, seed })).outcome.kind);
      return [...found].toSorted();
    };
    expect(await ends(await kernelFrom(text("")))).toEqual(["deadlocked", "powered-off"]);
    expect(await ends(await kernelFrom(text("serve();")))).toEqual(["powered-off"]);
  });

  it("boot: kernel that spins for ever: hung after the limit of steps", async () => {
    const kernel = await kernelFrom(
      PROBE_KERNEL.replace("boot(hart: i32): i32 {", "boot(hart: i32): i32 { forever();"),
    );
    const { outcome } = await finish({ kernel, harts: 1, stepsMax: 300_000 });
    expect(outcome).toEqual({ kind: "hung", reason: "the run was not over after 300000 steps" });
  });

  it("boot: stop while it runs: ends as stopped, with the lines so far", async () => {
    const text = `import * as machine from "./machine"; ${SAY}
      export function boot(hart: i32): i32 { say(0, 72, 1); while (atomic.load<i32>(0) == 0) {} return -1; }`;
    const run = bootSim({ kernel: await kernelFrom(text), harts: 1 });
    const lines: string[] = [];
    for await (const line of run.lines) {
      lines.push(line);
      run.stop();
    }
    expect(lines).toEqual(["H=1"]);
    expect(await run.outcome).toEqual({ kind: "stopped" });
  });

  it.each<[string, Partial<BootOptions>, string]>([
    ["no harts", { harts: 0 }, "harts is 0: give a whole number from 1 to 128"],
    ["seed below zero", { seed: -1 }, "seed is -1: give a whole number from 0 to 2^53 - 1"],
    ["malformed schedule", { schedule: "a0 x" }, `schedule entry 2, "x", is not one of`],
    ["schedule of another machine", { schedule: "i0" }, `schedule entry 1, "i0", cannot happen on this machine now`],
    ["bytes that are no module", { kernel: new Uint8Array(3) }, "WebAssembly.compile()"],
    ["module that is not pausable", { kernel: emptyModule() }, "the module is not pausable"],
  ])("boot: %s: crashed with one line, nothing thrown", async (_, options, message) => {
    const { outcome } = await finish({ kernel: probe, harts: 1, ...options });
    expect(outcome).toEqual({ kind: "crashed", reason: expect.stringContaining(message) });
    if (outcome.kind === "crashed") expect(outcome.reason).not.toContain("\n");
  });

  it("boot: machine in a browser: no file of machines/sim imports from Node or from a package", async () => {
    const folder = join(packageRoot, "machines/sim");
    const names = (await readdir(folder)).filter((name) => name.endsWith(".ts") && !/\.test(-support)?\./.test(name));
    expect(names.length).toBeGreaterThan(12);
    for (const name of names) {
      const text = await readFile(join(folder, name), "utf8");
      expect(foreignImports(text), name).toEqual([]);
    }
    expect(foreignImports(`import { join } from "node:path";\nawait import("fs");\nBuffer.from("")`)).toHaveLength(3);
  });
});

/** Imports that are not files of the project, and Node's globals. */
function foreignImports(text: string): string[] {
  const imports = [...text.matchAll(/(?:from|import\()\s*"([^"]+)"/g)].map((match) => match[1] ?? "");
  const globals = text.match(/\b(?:process|Buffer|require|__dirname|setImmediate)\b[.(]/g) ?? [];
  return [...imports.filter((name) => !name.startsWith(".")), ...globals];
}

function emptyModule(): WebAssembly.Module {
  return new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
}
