import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Qos } from "../abi/qos.ts";
import { compileWorkload } from "./phase-table.ts";
import { formatProblem } from "./problem.ts";
import { correctWorkload, malformedWorkload } from "./testing/malformed.ts";
import type { Workload } from "./workload-types.ts";
import { readWorkload } from "./workload-reader.ts";

function problemsOf(text: string): string[] {
  const reading = readWorkload(text);
  return reading.kind === "refused" ? reading.problems.map(formatProblem) : [];
}

function read(text: string): Workload {
  const reading = readWorkload(text);
  if (reading.kind === "refused") throw new Error(reading.problems.map(formatProblem).join("\n"));
  return reading.workload;
}

function eventsOf(text: string): unknown[] {
  return read(text).tasks.flatMap(({ phases }) => phases.flatMap(({ events }) => events.map(({ event }) => event)));
}

describe("reading", () => {
  test("workload: keys that repeat, with suffixes, comments and trailing commas: events keep their order", () => {
    const text = `{ // a comment
      "tasks": { "a": { "loop": 1, "run": 1, "sleep": 2, "run": 3, /* and */ "sleep_2": 4, "run1": 5, }, },
    }`;
    expect(eventsOf(text)).toEqual([
      { kind: "run", micros: 1 },
      { kind: "sleep", micros: 2 },
      { kind: "run", micros: 3 },
      { kind: "sleep", micros: 4 },
      { kind: "run", micros: 5 },
    ]);
  });

  test("workload: a suspend without a value: suspends on the task's own name", () => {
    const text = `{"tasks": {"a": {"suspend", "run": 1, "yield"}, "b": {"resume": "a"}}}`;
    expect(eventsOf(text).slice(0, 3)).toEqual([
      { kind: "suspend", resource: "a" },
      { kind: "run", micros: 1 },
      { kind: "yield" },
    ]);
  });

  test("workload: nested beyond what can be followed: refused, no fault of the reader", () => {
    for (const open of ["[", '{"a":'])
      expect(readWorkload(open.repeat(200_000))).toMatchObject({
        kind: "refused",
        problems: [{ line: 1, message: "it is nested too deeply for a workload" }],
      });
  });

  test("workload: a key without a value that needs one: refused", () => {
    expect(problemsOf(`{"tasks": {"a": {"run",\n"sleep": 1}}}`)).toEqual(['1: not JSON: a colon is expected at ","']);
  });

  test("workload: phases of one name: both are kept, in order", () => {
    const text = `{"tasks": {"a": {"phases": {"p": {"run": 1}, "q": {"run": 2}, "p": {"loop": 4, "run": 3}}}}}`;
    const [task] = read(text).tasks;
    expect(task?.phases.map(({ loop, events }) => [loop, events.length])).toEqual([
      [1, 1],
      [1, 1],
      [4, 1],
    ]);
    expect(task?.loop).toBe(-1);
  });

  test.each([
    ["SCHED_FIFO", 50, Qos.PerfBurst],
    ["SCHED_RR", 1, Qos.PerfBurst],
    ["SCHED_OTHER", -20, Qos.Interactive],
    ["SCHED_OTHER", -1, Qos.Interactive],
    ["SCHED_OTHER", 0, Qos.Normal],
    ["SCHED_OTHER", 9, Qos.Normal],
    ["SCHED_OTHER", 10, Qos.Idle],
    ["SCHED_BATCH", -5, Qos.Normal],
    ["SCHED_BATCH", 19, Qos.Idle],
    ["SCHED_IDLE", 0, Qos.Idle],
  ])("policy: %s with priority %i: class %i", (policy, priority, qos) => {
    const text = `{"tasks": {"a": {"policy": "${policy}", "priority": ${priority}, "run": 1}}}`;
    expect(read(text).tasks[0]?.qos).toBe(qos);
    const byDefault = `{"global": {"default_policy": "${policy}"}, "tasks": {"a": {"priority": ${priority}, "run": 1}}}`;
    expect(read(byDefault).tasks[0]?.qos).toBe(qos);
  });

  test("workload: settings without a meaning here: accepted, each with a remark", () => {
    const reading = readWorkload(`{"tasks": {"a": {"run": 1}},\n"global": {"calibration": "CPU0",\n"gnuplot": true}}`);
    expect(reading.kind === "read" && reading.remarks.map(({ line, key }) => [line, key])).toEqual([
      [2, "global.calibration"],
      [3, "global.gnuplot"],
    ]);
  });
});

