// The judge on consoles of fuzzers: an honest one passes, and each way in which it can be spoilt is red.

import { describe, expect, test } from "vitest";
import { RESULT_FAILED, RESULT_PASSED } from "../../abi/markers.ts";
import { PowerOff } from "../../abi/results.ts";
import type { RunOutcome } from "../../machines/machine-run.ts";
import { honestConsole } from "../testing/honest-console.ts";
import { verdictMessage } from "../proof-event.ts";
import type { SoakSetup } from "./soak-setup.ts";
import { judgeFor } from "./judge.ts";

const HARTS = 2;
const SETUP: SoakSetup = { machine: "virt", harts: HARTS, ipi: "firmware", programs: "calls", faults: false };
const PASSED: RunOutcome = { kind: "powered-off", result: PowerOff.Passed };
const FAILED: RunOutcome = { kind: "powered-off", result: PowerOff.Failed };

const SUMMARY = [
  "[1026] calls=100 ",
  "TASK: id=1026 program=1 class=Normal runs=3 steals=0 migrations=1 wakes=1 last-cpu=1 end=exit code=0 fault-address=0",
  "TASK: id=1027 program=2 class=Idle runs=2 steals=0 migrations=0 wakes=0 last-cpu=0 end=fault code=13 fault-address=9",
  "TASK: id=1028 program=3 class=Idle runs=1 steals=0 migrations=0 wakes=0 last-cpu=0 end=killed code=0 fault-address=0",
  "TASKS: spawned=5 reported=3 reaped=5",
  "HART: cpu=1 hart=1 picks=4 steals=1 migrations=1 wakes=1 ended=2 faults=1 fallbacks=0 idle-percent=1",
  "RESCHED: cpu=1 accepted=3 sent=3 failed=0 coalesced=0 requests=6 trapped=5 acked=5 acked-to=6 shown=9",
  "HART: cpu=0 hart=0 picks=4 steals=0 migrations=0 wakes=0 ended=3 faults=0 fallbacks=0 idle-percent=1",
  "RESCHED: cpu=0 accepted=6 sent=5 failed=1 coalesced=0 requests=3 trapped=2 acked=2 acked-to=3 shown=9",
  RESULT_PASSED,
];

