import { describe, expect, test } from "vitest";
import { EventKind } from "../abi/events.ts";
import { PowerOff } from "../abi/results.ts";
import { type Ending, Gate } from "./gate.ts";
import { ladderFor } from "./ladder.ts";
import { evidence, honestConsole } from "./testing/honest-console.ts";

const CLEAN: Ending = { kind: "powered-off", result: PowerOff.Passed };

/** The verdict over the lines as `kind: reasons`. */
function judge(lines: readonly string[], harts = 2, ending: Ending = CLEAN, untilMarker = false): string {
  const gate = new Gate({ machine: "sim", harts, ipi: "firmware", untilMarker });
  for (const line of lines) if (!gate.isDecided) gate.feed(line);
  const verdict = gate.conclude(ending);
  switch (verdict.kind) {
    case "passed":
      return "passed";
    case "failed":
      return `failed: ${verdict.reasons.join("; ")}`;
    case "inconclusive":
      return `inconclusive: ${verdict.reason}`;
    default:
      return verdict satisfies never;
  }
}

function without(lines: readonly string[], unwanted: (line: string) => boolean): string[] {
  return lines.filter((line) => !unwanted(line));
}

test.each([1, 2, 3, 8, 64])("gate: an honest run (harts=%i): passed", (harts) => {
  expect(judge(honestConsole(harts), harts)).toBe("passed");
});

test("gate: until the marker, cut off after it: passed, and the rest not needed", () => {
  const lines = honestConsole(2);
  const last = lines.lastIndexOf("KSELFTEST: test_reject_steal_higher_qos ok");
  expect(judge(lines.slice(0, last + 1), 2, { kind: "stopped" }, true)).toBe("passed");
});

