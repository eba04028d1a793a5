// Cost slots: where the harness counts the atomic accesses of each operation, by number. Both compilers read this file.
//
// Slots: a bare operation has the number of its import, a trap TRAPS + its cause, a system call CALLS + its number.
// Pairs with: harness/cost-counter.ts (writes the words), operation-costs.ts (names and reads them).

/** Offset, from the end of the kernel's pages, of the word that is 1 where the harness is linked so that it measures. */
export const COUNTING_OFFSET = 0xd60;
/** The same of the counts, a word a slot. */
export const COST_COUNTERS_OFFSET = 0x6000;
export const SLOTS = 96;
export const TRAPS = 32;
/** Interrupts come after the other causes: their highest bit is set. */
export const INTERRUPTS = 48;
export const CALLS = 64;
/** More accesses than any operation may take: whoever needs them goes round without end. */
export const ACCESSES_MAX = 2000;
