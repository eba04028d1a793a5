import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { PowerOff } from "../abi/results.ts";
import { findQemu } from "../machines/virt/qemu.ts";
import { honestConsole } from "../proof/testing/honest-console.ts";
import { main } from "./main.ts";
import { type FakeRun, fakeMachines } from "./testing/fake-console.ts";
import { captureOutput, workInOwnFolder } from "./testing/captured-command.ts";

const output = captureOutput();
const folder = workInOwnFolder("cli");

beforeEach(() => {
  vi.stubEnv("REQUIRE_SMP", undefined);
  vi.spyOn(process, "cwd").mockReturnValue(folder());
});

function green(harts: number): FakeRun {
  return { lines: honestConsole(harts), ending: { kind: "powered-off", result: PowerOff.Passed } };
}

function without(run: FakeRun, marker: string): FakeRun {
  return { ...run, lines: run.lines.filter((line) => line !== marker) };
}

const RESCHED = "KSELFTEST: ipi resched ok";

/** Runs the command on machines that are green unless `play` gives another. */
async function command(
  args: string,
  play: (harts: number, boot: number, machine: "sim" | "virt") => FakeRun = green,
): Promise<number> {
  const machines = fakeMachines((spec, boot) => play(spec.harts, boot, spec.kind));
  return main(args.split(" "), machines.open);
}

describe("usage errors", () => {
  test.each([
    ["prove --smp 0", /"0" is no number of harts: the kernel runs on 1 to 64/],
    ["prove --smp 65", /"65" is no number of harts/],
    ["prove --smp 2,x", /"x" is no number of harts/],
    ["prove --smp 1 --require-smp", /SMP is required/],
    ["prove --frobnicate", /unknown option '--frobnicate'/],
    ["prove --machine real", /Allowed choices are sim, virt/],
    ["prove --machine virt --seed 1", /--seed belongs to --machine sim/],
    ["prove --machine virt --seeds 2", /--seeds belongs to --machine sim/],
    ["prove --icount", /--icount belongs to --machine virt/],
    ["prove --timeout soon", /such as 90s/],
    ["prove --boots 0", /at least 1/],
    ["prove --reporter pdf", /choose from list, json and junit/],
    ["boot --smp 1,2", /"1,2" is no number of harts/],
    ["frobnicate", /unknown command/],
  ])("hartbeat: %s: exit code 2 and one line with the reason", async (args, message) => {
    expect(await command(args)).toBe(2);
    expect(output.err).toMatch(message);
    expect(output.err.trimEnd().split("\n")).toHaveLength(1);
    expect(output.out).toBe("");
  });

  test("hartbeat prove: REQUIRE_SMP=1 in the environment with one hart: exit code 2", async () => {
    vi.stubEnv("REQUIRE_SMP", "1");
    expect(await command("prove --smp 1")).toBe(2);
    expect(await command("prove --smp 2")).toBe(0);
  });
});

