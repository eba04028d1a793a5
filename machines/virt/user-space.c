// User space: a program's memory, stack and frame, and the kernel's access to them.
//
// Owner: the hart that runs the space, or prepares it while it runs nowhere.
// Invariants: user pages are never reached through user addresses: the kernel's address space maps the same frames
// for S-mode elsewhere, SUM stays off, and a user address is an index into the program's linear memory that is
// checked here. Mappings never change, so a space is made again by clearing its frames alone.
// Pairs with: page-table.c, user-entry.S.
#include "machine.h"

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

int32_t machine_prepareSpace(int32_t space, int32_t program, int64_t argument) {
  if (space < 0 || space >= SPACES_MAX) return MACHINE_ERROR_INVALID_PARAMETER;
  if (program < 0 || program >= user_programCount()) return MACHINE_ERROR_INVALID_PARAMETER;
  clear(user_memories + (size_t)space * USER_MEMORY_BYTES, USER_MEMORY_BYTES);
  clear(user_stacks + (size_t)space * USER_STACK_BYTES, USER_STACK_BYTES);
  uint64_t *registers = space_frames[space].registers;
  for (int number = 1; number < 32; number++) registers[number] = 0;
  registers[0] = USER_CODE_BASE;
  registers[2] = USER_STACK_TOP;
  registers[10] = (uint64_t)program;
  registers[11] = (uint64_t)argument;
  return MACHINE_ERROR_OK;
}

int32_t machine_programCount(void) {
  return user_programCount();
}

void machine_setReturn(int32_t space, int64_t value) {
  if (space < 0 || space >= SPACES_MAX) machine_panic("an answer for no such space", (uint32_t)space);
  space_frames[space].registers[10] = (uint64_t)value;
}

int32_t machine_copyFromUser(int32_t space, int64_t userAddress, int32_t kernelAddress, int32_t lengthBytes) {
  if (space < 0 || space >= SPACES_MAX) machine_panic("a copy from no such space", (uint32_t)space);
  if (!in_linear_memory(kernelAddress, lengthBytes)) machine_panic("a copy outside linear memory", (uint32_t)kernelAddress);
  if (userAddress < 0 || userAddress > USER_MEMORY_BYTES - lengthBytes) return MACHINE_ERROR_INVALID_ADDRESS;
  const char *from = user_memories + (size_t)space * USER_MEMORY_BYTES + userAddress;
  char *to = (char *)(intptr_t)kernelAddress;
  for (int32_t index = 0; index < lengthBytes; index++) to[index] = from[index];
  return MACHINE_ERROR_OK;
}
