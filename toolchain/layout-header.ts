// Layout header: the kernel's memory layout as C reads it, so that an address or an offset stands in one place.
//
// Owner: none. Pairs with: kernel/layout.ts and the kernel's classes (the source); gcc.ts, which writes the result as
// layout.h; bench/native/state.h, whose structures are held to it.

import * as layout from "../kernel/layout.ts";
import { upper } from "./abi-header.ts";
import { fieldsOf } from "./class-layout.ts";

/** Class names of the kernel, and their files. */
const CLASSES = {
  Task: "task",
  Hart: "hart-local",
  Counters: "hart-local",
  Runtime: "runtime",
  Sleepers: "sleepers",
  Sleeper: "sleepers",
} as const;

/** layout.h: `#define LAYOUT_TASKS_BASE 131072`, and `#define TASK_EXIT_CODE_AT 48` for a field of a class. */
export function layoutHeader(): string {
  const lines = ["// Generated from kernel/; do not edit.", "#ifndef LAYOUT_H", "#define LAYOUT_H", ""];
  for (const [name, value] of Object.entries(layout)) lines.push(`#define LAYOUT_${name} ${value}`);
  for (const [name, file] of Object.entries(CLASSES)) {
    lines.push("");
    for (const [field, { offset }] of fieldsOf(file, name))
      lines.push(`#define ${upper(name)}_${upper(field)}_AT ${offset}`);
  }
  return [...lines, "", "#endif", ""].join("\n");
}
