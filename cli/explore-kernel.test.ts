import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { shippedParts } from "../verify/scenarios/suite-run.ts";
import { kernel } from "../verify/breaks/break.ts";
import { brokenKernel } from "../verify/breaks/patch.ts";
import { breakNamed } from "../verify/breaks/table.ts";
import { select } from "../verify/scenarios/suite.ts";
import { buildArtifacts } from "../toolchain/build.ts";
import { bundleCommand } from "./testing/command-bundle.ts";
import { interruptAt } from "./testing/interrupt.ts";

let command: string;
let folder: string;

const run = (args: string) => {
  const env = { ...process.env, NO_COLOR: "1" };
  return spawnSync(process.execPath, [command, ...args.split(" ")], { encoding: "utf8", cwd: folder, env });
};
/** Where a package that carries its artifacts has them. */
const artifact = (name: string): string => join(folder, "command", "build", name);

beforeAll(async () => {
  ({ command, folder } = await bundleCommand());
  const outcome = await shippedParts();
  if (outcome.kind !== "ready") throw new Error(outcome.lines.join("\n"));
  mkdirSync(join(folder, "command", "build"));
  writeFileSync(artifact("kernel.wasm"), outcome.parts.kernel);
  writeFileSync(artifact("scenarios.wasm"), outcome.parts.harness);
  copyFileSync(outcome.parts.maps?.harness ?? "", artifact("scenarios.wasm.map"));
});

function scenarioOf(name: string) {
  const selection = select([name]);
  if (selection.kind !== "selected" || selection.scenarios[0] === undefined) throw new Error(`no scenario ${name}`);
  return selection.scenarios[0];
}

