// Twin of a resched chain: the request and the trap that acknowledges it on a hart that idles, written by hand in C with
// the same accesses and the same evidence.
//
// Invariant: as in twin.c. What a chain between two harts that do nothing else never comes to is a panic here.
// Pairs with: kernel/resched.ts, trap.ts, dispatch.ts, evidence.ts; trap-stamp.S, which calls the trap.
#define WASM_MEMORY_BASE 0
#include "wasm-c.h"
#include "machine.h"
#include "twin.h"

#define load wasm_atomic_load_i64_64
#define swap wasm_atomic_xchg_i64
#define add wasm_atomic_add_i64
#define rare(x) __builtin_expect(!!(x), 0)

enum { EVENT_ACCEPTED = 2, EVENT_SENT = 3, EVENT_TRAPPED = 5, EVENT_ACKED = 6 };

#define SENT INT64_C(0x10000)
#define FAILED INT64_C(0x20000)
#define COUNT_MASK INT64_C(0xffff)
#define BELOW_TAKEN (SENT | FAILED | COUNT_MASK)
#define TAKEN_SHIFT 18
#define PENDING_MAX (0xffff - CPUS_MAX)
#define STAMP_MAGIC 0x48425000
#define CAUSE_SOFT ((int32_t)0x80000001)

// The kernel's own: see trap-stamp.S.
int32_t __real_kernel_trap(int32_t, int64_t, int32_t, int64_t, int64_t, int64_t) __attribute__((weak));

static inline int64_t last_of(int64_t state) { return (state >> TAKEN_SHIFT) + (state & COUNT_MASK); }

static inline struct event *event_at(const struct hart *self, int64_t position) {
  return &EVIDENCE[self - HARTS].events[position & (EVIDENCE_CAPACITY - 1)];
}

static inline void record(struct hart *self, int kind, int64_t request) {
  int64_t number = add(&self->next_number, 1) + 1, position = self->next_position;
  struct event *event = event_at(self, position);
  swap(&event->head, number << 16 | self->cpu << 8 | kind);
  swap(&event->body, request << 20);
  swap(&self->next_position, position + 1);
}

int twin_request(struct hart *self, int target) {
  if (rare((unsigned)target >= CPUS_MAX)) wasm_unreachable();
  struct hart *peer = &HARTS[target];
  if (rare(wasm_atomic_load_i32_32(&peer->stamp) == 0)) wasm_unreachable();
  int64_t state = load(&peer->resched_state);
  if (rare((state & BELOW_TAKEN) >= PENDING_MAX)) wasm_unreachable();
  int64_t number = add(&peer->next_number, 2) + 1, request = last_of(state) + 1;
  if (rare(wasm_atomic_cmpxchg_i64(&peer->resched_state, state, state + 1 + SENT) != state)) wasm_unreachable();
  self->accepted++;
  int64_t position = self->next_position, head = number << 16 | target << 8 | EVENT_ACCEPTED;
  struct event *event = event_at(self, position), *next = event_at(self, position + 1);
  swap(&event->head, head);
  swap(&event->body, request << 20);
  swap(&next->head, head + (1 << 16) + EVENT_SENT - EVENT_ACCEPTED);
  swap(&next->body, request << 20);
  swap(&self->next_position, position + 2);
  if (rare(machine_sendIpi(peer->doorbell) != 0)) wasm_unreachable();
  self->sent++;
  return 0;
}

static inline int64_t take(struct hart *self) {
  machine_clearSoft();
  int64_t seen = load(&self->resched_state);
  if (rare((seen & (SENT | FAILED)) != SENT)) wasm_unreachable();
  int64_t count = seen & COUNT_MASK;
  int64_t before = add(&self->resched_state, (count << TAKEN_SHIFT) - count - SENT);
  if (rare((before & COUNT_MASK) != count)) wasm_unreachable();
  int64_t up_to = last_of(before);
  self->last_trapped = up_to;
  self->trapped++;
  record(self, EVENT_TRAPPED, up_to);
  return up_to;
}

// Nothing is to be found: that is what the bench measures.
static inline void look_around(struct hart *self) {
  if (wasm_atomic_load_i32_32(TASKS_MAY_RUN) == 0) return;
  if (rare(self->occupied != 0)) wasm_unreachable();
  if (rare(self->steals_in_tick >= 1)) wasm_unreachable();
  if (rare((load(WORK_MAP) & ~(INT64_C(1) << self->cpu)) != 0)) wasm_unreachable();
}

int32_t twin_trap(int32_t cause, int64_t value, int32_t call, int64_t a0, int64_t a1, int64_t a2) {
  // The peer's tick is none of the chain's.
  if (rare(cause != CAUSE_SOFT)) return __real_kernel_trap(cause, value, call, a0, a1, a2);
  uint64_t hint = (uint64_t)machine_hartPointer();
  if (rare(hint - HART_BASE >= (uint64_t)CPUS_MAX * HART_STRIDE || hint % HART_STRIDE != 0)) wasm_unreachable();
  struct hart *self = (struct hart *)hint;
  if (rare(self->stamp != machine_stackSlot() + STAMP_MAGIC)) wasm_unreachable();
  if (self->idle_since != 0) {
    self->idle_ticks += machine_timeTicks() - self->idle_since;
    self->idle_since = 0;
  }
  int64_t up_to = take(self);
  if (rare(load(&self->mailbox.places[self->mailbox.head & (MAILBOX_CAPACITY - 1)]) != 0)) wasm_unreachable();
  if (rare(self->cpu == 0 || wasm_atomic_load_i32_32(&self->order) != 0 || self->current != 0)) wasm_unreachable();
  look_around(self);
  self->idle_since = machine_timeTicks();
  self->acked++;
  record(self, EVENT_ACKED, up_to);
  swap(&self->last_acked, up_to);
  return IDLE_SPACE;
}
