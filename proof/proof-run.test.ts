import { expect, test } from "vitest";
import { PowerOff } from "../abi/results.ts";
import type { MachineRun, RunOutcome } from "../machines/machine-run.ts";
import { verdictMessage } from "./proof-event.ts";
import { proveRun } from "./proof-run.ts";
import { honestConsole } from "./testing/honest-console.ts";

const PASSED: RunOutcome = { kind: "powered-off", result: PowerOff.Passed };

/** A machine that shows its lines; after them it goes down a turn of the event loop later, or never by itself. */
function machine(
  lines: readonly string[],
  ending: RunOutcome | "never",
  onLastLine: () => void = () => undefined,
): MachineRun {
  let end: (outcome: RunOutcome) => void = () => undefined;
  const outcome = new Promise<RunOutcome>((resolve) => {
    end = resolve;
  });
  return {
    lines: (async function* () {
      yield* lines;
      onLastLine();
      if (ending !== "never") setImmediate(() => end(ending));
    })(),
    outcome,
    stop: () => end({ kind: "stopped" }),
  };
}

/** A bound that no run here reaches. */
const NEVER_REACHED_MILLISECONDS = 600_000;

async function prove(
  run: MachineRun,
  timeoutMilliseconds = NEVER_REACHED_MILLISECONDS,
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
  expect(await prove(machine(honestConsole(2), PASSED))).toBe("passed");
  expect(await prove(machine(honestConsole(2), { kind: "crashed", reason: "gone" }))).toMatch(/failed: gone/);
});

test("proof run: a machine that never goes down after its last line: time-out", async () => {
  expect(await prove(machine(honestConsole(2), "never"), 40)).toBe("failed: time-out after 40ms");
});

test("proof run: aborted before the end, or before the beginning: inconclusive, never passed", async () => {
  const controller = new AbortController();
  const run = machine(honestConsole(2), "never", () => controller.abort());
  expect(await prove(run, NEVER_REACHED_MILLISECONDS, controller.signal)).toMatch(/^inconclusive: stopped/);
  const second = machine([], "never");
  expect(await prove(second, NEVER_REACHED_MILLISECONDS, controller.signal)).toMatch(/^inconclusive: stopped; missing/);
});

test("proof run: red in the middle: the machine is stopped, not waited for", async () => {
  const lines = [...honestConsole(2).slice(0, 4), "PANIC: cpu=0 reason=x detail=0x0", ...honestConsole(2)];
  expect(await prove(machine(lines, "never"))).toMatch(/^failed: the kernel panicked/);
});
