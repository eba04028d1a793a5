// Kernel view: reads the kernel's memory as an observer does, from outside and without changing it.
//
// Owner: none. What layout.h has not (states, signals, places within a part) stands in the kernel's sources too;
// kernel-fields.test.ts holds both against them.
// Pairs with: observer.c; the generated layout.h.
#ifndef KERNEL_VIEW_H
#define KERNEL_VIEW_H

#include <stdint.h>
#include "abi.h"
#include "layout.h"

#define QOS_COUNT 4
#define WORD_STATE(word) ((int)((word) >> 2 & 7))
#define WORD_CPU(word) ((int)((word) >> 5 & 63))
#define WORD_QOS(word) ((uint32_t)((word) & 3))
#define STATE_FREE 0
#define STATE_EXITED 5
#define SIGNAL_KILL 2
#define SIGNAL_ASLEEP 4
#define SIGNAL_WOKEN 64
#define SIGNAL_EXPIRED 128
#define EXIT_KILLED 3
#define SLEEPS_MASK 0x3fffff
#define SLEEPERS_MAX 60
#define SLEEPERS_ENTRIES 32
#define EVIDENCE_NEXT_POSITION 16

static inline uint64_t read64(uintptr_t address) { return __atomic_load_n((uint64_t *)address, __ATOMIC_RELAXED); }
static inline uint32_t read32(uintptr_t address) { return __atomic_load_n((uint32_t *)address, __ATOMIC_RELAXED); }
static inline uintptr_t hart_at(int cpu) { return LAYOUT_HARTS + ((uintptr_t)cpu << LAYOUT_HART_LOG2); }
static inline uintptr_t task_at(uint32_t index) { return LAYOUT_TASKS_BASE + ((uintptr_t)index << LAYOUT_TASK_STRIDE_LOG2); }
static inline uintptr_t ring_at(int cpu, int qos) { return hart_at(cpu) + ((uintptr_t)qos << LAYOUT_BANK_STRIDE_LOG2); }
static inline uint64_t counter(int cpu, int at) { return read64(hart_at(cpu) + LAYOUT_COUNTERS_OFFSET + at); }
static inline uint32_t index_of(uintptr_t task) { return (uint32_t)(task - LAYOUT_TASKS_BASE) >> LAYOUT_TASK_STRIDE_LOG2; }
static inline uint32_t incarnation_of(uint64_t life) { return (uint32_t)(life >> 10); }
static inline uint32_t sleeps_of(uint64_t life) { return (uint32_t)(life >> 42); }
static inline uint64_t life_of(uintptr_t task) { return read64(task + TASK_LIFE_AT); }
static inline uint64_t id_of(uintptr_t task) { return (uint64_t)incarnation_of(life_of(task)) << 10 | index_of(task); }

// A run queue's state word: its low half has borrowed from the head where it is negative.
static inline uint32_t head_of(uint64_t state) { return (uint32_t)(state >> 32) + ((int32_t)state < 0); }
static inline uint32_t length_of(uint64_t state) { return RING_CAPACITY - (uint32_t)(state & 0xffff); }
static inline uint32_t tail_of(uint64_t state) { return head_of(state) + length_of(state); }
static inline uint32_t tombstones_of(uint64_t state) { return ((uint32_t)(state & 0xffff) - (uint32_t)state) >> 16; }
static inline uint64_t slot_at(uintptr_t ring, uint32_t position) {
  return read64(ring + LAYOUT_BANK_SLOTS + (position % RING_CAPACITY) * 8);
}

#endif