describe("hartbeat prove", () => {
  test("green run: exit code 0, the ladder in order and the summary", async () => {
    expect(await command("prove --smp 2")).toBe(0);
    const ladder = output.out.split("\n").filter((line) => line.includes("✓"));
    expect(ladder).toHaveLength(9);
    expect(ladder[0]).toContain("KINIT: cpu1 online");
    expect(output.out).toMatch(/harts\n\s+cpu\s+hart\s+picks/);
    expect(output.out).toMatch(/requests\n\s+cpu\s+accepted\s+sent/);
    expect(output.out.trimEnd().split("\n").at(-1)).toBe("passed: 1 of 1 run");
  });

  test("red run: exit code 1, the reason, the console kept, and the last line replays it", async () => {
    expect(await command("prove --smp 1,2 --seed 7", (harts) => without(green(harts), RESCHED))).toBe(1);
    expect(output.out).toContain(`marker out of order: "KSELFTEST: test_reject_invalid_ipi_target_cpu ok"`);
    expect(output.out.trimEnd().split("\n").at(-1)).toBe("npx hartbeat prove --machine sim --smp 2 --seed 7");
    const [session = ""] = readdirSync(join(folder(), ".hartbeat", "runs"));
    const kept = join(folder(), ".hartbeat", "runs", session, "sim-smp-2-seed-7");
    expect(readFileSync(join(kept, "console.log"), "utf8")).toContain("KSELFTEST: ipi counterfactual ok");
    expect(existsSync(join(kept, "evidence.txt"))).toBe(true);
  });

  test("a kernel that hangs: red by the time-out, with what is missing", async () => {
    const hung = (harts: number): FakeRun => ({ lines: honestConsole(harts).slice(0, 6), ending: "never" });
    expect(await command("prove --timeout 50ms", hung)).toBe(1);
    expect(output.out).toMatch(/time-out after 50ms/);
    expect(output.out).toMatch(/missing: "KSELFTEST: smp online ok" and 7 after it/);
  });

  test("until the marker: a run that hangs after it is green", async () => {
    const lines = honestConsole(2);
    const upToLast = lines.slice(0, lines.indexOf("KSELFTEST: test_reject_steal_higher_qos ok") + 1);
    expect(await command("prove --until-marker --timeout 5s", () => ({ lines: upToLast, ending: "never" }))).toBe(0);
    expect(await command("prove --timeout 50ms", () => ({ lines: upToLast, ending: "never" }))).toBe(1);
  });

  test("many runs: one line a machine size, silent but for the one that failed", async () => {
    const oneBad = (harts: number, boot: number): FakeRun =>
      boot === 13 ? without(green(harts), RESCHED) : green(harts);
    expect(await command("prove --smp 1,2 --seeds 10", oneBad)).toBe(1);
    expect(output.out).toMatch(/✓ sim smp=1\s+10 of 10 runs passed/);
    expect(output.out).toMatch(/✗ sim smp=2\s+9 of 10 runs passed/);
    expect(output.out.trimEnd().split("\n").at(-1)).toBe("npx hartbeat prove --machine sim --smp 2 --seed 3");
  });

  test("boots of one seed that differ: red, and the differing line named", async () => {
    const moody = (harts: number, boot = 1): FakeRun => {
      const run = green(harts);
      return { ...run, lines: run.lines.map((line) => line.replace(/idle-percent=\d+/, `idle-percent=${boot}`)) };
    };
    expect(await command("prove --boots 2", moody)).toBe(1);
    expect(output.out).toMatch(/the same run gave another console: line \d+ was "HART: cpu=1 .*idle-percent=1"/);
    expect(await command("prove --boots 2")).toBe(0);
    // Parallel harts do not repeat, so there nothing is compared.
    expect(await command("prove --machine virt --boots 2", moody)).toBe(0);
    expect(await command("prove --machine virt --icount --boots 2", moody)).toBe(1);
  });

  test("a machine that cannot begin: red with its reason", async () => {
    const open = async () => ({
      kind: "open" as const,
      kernel: null,
      start: () => {
        throw new Error("no such image");
      },
    });
    expect(await main(["prove"], open)).toBe(1);
    expect(output.out).toContain("no such image");
  });

  test("a missing tool: exit code 3 and the line that mends it", async () => {
    const message = "no qemu; mend it with: apt-get install qemu";
    expect(await main(["prove", "--machine", "virt"], async () => ({ kind: "missing-tool", message }))).toBe(3);
    expect(output.err).toBe(`error: ${message}\n`);
  });

  test("interrupted: exit code 130, reported at once", async () => {
    const interrupting = (): FakeRun => {
      setImmediate(() => process.emit("SIGINT"));
      return { lines: [], ending: "never" };
    };
    expect(await command("prove --timeout 20s", interrupting)).toBe(130);
    expect(output.err).toContain("interrupted: stopping");
  });

  test("a fault of ours: exit code 3, one line, no stack", async () => {
    expect(await main(["prove"], () => Promise.reject(new TypeError("x is undefined")))).toBe(3);
    expect(output.err.trimEnd().split("\n")).toHaveLength(1);
    expect(output.err).toContain("x is undefined");
  });
});

