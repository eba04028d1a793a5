// Task table: the words that the kernel asks for by machine.taskWord. All zero, no table, as linked.
//
// Owner: the host, which writes them into the image before a boot; nobody writes them afterwards.
// Pairs with: abi/task-table.ts (the words), task-table-image.ts (who writes them).
#include "machine.h"

#define WORDS (1 + TASK_ROWS_MAX * TASK_ROW_WORDS)

// Volatile: what the compiler sees here is not what it will be.
const volatile int32_t machine_task_table[WORDS] = {0};

int32_t machine_taskWord(int32_t index) {
  return index >= 0 && index < WORDS ? machine_task_table[index] : 0;
}
