// The observers' offsets, against the kernel's classes.

import { expect, test } from "vitest";
import { readFileSync } from "node:fs";
import { RESCHED_OFFSET } from "../kernel/layout.ts";
import { fieldsOf } from "../toolchain/class-layout.ts";
import { packageRoot } from "../toolchain/package-root.ts";
import * as fields from "./kernel-fields.ts";

const CLASSES = {
  HART: ["hart-local", "Hart"],
  COUNTER: ["hart-local", "Counters"],
  TASK: ["task", "Task"],
  RUNTIME: ["runtime", "Runtime"],
  SLEEPERS: ["sleepers", "Sleepers"],
  SLEEPER: ["sleepers", "Sleeper"],
} as const;

const NUMBERS = new Map(Object.entries(fields));

/** What is no field of a class. */
const OTHERS = new Set(["SLEEPERS_ENTRIES", "SLEEPER_BYTES"]);

const source = (name: string): string => readFileSync(`${packageRoot}/kernel/${name}.ts`, "utf8");
const upper = (name: string): string => name.replace(/[A-Z]/g, (capital) => `_${capital}`).toUpperCase();

test("kernel fields: every offset: where the kernel's class has that field", () => {
  let seen = 0;
  for (const [prefix, [file, name]] of Object.entries(CLASSES)) {
    const offsets = new Map([...fieldsOf(file, name)].map(([field, { offset }]) => [upper(field), offset]));
    for (const [constant, value] of Object.entries(fields)) {
      if (!constant.startsWith(`${prefix}_`) || OTHERS.has(constant)) continue;
      expect([constant, value]).toEqual([constant, offsets.get(constant.slice(prefix.length + 1))]);
      seen += 1;
    }
  }
  expect(seen).toBe(23);
  expect(fieldsOf("sleepers", "Sleeper").size * 8).toBe(fields.SLEEPER_BYTES);
});

test.each([
  ["task", "Exited", fields.STATE_EXITED],
  ["task", "Free", fields.STATE_FREE],
  ["task", "Killed", fields.EXIT_KILLED],
  ["signals", "Kill", fields.SIGNAL_KILL],
  ["signals", "Asleep", fields.SIGNAL_ASLEEP],
  ["signals", "Woken", fields.SIGNAL_WOKEN],
  ["signals", "Expired", fields.SIGNAL_EXPIRED],
])("kernel fields: %s.ts: %s is %i there too", (file, member, value) => {
  expect(source(file)).toContain(`\n  ${member} = ${value},`);
});

test("kernel fields: where entries and evidence lie: as in the kernel's sources", () => {
  expect(source("sleepers")).toContain(`ENTRIES_OFFSET: i32 = ${fields.SLEEPERS_ENTRIES};`);
  expect(source("evidence")).toContain(`NEXT_POSITION: i32 = RESCHED_OFFSET + ${fields.EVIDENCE_NEXT_POSITION};`);
  expect(RESCHED_OFFSET % 64).toBe(0);
});

test("kernel fields: kernel-view.h: the same numbers for C", () => {
  const text = readFileSync(`${packageRoot}/machines/virt/kernel-view.h`, "utf8");
  let seen = 0;
  for (const [, name = "", value] of text.matchAll(/^#define (\w+) (\d+)$/gm)) {
    const expected = NUMBERS.get(name);
    if (expected === undefined) continue;
    expect([name, Number(value)]).toEqual([name, expected]);
    seen += 1;
  }
  expect(seen).toBe(9);
});