describe("hartbeat explore --kernel", () => {
  test("scenarios by name: a line each, the clauses they cover, certificates kept, exit code 0", () => {
    const { status, stdout } = run("explore --kernel no-victim identity --fast --clauses --workers 2");
    expect(status).toBe(0);
    expect(stdout).toMatch(/^✓ no-victim +4 harts +\d+ states .* S5 S3$/m);
    expect(stdout).toMatch(/^ {2}S5 {2}✓ .* no-victim$/m);
    expect(stdout).not.toMatch(/^ {2}Q2 /m);
    expect(stdout).toContain("passed: 2 of 2 scenarios");
    const kept = /^certificates: (.*)$/m.exec(stdout)?.[1] ?? "";
    const certificate = JSON.parse(readFileSync(join(folder, kept, "no-victim.fast.json"), "utf8"));
    const page = readFileSync(join(folder, kept, "no-victim.fast.html"), "utf8");
    expect(page).toContain(certificate.kernel.sha256);
    expect(page).toContain("S5, S3");
  });

  test("a kernel with a planted fault: exit code 1, and the last line replays it; its clauses are covered by nothing", async () => {
    const scenario = scenarioOf("no-victim");
    const [fault] = scenario.faults;
    if (fault === undefined) throw new Error("no fault is planted there");
    const shipped = readFileSync(artifact("kernel.wasm"));
    const faulty = await brokenKernel(breakNamed(fault.break).edits, "optimized");
    writeFileSync(artifact("kernel.wasm"), faulty.wasm);
    writeFileSync(artifact("kernel.wasm.map"), faulty.sourceMap);
    const { status, stdout } = run("explore --kernel no-victim --clauses");
    const json = run("explore --kernel no-victim --json");
    writeFileSync(artifact("kernel.wasm"), shipped);
    expect(status).toBe(1);
    expect(stdout).toMatch(/^✗ no-victim/m);
    expect(stdout).toContain("passed: 0 of 1 scenarios");
    expect(stdout).toMatch(/^ {2}S5 {2}\? not explored: npx hartbeat explore --kernel no-victim$/m);
    const last = stdout.trimEnd().split("\n").at(-1) ?? "";
    expect(last).toMatch(/^npx hartbeat replay \.hartbeat\/runs\/.*\/no-victim\.counterexample\.json$/);
    const again = run(last.replace("npx hartbeat ", ""));
    expect(again.status).toBe(1);
    expect(stdout).toContain(again.stdout);
    // Each step of the kernel's has its line: the same from the process that found it, replayed, and step by step.
    const lineOf = (text: string): string[] =>
      [...text.matchAll(/ (\w[\w-]*\.ts:\d+)/g)].map(([, place = ""]) => place);
    expect(lineOf(again.stdout).some((place) => /^scheduler\.ts:\d+$/.test(place))).toBe(true);
    const steps = again.stdout.split("\n").filter((line) => /^ +\d+  /.test(line) && line.includes("[0x"));
    expect(lineOf(again.stdout).length).toBeGreaterThanOrEqual(steps.length);
    const stepped = spawnSync(process.execPath, [command, ...last.replace("npx hartbeat ", "").split(" "), "--step"], {
      encoding: "utf8",
      cwd: folder,
      input: "999\nq\n",
    });
    expect(stepped.stdout).toContain(again.stdout.trimEnd());
    const sources = [...readFileSync(join(folder, last.split(" ").at(-1) ?? ""), "utf8").matchAll(/"source": "(.*)"/g)];
    expect(sources.some(([, place]) => /(^|\/)kernel\/scheduler\.ts:\d+$/.test(place ?? ""))).toBe(true);
    const records = json.stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(records[0]).toMatchObject({ kind: "begun", format: "hartbeat-kernel-exploration", version: 3 });
    expect(records[1]).toMatchObject({ kind: "scenario", name: "no-victim", result: "violated" });
    expect(records[2]).toMatchObject({ kind: "ended", passed: 0, of: 1, clauses: {} });
  });

  test.each([
    ["explore --kernel nobody", /there is no scenario "nobody"; there are owner-thieves/],
    ["explore --kernel --fast --full", /exclude each other/],
    ["explore --kernel nobody --resume x", /leave the names, --fast and --full out/],
    ["explore --kernel --resume x", /suite\.json: there is no such file; --resume takes the folder of a run/],
    ["explore lock.wasm --thread f --operations", /--operations belongs to --kernel/],
    ["explore --kernel --thread f", /--thread belongs to a module/],
    ["explore --kernel --no-races", /--no-races belongs to a module/],
    ["explore lock.wasm --kernel", /leave lock\.wasm out/],
    ["explore lock.wasm --thread f --full", /--full belongs to --kernel/],
    ["explore", /name a module/],
  ])("%s: exit code 2, one line", (args, complaint) => {
    const { status, stdout, stderr } = run(args);
    expect(stderr).toMatch(complaint);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(status).toBe(2);
    expect(stdout).toBe("");
  });

  test("operations: the worst case of each, in the report, the certificate and its page", () => {
    const { status, stdout } = run("explore --kernel no-victim full-queue --operations");
    expect(status).toBe(0);
    expect(stdout).toMatch(/^operation +accesses +at worst in$/m);
    const reported = Number(/^ {2}stealFrom +(\d+) {2}no-victim$/m.exec(stdout)?.[1]);
    const kept = /^certificates: (.*)$/m.exec(stdout)?.[1] ?? "";
    const certificate = JSON.parse(readFileSync(join(folder, kept, "no-victim.fast.json"), "utf8"));
    expect(certificate.operations.costs).toContainEqual({ operation: "stealFrom", accesses: reported });
    expect(readFileSync(join(folder, kept, "no-victim.fast.html"), "utf8")).toContain(`stealFrom ${reported}`);
    const records = run("explore --kernel no-victim --operations --json").stdout.trimEnd().split("\n");
    expect(JSON.parse(records[1] ?? "")).toMatchObject({ kind: "scenario", operations: { kind: "measured" } });
  });

  test("operations: one that goes round without end: exit code 1, the operation and the loop", async () => {
    const shipped = readFileSync(artifact("kernel.wasm"));
    const { wasm, sourceMap } = await brokenKernel(
      [
        // A waker waits until the other task sleeps.
        kernel(
          "sleep",
          "for (let i = 0; i < WAKES_MAX; i++) {",
          "while (!has(load64(address), Signal.Asleep)) {}\n  for (let i = 0; i < WAKES_MAX; i++) {",
        ),
      ],
      "optimized",
    );
    writeFileSync(artifact("kernel.wasm"), wasm);
    writeFileSync(artifact("kernel.wasm.map"), sourceMap);
    // No schedule has to wait for ever, so the search itself passes.
    const { status, stdout } = run("explore --kernel wake-against-sleep --operations");
    writeFileSync(artifact("kernel.wasm"), shipped);
    expect(stdout).toContain("passed: 1 of 1 scenarios");
    expect(stdout).toMatch(
      /^ {2}✗ wake-against-sleep: trap Wake goes round without end at \S+ \S*sleep\.ts:\d+: over 2000 atomic accesses$/m,
    );
    expect(status).toBe(1);
  });

  test("a package without the harness: exit code 3 and the line that names where to run it", () => {
    const harness = readFileSync(artifact("scenarios.wasm"));
    rmSync(artifact("scenarios.wasm"));
    const { status, stderr } = run("explore --kernel no-victim");
    writeFileSync(artifact("scenarios.wasm"), harness);
    expect(status).toBe(3);
    expect(stderr).toMatch(/^error: this package carries no scenarios; .*\n$/);
    expect(existsSync(artifact("scenarios.wasm"))).toBe(true);
  });
});

