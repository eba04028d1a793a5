// The gate over the real kernel: green where it should be, and red for each fault that a machine can be given.
//
// What needs QEMU and the cross compiler is skipped by name where they are not installed.

import { readFile } from "node:fs/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { CPUS_MAX } from "../abi/layout.ts";
import { BOOT_PREFIX } from "../abi/markers.ts";
import type { MachineRun } from "../machines/machine-run.ts";
import { bootSim } from "../machines/sim/machine-boot.ts";
import type { SimOptions } from "../machines/sim/options.ts";
import { bootVirt } from "../machines/virt/machine-boot.ts";
import { findQemu } from "../machines/virt/qemu.ts";
import { buildArtifacts, buildElf } from "../toolchain/build.ts";
import { findCompiler } from "../toolchain/gcc.ts";
import { Gate } from "./gate.ts";
import { verdictMessage } from "./proof-event.ts";
import { type ProofRunReport, proveRun } from "./proof-run.ts";

const FIRMWARE = "firmware";
const SSWI = "aclint-sswi";

async function prove(
  run: MachineRun,
  harts: number,
  ipi = FIRMWARE,
  machine: "sim" | "virt" = "sim",
): Promise<ProofRunReport> {
  return proveRun(run, {
    machine,
    harts,
    ipi,
    untilMarker: false,
    timeoutMilliseconds: 60_000,
    signal: new AbortController().signal,
    onLine: () => undefined,
  });
}

describe("the kernel on sim", () => {
  let kernel: WebAssembly.Module;
  let user: WebAssembly.Module;

  beforeAll(async () => {
    const outcome = await buildArtifacts();
    if (outcome.kind === "refused") throw new Error(`${outcome.step}: ${outcome.lines.join("; ")}`);
    kernel = await WebAssembly.compile(await readFile(outcome.artifacts.kernelSim));
    user = await WebAssembly.compile(await readFile(outcome.artifacts.userSim));
  });

  function boot(options: SimOptions & { readonly seed?: number }): MachineRun {
    return bootSim({ kernel, user, seed: 1, ...options });
  }

  async function messageFor(options: SimOptions): Promise<string> {
    return verdictMessage((await prove(boot(options), options.harts)).verdict);
  }

  test.each([1, 2, 3, 8, 64])("kernel: sim, five seeds: the whole ladder (harts=%i)", async (harts) => {
    for (let seed = 1; seed <= 5; seed += 1) {
      const { verdict } = await prove(boot({ harts, seed }), harts);
      expect(verdictMessage(verdict), `seed ${seed}`).toBe("passed");
    }
  });

  test("kernel: sim with the SSWI device: taken and said, and the whole ladder", async () => {
    expect(verdictMessage((await prove(boot({ harts: 2, sswi: true }), 2, SSWI)).verdict)).toBe("passed");
  });

  test("kernel: sim, hart ids with gaps, booted on the last: the whole ladder", async () => {
    expect(await messageFor({ harts: 3, hartIds: [4, 9, 2], bootHart: 2 })).toBe("passed");
  });

  test("kernel: sim, one seed: one output, byte for byte; another seed, another order", async () => {
    const [first, again, other] = await Promise.all([
      prove(boot({ harts: 4, seed: 3 }), 4),
      prove(boot({ harts: 4, seed: 3 }), 4),
      prove(boot({ harts: 4, seed: 4 }), 4),
    ]);
    expect(again.console).toEqual(first.console);
    expect(other.console).not.toEqual(first.console);
  });

  test.each<[string, SimOptions, RegExp]>([
    ["a hart that never comes up", { harts: 2, faults: { neverStarts: [1] } }, /^failed: /],
    [
      "a start that the firmware refuses",
      { harts: 2, faults: { startErrors: [{ hart: 1, error: -1 }] } },
      /hart 1 did not start \(error -1\)/,
    ],
    ["no hart state management", { harts: 2, faults: { noHsm: true } }, /^failed: .*did not start/],
    ["sends to a hart that fail", { harts: 2, faults: { failedSends: [{ hart: 1 }] } }, /^failed: /],
  ])("kernel: sim with %s: red, by name", async (_, options, reason) => {
    expect(await messageFor(options)).toMatch(reason);
  });

  test("kernel: sim with spurious S_SOFT: still the whole ladder, and all of the summary", async () => {
    const spuriousSoft = [300, 900, 2700].flatMap((step) => [0, 1].map((hart) => ({ hart, step })));
    expect(await messageFor({ harts: 2, faults: { spuriousSoft } })).toBe("passed");
  });

  test("kernel: sim with a poisoned tp: the whole ladder, and red by its fallbacks", async () => {
    const { verdict, reached, expected } = await prove(
      boot({ harts: 2, faults: { poisonedPointers: [{ hart: 1, value: 0x5a5an }] } }),
      2,
    );
    expect(reached).toEqual(expected);
    expect(verdictMessage(verdict)).toMatch(/^failed: cpu1 took its identity from a fallback \d+ times$/);
  });

  test("gate: a real console without the evidence before a marker: red at that marker, each of them", async () => {
    const { console, expected } = await prove(boot({ harts: 2 }), 2);
    // These two rest on what was reported before an earlier marker.
    const late = ["smp online", "offline_cpu", "above_bound"];
    for (const marker of expected.filter((one) => !late.some((missing) => one.includes(missing)))) {
      const at = console.indexOf(marker);
      const from = console.slice(0, at).findLastIndex((line) => line.startsWith("KSELFTEST:"));
      const gate = new Gate({ machine: "sim", harts: 2, ipi: FIRMWARE, untilMarker: true });
      const stub = console.filter((line, index) => !(index > from && index < at && line.startsWith("EVIDENCE:")));
      for (const line of stub) if (!gate.isDecided) gate.feed(line);
      expect(verdictMessage(gate.conclude({ kind: "stopped" }))).toContain(`"${marker}" without its evidence`);
    }
  });
});

