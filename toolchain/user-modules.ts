// User modules: C that finds, for a program's number, its module: what starts it and what its memory holds at first.
//
// The first module is the built-in one; those of the user follow, their programs numbered through.
// Invariant: without further modules the generated C calls the first, and the constants are those of none.
// Pairs with: gcc.ts, which writes both files; machines/virt/user-entry.S, user-start.c, user-space.c, page-table.c.

import type { PrintedC } from "./c-printer.ts";
import type { ProgramModule } from "./program-module.ts";

/** A further module of the image. */
export interface UserModule extends Pick<ProgramModule, "entry" | "count" | "shared"> {
  /** Printed with `modulePrefix` of its number. */
  readonly printed: PrintedC;
}

/** The prefix of everything that a further module exports; the first of them has the number 1. */
export function modulePrefix(number: number): string {
  return `user${number}_`;
}

/** The base name of its files. */
export function moduleName(number: number): string {
  return `user${number}`;
}

interface Numbered extends UserModule {
  readonly prefix: string;
  /** Its programs, counted from the end of the built-in ones. */
  readonly first: number;
  readonly end: number;
}

function numbered(modules: readonly UserModule[]): Numbered[] {
  let end = 0;
  return modules.map((one, index) => {
    const first = end;
    end += one.count;
    return { ...one, prefix: modulePrefix(index + 1), first, end };
  });
}

/** user-modules.h: how many programs there are besides the built-in ones, and which of them share a memory. */
export function userModulesHeader(modules: readonly UserModule[]): string {
  const list = numbered(modules);
  const shared = list.find((one) => one.shared);
  return [
    "// Generated from the list of user modules; do not edit.",
    "#ifndef USER_MODULES_H",
    "#define USER_MODULES_H",
    `#define MORE_PROGRAMS ${list.at(-1)?.end ?? 0}`,
    `#define SHARED_PROGRAMS_FIRST ${shared?.first ?? 0}`,
    `#define SHARED_PROGRAMS_END ${shared?.end ?? 0}`,
    ...(shared === undefined
      ? []
      : [
          `#define SHARED_SEGMENTS ${shared.prefix}segments`,
          `#define SHARED_SEGMENT_COUNT ${shared.prefix}segment_count`,
        ]),
    "#endif",
    "",
  ].join("\n");
}

/** user-modules.c: `program_load` and `program_start`, which run in U-mode. */
export function userModulesCode(modules: readonly UserModule[]): string {
  const list = numbered(modules);
  return [
    "// Generated from the list of user modules; do not edit.",
    "#define WASM_MEMORY_BASE 0",
    '#include "wasm-c.h"',
    '#include "user.h"',
    ...list.map((_, index) => `#include "${moduleName(index + 1)}.h"`),
    "extern const struct wasm_segment user_segments[];",
    "extern const uint32_t user_segment_count;",
    "void user_load_segments(const struct wasm_segment *segments, uint32_t count);",
    "",
    "void program_load(int32_t program) {",
    "  int32_t own = program - user_programCount();",
    "  if (own < 0) return user_load_segments(user_segments, user_segment_count);",
    ...list.map(loadText),
    "}",
    "",
    "// The exit code.",
    "int32_t program_start(int32_t program, int64_t argument) {",
    "  int32_t own = program - user_programCount();",
    "  if (own < 0) return user_start(program, argument), 0;",
    ...list.map(startText),
    "  return 0;",
    "}",
    "",
  ].join("\n");
}

/** The kernel loads a shared memory, once; globals are each task's own. */
function loadText({ prefix, end, shared }: Numbered): string {
  const load = shared ? "" : `user_load_segments(${prefix}segments, ${prefix}segment_count), `;
  return `  if (own < ${end}) return ${load}${prefix}set_globals();`;
}

function startText({ prefix, first, end, entry }: Numbered): string {
  const call = entry === "run" ? `${prefix}run(argument)` : `${prefix}start(own - ${first}, argument), 0`;
  return `  if (own < ${end}) return ${call};`;
}