/** The states that a line of the report has, by scenario. */
function statesIn(stdout: string): Map<string, string> {
  return new Map(
    [...stdout.matchAll(/^[✓?] (\S+) .* harts +([\d,]+) states/gm)].map(([, name = "", states = ""]) => [name, states]),
  );
}

function statesOf(stdout: string, name: string): number {
  return Number(statesIn(stdout).get(name)?.replaceAll(",", ""));
}

const resumeIn = (stdout: string): string => (stdout.trimEnd().split("\n").at(-1) ?? "").replace("npx hartbeat ", "");

function transitionsIn(stdout: string): { readonly name: string; readonly transitions: number }[] {
  return [...stdout.matchAll(/^\S ([\w-]+) .* ([\d,]+) transitions/gm)].map(([, name = "", count = ""]) => ({
    name,
    transitions: Number(count.replaceAll(",", "")),
  }));
}

describe("a run that is stopped", () => {
  // With their evidence in the state: where it is left out, which of equal states is met first makes a few more or less.
  const NAMES = "coalesced-requests failed-send";

  test("a bound on transitions: incomplete, exit code 5; resumed to its end it has met as many states as in one go", () => {
    const whole = run(`explore --kernel ${NAMES}`);
    const [sooner, later] = transitionsIn(whole.stdout).toSorted((a, b) => a.transitions - b.transitions);
    if (!sooner || !later) throw new Error("two scenarios");
    const before = sooner.transitions - 1000;
    const first = run(`explore --kernel ${NAMES} --transitions ${before}`);
    expect(first.status).toBe(5);
    expect(first.stdout).toContain(`${later.name}: the bound on transitions was reached`);
    const resume = resumeIn(first.stdout);
    expect(resume).toMatch(/^explore --kernel --resume \.hartbeat\/runs\/[\w-]+$/);
    const between = Math.floor((sooner.transitions + later.transitions) / 2);
    const second = run(`${resume} --transitions ${between - before}`);
    expect(second.status).toBe(5);
    expect(second.stdout).toContain(`✓ ${sooner.name} `);
    const third = run(resumeIn(second.stdout));
    expect(third.status).toBe(0);
    expect(third.stdout).toContain("passed: 1 of 1 scenarios");
    expect(new Map([...statesIn(second.stdout), ...statesIn(third.stdout)])).toEqual(statesIn(whole.stdout));
    expect(run(resume)).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/there is no such file; --resume takes/),
    });
  });

  test("the table of states is full: exit code 5, and the last line has more memory", () => {
    const { status, stdout } = run("explore --kernel timer-against-waker --memory 1M");
    expect(status).toBe(5);
    expect(resumeIn(stdout)).toMatch(/--memory 2048K$/);
  });

  // Twelve million states: no machine meets them all while a signal is under way.
  const LONG = "two-refused --full";

  test.each([
    ["before its search", /0 of 1 done {2}two-refused$/],
    ["in the middle of its search", /two-refused (search|[\d.]+ %) .*states/],
  ])("Ctrl-C %s: exit code 130 and a last line that goes on from there", async (when, moment) => {
    const args = `explore --kernel ${LONG} --workers 2`;
    const { status, stdout, isInterrupted } = await interruptAt(moment, [command, ...args.split(" ")], folder);
    expect(isInterrupted).toBe(true);
    expect(status).toBe(130);
    expect(resumeIn(stdout)).toMatch(/^explore --kernel --resume \.hartbeat\/runs\/[\w-]+ --workers 2$/);
    const again = run(`${resumeIn(stdout)} --transitions 1000`);
    expect(again.status).toBe(5);
    expect(again.stdout).toContain("two-refused: the bound on transitions was reached");
    // Random walks go before the search; their states are not kept.
    if (when === "before its search") return;
    expect(statesOf(again.stdout, "two-refused")).toBeGreaterThan(statesOf(stdout, "two-refused"));
  });

  test("Ctrl-C when one of two has ended: it is reported, and only the other is left", async () => {
    const args = `explore --kernel no-victim ${LONG} --workers 2`;
    const ended = /1 of 2 done {2}two-refused/;
    const { status, stdout } = await interruptAt(ended, [command, ...args.split(" ")], folder);
    expect(status).toBe(130);
    expect(stdout).toMatch(/^✓ no-victim/m);
    expect(stdout).toContain("passed: 1 of 2 scenarios");
    const again = run(`${resumeIn(stdout)} --transitions 1000`);
    expect(again.stdout).not.toContain("no-victim");
    expect(again.stdout).toContain("passed: 0 of 1 scenarios");
  });

  test("another kernel than the one it began with: exit code 2, one line", async () => {
    const resume = resumeIn(run("explore --kernel no-victim --transitions 20").stdout);
    const [fault] = scenarioOf("no-victim").faults;
    if (fault === undefined) throw new Error("no fault is planted there");
    const shipped = readFileSync(artifact("kernel.wasm"));
    writeFileSync(artifact("kernel.wasm"), (await brokenKernel(breakNamed(fault.break).edits)).wasm);
    const { status, stderr } = run(resume);
    writeFileSync(artifact("kernel.wasm"), shipped);
    expect(stderr).toMatch(/^error: .*: it is about another kernel than today's; leave --resume out\n$/);
    expect(status).toBe(2);
  });
});

