import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { HART_FORM, HART_PREFIX, RESCHED_FORM, RESCHED_PREFIX } from "../abi/markers.ts";
import { PowerOff } from "../abi/results.ts";
import { formLine } from "../proof/testing/honest-console.ts";
import { checkConsistency } from "../trace/consistency.ts";
import { parseMetrics } from "../trace/metrics/metrics-file.ts";
import { parseTrace } from "../trace/trace-file.ts";
import type { PhaseTable } from "../workload/phase-table.ts";
import { correctWorkload, malformedWorkload } from "../workload/testing/malformed.ts";
import { main } from "./main.ts";
import { captureOutput, workInOwnFolder } from "./testing/captured-command.ts";
import type { FakeRun } from "./testing/fake-console.ts";
import { endedConsole, fakeWorkloads } from "./testing/fake-workload.ts";

const output = captureOutput();
workInOwnFolder("run");

const PASSED = { kind: "powered-off", result: PowerOff.Passed } as const;
const ended = (table: PhaseTable): FakeRun => ({ lines: endedConsole(table), ending: PASSED });

/** Runs the command on a workload of that text. */
async function run(text: string, args = "", play: (table: PhaseTable) => FakeRun = ended): Promise<number> {
  writeFileSync("load.json", text);
  const { open } = fakeWorkloads(play);
  const argv = ["run", "load.json", ...args.split(" ").filter((part) => part !== "")];
  return main(argv, undefined, undefined, undefined, open);
}

const TWO = `{"tasks": {"a": {"instance": 2, "policy": "SCHED_FIFO", "loop": 3, "run": 5}, "b": {"loop": 3, "sleep": 10}}}`;

test("run: all tasks end as they should: exit code 0 and a table in the order of the workload", async () => {
  expect(await run(TWO)).toBe(0);
  expect(output.out.split("\n")).toEqual([
    "task  class      runs  wakes  steals  migrations  end   loops  phases  late",
    "a-0   PerfBurst     5      3       1           2  done      3       4     0",
    "a-1   PerfBurst     5      3       1           2  done      3       4     1",
    "b     Normal        5      3       1           2  done      3       4     2",
    "",
  ]);
  expect(output.err).toBe("");
});

test("run: --json: one object with a version, its tasks under their names", async () => {
  expect(await run(TWO, "--json --duration 2s")).toBe(0);
  const report: unknown = JSON.parse(output.out);
  expect(report).toMatchObject({
    version: 1,
    durationMillis: 2000,
    tasks: [{ task: "a-0" }, { task: "a-1" }, { task: "b" }],
  });
});

test.each([
  [
    "a task that faulted",
    (lines: string[]) =>
      lines
        .filter((line) => !line.includes("row=2"))
        .map((line) =>
          line.replace(/(id=1026 .*)end=exit code=0 fault-address=0/, "$1end=fault code=0 fault-address=4096"),
        ),
    PASSED,
    "1 of 3 tasks did not end as they should: the first by a fault at 4096",
  ],
  [
    "a task with another code",
    (lines: string[]) => lines.map((line) => line.replace(/(id=1025 .*)code=0/, "$1code=2")),
    PASSED,
    "1 of 3 tasks did not end as they should: the first by code 2",
  ],
  [
    "a task that the kernel does not report",
    (lines: string[]) => lines.filter((line) => !line.startsWith("TASK: id=1024")),
    PASSED,
    "the kernel reports 2 of 3 tasks",
  ],
  [
    "a failure of the kernel's own",
    (lines: string[]) => [...lines, "KSELFTEST: FAIL the task table's row 2 is refused"],
    { kind: "powered-off", result: PowerOff.Failed } as const,
    "KSELFTEST: FAIL the task table's row 2 is refused",
  ],
  [
    "a deadlock",
    (lines: string[]) => lines,
    { kind: "deadlocked", reason: "nothing moves" } as const,
    "deadlock: nothing moves",
  ],
])("run: %s: exit code 1 and the reason", async (_, change, ending, reason) => {
  expect(await run(TWO, "", (table) => ({ lines: change(endedConsole(table)), ending }))).toBe(1);
  expect(output.err).toBe(`${reason}\n`);
});

test("run: keys without effect: one line names them, --remarks explains each at its line", async () => {
  const text = `{"tasks": {"a": {"run": 1}},\n"global": {"calibration": 7,\n"gnuplot": true}}`;
  expect(await run(text)).toBe(0);
  expect(output.err.trimEnd().split("\n")).toHaveLength(1);
  expect(output.err).toContain("calibration, gnuplot");
  output.err = "";
  expect(await run(text, "--remarks")).toBe(0);
  expect(output.err.split("\n").map((line) => line.split(": ")[0])).toEqual(["load.json:2", "load.json:3", ""]);
});

test.each([
  ["--duration soon", /such as 90s/],
  ["--machine virt --seed 3", /--seed belongs to --machine sim/],
  ["--machine virt --elf x.elf", /--elf belongs to boot/],
  ["--smp 0", /no number of harts/],
])("run: %s: exit code 2 and one line", async (args, message) => {
  expect(await run(TWO, args)).toBe(2);
  expect(output.err.trimEnd().split("\n")).toHaveLength(1);
  expect(output.err).toMatch(message);
});

test("run: a machine that hangs until the time-out: exit code 1, and what has been seen", async () => {
  const hanging = (table: PhaseTable): FakeRun => ({ lines: endedConsole(table).slice(0, 3), ending: "never" });
  expect(await run(TWO, "--timeout 5ms", hanging)).toBe(1);
  expect(output.err).toBe("the time-out came before the workload's end\n");
});

