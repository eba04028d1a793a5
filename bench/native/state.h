// State: the kernel's memory as C structures, for the benchmark that sets it up and the twin that works on it.
//
// Owner: none. Addresses and places come from layout.h, which is generated from kernel/layout.ts, task.ts and
// hart-local.ts; a structure that differs does not compile. Of mailbox.ts, runtime.ts and topology.ts it is a second
// description, which need not be believed: each measurement compares the memory that the kernel left with the memory
// that the twin left, byte for byte, and bench.c checks every outcome.
#ifndef BENCH_STATE_H
#define BENCH_STATE_H

#include <stddef.h>
#include <stdint.h>
#include "abi.h"
#include "layout.h"

enum { QOS_IDLE, QOS_NORMAL, QOS_INTERACTIVE, QOS_PERF_BURST, QOS_COUNT };
enum { TASK_FREE, TASK_HELD, TASK_QUEUED, TASK_MAILED, TASK_BLOCKED, TASK_EXITED };

#define STATE_SHIFT 2
#define CPU_SHIFT 5
#define GENERATION_SHIFT 11
#define HELD_TO_QUEUED (1 << STATE_SHIFT)
#define TAKE_ONE ((INT64_C(1) << 32) + 1)
#define TOMBSTONE INT64_C(-65536)

// Of task->life: see kernel/signals.ts.
#define LIFE_PERMIT 1
#define LIFE_ASLEEP 4
#define LIFE_CHANGE_QOS 8
#define LIFE_WOKEN 64
#define LIFE_SIGNALS 0x3ff
#define FIRST_LIFE 1
#define INCARNATION_SHIFT 10
#define SLEEPS_SHIFT 42

struct task {
  int64_t word, life, runs, migrations, wakes, fault_address;
  int32_t exit_code, steals, incarnation;
  int16_t program;
  int8_t last_cpu, exit_reason;
};

struct ring {
  int64_t state;
  int64_t other_data;
  int32_t announced;
  int32_t more_data[123];
  int64_t slots[RING_CAPACITY];
};

struct mailbox {
  int64_t state;
  int32_t head;
  int32_t padding[13];
  int64_t places[MAILBOX_CAPACITY];
};

struct hart {
  union {
    struct ring rings[QOS_COUNT];
    struct {
      int64_t idle_ring_state;
      int32_t occupied;
      int32_t padding[13];
      int32_t stamp, cpu, doorbell, current, stolen, stolen_from, posted, slice_ticks, steals_in_tick, unsent_target;
      int64_t tick_deadline, idle_since;
      int32_t held_here, is_on_work_map, parked[QOS_COUNT];
      char before_counters[48];
      int64_t ticks, picks, steals, steals_contended, deferred_yields, identity_fallbacks, runtime_denied;
      int64_t accepted, sent, sends_failed, coalesced, trapped, acked, spurious_soft, faults, mail_waits, times_parked;
      int64_t idle_ticks, online_since;
      int64_t later_counters[4];
      char before_order[72];
      int32_t order;
    };
    struct {
      char before_mailbox[LAYOUT_MAILBOX_OFFSET];
      struct mailbox mailbox;
    };
    struct {
      char before_resched[LAYOUT_RESCHED_OFFSET];
      int64_t resched_state, next_number, next_position, last_acked, last_trapped;
    };
  };
};

struct runtime {
  int64_t spawned, reaped;
  int32_t next_cpu, next_task;
};

struct topology {
  int32_t cpu_count, harts_end, tick_length;
};