const tools = (await findQemu()) !== undefined && (await findCompiler()) !== undefined;

describe.skipIf(!tools)("the kernel on virt", () => {
  let elf = "";

  beforeAll(async () => {
    const outcome = await buildElf();
    if (outcome.kind === "missing-compiler") throw new Error(outcome.message);
    if (outcome.kind === "refused") throw new Error(`${outcome.step}: ${outcome.lines.join("; ")}`);
    elf = outcome.elf;
  });

  test.each([1, 2, 4])("kernel: virt, parallel harts: the whole ladder (harts=%i)", async (harts) => {
    expect(verdictMessage((await prove(bootVirt({ elf, harts }), harts, FIRMWARE, "virt")).verdict)).toBe("passed");
  });

  test("kernel: virt with the SSWI device: taken and said, and the whole ladder", async () => {
    const report = await prove(bootVirt({ elf, harts: 2, aclint: true }), 2, SSWI, "virt");
    expect(verdictMessage(report.verdict)).toBe("passed");
  });

  test("kernel: virt with more harts than CPUs: the BOOT line has both numbers", async () => {
    const run = bootVirt({ elf, harts: CPUS_MAX + 2 });
    let boot = "";
    for await (const line of run.lines) {
      if (!line.startsWith(BOOT_PREFIX)) continue;
      boot = line;
      run.stop();
    }
    expect(boot).toMatch(/^BOOT: harts=66 cpus=64 /);
  });

  test("kernel: virt with -icount, twice: the same console, byte for byte", async () => {
    const first = await prove(bootVirt({ elf, harts: 2, icount: true }), 2, FIRMWARE, "virt");
    const again = await prove(bootVirt({ elf, harts: 2, icount: true }), 2, FIRMWARE, "virt");
    expect(verdictMessage(first.verdict)).toBe("passed");
    expect(again.console).toEqual(first.console);
  });
});