describe("refusals", () => {
  test("workload: several mistakes: all of them are reported, in the order of lines", () => {
    const text = `{"tasks": {"a": {"run": "x",
      "mem": 1,
      "speed": 3, "run": 1 }},
      "extra": 1}`;
    expect(problemsOf(text).map((line) => /^\d+: [^:]*/.exec(line)?.[0])).toEqual([
      "1: tasks.a.run",
      "2: tasks.a.mem",
      "3: tasks.a.speed",
      "4: extra",
    ]);
  });

  test.each([
    [
      "a name that resources do not list",
      `"lock": "n", "unlock": "n"`,
      /^\d+: tasks\.a\.lock: "n" is not in resources/,
    ],
    ["a mutex used as a condition", `"signal": "m"`, /"m" is a mutex in resources and a condition here/],
  ])("resources: %s: refused", (_, events, message) => {
    const text = `{"resources": {"m": {"type": "mutex"}}, "tasks": {"a": {${events}}}}`;
    expect(problemsOf(text)[0]).toMatch(message);
  });

  test.each([
    ["a lock that a loop meets again", `"a": {"loop": 2, "lock": "m"}`, /holds "m" already/],
    [
      "a wait without its mutex",
      `"a": {"wait": {"ref": "c", "mutex": "m"}}, "b": {"signal": "c"}`,
      /does not hold "m"/,
    ],
    [
      "a wait that nothing signals",
      `"a": {"lock": "m", "wait": {"ref": "c", "mutex": "m"}, "unlock": "m"}`,
      /no other task signals "c"/,
    ],
    [
      "a suspend that only the task itself resumes",
      `"a": {"resume": "a", "suspend": "a"}`,
      /no other task resumes "a"/,
    ],
    [
      "a barrier twice in one task",
      `"a": {"barrier": "x", "run": 1, "barrier": "x"}, "b": {"barrier": "x"}`,
      /is at "x" in line 1 too/,
    ],
    ["a fork in an endless loop", `"a": {"fork": "b"}, "b": {"instance": 0, "run": 1}`, /forks without end/],
    ["a task that forks itself", `"a": {"loop": 1, "fork": "a"}`, /forks without end/],
    ["a task that nothing starts", `"a": {"instance": 0, "run": 1}`, /nothing forks it/],
    ["too many tasks", `"a": {"instance": 100, "run": 1}, "b": {"instance": 21, "run": 1}`, /there are 121 tasks/],
  ])("workload: %s: refused", (_, tasks, message) => {
    expect(problemsOf(`{"tasks": {${tasks}}}`).join("\n")).toMatch(message);
  });

  test("workload: what looks like these but can end: read", () => {
    const tasks = [
      `"a": {"loop": 1, "lock": "m"}`,
      `"b": {"instance": 2, "resume": "b", "suspend": "b"}`,
      `"c": {"loop": 3, "fork": "d"}`,
      `"d": {"instance": 0, "loop": 1, "barrier": "x"}`,
    ];
    expect(read(`{"tasks": {${tasks.join(",\n")}}}`).tasks).toHaveLength(4);
  });

  test("workload: a CPU that the machine does not have: refused with the line of its list", () => {
    const workload = read(`{"tasks": {"a": {\n"cpus": [0, 2], "run": 1}}}`);
    const outcome = compileWorkload(workload, { ticksPerSecond: 10_000_000, cpus: 2 });
    expect(outcome.kind === "refused" && outcome.problems.map(formatProblem)).toEqual([
      "2: tasks.a.cpus: there is no CPU 2: the machine has 2 (--smp)",
    ]);
  });

  test.each([
    ["63 of a class on one CPU", `"a": {"instance": 63, "run": 1}`, 1, 1],
    ["62 of a class on one CPU", `"a": {"instance": 62, "run": 1}`, 1, 0],
    [
      "120 in two classes on one CPU",
      `"a": {"instance": 62, "run": 1}, "b": {"priority": 19, "instance": 58, "run": 1}`,
      1,
      0,
    ],
    ["120 of a class on two CPUs", `"a": {"instance": 120, "run": 1}`, 2, 0],
    ["63 of a class bound to one of two CPUs", `"a": {"instance": 63, "cpus": [1], "run": 1}`, 2, 1],
  ])("workload: %s: refused only where a queue is too small", (_, tasks, cpus, problems) => {
    const outcome = compileWorkload(read(`{"tasks": {${tasks}}}`), { ticksPerSecond: 1_000_000, cpus });
    expect(outcome.kind === "refused" ? outcome.problems.map(formatProblem) : []).toHaveLength(problems);
  });

  const seed = 20_251_125;
  test(`workload: fifty with one mistake each: one problem each, at its line and key (seed ${seed})`, () => {
    expect(problemsOf(correctWorkload)).toEqual([]);
    for (let n = 0; n < 50; n++) {
      const { text, line, key, about } = malformedWorkload(seed, n);
      const problems = problemsOf(text);
      expect(problems, `${n}: ${about}\n${text}`).toHaveLength(1);
      const named = /^(\d+):(?: ([^: ]+):)? (.+)$/.exec(problems[0] ?? "");
      expect(Number(named?.[1]), `${n}: ${about}: ${problems[0]}`).toBe(line);
      expect(named?.[2] ?? "", `${n}: ${about}: ${problems[0]}`).toMatch(new RegExp(`(?:^|\\.)${key}$`));
    }
  });
});

