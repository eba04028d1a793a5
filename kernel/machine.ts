// Machine: everything the kernel reaches outside its own linear memory. Each machine (sim, virt) supplies
// this list and nothing else; asc turns each declaration into the import `machine.NAME`.
//
// Owner: none, there is no state here. Calls act on the calling hart unless a hart or space is named.
// Pairs with: machines/sim/machine-calls.ts, machines/virt/machine-calls.h and machine.c.
// Clauses: C1, C2, C5.

/** The S-mode `tp` register, all of its 64 bits: a hint, to be validated (C1). */
export declare function hartPointer(): i64;
/** Replaces `tp` on this hart until the next trap entry; the selftests poison it with this (C5). */
export declare function setHartPointer(value: i64): void;
/** Number of the aligned block of TRAP_STACK_BYTES that the stack pointer lies in (its address / TRAP_STACK_BYTES). */
export declare function stackSlot(): i32;
/** The same number of CPU 0's trap stack; CPU n's is n more (C2). */
export declare function stackSlotFirst(): i32;

/** HSM state of a hart by its hart id: 0 started, 1 stopped, or above; MachineError.NotSupported without HSM. */
export declare function hartStateOf(hart: i32): i32;
/** Starts a stopped hart as the given CPU: 0 or a MachineError. The hart enters `bootSecondary(cpu)`. */
export declare function startHart(hart: i32, cpu: i32): i32;
/**
 * Makes S_SOFT pending on a hart, by its doorbell number on the selected path: its id for the firmware, the index of its
 * register for the SSWI. 0 or a MachineError. Orders every earlier store before it.
 */
export declare function sendIpi(doorbell: i32): i32;
/** Makes S_SOFT pending on this hart. */
export declare function raiseSoft(): void;
/** Clears S_SOFT on this hart. Later loads are ordered after it. */
export declare function clearSoft(): void;
/** Selects how sendIpi works: an IpiPath, and its device's physical address (0 for the firmware). 0 or a MachineError. */
export declare function selectIpi(path: i32, address: i64): i32;

/** The time in ticks, the same on every hart. */
export declare function timeTicks(): i64;
/** Ticks a second. */
export declare function ticksPerSecond(): i32;
/** The timer interrupt of this hart comes at that time; a time far away means never. Clears a pending one. */
export declare function setTimer(deadlineTicks: i64): void;
/** Size of the flattened device tree in bytes. */
export declare function deviceTreeBytes(): i32;
/** The big-endian word at a multiple of 4 in the device tree, as a number; 0 past its end. */
export declare function deviceTreeWord(offset: i32): i32;

/** The word at an index of the task table, 0 past its end: see abi/task-table.ts. Constant from power-on. */
export declare function taskWord(index: i32): i32;

/** Gives the space fresh memory and a frame that starts `program` with `argument` at its first entry: 0 or a MachineError. */
export declare function prepareSpace(space: i32, program: i32, argument: i64): i32;
/** Number of programs in the user image. */
export declare function programCount(): i32;
/** Sets what the space's pending system call answers (a0). */
export declare function setReturn(space: i32, value: i64): void;
/** Copies bytes from user memory into the kernel's: 0 or MachineError.InvalidAddress when any byte is not the user's own. */
export declare function copyFromUser(space: i32, userAddress: i64, kernelAddress: i32, lengthBytes: i32): i32;

/**
 * Writes one line and its line end; lines of several harts never splice. A line of the kernel's is never refused:
 * the caller has asked consoleRoom before, and no space for it is a panic. It is sent at a later turn.
 */
export declare function writeLine(address: i32, lengthBytes: i32): void;
/** Writes a user's line, or refuses it: a LineOutcome. Then takes a turn, as drainConsole does. */
export declare function offerLine(address: i32, lengthBytes: i32): i32;
/** A turn: sends what has been written, at most CONSOLE_TURN_BYTES of it, unless another hart is sending. Never waits. */
export declare function drainConsole(): void;
/** Lines that writeLine takes as of now. */
export declare function consoleRoom(): i32;
/** Ends the run with a PowerOff result. Does not return. */
export declare function powerOff(result: i32): void;
