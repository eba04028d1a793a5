// User space: a program's memory, stack and frame, and the kernel's access to them.
//
// Owner: the hart that runs the space, or prepares it while it runs nowhere.
// Invariants: user pages are never reached through user addresses: the kernel's address space maps the same frames
// for S-mode elsewhere, SUM stays off, and a user address is an index into the program's linear memory that is
// checked here. Mappings never change, so a space is made again by clearing its frames, and choosing one of its two trees
// of page tables: with a memory of its own, or with the one that the tasks of a module with shared memory have together.
// Pairs with: page-table.c, user-entry.S; the generated user-modules.h.
#include "machine.h"
#include "observer.h"
#include "user-modules.h"
#define WASM_MEMORY_BASE 0
#include "wasm-c.h"

// By space: its task has the shared memory.
static bool has_shared_memory[SPACES_MAX];

static void clear(char *start, size_t bytes) {
  uint64_t *word = (uint64_t *)start;
  for (uint64_t *end = (uint64_t *)(start + bytes); word < end; word += 8) {
    word[0] = 0;
    word[1] = 0;
    word[2] = 0;
    word[3] = 0;
    word[4] = 0;
    word[5] = 0;
    word[6] = 0;
    word[7] = 0;
  }
}

#ifdef SHARED_SEGMENTS
extern const struct wasm_segment SHARED_SEGMENTS[];
extern const uint32_t SHARED_SEGMENT_COUNT;

// With the first of its tasks; only the boot hart prepares spaces.
static void load_shared_memory(void) {
  static bool is_loaded;
  if (is_loaded) return;
  is_loaded = true;
  clear(user_shared_memory, USER_MEMORY_BYTES);
  for (uint32_t index = 0; index < SHARED_SEGMENT_COUNT; index++) {
    const struct wasm_segment *segment = &SHARED_SEGMENTS[index];
    __builtin_memcpy(user_shared_memory + segment->offset, segment->bytes, segment->length);
  }
}

static void select_memory(int32_t space, int32_t program) {
  int32_t own = program - user_programCount();
  bool shared = own >= SHARED_PROGRAMS_FIRST && own < SHARED_PROGRAMS_END;
  if (shared) load_shared_memory();
  if (shared == has_shared_memory[space]) return;
  has_shared_memory[space] = shared;
  space_frames[space].satp = page_tables_satp(space, shared);
  // A hart that ran this space last and has not left the kernel since must write satp when it enters it again. Its own
  // write to the word, at the same moment, at most costs it another write of satp.
  for (int cpu = 0; cpu < CPUS_MAX; cpu++) {
    volatile int32_t *runs = &machine_blocks[cpu].space;
    if (*runs == space) *runs = NO_SPACE;
  }
}
#else
static void select_memory(int32_t space, int32_t program) {
  (void)space;
  (void)program;
}
#endif

int32_t machine_prepareSpace(int32_t space, int32_t program, int64_t argument) {
  if (space < 0 || space >= SPACES_MAX) return MACHINE_ERROR_INVALID_PARAMETER;
  if (program < 0 || program >= machine_programCount()) return MACHINE_ERROR_INVALID_PARAMETER;
  if (machine_observer_base != 0) machine_observer_look();
  select_memory(space, program);
  clear(user_memories + (size_t)space * USER_MEMORY_BYTES, USER_MEMORY_BYTES);
  clear(user_stacks + (size_t)space * USER_STACK_BYTES, USER_STACK_BYTES);
  uint64_t *registers = space_frames[space].registers;
  for (int number = 1; number < 32; number++) registers[number] = 0;
  registers[0] = USER_CODE_BASE;
  registers[2] = USER_STACK_TOP - USER_GLOBALS_BYTES;
  registers[10] = (uint64_t)program;
  registers[11] = (uint64_t)argument;
  return MACHINE_ERROR_OK;
}

int32_t machine_programCount(void) {
  return user_programCount() + MORE_PROGRAMS;
}

void machine_setReturn(int32_t space, int64_t value) {
  if (space < 0 || space >= SPACES_MAX) machine_panic("an answer for no such space", (uint32_t)space);
  space_frames[space].registers[10] = (uint64_t)value;
}

int32_t machine_copyFromUser(int32_t space, int64_t userAddress, int32_t kernelAddress, int32_t lengthBytes) {
  if (space < 0 || space >= SPACES_MAX) machine_panic("a copy from no such space", (uint32_t)space);
  if (!in_linear_memory(kernelAddress, lengthBytes)) machine_panic("a copy outside linear memory", (uint32_t)kernelAddress);
  if (userAddress < 0 || userAddress > USER_MEMORY_BYTES - lengthBytes) return MACHINE_ERROR_INVALID_ADDRESS;
  const char *memory = has_shared_memory[space] ? user_shared_memory : user_memories + (size_t)space * USER_MEMORY_BYTES;
  const char *from = memory + userAddress;
  char *to = (char *)(intptr_t)kernelAddress;
  for (int32_t index = 0; index < lengthBytes; index++) to[index] = from[index];
  return MACHINE_ERROR_OK;
}
