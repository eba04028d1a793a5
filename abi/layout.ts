// Sizes and addresses that the kernel and the machines agree on.
// Addresses are offsets in the kernel's linear memory; on virt that memory begins at virtual address 0,
// so an offset is also what the hart's `tp` register holds.

/** CPUs in the one artifact; the cost of an operation follows the CPUs online, not this number. */
export const CPUS_MAX = 64;

/** Entries of one run queue (one CPU, one QoS class). */
export const RING_CAPACITY = 64;

/** Tasks that a CPU's mailbox holds until the CPU moves them to its run queues. */
export const MAILBOX_CAPACITY = 32;

/** Events that a hart keeps before it overwrites its oldest. */
export const EVIDENCE_CAPACITY = 64;

/** Tasks in the task table: enough to fill every class of one CPU and a mailbox, with room to spare. */
export const TASKS_MAX = 1024;

/** User address spaces that exist at once. */
export const SPACES_MAX = 128;

/** Bytes of one user program's linear memory. */
export const USER_MEMORY_BYTES = 65536;

/** Characters (ASCII) of one console line, without its line end. */
export const LINE_LENGTH_MAX = 160;

/** Lines that the console keeps until they are sent: a power of two. */
export const CONSOLE_SLOTS = 512;

/** Lines that have not been sent, from which on a user's line is refused; the rest of the slots are the kernel's. */
export const CONSOLE_USER_SLOTS = 128;

/** Bytes that a hart sends to the console in one trap at most: two of the longest lines. */
export const CONSOLE_TURN_BYTES = 322;

/** Lines that one step of the boot flow writes at most: as many tasks as there are spaces, and some evidence. */
export const BOOT_STEP_LINES_MAX = 192;

/** The kernel's linear memory, in WebAssembly pages of 64 KiB; frozen. */
export const KERNEL_PAGES = 8;

/** Where CPU 0's hart block lies; CPU n's is n strides further. */
export const HART_BASE = 0x40000;
export const HART_STRIDE_LOG2 = 12;
export const HART_STRIDE = 4096;

/** Bytes of one hart's trap stack: CPU n's is [n, n + 1) strides from the first stack's start. */
export const TRAP_STACK_BYTES = 8192;

/** `boot`, `bootSecondary` and `trap` return the space to enter in U-mode, or this: wait for an interrupt. */
export const IDLE_SPACE = -1;