const EXAMPLES = "/usr/share/doc/rt-app";

/** Debian's examples that are refused, and the keys that are named. The other ones load. */
const REFUSED: ReadonlyMap<string, readonly string[]> = new Map([
  ["examples/merge/global.json", ["tasks"]],
  ["examples/merge/resources.json", ["tasks"]],
  ...["thread0", "thread1", "thread2", "thread3"].map((name): [string, string[]] => [
    `examples/merge/${name}.json`,
    ["exec", "period", "deadline", "lock_order", "resources"].map((key) => `tasks.${name}.${key}`),
  ]),
  ["examples/tutorial/example6.json", ["tasks.thread0.mem", "tasks.thread0.iorun"]],
  ["examples/tutorial/example8.json", ["tasks.thread0.phases.phase1.cpus", "tasks.thread0.phases.phase2.cpus"]],
  ["taskset.json", ["tasks.ThreadA.exec", "tasks.ThreadB.phases.phase1.lock_order", "resources.r0.type"]],
]);

describe.skipIf(!existsSync(EXAMPLES))("rt-app's examples (Debian package rt-app)", () => {
  const files = existsSync(EXAMPLES)
    ? readdirSync(EXAMPLES, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".json"))
    : [];

  test("examples: those of the package: there are some, and every refused one is among them", () => {
    expect(files.length).toBeGreaterThan(REFUSED.size);
    for (const file of REFUSED.keys()) expect(files).toContain(file);
  });

  test.each(files)("examples: %s: loads, or is refused by key and line", (file) => {
    const reading = readWorkload(readFileSync(join(EXAMPLES, file), "utf8"));
    const expected = REFUSED.get(file) ?? [];
    if (reading.kind === "refused") {
      expect(reading.problems.map(({ key }) => key)).toEqual(expect.arrayContaining([...expected]));
      expect(expected).not.toEqual([]);
      for (const { line } of reading.problems) expect(line).toBeGreaterThan(0);
      return;
    }
    expect(expected).toEqual([]);
    expect(compileWorkload(reading.workload, { ticksPerSecond: 10_000_000, cpus: 8 }).kind).toBe("compiled");
  });
});
