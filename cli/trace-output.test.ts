// What `hartbeat boot --trace` writes, and what it reports where that cannot be trusted.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PowerOff } from "../abi/results.ts";
import { checkConsistency } from "../trace/consistency.ts";
import type { TraceEvent } from "../trace/event.ts";
import { parseTrace } from "../trace/trace-file.ts";
import { main } from "./main.ts";
import type { Opening } from "./open-machine.ts";
import { captureOutput, workInOwnFolder } from "./testing/captured-command.ts";

const captured = captureOutput();
const folder = workInOwnFolder("trace");

test("boot --trace: a boot on sim: the console as ever, and a trace that adds up", async () => {
  const file = join(folder(), "new", "trace.jsonl");
  expect(await main(["boot", "--smp", "2", "--seed", "3"])).toBe(0);
  const console = captured.out;
  expect(await main(["boot", "--smp", "2", "--seed", "3", "--trace", file])).toBe(0);
  expect(captured.out).toBe(console + console);
  const read = parseTrace(readFileSync(file, "utf8"));
  if (read.kind !== "read") throw new Error(read.reason);
  expect(checkConsistency(read.trace)).toEqual({ kind: "consistent" });
  expect(read.trace.header).toMatchObject({ machine: "sim", cpus: 2, seed: 3, ticksPerSecond: 10_000_000 });
  expect(read.trace.header.programs.slice(0, 2)).toEqual(["probe", "worker"]);
  expect(read.trace.totals?.result).toBe("passed");
  expect(existsSync(`${file}.part`)).toBe(false);
});

/** A machine whose run prints these lines and has these events. */
function machineWith(lines: readonly string[], events: readonly TraceEvent[]): () => Promise<Opening> {
  return async () => ({
    kind: "open",
    kernel: null,
    start: () => ({
      lines: (async function* () {
        yield* lines;
      })(),
      outcome: Promise.resolve({ kind: "powered-off", result: PowerOff.Passed }),
      stop: () => undefined,
      events: () => events,
    }),
  });
}

const HART = "HART: cpu=0 hart=0 picks=2 steals=0 migrations=0 wakes=0 ended=0 faults=0 fallbacks=0 idle-percent=0";

test("boot --trace: events that do not add up: red, both numbers on stderr, and the file is there", async () => {
  const file = join(folder(), "wrong.jsonl");
  const event: TraceEvent = { t: 1, cpu: 0, kind: "switch", previous: null, reason: null, next: 1024, qos: "Idle" };
  expect(await main(["boot", "--trace", file], machineWith([HART], [event]))).toBe(1);
  expect(captured.err).toContain(`${file}: cpu0 picks: 1 by the events, 2 by the kernel's count\n`);
  expect(parseTrace(readFileSync(file, "utf8")).kind).toBe("read");
});

test("boot --trace: lost records: counted on stderr and in the totals", async () => {
  const file = join(folder(), "lost.jsonl");
  expect(await main(["boot", "--trace", file], machineWith([HART], [{ t: 1, cpu: 0, kind: "lost", count: 5 }]))).toBe(
    0,
  );
  expect(captured.err).toBe(`${file}: 5 records were overwritten before they were read\n`);
  expect(parseTrace(readFileSync(file, "utf8"))).toMatchObject({ trace: { totals: { lost: 5 } } });
});

test("boot --trace: a file that cannot be written: one line, exit code 2, nothing is booted", async () => {
  const inTheWay = join(folder(), "file");
  writeFileSync(inTheWay, "");
  const neverOpened = async (): Promise<Opening> => ({ kind: "open", kernel: null, start: () => expect.unreachable() });
  expect(await main(["boot", "--trace", join(inTheWay, "trace.jsonl")], neverOpened)).toBe(2);
  expect(captured.err).toMatch(/^error: .*trace\.jsonl: the trace cannot be written there \(\w+\)\n$/);
  captured.err = "";
  expect(await main(["boot", "--trace", folder()], neverOpened)).toBe(2);
  expect(captured.err).toBe(`error: ${folder()}: this is a folder; name a file\n`);
  expect(existsSync(`${folder()}.part`)).toBe(false);
});
