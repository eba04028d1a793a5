// The gate over consoles of the kernel itself, each changed in one place: red, or listed here as immaterial.

import { readFile } from "node:fs/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { PowerOff } from "../abi/results.ts";
import { bootSim } from "../machines/sim/machine-boot.ts";
import type { MachineRun } from "../machines/machine-run.ts";
import { bootVirt } from "../machines/virt/machine-boot.ts";
import { findQemu } from "../machines/virt/qemu.ts";
import { buildArtifacts, buildElf } from "../toolchain/build.ts";
import { findCompiler } from "../toolchain/gcc.ts";
import { Gate, type GateOptions } from "./gate.ts";
import { verdictMessage } from "./proof-event.ts";
import { type ConsoleMutant, mutantsOf } from "./testing/console-mutants.ts";
import type { Verdict } from "./verdict.ts";

/** Changes that may pass, each with its reason. Whatever else passes fails the test. */
const IMMATERIAL: readonly { readonly reason: string; readonly covers: (mutant: ConsoleMutant) => boolean }[] = [
  {
    reason: "user tasks run on several harts at once, so their lines come in any order",
    covers: ({ kind, was, is }) => kind === "exchanged" && isUserLine(was) && isUserLine(is),
  },
  {
    reason: "how long a hart waited is time, which no two runs share; it is bounded to 0 to 100",
    covers: ({ field, is }) => field === "idle-percent" && /idle-percent=(\d|[1-9]\d|100)$/.test(is),
  },
  {
    reason: "where a task ran that moved between its two calls is known to the task alone; it is one of the CPUs",
    covers: ({ was, is }) => / asked from cpu\d+ /.test(was) && / asked from cpu\d+ for a spawn: /.test(is),
  },
];

const isUserLine = (line: string): boolean => /^\[\d+\] /.test(line);

type Options = Omit<GateOptions, "untilMarker">;

function judge(lines: readonly string[], options: Options): Verdict {
  const gate = new Gate({ ...options, untilMarker: false });
  for (const line of lines) {
    gate.feed(line);
    if (gate.isDecided) break;
  }
  return gate.conclude({ kind: "powered-off", result: PowerOff.Passed });
}

/** The kernel's part of a console: before it stands the firmware's, which is nobody's claim. */
async function kernelLines(run: MachineRun): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of run.lines) lines.push(line);
  return lines.slice(lines.findIndex((line) => line.startsWith("BOOT: ")));
}

/** Checks every mutant; hands back how many there were, and how many of those that passed each reason covers. */
function mutate(lines: readonly string[], options: Options): { readonly mutants: number; readonly passed: number[] } {
  expect(verdictMessage(judge(lines, options))).toBe("passed");
  const passed = IMMATERIAL.map(() => 0);
  const survivors: string[] = [];
  let mutants = 0;
  // A petitioner that moved is the only one whose CPU is not known.
  const moved = new Set(lines.flatMap((line) => /^TASK: id=(\d+) program=7 .* migrations=[1-9]/.exec(line)?.[1] ?? []));
  for (const mutant of mutantsOf(lines)) {
    mutants += 1;
    if (judge(mutant.lines, options).kind !== "passed") continue;
    const at = IMMATERIAL.findIndex(({ covers }) => covers(mutant));
    const id = /^\[(\d+)\]/.exec(mutant.was)?.[1];
    const isKnown = at === 2 && !moved.has(id ?? "");
    if (at < 0 || isKnown) survivors.push(mutant.title);
    else passed[at] = (passed[at] ?? 0) + 1;
  }
  expect(survivors).toEqual([]);
  return { mutants, passed };
}

