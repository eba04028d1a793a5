// User start: a program's linear memory as WebAssembly has it before the first call.
//
// Owner: the task, in U-mode; its space was cleared before, so only the data segments are missing.
// Pairs with: user-entry.S, which calls this; c-printer.ts, which prints the segments.
#include "address-map.h"
#define WASM_MEMORY_BASE USER_MEMORY_BASE
#include "wasm-c.h"

extern const struct wasm_segment user_segments[];
extern const uint32_t user_segment_count;

void user_load_memory(void) {
  for (uint32_t index = 0; index < user_segment_count; index++) {
    const struct wasm_segment *segment = &user_segments[index];
    __builtin_memcpy(u8_at((int32_t)segment->offset, 0), segment->bytes, segment->length);
  }
}
