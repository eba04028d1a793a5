// The tests' map of the kernel: its outcomes and packed words against the kernel's sources; its addresses come from there.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { COUNTERS_BYTES, EVIDENCE_BASE, EVIDENCE_STRIDE_LOG2, HART_LOG2, HARTS } from "../../kernel/layout.ts";
import { fieldsIn, fieldsOf } from "../../toolchain/class-layout.ts";
import { packageRoot } from "../../toolchain/package-root.ts";
import * as map from "./kernel-map.ts";

const source = (name: string): string => readFileSync(join(packageRoot, "kernel", `${name}.ts`), "utf8");

/** Members of an enum by name. */
function membersOf(file: string, name: string): Record<string, number> {
  const text = source(file);
  const from = text.indexOf(`enum ${name} {`);
  const body = text.slice(from, text.indexOf("\n}", from));
  return Object.fromEntries(
    [...body.matchAll(/^ {2}(\w+) = (-?\d+),/gm)].map(([, key, value]) => [key, Number(value)]),
  );
}

test("kernel map: fields: laid out as AssemblyScript does; a field that moves, moves in the map", () => {
  const text = "class A {\n  one: i64;\n  two: u8;\n  three: Kind;\n  four: i16;\n}\n";
  const offsetsIn = (changed: string) => [...fieldsIn(changed, "A")].map(([name, { offset }]) => [name, offset]);
  expect(offsetsIn(text)).toEqual([
    ["one", 0],
    ["two", 8],
    ["three", 12],
    ["four", 16],
  ]);
  expect(offsetsIn(text.replace("two: u8", "more: i64;\n  two: u8"))).toContainEqual(["two", 16]);
});

test("kernel map: what the layout reserves for counters: all of them, and no more", () => {
  const last = [...fieldsOf("hart-local", "Counters").values()].at(-1);
  expect((last?.offset ?? 0) + (last?.bytes ?? 0)).toBe(COUNTERS_BYTES);
  expect(EVIDENCE_BASE).toBe(HARTS >> (HART_LOG2 - EVIDENCE_STRIDE_LOG2));
});

test.each([
  ["task", "TaskState", map.TASK_STATE],
  ["task", "ExitReason", map.EXIT_REASON],
  ["orders", "Order", map.ORDER],
  ["signals", "Signal", map.SIGNAL],
  ["run-queue", "EnqueueOutcome", map.ENQUEUE],
  ["scheduler", "StealOutcome", map.STEAL],
  ["drain", "DrainOutcome", map.DRAIN],
  ["scheduler", "YieldOutcome", map.YIELD],
  ["sleep", "SleepOutcome", map.SLEEP],
  ["sleep", "WakeOutcome", map.WAKE],
  ["authority", "SpawnRefusal", map.SPAWN_REFUSAL],
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
  expect(source("task")).toContain(`export const ID_INCARNATION_SHIFT: i32 = ${map.ID_INCARNATION_SHIFT};`);
  expect(source("resched")).toContain("export const REQUESTS_PENDING_MAX: i32 = 0xffff - CPUS_MAX;");
});

test("kernel map: words of a hart's resched line and the selftest's step: where the kernel has them", () => {
  expect(source("evidence")).toContain("const NEXT_NUMBER: i32 = RESCHED_OFFSET + 8;");
  expect(map.LAST_EVENT_OFFSET).toBe(map.RESCHED_OFFSET + 8);
  expect(source("resched")).toContain("export const ACKED_OFFSET: i32 = RESCHED_OFFSET + 24;");
  expect(map.ACKED_OFFSET).toBe(map.RESCHED_OFFSET + 24);
  expect(source("selftest")).toContain("const PROGRESS: i32 = GLOBALS_BASE + 256;");
  expect(map.SELFTEST_STEP).toBe(map.GLOBALS + 256);
  expect(source("selftest")).toContain("  Tasks = 9,");
  expect(map.STEP_TASKS).toBe(9);
  expect(source("selftest")).toContain("  TasksEnd = 10,");
  expect(map.STEP_TASKS_END).toBe(10);
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
