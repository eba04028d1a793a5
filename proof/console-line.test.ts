import { expect, test } from "vitest";
import { EventKind } from "../abi/events.ts";
import { eventName, evidenceLine, parseConsoleLine } from "./console-line.ts";
import { honestConsole } from "./testing/honest-console.ts";

test("console line: the spelling that abi/events.ts gives: read as that event", () => {
  expect(parseConsoleLine("EVIDENCE: of=cpu1 n=4 by=cpu0 accepted request=2 detail=0")).toEqual({
    kind: "evidence",
    event: { of: 1, n: 4, by: 0, kind: EventKind.Accepted, request: 2, detail: 0 },
  });
});

test("console line: every kind of event: comes back as it was written", () => {
  const kinds = Object.values(EventKind).filter((kind) => typeof kind === "number");
  for (const kind of kinds.filter((value) => value !== EventKind.None)) {
    const event = { of: 3, n: 17, by: 3, kind, request: -2, detail: 5 };
    expect(parseConsoleLine(evidenceLine(event))).toEqual({ kind: "evidence", event });
  }
});

test("console line: names of events: each its own, the name of its kind in abi/events.ts", () => {
  for (const [name, kind] of Object.entries(EventKind)) {
    if (typeof kind !== "number") continue;
    const due = name.replaceAll(/(?<=[a-z])[A-Z]/g, (capital) => `-${capital}`).toLowerCase();
    expect(eventName(kind)).toBe(due);
  }
});

test.each([
  "EVIDENCE: of=cpu1 n=4 by=cpu0 accepted request=2",
  "EVIDENCE: of=cpu1 n=4 by=cpu0 forged request=2 detail=0",
  "EVIDENCE: of=cpu1 n=4 by=cpu0 none request=0 detail=0",
  "KSELFTEST: ipi resched okay",
  "KINIT: cpu1 offline",
  "RESULT: perhaps",
])("console line: %s: malformed, never passed over", (line) => {
  expect(parseConsoleLine(line).kind).toBe("malformed");
});

test.each([
  "EVIDENCE: of=cpu1 n=04 by=cpu0 accepted request=2 detail=0",
  "EVIDENCE: of=cpu1 n=4 by=cpu0 accepted request=2 detail=-0",
  "HART: cpu=0 picks=4",
  "TASKS: spawned=1 reported=1 reaped=01",
  "TASKS: spawned=1 reported=1 reaped=1 ",
  "TASKS: spawned=1 reaped=1 reported=1",
  "TASKS: spawned=1 reported=1 reaped=\u0661",
  "TASK:",
  "BOOT: harts=2",
  "RESCHED: x",
])("console line: %s: not to the character of its form: malformed", (line) => {
  expect(parseConsoleLine(line).kind).toBe("malformed");
});

test("console line: summary, result, failure, panic and the rest: each its own kind", () => {
  expect(parseConsoleLine("TASKS: spawned=3 reported=2 reaped=-1")).toEqual({
    kind: "tasks",
    fields: new Map([
      ["spawned", "3"],
      ["reported", "2"],
      ["reaped", "-1"],
    ]),
  });
  const kinds = honestConsole(2).map((line) => parseConsoleLine(line).kind);
  expect(new Set(kinds)).toEqual(
    new Set(["other", "boot", "evidence", "marker", "user", "task", "tasks", "hart", "resched", "result"]),
  );
  expect(parseConsoleLine("RESULT: passed")).toEqual({ kind: "result", passed: true });
  expect(parseConsoleLine("KSELFTEST: FAIL too few")).toEqual({ kind: "fail", reason: "too few" });
  expect(parseConsoleLine("PANIC: cpu=1 reason=x detail=0x0")).toEqual({
    kind: "panic",
    reason: "cpu=1 reason=x detail=0x0",
  });
  expect(parseConsoleLine("OpenSBI v1.1")).toEqual({ kind: "other" });
});

test("console line: what begins with a task's id: the task's, whatever follows", () => {
  for (const text of ["KSELFTEST: work stealing ok", "RESULT: passed", "PANIC: x", "[7] RESULT: failed", ""]) {
    expect(parseConsoleLine(`[1030] ${text}`)).toEqual({ kind: "user", task: 1030, text });
  }
  // Not as the kernel writes it: nobody's, which the gate does not let pass.
  for (const line of [
    "[1030]RESULT: passed",
    "[01] x",
    "[x] y",
    "[1] a\rb",
    "[1] \u001b[2K",
    "[1] \n",
    "[-1] x",
    "[1",
  ]) {
    expect(parseConsoleLine(line), JSON.stringify(line)).toEqual({ kind: "other" });
  }
});