test("prove after explore: the clauses that were explored on this kernel, in every reporter", async () => {
  const built = await buildArtifacts();
  if (built.kind !== "built") throw new Error(built.lines.join("\n"));
  copyFileSync(built.artifacts.kernelSim, artifact("kernel.sim.wasm"));
  copyFileSync(built.artifacts.userSim, artifact("user.sim.wasm"));
  rmSync(join(folder, ".hartbeat", "certificates"), { recursive: true, force: true });
  const before = run("prove");
  expect(before.stdout).toMatch(
    /\n\nexplored: nothing of this kernel yet; npx hartbeat explore --kernel\npassed: .*\n$/,
  );
  run("explore --kernel no-victim --fast");
  const after = run("prove --reporter list,json=out.json,junit=out.xml");
  expect(after.status).toBe(0);
  expect(after.stdout).toMatch(/^ {2}S5 {2}✓ .* no-victim$/m);
  expect(after.stdout).toMatch(/^ {2}Q2 {2}\? not explored: npx hartbeat explore --kernel (.* )?full-queue( |$)/m);
  expect(after.stdout).toMatch(/^ {2}Q4 {2}✓ .* must-use gate$/m);
  expect(after.stdout).toMatch(/^explored: 1 of \d+ scenarios/m);
  const records = readFileSync(join(folder, "out.json"), "utf8").trimEnd().split("\n");
  const covered = records.map((line) => JSON.parse(line)).find(({ kind }) => kind === "covered");
  expect(covered.clauses.find(({ clause }: { clause: string }) => clause === "S5")).toMatchObject({
    explored: [{ name: "no-victim", tier: "fast" }],
  });
  expect(readFileSync(join(folder, "out.xml"), "utf8")).toMatch(
    /name="clause S5" value="no-victim \(fast, \d+ states\);/,
  );
});
