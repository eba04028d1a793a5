// User start: a program's linear memory as WebAssembly has it before the first call.
//
// Owner: the task, in U-mode; its space was cleared before, so only the data segments are missing.
// Pairs with: user-entry.S and the generated program_load, which calls this with the segments of the program's module;
// c-printer.ts, which prints the segments.
#include "address-map.h"
#define WASM_MEMORY_BASE USER_MEMORY_BASE
#include "wasm-c.h"

void user_load_segments(const struct wasm_segment *segments, uint32_t count) {
  for (uint32_t index = 0; index < count; index++) {
    const struct wasm_segment *segment = &segments[index];
    __builtin_memcpy(u8_at((int32_t)segment->offset, 0), segment->bytes, segment->length);
  }
}
