// The tests' map of the kernel against the kernel's own sources, so that neither can move alone.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { packageRoot } from "../../toolchain/package-root.ts";
import * as map from "./kernel-map.ts";

const source = (name: string): string => readFileSync(join(packageRoot, "kernel", `${name}.ts`), "utf8");

/** Field offsets of an unmanaged class, laid out as AssemblyScript does: in order, each aligned to its size. */
function offsetsOf(file: string, name: string): Map<string, number> {
  const text = source(file);
  const from = text.indexOf(`class ${name} {`);
  const body = text.slice(from, text.indexOf("\n}", from));
  const offsets = new Map<string, number>();
  let next = 0;
  for (const [, field = "", type] of body.matchAll(/^ {2}(\w+): (\w+);/gm)) {
    const bytes = type === undefined ? 4 : Number(/\d+/.exec(type)?.[0] ?? 32) / 8;
    const at = Math.ceil(next / bytes) * bytes;
    offsets.set(field, at);
    next = at + bytes;
  }
  return offsets;
}

/** Members of an enum by name. */
function membersOf(file: string, name: string): Record<string, number> {
  const text = source(file);
  const from = text.indexOf(`enum ${name} {`);
  const body = text.slice(from, text.indexOf("\n}", from));
  return Object.fromEntries(
    [...body.matchAll(/^ {2}(\w+) = (-?\d+),/gm)].map(([, key, value]) => [key, Number(value)]),
  );
}

test.each([
  ["hart-local", "Hart", map.HART_FIELDS],
  ["hart-local", "Counters", map.COUNTER_FIELDS],
  ["task", "Task", map.TASK_FIELDS],
])("kernel map: fields of %s.ts %s: where the kernel has them", (file, name, fields) => {
  const offsets = offsetsOf(file, name);
  for (const [field, at] of Object.entries(fields)) expect(offsets.get(field), field).toBe(at);
});

test.each([
  ["task", "TaskState", map.TASK_STATE],
  ["signals", "Signal", map.SIGNAL],
  ["run-queue", "EnqueueOutcome", map.ENQUEUE],
  ["scheduler", "StealOutcome", map.STEAL],
  ["drain", "DrainOutcome", map.DRAIN],
  ["scheduler", "YieldOutcome", map.YIELD],
  ["sleep", "SleepOutcome", map.SLEEP],
  ["sleep", "WakeOutcome", map.WAKE],
  ["authority", "QosOutcome", map.QOS_CHANGE],
  ["authority", "KillOutcome", map.KILL],
  ["resched", "ReschedOutcome", map.RESCHED],
  ["resched", "TakeOutcome", map.TAKE],
])("kernel map: outcomes of %s.ts %s: the kernel's, all of them", (file, name, members) => {
  expect(members).toEqual(membersOf(file, name));
});

test("kernel map: bounds: the kernel's", () => {
  expect(source("signals")).toContain("export const INCARNATION_MAX: i32 = 0x7fffffff;");
  expect(map.LIFE_MAX).toBe(0x7fffffff);
  expect(source("resched")).toContain("export const REQUESTS_PENDING_MAX: i32 = 0xffff - CPUS_MAX;");
});

test("kernel map: words and states, packed and unpacked: the same", () => {
  const word = { task: 1023, generation: 0x1fffff, cpu: 63, state: 5, qos: 3 };
  expect(map.unpackWord(map.packWord(word))).toEqual(word);
  for (const state of [
    { head: 0, room: 64, tombstones: 0 },
    { head: 0xffff_ffff, room: 0, tombstones: 0 },
    { head: 0x8000_0000, room: 3, tombstones: 61 },
  ]) {
    expect(map.unpackRing(map.packRing(state))).toEqual(state);
  }
  const life = { incarnation: 0x7fff_ffff, sleeps: 0x3f_ffff, signals: 0x3ff };
  expect(map.unpackLife(map.packLife(life))).toEqual(life);
  const resched = { taken: 2 ** 43, count: 0xffff, sent: true, failed: false };
  expect(map.unpackResched(map.packResched(resched))).toEqual(resched);
});