describe("consoles of sim", () => {
  let kernel: WebAssembly.Module;
  let user: WebAssembly.Module;

  beforeAll(async () => {
    const outcome = await buildArtifacts();
    if (outcome.kind === "refused") throw new Error(`${outcome.step}: ${outcome.lines.join("; ")}`);
    kernel = await WebAssembly.compile(await readFile(outcome.artifacts.kernelSim));
    user = await WebAssembly.compile(await readFile(outcome.artifacts.userSim));
  });

  const boot = (harts: number, sswi: boolean): Promise<string[]> =>
    kernelLines(bootSim({ kernel, user, seed: 1, harts, sswi }));

  test.each([
    { harts: 1, sswi: false, least: 800 },
    { harts: 2, sswi: false, least: 1500 },
    { harts: 2, sswi: true, least: 1500 },
    { harts: 4, sswi: false, least: 1700 },
  ])(
    "gate: a console of sim, changed in one place: red, or immaterial by the table (harts=$harts, sswi=$sswi)",
    async ({ harts, sswi, least }) => {
      const ipi = sswi ? "aclint-sswi" : "firmware";
      const { mutants, passed } = mutate(await boot(harts, sswi), { machine: "sim", harts, ipi });
      expect(mutants).toBeGreaterThan(least);
      // The table holds only what was seen to pass.
      expect(passed[0]).toBeGreaterThan(0);
      expect(passed[1]).toBeGreaterThan(0);
    },
    120_000,
  );

  test.each<[string, RegExp, (lines: readonly string[]) => readonly string[]]>([
    [
      "all intruders end with code 100",
      /task 10\d\d \(Intruder\) has end=exit, not fault/,
      (lines) => lines.map((line) => line.replace(/(program=6 .*) end=.*/, "$1 end=exit code=100 fault-address=0")),
    ],
    [
      "all tasks killed with code 1",
      /has end=killed, not exit/,
      (lines) => lines.map((line) => line.replace(/ end=\w+ code=\d+/, " end=killed code=1")),
    ],
    ["no TASK line", /line follows a user line/, (lines) => lines.filter((line) => !line.startsWith("TASK: "))],
    ["no HART line", /line follows a tasks line/, (lines) => lines.filter((line) => !line.startsWith("HART: "))],
    [
      "neither TASK nor HART nor any other line of the summary",
      /a result line follows a user line/,
      (lines) => lines.filter((line) => !/^(TASK|TASKS|HART|RESCHED): /.test(line)),
    ],
    [
      "fallbacks=4711",
      /took its identity from a fallback 4711 times/,
      (lines) => lines.map((line) => line.replace("fallbacks=0", "fallbacks=4711")),
    ],
    ["acked=0", /acknowledged 0 of \d+ traps/, (lines) => lines.map((line) => line.replace(/ acked=\d+/, " acked=0"))],
    [
      "acked-to=0 on every CPU",
      /acknowledged request 0 last, and request \d+ was accepted last/,
      (lines) => lines.map((line) => line.replace(/ acked-to=\d+/, " acked-to=0")),
    ],
    ["no user line", /wrote nothing/, (lines) => lines.filter((line) => !isUserLine(line))],
  ])("gate: %s: red", async (_, message, spoil) => {
    const spoilt = spoil(await boot(2, false));
    expect(verdictMessage(judge(spoilt, { machine: "sim", harts: 2, ipi: "firmware" }))).toMatch(message);
  });

  test.each([
    "RESULT: passed",
    "KSELFTEST: work stealing ok",
    "TASK: id=1",
    "HART: cpu=0",
    "PANIC: cpu=0",
    "EVIDENCE: of=cpu1 n=25 by=cpu0 accepted request=6 detail=0",
    "KSELFTEST: FAIL x",
  ])("gate: a task writes %s: a user's line, which nobody expects; with a line end in it: red", async (forged) => {
    const lines = await boot(2, false);
    const options: Options = { machine: "sim", harts: 2, ipi: "firmware" };
    const at = lines.findIndex(isUserLine);
    const id = /^\[\d+\]/.exec(lines[at] ?? "")?.[0];
    const inserted = (...more: readonly string[]): Verdict => judge(lines.toSpliced(at, 0, ...more), options);
    expect(verdictMessage(inserted(`${id} ${forged}`))).toContain(`wrote "${forged}"`);
    for (const end of ["\n", "\r", "\r\n", "\u001b[2K", "\u0000", "\u0085", "\u2028"]) {
      expect(inserted(`${id} x${end}${forged}`).kind, JSON.stringify(end)).toBe("failed");
    }
    // What a line end that was let through makes of it on virt.
    expect(inserted(`${id} x`, forged).kind).toBe("failed");
  });
});

const tools = (await findQemu()) !== undefined && (await findCompiler()) !== undefined;

describe.skipIf(!tools)("consoles of virt", () => {
  test("gate: a console of virt, changed in one place: red, or immaterial by the table (harts=2)", async () => {
    const built = await buildElf();
    if (built.kind !== "built") throw new Error("no image");
    const lines = await kernelLines(bootVirt({ elf: built.elf, harts: 2 }));
    const { mutants } = mutate(lines, { machine: "virt", harts: 2, ipi: "firmware" });
    expect(mutants).toBeGreaterThan(1500);
  });
});
