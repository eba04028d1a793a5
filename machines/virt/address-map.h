// Address map: where things lie on QEMU's `virt` board, physically and in every address space.
//
// Owner: none, constants only. Included by C, assembly and the linker scripts, so numbers carry no suffix.
// Invariant: a 32-bit wasm address, sign-extended, plus an offset below 2 MiB never reaches the kernel image or a
// device window (docs/architecture.md); what it can reach besides linear memory is unmapped or U-mode only.
#ifndef ADDRESS_MAP_H
#define ADDRESS_MAP_H

#define PAGE_BYTES 4096

// The kernel's linear memory begins at virtual address 0. Its first page stays unmapped: no data lies there
// (toolchain/asc.ts), so an access through a null reference is a panic.
#define LINEAR_MEMORY_BYTES (KERNEL_PAGES * 65536)
#define LINEAR_MEMORY_GUARD_BYTES PAGE_BYTES

// Where the firmware jumps to; the first LOAD segment starts exactly here.
#define IMAGE_BASE 0x80200000

// One user program's view: its linear memory, its code and constants, and the end of its stack. The page below
// the stack stays unmapped.
#define USER_MEMORY_BASE 0x40000000
#define USER_CODE_BASE 0x50000000
#define USER_STACK_TOP 0x60000000
#define USER_STACK_BYTES 16384
// At the stack's upper end lie the mutable globals of the program's module (MUTABLE_GLOBALS_MAX of the printer).
#define USER_GLOBALS_BYTES 512

// Physical addresses of the devices that are the same on every `virt` board.
#define UART_PHYSICAL 0x10000000

// Windows above 4 GiB, out of reach of 32-bit addresses; each device window is one page.
#define UART_WINDOW 0x2000000000
#define TEST_WINDOW 0x2000001000
#define SSWI_WINDOW 0x2000002000
#define DEVICE_TREE_WINDOW 0x2000200000
#define DEVICE_TREE_BYTES_MAX 0x200000
// Where there is an observer: a region for all harts and one for each (observer.h), mapped as large pages.
#define OBSERVER_WINDOW 0x2000400000

// Page-table pages that fit in the space reserved for them: four for each user space, two more for its tree with the
// shared memory, and the shared ones.
#define PAGE_TABLES_MAX (6 * SPACES_MAX + 41)

#endif