/** The ladder as an honest kernel prints it, then the summary. */
const LINES = [...honestConsole(HARTS).filter((line) => !/^(\[|TASK|HART|RESCHED|RESULT)/.test(line)), ...SUMMARY];

function judged(lines: readonly string[], ending: RunOutcome = PASSED): string {
  const judge = judgeFor(SETUP);
  for (const line of lines) judge.feed(line);
  return verdictMessage(judge.conclude(ending));
}

const changed = (old: string, by: string): string[] => LINES.map((line) => line.replace(old, by));

describe("judge of fuzzers", () => {
  test("judge: honest console: passes, and counts calls and ends", () => {
    const judge = judgeFor(SETUP);
    for (const line of LINES) judge.feed(line);
    expect(judge.conclude(PASSED)).toEqual({ kind: "passed" });
    expect(judge.counts()).toEqual({
      "system calls": 100,
      "tasks ended by exit": 1,
      "tasks ended by fault": 1,
      "tasks ended by killed": 1,
    });
  });

  test.each<[string, string[], RegExp]>([
    ["a fuzzer whose check did not hold", changed("end=exit code=0", "end=exit code=24"), /ended with code 24/],
    ["a task that is alive", changed("end=killed", "end=alive"), /ends as "alive"/],
    ["a fallback of the identity", changed("fallbacks=0", "fallbacks=1"), /fell back/],
    ["more acks than traps", changed("trapped=2 acked=2", "trapped=2 acked=3"), /different numbers/],
    ["a request that is not acknowledged", changed("acked-to=6", "acked-to=5"), /cpu1 has 1 requests/],
    ["more runs than picks", changed("picks=4", "picks=0"), /runs: 6 by the tasks, 0/],
    ["more migrations than harts counted", changed("steals=1 migrations=1", "steals=1 migrations=0"), /migrations/],
    ["a fault that no hart counted", changed("ended=2 faults=1", "ended=2 faults=0"), /faults: 1/],
    ["a task that was not reaped", changed("reaped=5", "reaped=4"), /5 tasks were spawned and 4 reaped/],
    ["a task without its line", LINES.filter((line) => !line.startsWith("TASK: id=1028")), /3 tasks reported, on 2/],
    ["no count of tasks", LINES.filter((line) => !line.startsWith("TASKS:")), /0 TASKS lines/],
    ["a hart without its requests", LINES.filter((line) => !line.startsWith("RESCHED: cpu=0")), /0 RESCHED lines/],
    ["a hart without its line", LINES.filter((line) => !line.startsWith("HART: cpu=1")), /0 HART lines of cpu1/],
    ["no task", LINES.filter((line) => !line.startsWith("TASK:")), /every TASK line/],
    ["no result", LINES.slice(0, -1), /RESULT line/],
    ["a failed result", [...LINES.slice(0, -1), RESULT_FAILED], /RESULT: failed/],
    ["a panic", [...LINES.slice(0, -1), "PANIC: cpu=1 reason=x"], /PANIC: cpu=1/],
    ["a marker after the ladder", [...LINES, "KSELFTEST: smp online ok"], /after the ladder/],
    ["a line of nobody", [...LINES, "hello"], /neither the kernel nor a task/],
    ["a missing marker", LINES.filter((line) => line !== "KSELFTEST: ipi resched ok"), /out of order/],
  ])("judge: %s: red", (_, lines, message) => expect(judged(lines)).toMatch(message));

  test("judge: endings other than a clean power-off: red, by name; stopped from outside: inconclusive", () => {
    expect(judged(LINES, FAILED)).toMatch(/powered off as failed/);
    expect(judged(LINES, { kind: "deadlocked", reason: "all wait" })).toMatch(/deadlocked: all wait/);
    expect(judged(LINES.slice(0, -1), { kind: "stopped" })).toMatch(/^inconclusive/);
  });
});

describe("judge of faults", () => {
  const boot = "BOOT: harts=2 boot-hart=0 ipi=firmware";
  const stopped = [boot, "KSELFTEST: FAIL cpu1 did not come online", RESULT_FAILED];
  const stops = (lines: readonly string[], ending: RunOutcome = FAILED): string => {
    const judge = judgeFor({ ...SETUP, machine: "sim", programs: "default", faults: true }, "stops");
    for (const line of lines) judge.feed(line);
    return verdictMessage(judge.conclude(ending));
  };

  test("judge: missing hart, reported by a FAIL line: passes", () => expect(stops(stopped)).toBe("passed"));

  test.each<[string, readonly string[], RunOutcome, RegExp]>([
    ["no FAIL line", stopped.toSpliced(1, 1), FAILED, /no FAIL line/],
    ["the last line another", stopped.slice(0, -1), FAILED, /the last line/],
    ["powered off as passed", stopped, PASSED, /did not power off as failed/],
    ["hung", stopped, { kind: "hung", reason: "no end" }, /hung: no end/],
    ["smp online", [boot, "KSELFTEST: smp online ok", ...stopped.slice(1)], FAILED, /although a hart was missing/],
    ["a panic", [boot, "PANIC: cpu=0 reason=x", ...stopped.slice(1)], FAILED, /PANIC/],
  ])("judge: missing hart, %s: red", (_, lines, ending, message) => expect(stops(lines, ending)).toMatch(message));

  test("judge: refused send: a FAIL line that names another cause is red", () => {
    const judge = (reason: string): string => {
      const one = judgeFor({ ...SETUP, machine: "sim", programs: "default", faults: true }, "passes-or-names-the-send");
      for (const line of [boot, `KSELFTEST: FAIL ${reason}`, RESULT_FAILED]) one.feed(line);
      return verdictMessage(one.conclude(FAILED));
    };
    expect(judge("the thief could not be rung")).toBe("passed");
    expect(judge("a stolen task did not run to its end")).toMatch(/^failed/);
  });
});
