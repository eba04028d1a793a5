// Hand-written user image: user programs in C in place of the printed ones, for images that test or measure.
//
// Pairs with: gcc.ts, which compiles what this returns; user-entry.S, which calls user_start.

import type { PrintedC } from "./c-printer.ts";

/** Without data segments; C has no empty arrays. */
const USER_DATA = `#define WASM_MEMORY_BASE 0
#include "wasm-c.h"
const struct wasm_segment user_segments[] = {{0, 0, 0}};
const uint32_t user_segment_count = 0;
`;

/** code: C that defines user_start and user_programCount. argument: the type of the second parameter of user_start. */
export function handWrittenUser(code: string, argument: "int32_t" | "int64_t"): PrintedC {
  const header = `#ifndef PRINTED_USER_H
#define PRINTED_USER_H
#include <stdint.h>
void user_start(int32_t, ${argument});
int32_t user_programCount(void);
#endif
`;
  return { code, data: USER_DATA, header };
}
