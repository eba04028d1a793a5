import { expect, test } from "vitest";
import { PowerOff } from "../abi/results.ts";
import type { MachineRun, RunOutcome } from "../machines/run.ts";
import { verdictMessage } from "./proof-event.ts";
import { proveRun } from "./proof-run.ts";
import { honestConsole } from "./testing/honest-console.ts";

const PASSED: RunOutcome = { kind: "powered-off", result: PowerOff.Passed };

/** A machine that shows its lines, and ends `milliseconds` after the last one unless it is stopped before. */
function machine(lines: readonly string[], milliseconds: number, ending: RunOutcome = PASSED): MachineRun {
  let end: (outcome: RunOutcome) => void = () => undefined;
  const outcome = new Promise<RunOutcome>((resolve) => {
    end = resolve;
  });
  return {
    lines: (async function* () {
      yield* lines;
      setTimeout(() => end(ending), milliseconds);
    })(),
    outcome,
    stop: () => end({ kind: "stopped" }),
  };
}

async function prove(
  run: MachineRun,
  timeoutMilliseconds = 5000,
  signal = new AbortController().signal,
): Promise<string> {
  const options = {
    machine: "sim" as const,
    harts: 2,
    ipi: "firmware",
    untilMarker: false,
    timeoutMilliseconds,
    signal,
    onLine: () => undefined,
  };
  return verdictMessage((await proveRun(run, options)).verdict);
}

test("proof run: a machine that goes down a while after its last line: its own ending counts", async () => {
  expect(await prove(machine(honestConsole(2), 30))).toBe("passed");
  expect(await prove(machine(honestConsole(2), 30, { kind: "crashed", reason: "gone" }))).toMatch(/failed: gone/);
});

test("proof run: a machine that never goes down after its last line: time-out", async () => {
  expect(await prove(machine(honestConsole(2), 60_000), 40)).toBe("failed: time-out after 40ms");
});

test("proof run: aborted before the end, or before the beginning: inconclusive, never passed", async () => {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 20);
  expect(await prove(machine(honestConsole(2), 60_000), 5000, controller.signal)).toMatch(/^inconclusive: stopped/);
  expect(await prove(machine([], 60_000), 5000, controller.signal)).toMatch(/^inconclusive: stopped; missing/);
});

test("proof run: red in the middle: the machine is stopped, not waited for", async () => {
  const lines = [...honestConsole(2).slice(0, 4), "PANIC: cpu=0 reason=x detail=0x0", ...honestConsole(2)];
  expect(await prove(machine(lines, 60_000))).toMatch(/^failed: the kernel panicked/);
});