describe("reporters", () => {
  test("json: one object a line, versioned, with the verdict and the evidence", async () => {
    expect(await command("prove --json")).toBe(0);
    const records = output.out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(records[0]).toEqual({ kind: "begun", format: "hartbeat-proof", version: 3, runs: 1 });
    expect(records.filter((record) => record.kind === "marker")).toHaveLength(9);
    const ended = records.find((record) => record.kind === "run-ended");
    expect(ended).toMatchObject({
      verdict: "passed",
      missing: [],
      harts: [{ cpu: "1" }, { cpu: "0", "idle-percent": "12" }],
    });
    expect(records.at(-1)).toMatchObject({ kind: "ended", passed: 1, failed: 0, replay: null });
  });

  test("list,json,junit: list on stdout, the others in files that stderr names", async () => {
    const bad = (harts: number): FakeRun => ({ ...green(harts), lines: ["PANIC: cpu=0 reason=<a&b> detail=0x0"] });
    expect(await command("prove --reporter list,json,junit=out.xml", bad)).toBe(1);
    expect(output.out).toContain("the kernel panicked");
    const json = /json report: (.*)/.exec(output.err)?.[1] ?? "";
    expect(readFileSync(join(folder(), json), "utf8")).toContain('"verdict":"failed"');
    const xml = readFileSync(join(folder(), "out.xml"), "utf8");
    expect(xml).toContain('tests="1" failures="1" errors="0"');
    expect(xml).toContain("reason=&lt;a&amp;b&gt;");
  });
});

describe("hartbeat boot", () => {
  test("the console as it is, exit code by the power-off", async () => {
    expect(await command("boot --smp 2")).toBe(0);
    expect(output.out).toBe(`${honestConsole(2).join("\n")}\n`);
    const failed: FakeRun = { lines: ["x"], ending: { kind: "powered-off", result: PowerOff.Failed } };
    expect(await command("boot", () => failed)).toBe(1);
    expect(output.err).toContain("the machine powered off as failed");
  });

  test("a time-out: exit code 1", async () => {
    expect(await command("boot --timeout 30ms", () => ({ lines: [], ending: "never" }))).toBe(1);
    expect(output.err).toContain("time-out");
  });
});

describe("hartbeat doctor", () => {
  test("everything there or not, each is listed with what it is: exit code 3 where something is missing", async () => {
    vi.stubEnv("PATH", folder());
    expect(await main(["doctor"])).toBe(3);
    expect(output.out).toMatch(/✓ Node\.js +\d+\.\d+\.\d+/);
    expect(output.out).toMatch(/✗ QEMU +missing, needed for running virt: .*qemu/);
    expect(output.out).toMatch(/✗ RISC-V gcc +missing, needed for building virt's image: .*gcc/);
    expect(output.err).toMatch(/^error: missing: RISC-V gcc, QEMU, OpenSBI\n$/);
  });

  test("json: one versioned object a finding", async () => {
    vi.stubEnv("PATH", folder());
    await main(["doctor", "--json"]);
    const findings = output.out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(findings[0]).toMatchObject({ kind: "finding", format: "hartbeat-doctor", version: 1, name: "Node.js" });
    expect(findings.find((finding) => finding.name === "QEMU")).toMatchObject({ found: null });
  });
});

test.each(["prove", "boot"])("hartbeat %s: no QEMU: exit code 3 and the line that mends it", async (verb) => {
  vi.stubEnv("PATH", folder());
  expect(await main([verb, "--machine", "virt"])).toBe(3);
  expect(output.err).toMatch(/^error: no qemu-system-riscv64 on the PATH; mend it with: .*\n$/);
});

test.skipIf((await findQemu()) === undefined)(
  "hartbeat: an image that is cut short: exit code 2, one line",
  async () => {
    const cut = join(folder(), "cut.elf");
    writeFileSync(cut, Buffer.from("7f454c460201010000", "hex"));
    expect(await main(["boot", "--machine", "virt", "--elf", cut])).toBe(2);
    expect(output.err).toMatch(/^error: .*cut\.elf: .*\n$/);
    expect(await main(["boot", "--elf", cut])).toBe(2);
  },
);
