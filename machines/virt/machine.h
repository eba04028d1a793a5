// Machine: what the C files of this folder offer one another, and the symbols of the linker script.
//
// Owner: each declaration names the file that defines it.
#ifndef MACHINE_H
#define MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "abi.h"
#include "address-map.h"
#include "hart-block.h"
#include "machine-calls.h"

// link.ld
extern char image_code_end[], image_constants_end[], image_data_start[], image_data_end[], machine_data_end[];
extern char user_code_start[], user_constants_start[], user_image_end[];
extern char user_memories[], user_shared_memory[], user_stacks[], linear_memory[], page_tables[], reserved_end[];
extern struct frame space_frames[];

// trap.S and boot.S

// The printed kernel and user programs.
int32_t kernel_boot(int32_t hart);
int32_t kernel_bootSecondary(int32_t cpu);
int32_t kernel_trap(int32_t cause, int64_t value, int32_t call, int64_t a0, int64_t a1, int64_t a2);
int32_t user_programCount(void);

// machine.c
int32_t machine_main(int32_t hart); // weak: a benchmark replaces it
void machine_sleep_a_moment(void);  // only when the run ends: it takes the timer away from the kernel

// harts.c
extern struct hart_block machine_blocks[];
struct hart_block *machine_this_block(void);
void machine_prepare_harts(uint64_t sswi);

// page-table.c: called with paging off, once. Returns satp for the kernel's own address space.
uint64_t page_tables_build(uintptr_t device_tree, size_t device_tree_bytes, uintptr_t test, uintptr_t sswi);
extern uint64_t kernel_satp;
extern bool asids_missing;
// satp for a space with the memory of its own, or with the one that tasks share.
uint64_t page_tables_satp(int32_t space, bool shared);

// device-tree.c. Before paging the tree is read where the firmware left it, afterwards through its window.
void device_tree_open(uintptr_t address);
void device_tree_move(uintptr_t address);
size_t device_tree_bytes(void);
bool device_tree_find_device(const char *compatible, uint64_t *address);
bool device_tree_find_word(const char *property, uint32_t *value);

// console.c
#define CONSOLE_LINE_BYTES 248
void console_open(void);
bool console_write(const char *text, size_t length);
bool console_flush(void);

// machine.c: `uart` is physical before paging, then the window.
extern volatile uint8_t *uart;
static inline uint8_t uart_read(int number) { return uart[number]; }
static inline void uart_write(int number, uint8_t value) { uart[number] = value; }
static inline void console_device_fence(void) { __asm__ volatile("fence iorw, iorw" : : : "memory"); }

// panic.c. `reason` is words; the rest is printed as hexadecimal evidence.
__attribute__((noreturn)) void machine_panic(const char *reason, uint64_t detail);

// True when [address, address + length) lies in linear memory and above its guard; length may be 0.
static inline bool in_linear_memory(int32_t address, int32_t length) {
  return address >= LINEAR_MEMORY_GUARD_BYTES && length >= 0 && (int64_t)address + length <= LINEAR_MEMORY_BYTES;
}

#endif
