// Task table: what the kernel runs after its selftests, as words that the machine hands over (machine.taskWord).
//
// Word 0 is the number of rows, 0: the default tasks. A row is TASK_ROW_WORDS words: program, QoS class, CPU or
// CPUS_IN_TURN, the argument's low half, its high half. The kernel takes no word of it on trust.

/** Words of a row. */
export const TASK_ROW_WORDS = 5;

/** Rows that a table has at most: a few less than there are user address spaces, which the selftests' tasks need too. */
export const TASK_ROWS_MAX = 120;

/** In the place of a CPU: each task that has this goes to the next CPU in turn. */
export const CPUS_IN_TURN = -1;