test("run: a file that is not there: exit code 2 and one line", async () => {
  expect(await main(["run", "nowhere.json"], undefined, undefined, undefined, fakeWorkloads(ended).open)).toBe(2);
  expect(output.err).toBe("error: nowhere.json: there is no such file\n");
});

test("run: several mistakes: a line each, with file, line and key; nothing boots", async () => {
  const { open, tables } = fakeWorkloads(ended);
  writeFileSync("load.json", `{"tasks": {"a": {"run": "x",\n"mem": 1,\n"cpus": [70]}}}`);
  expect(await main(["run", "load.json"], undefined, undefined, undefined, open)).toBe(2);
  expect(
    output.err
      .trimEnd()
      .split("\n")
      .map((line) => /^error: load\.json:\d: [\w.]+: /.exec(line)?.[0]),
  ).toEqual([
    "error: load.json:1: tasks.a.run: ",
    "error: load.json:2: tasks.a.mem: ",
    "error: load.json:3: tasks.a.cpus: ",
  ]);
  expect(tables).toEqual([]);
});

const SEED = 64_011;
test(`run: fifty malformed workloads: exit code 2 and one line each (seed ${SEED})`, async () => {
  expect(await run(correctWorkload)).toBe(0);
  for (let n = 0; n < 50; n++) {
    const { text, line, about } = malformedWorkload(SEED, n);
    output.err = "";
    expect(await run(text), `${n}: ${about}`).toBe(2);
    expect(output.err.trimEnd().split("\n"), `${n}: ${about}`).toHaveLength(1);
    expect(output.err, `${n}: ${about}`).toMatch(new RegExp(`^error: load\\.json:${line}: .`));
  }
});

test("run: on sim, observed: metrics with the tasks' names, a trace that holds, and the monitors silent", async () => {
  writeFileSync(
    "load.json",
    `{"tasks": {"beat": {"loop": 5, "run": 200, "timer": {"ref": "t", "period": 2000}}, "b": {"run": 900}}}`,
  );
  expect(await main(["run", "load.json", "--smp", "2", "--duration", "1s", "--metrics", "--trace", "t.jsonl"])).toBe(0);
  expect(output.out).toMatch(/^task \d+ beat +\d/m);
  expect(output.out).toMatch(/^response in µs/m);
  const read = parseTrace(readFileSync("t.jsonl", "utf8"));
  if (read.kind !== "read") throw new Error("no trace");
  expect(read.trace.header).toMatchObject({ machine: "sim", cpus: 2, title: "load.json" });
  const infos = read.trace.events.filter(({ kind }) => kind === "task-info");
  expect(infos).toMatchObject([{ name: "beat", periodTicks: 2000 }, { name: "b" }]);
  expect(checkConsistency(read.trace)).toEqual({ kind: "consistent" });
});

test("run: --runs and --output: a seed each, and metrics that differ by it", async () => {
  writeFileSync("load.json", `{"tasks": {"a": {"instance": 3, "loop": 9, "run": 300, "sleep": 100}}}`);
  expect(await main(["run", "load.json", "--smp", "2", "--seed", "4", "--runs", "2", "--output", "new/runs"])).toBe(0);
  expect(output.out).toBe("2 runs, each as it should be\n");
  const seeds = ["run-0001", "run-0002"].map((name) => {
    const read = parseMetrics(readFileSync(`new/runs/${name}.json`, "utf8"));
    return read.kind === "read" ? read.metrics.seed : null;
  });
  expect(seeds).toEqual([4, 5]);
});

test("run: events that do not add up to the kernel's counters: exit code 1, unless --no-check", async () => {
  writeFileSync("load.json", TWO);
  const hart = formLine(HART_PREFIX, HART_FORM, [0, 0, 3, 0, 0, 0, 3, 0, 0, 50]);
  const resched = formLine(RESCHED_PREFIX, RESCHED_FORM, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  const play = (table: PhaseTable): FakeRun => ({
    lines: endedConsole(table).toSpliced(-1, 0, hart, resched),
    ending: PASSED,
  });
  const { open } = fakeWorkloads(play, []);
  const argv = ["run", "load.json", "--smp", "1"];
  expect(await main(argv, undefined, undefined, undefined, open)).toBe(1);
  expect(output.err).toContain("DIFFERENT: cpu0 picks: 0 by the events, 3 by the kernel's count");
  expect(await main([...argv, "--no-check"], undefined, undefined, undefined, open)).toBe(0);
});

test.each([
  ["--runs 0", /no number of runs/],
  ["--json --metrics", /--json and --metrics exclude each other/],
  ["--runs 1e3", /no number of runs/],
  ["--runs 2 --metrics", /are of one run: give --output/],
  ["--runs 2 --trace t.jsonl", /are of one run/],
  ["--runs 2 --json", /are of one run/],
  ["--machine virt --metrics", /belong to --machine sim/],
])("run: %s: exit code 2 and one line", async (args, message) => {
  expect(await run(TWO, args)).toBe(2);
  expect(output.err.trimEnd().split("\n")).toHaveLength(1);
  expect(output.err).toMatch(message);
});

test("run: --output below a file: exit code 2 and one line, before anything runs", async () => {
  writeFileSync("load.json", TWO);
  const { open } = fakeWorkloads(() => expect.unreachable(), []);
  expect(await main(["run", "load.json", "--output", "load.json/x"], undefined, undefined, undefined, open)).toBe(2);
  expect(output.err).toBe("error: load.json/x: this folder cannot be made (ENOTDIR)\n");
});