#define STANDS_AT(structure, member, place) \
  _Static_assert(offsetof(struct structure, member) == (place), "the kernel has " #member " of " #structure " elsewhere")

_Static_assert(sizeof(struct task) == 1 << LAYOUT_TASK_STRIDE_LOG2, "kernel/task.ts");
_Static_assert(sizeof(struct ring) == 1 << LAYOUT_BANK_STRIDE_LOG2, "kernel/layout.ts");
_Static_assert(sizeof(struct hart) == HART_STRIDE, "kernel/layout.ts");
STANDS_AT(ring, slots, LAYOUT_BANK_SLOTS);
STANDS_AT(hart, mailbox.places, LAYOUT_MAILBOX_OFFSET + 64);
STANDS_AT(hart, order, LAYOUT_ORDER_OFFSET);
STANDS_AT(task, word, TASK_WORD_AT);
STANDS_AT(task, life, TASK_LIFE_AT);
STANDS_AT(task, runs, TASK_RUNS_AT);
STANDS_AT(task, migrations, TASK_MIGRATIONS_AT);
STANDS_AT(task, wakes, TASK_WAKES_AT);
STANDS_AT(task, fault_address, TASK_FAULT_ADDRESS_AT);
STANDS_AT(task, exit_code, TASK_EXIT_CODE_AT);
STANDS_AT(task, steals, TASK_STEALS_AT);
STANDS_AT(task, incarnation, TASK_INCARNATION_AT);
STANDS_AT(task, program, TASK_PROGRAM_AT);
STANDS_AT(task, last_cpu, TASK_LAST_CPU_AT);
STANDS_AT(task, exit_reason, TASK_EXIT_REASON_AT);
STANDS_AT(hart, occupied, HART_OCCUPIED_AT);
STANDS_AT(hart, stamp, HART_STAMP_AT);
STANDS_AT(hart, cpu, HART_CPU_AT);
STANDS_AT(hart, doorbell, HART_DOORBELL_AT);
STANDS_AT(hart, current, HART_CURRENT_AT);
STANDS_AT(hart, stolen, HART_STOLEN_AT);
STANDS_AT(hart, stolen_from, HART_STOLEN_FROM_AT);
STANDS_AT(hart, posted, HART_POSTED_AT);
STANDS_AT(hart, slice_ticks, HART_SLICE_TICKS_AT);
STANDS_AT(hart, steals_in_tick, HART_STEALS_IN_TICK_AT);
STANDS_AT(hart, unsent_target, HART_UNSENT_TARGET_AT);
STANDS_AT(hart, tick_deadline, HART_TICK_DEADLINE_AT);
STANDS_AT(hart, idle_since, HART_IDLE_SINCE_AT);
STANDS_AT(hart, held_here, HART_HELD_HERE_AT);
STANDS_AT(hart, is_on_work_map, HART_IS_ON_WORK_MAP_AT);
STANDS_AT(hart, parked, HART_PARKED_IDLE_AT);
STANDS_AT(hart, ticks, LAYOUT_COUNTERS_OFFSET + COUNTERS_TICKS_AT);
STANDS_AT(hart, picks, LAYOUT_COUNTERS_OFFSET + COUNTERS_PICKS_AT);
STANDS_AT(hart, steals, LAYOUT_COUNTERS_OFFSET + COUNTERS_STEALS_AT);
STANDS_AT(hart, steals_contended, LAYOUT_COUNTERS_OFFSET + COUNTERS_STEALS_CONTENDED_AT);
STANDS_AT(hart, deferred_yields, LAYOUT_COUNTERS_OFFSET + COUNTERS_DEFERRED_YIELDS_AT);
STANDS_AT(hart, identity_fallbacks, LAYOUT_COUNTERS_OFFSET + COUNTERS_IDENTITY_FALLBACKS_AT);
STANDS_AT(hart, runtime_denied, LAYOUT_COUNTERS_OFFSET + COUNTERS_RUNTIME_DENIED_AT);
STANDS_AT(hart, accepted, LAYOUT_COUNTERS_OFFSET + COUNTERS_ACCEPTED_AT);
STANDS_AT(hart, sent, LAYOUT_COUNTERS_OFFSET + COUNTERS_SENT_AT);
STANDS_AT(hart, sends_failed, LAYOUT_COUNTERS_OFFSET + COUNTERS_SENDS_FAILED_AT);
STANDS_AT(hart, coalesced, LAYOUT_COUNTERS_OFFSET + COUNTERS_COALESCED_AT);
STANDS_AT(hart, trapped, LAYOUT_COUNTERS_OFFSET + COUNTERS_TRAPPED_AT);
STANDS_AT(hart, acked, LAYOUT_COUNTERS_OFFSET + COUNTERS_ACKED_AT);
STANDS_AT(hart, spurious_soft, LAYOUT_COUNTERS_OFFSET + COUNTERS_SPURIOUS_SOFT_AT);
STANDS_AT(hart, faults, LAYOUT_COUNTERS_OFFSET + COUNTERS_FAULTS_AT);
STANDS_AT(hart, mail_waits, LAYOUT_COUNTERS_OFFSET + COUNTERS_MAIL_WAITS_AT);
STANDS_AT(hart, idle_ticks, LAYOUT_COUNTERS_OFFSET + COUNTERS_IDLE_TICKS_AT);
STANDS_AT(hart, online_since, LAYOUT_COUNTERS_OFFSET + COUNTERS_ONLINE_SINCE_AT);
STANDS_AT(hart, times_parked, LAYOUT_COUNTERS_OFFSET + COUNTERS_PARKED_AT);

#define HARTS ((struct hart *)HART_BASE)
#define TASKS ((struct task *)LAYOUT_TASKS_BASE)
#define RUNTIME ((struct runtime *)LAYOUT_GLOBALS_BASE)
#define TOPOLOGY ((const struct topology *)(LAYOUT_GLOBALS_BASE + 64))
#define EXITS ((int64_t *)(LAYOUT_GLOBALS_BASE + 128))
#define WORK_MAP ((int64_t *)LAYOUT_WORK_MAP)
#define TASKS_MAY_RUN ((int32_t *)(LAYOUT_GLOBALS_BASE + 192))

struct event {
  int64_t head, body;
};
struct evidence {
  struct event events[EVIDENCE_CAPACITY];
};
#define EVIDENCE ((struct evidence *)LAYOUT_EVIDENCE_BASE)

static inline int64_t task_word(const struct task *task, int state, int cpu, int qos) {
  return (int64_t)(intptr_t)task << 32 | 1 << GENERATION_SHIFT | cpu << CPU_SHIFT | state << STATE_SHIFT | qos;
}

#endif
