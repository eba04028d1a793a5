// State: the kernel's memory as C structures, for the benchmark that sets it up and the twin that works on it.
//
// Owner: none, a second description of kernel/layout.ts, hart-local.ts, mailbox.ts, task.ts, runtime.ts and
// topology.ts. It need not be believed: each measurement compares the memory that the kernel left with the
// memory that the twin left, byte for byte, and bench.c checks every outcome.
#ifndef BENCH_STATE_H
#define BENCH_STATE_H

#include <stddef.h>
#include <stdint.h>
#include "abi.h"

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
      char before_mailbox[1024 + 64];
      struct mailbox mailbox;
    };
    struct {
      char before_resched[1024 + 384];
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

_Static_assert(sizeof(struct task) == 64, "kernel/task.ts");
_Static_assert(sizeof(struct hart) == HART_STRIDE, "kernel/layout.ts");
_Static_assert(offsetof(struct hart, stamp) == 64, "kernel/hart-local.ts");
_Static_assert(offsetof(struct hart, mailbox.places) == 1024 + 128, "kernel/mailbox.ts");
_Static_assert(offsetof(struct hart, online_since) == 192 + 144, "kernel/hart-local.ts");
_Static_assert(offsetof(struct hart, order) == 448, "kernel/orders.ts");

#define HARTS ((struct hart *)HART_BASE)
#define TASKS ((struct task *)0x20000)
#define RUNTIME ((struct runtime *)0x8000)
#define TOPOLOGY ((const struct topology *)0x8040)
#define EXITS ((int64_t *)0x8080)
#define WORK_MAP ((int64_t *)0x81c0)
#define TASKS_MAY_RUN ((int32_t *)0x80c0)

struct event {
  int64_t head, body;
};
struct evidence {
  struct event events[EVIDENCE_CAPACITY];
};
#define EVIDENCE ((struct evidence *)0x10000)

static inline int64_t task_word(const struct task *task, int state, int cpu, int qos) {
  return (int64_t)(intptr_t)task << 32 | 1 << GENERATION_SHIFT | cpu << CPU_SHIFT | state << STATE_SHIFT | qos;
}

#endif