describe("planted faults of D3", () => {
  const markers = ladderFor(3).map((rung) => rung.marker);

  test.each(markers)("gate: missing marker: red and named (%s)", (marker) => {
    const verdict = judge(
      without(honestConsole(3), (line) => line === marker),
      3,
    );
    expect(verdict).toMatch(/^failed/);
    expect(verdict).toContain(marker);
  });

  test("gate: missing skip line on one hart: red", () => {
    expect(
      judge(
        without(honestConsole(1), (line) => line.includes("skipped")),
        1,
      ),
    ).toMatch(/^failed: a line of the tasks .* came before the last marker; missing: "KSELF/);
  });

  test.each(markers.slice(1))("gate: marker one place too early: red (%s)", (marker) => {
    const lines = honestConsole(3);
    const at = lines.indexOf(marker);
    const previous = lines.indexOf(markers[markers.indexOf(marker) - 1] ?? "");
    lines.splice(at, 1);
    lines.splice(previous, 0, marker);
    expect(judge(lines, 3)).toMatch(/out of order/);
  });

  test("gate: marker twice: red", () => {
    const lines = honestConsole(2);
    lines.splice(lines.indexOf("KSELFTEST: smp online ok"), 0, "KSELFTEST: smp online ok");
    expect(judge(lines)).toMatch(/^failed: marker repeated/);
  });

  test("gate: a FAIL line, even after the last marker: red with the kernel's reason", () => {
    const lines = honestConsole(2);
    lines.splice(-1, 0, "KSELFTEST: FAIL two tasks in one place");
    expect(judge(lines)).toBe("failed: the kernel reports: two tasks in one place");
  });

  test("gate: a panic: red with its words", () => {
    expect(judge([...honestConsole(2).slice(0, 4), "PANIC: cpu=1 reason=canary detail=0x40"])).toMatch(
      /^failed: the kernel panicked: cpu=1 reason=canary/,
    );
  });

  test("gate: RESULT: failed: red", () => {
    expect(judge([...honestConsole(2).slice(0, -1), "RESULT: failed"])).toMatch(/RESULT: failed/);
  });

  test("gate: no RESULT line: red", () => {
    expect(judge(honestConsole(2).slice(0, -1))).toBe("failed: missing: the RESULT line");
  });

  test.each<[string, Ending, RegExp]>([
    ["time-out", { kind: "timed-out", after: "90s" }, /^failed: time-out after 90s; missing: "KSELFTEST: ipi res/],
    ["early power-off", CLEAN, /^failed: missing: "KSELFTEST: ipi resched ok" and 5 after it/],
    ["power-off as failed", { kind: "powered-off", result: PowerOff.Failed }, /^failed: the machine powered off as fa/],
    [
      "power-off by panic",
      { kind: "powered-off", result: PowerOff.Panic },
      /^failed: the machine powered off as panic/,
    ],
    ["deadlock", { kind: "deadlocked", reason: "all wait" }, /^failed: deadlock: all wait/],
    ["hang", { kind: "hung", reason: "10 steps" }, /^failed: the machine hung: 10 steps/],
    ["crash", { kind: "crashed", reason: "gone" }, /^failed: the machine failed: gone/],
    ["stopped by its user", { kind: "stopped" }, /^inconclusive: stopped; missing:/],
  ])("gate: %s in the middle: reported, with what is missing", (_, ending, message) => {
    const lines = honestConsole(2);
    expect(judge(lines.slice(0, lines.indexOf("KSELFTEST: ipi resched ok")), 2, ending)).toMatch(message);
  });

  test("gate: every marker but a bad power-off: red", () => {
    expect(judge(honestConsole(2), 2, { kind: "powered-off", result: PowerOff.Failed })).toMatch(/^failed/);
    expect(judge(honestConsole(2), 2, { kind: "timed-out", after: "1s" })).toMatch(/^failed: time-out/);
  });
});

describe("planted faults of D2 and D6", () => {
  test.each(
    ladderFor(3)
      .map((rung) => rung.marker)
      // What these rest on is reported before an earlier marker.
      .filter((marker) => !/smp online|offline_cpu|above_bound/.test(marker)),
  )("gate: marker without any evidence since the last one: red (%s)", (marker) => {
    const lines = honestConsole(3);
    const at = lines.indexOf(marker);
    const stub = without(
      lines,
      (line) =>
        line.startsWith("EVIDENCE:") && lines.indexOf(line) < at && lines.indexOf(line) > previousMarker(lines, at),
    );
    const verdict = judge(stub, 3);
    expect(verdict).toMatch(/^failed: ".*" without its evidence/);
    expect(verdict).toContain(marker);
  });

  test("gate: smp online ok where a CPU never recorded itself: red", () => {
    // The CPU's own marker needs the record too, so it is forged here by another CPU's hand.
    const forged = honestConsole(2).map((line) =>
      line.includes(" online request") ? line.replace("by=cpu1", "by=cpu0") : line,
    );
    expect(judge(forged)).toMatch(/without its evidence: cpu1 has not recorded/);
  });

  test.each<[string, (line: string) => string | null, RegExp]>([
    ["ack before its trap", (line) => swap(line, "n=13 ", "n=14 "), /acked request 4: has no trap before it/],
    [
      "no send",
      (line) => (line.includes("n=10 ") ? line.replace("sent", "no-pending-request") : line),
      /no chain is comp|happened by|rests on no/,
    ],
    [
      "trap reported by the sender",
      (line) => (line.includes("n=13 ") ? line.replace("by=cpu1", "by=cpu0") : line),
      /happened by cpu0/,
    ],
    [
      "an unused number of a hart that asked for nothing",
      (line) => (line.includes(" unused ") ? line.replace("by=cpu0", "by=cpu1") : line),
      /unused request 0: (it has no request|does not follow its request)/,
    ],
    [
      "trap of a request whose send failed",
      (line) => (line.includes("n=6 by=cpu0 sent") ? null : renumber(line, 6)),
      /rests on no successful send/,
    ],
  ])("gate: forged evidence, %s: red", (_, forge, message) => {
    const lines = honestConsole(2).map((line) => (line.startsWith("EVIDENCE: of=cpu1") ? forge(line) : line));
    expect(judge(lines.filter((line) => line !== null))).toMatch(message);
  });

  test("gate: an accepted request to a CPU that is not there: red", () => {
    const lines = honestConsole(2);
    const at = lines.indexOf("KSELFTEST: test_reject_offline_cpu_resched ok");
    lines.splice(at, 0, evidence(EventKind.Accepted, { of: 63, n: 1, by: 0, request: 1 }));
    expect(judge(lines)).toMatch(/cpu63 n=1 accepted request 1: the machine has 2 harts/);
  });

  test("gate: a stolen task that starts elsewhere: red", () => {
    const lines = honestConsole(2).map((line) =>
      line.replace(/of=cpu1 n=\d+ by=cpu1 started/, "of=cpu0 n=5 by=cpu0 started"),
    );
    expect(judge(lines)).toMatch(/task 1024 was stolen by cpu1, but did not start there/);
  });

  test("gate: a hart that did not start: red, with the error", () => {
    const lines = honestConsole(2);
    lines.splice(2, 0, evidence(EventKind.StartFailed, { of: 0, n: 1, request: 3, detail: -3 }));
    expect(judge(lines)).toMatch(/^failed: hart 3 did not start \(error -3\)/);
  });

  test("gate: a failed send that no test asked for: red", () => {
    const lines = honestConsole(2);
    const at = lines.indexOf("KSELFTEST: ipi resched ok");
    lines.splice(at, 0, evidence(EventKind.SendFailed, { of: 1, n: 14, by: 0, request: 4, detail: -1 }));
    expect(judge(lines)).toMatch(/^failed: an IPI to cpu1 failed \(error -1\)/);
  });

  test("gate: other number of harts than the machine has: red", () => {
    expect(judge(honestConsole(2).map((line) => line.replace("harts=2", "harts=1")))).toMatch(/found 1 harts/);
    expect(judge(honestConsole(1), 2)).toMatch(/^failed/);
    expect(judge(honestConsole(2), 1)).toMatch(/^failed/);
  });

  test("gate: another way of an IPI than the one asked for: red", () => {
    const lines = honestConsole(2).map((line) => line.replace("ipi=firmware", "ipi=aclint-sswi"));
    expect(judge(lines)).toMatch(/^failed: IPIs travel by aclint-sswi where firmware was asked for/);
  });

  test("gate: no BOOT line: red", () => {
    expect(judge(without(honestConsole(2), (line) => line.startsWith("BOOT:")))).toMatch(/came before the BOOT line/);
  });

  test("gate: a marker that no ladder knows: red", () => {
    const lines = honestConsole(2);
    lines.splice(3, 0, "KSELFTEST: ipi resched okay");
    expect(judge(lines)).toMatch(/no such marker/);
  });
});

function previousMarker(lines: readonly string[], before: number): number {
  return lines.slice(0, before).findLastIndex((line) => line.startsWith("KINIT:") || line.startsWith("KSELFTEST:"));
}

function swap(line: string, a: string, b: string): string {
  if (line.includes(a)) return line.replace(a, b);
  return line.includes(b) ? line.replace(b, a) : line;
}

/** Closes the gap that leaving out event `removed` makes, so that the forgery is not betrayed by it. */
function renumber(line: string, removed: number): string {
  return line.replace(/n=(\d+)/, (text, n: string) => (Number(n) > removed ? `n=${Number(n) - 1}` : text));
}
