// Twin: the kernel's operations on its queues, written by hand in C, to measure what the way through WebAssembly costs.
//
// Owner: the same memory as the kernel's, so a measurement can demand that both leave the same bytes behind.
// Invariant: the same algorithm with the same atomic accesses (wasm-c.h has them, in the psABI's mapping); all else
// is what C offers: pointers, structures, gcc's own choice of what to inline.
// Pairs with: kernel/run-queue.ts, scheduler.ts, sleep.ts, authority.ts.
#define WASM_MEMORY_BASE 0
#include "wasm-c.h"
#include "twin.h"

#define load wasm_atomic_load_i64_64
#define store wasm_atomic_store_i64_64
#define swap wasm_atomic_xchg_i64
#define add wasm_atomic_add_i64
#define likely(x) __builtin_expect(!!(x), 1)
#define rare __attribute__((noinline, cold))

static inline bool exchanged(int64_t *word, int64_t expected, int64_t wanted) {
  return wasm_atomic_cmpxchg_i64(word, expected, wanted) == expected;
}

static inline int qos_of(int64_t word) { return word & 3; }
static inline int cpu_of(int64_t word) { return (int)(word >> CPU_SHIFT) & 63; }
static inline int state_of(int64_t word) { return (int)(word >> STATE_SHIFT) & 7; }
static inline struct task *task_of(int64_t word) { return (struct task *)(word >> 32); }
static inline int64_t with_state(int64_t word, int state) { return (word & ~(7 << STATE_SHIFT)) | state << STATE_SHIFT; }
static inline int64_t renewed(int64_t word, int change) {
  return (word & ~INT64_C(0xffffffff)) | (uint32_t)((uint32_t)word + (1 << GENERATION_SHIFT) + change);
}
#define PLACE_MASK (int64_t)(7 << STATE_SHIFT | 63 << CPU_SHIFT)
static inline bool is_here(const struct hart *self, int64_t word, int state) {
  return (word & PLACE_MASK) == self->held_here + (state - TASK_HELD) * (1 << STATE_SHIFT);
}

static inline int room_of(int64_t state) { return state & 0xffff; }
static inline int64_t head_of(int64_t state) { return (state - (int32_t)state) >> 32; }
static inline int64_t *slot(struct ring *ring, int64_t position) { return &ring->slots[position & (RING_CAPACITY - 1)]; }

static rare void announce(struct hart *self, struct ring *ring, int qos) {
  ring->announced = 1;
  wasm_atomic_or_i32(&self->occupied, 1 << qos);
  if (self->is_on_work_map) return;
  self->is_on_work_map = 1;
  wasm_atomic_or_i64(WORK_MAP, INT64_C(1) << self->cpu);
}

static inline void publish(struct hart *self, struct ring *ring, int qos) {
  add(&ring->state, -1);
  if (!ring->announced) announce(self, ring, qos);
}

// A task that this hart has, in whatever state its word is.
static inline void put(struct hart *self, struct task *task, struct ring *ring, int64_t position, int64_t queued) {
  swap(slot(ring, position), queued);
  swap(&task->word, queued);
  publish(self, ring, qos_of(queued));
}

static rare int64_t take_all(struct ring *ring) {
  for (int i = 0; i < 2 * RING_CAPACITY; i++) {
    int64_t state = load(&ring->state);
    int64_t length = RING_CAPACITY - room_of(state);
    if (exchanged(&ring->state, state, state + (length << 32) + length)) return state;
  }
  return RING_CAPACITY;
}

static rare void compact(struct ring *ring) {
  int64_t state = take_all(ring);
  int64_t length = RING_CAPACITY - room_of(state), head = head_of(state), kept = 0;
  for (int64_t i = 0; i < length; i++) {
    int64_t entry = *slot(ring, head + i);
    if (load(&task_of(entry)->word) == entry) {
      swap(slot(ring, head + length + kept++), entry);
      add(&ring->state, -1);
    } else {
      add(&ring->state, -TOMBSTONE);
    }
  }
}

static rare int enqueue_compacting(struct hart *self, struct task *task, int64_t held, struct ring *ring) {
  if (room_of(load(&ring->state)) == 0) compact(ring);
  int64_t state = load(&ring->state);
  int room = room_of(state);
  if (room == 0) return 1;
  put(self, task, ring, head_of(state) - room, held + HELD_TO_QUEUED);
  return 0;
}

int twin_enqueue(struct hart *self, struct task *task) {
  int64_t held = task->word;
  struct ring *ring = &self->rings[qos_of(held)];
  int64_t state = load(&ring->state);
  int room = (int)state;
  if (room <= 0) return room == 0 ? 1 : enqueue_compacting(self, task, held, ring);
  put(self, task, ring, (state >> 32) - room, held + HELD_TO_QUEUED);
  return 0;
}

static const uint8_t highest_class[16] = {0, 0, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3};

static rare struct task *pick_patiently(struct hart *self) {
  for (int turn = 0; turn < 2 * 4 * (RING_CAPACITY + 1); turn++) {
    if (self->occupied == 0) return 0;
    int qos = highest_class[self->occupied];
    struct ring *ring = &self->rings[qos];
    int64_t state = load(&ring->state);
    if (self->parked[qos]) wasm_unreachable();
    if (room_of(state) == RING_CAPACITY) {
      ring->announced = 0;
      wasm_atomic_and_i32(&self->occupied, ~(1 << qos));
      continue;
    }
    int64_t entry = *slot(ring, head_of(state));
    if (!exchanged(&ring->state, state, state + TAKE_ONE)) continue;
    if (exchanged(&task_of(entry)->word, entry, entry - HELD_TO_QUEUED)) return task_of(entry);
    add(&ring->state, -TOMBSTONE);
  }
  return 0;
}

struct task *twin_pick(struct hart *self) {
  if (self->occupied == 0) return 0;
  struct ring *ring = &self->rings[highest_class[self->occupied]];
  int64_t state = load(&ring->state);
  if (likely((uint32_t)state < RING_CAPACITY)) {
    int64_t entry = *slot(ring, state >> 32);
    if (likely(exchanged(&ring->state, state, state + TAKE_ONE)) &&
        likely(exchanged(&task_of(entry)->word, entry, entry - HELD_TO_QUEUED)))
      return task_of(entry);
  }
  return pick_patiently(self);
}

static int defer(struct hart *self) {
  self->deferred_yields++;
  return 1;
}

static rare int yield_by_queue(struct hart *self, struct task *current) {
  if (twin_enqueue(self, current) != 0) return defer(self);
  self->current = (int32_t)(intptr_t)twin_pick(self);
  return 0;
}

static rare int finish_yield(struct hart *self, struct ring *ring, int qos) {
  publish(self, ring, qos);
  self->current = (int32_t)(intptr_t)twin_pick(self);
  return 0;
}

static rare int rotate_back(struct hart *self, struct ring *ring) {
  add(&ring->state, -TOMBSTONE);
  self->current = (int32_t)(intptr_t)twin_pick(self);
  return 0;
}

int twin_yield(struct hart *self) {
  struct task *current = (struct task *)(intptr_t)self->current;
  int64_t held = current->word;
  int qos = qos_of(held), ready = self->occupied >> qos;
  if (ready == 0) return 2;
  if (ready != 1) return yield_by_queue(self, current);
  struct ring *ring = &self->rings[qos];
  int64_t state = load(&ring->state);
  int room = (int)state;
  if ((unsigned)room - 1 >= RING_CAPACITY - 1) return room == 0 ? defer(self) : yield_by_queue(self, current);
  int64_t head = state >> 32, oldest = *slot(ring, head), queued = held + HELD_TO_QUEUED;
  swap(slot(ring, head - room), queued);
  swap(&current->word, queued);
  // Another class was asked for: the bench does not come to it.
  if (load(&current->life) & LIFE_CHANGE_QOS) wasm_unreachable();
  if (!exchanged(&ring->state, state, state + (INT64_C(1) << 32))) return finish_yield(self, ring, qos);
  if (!exchanged(&task_of(oldest)->word, oldest, oldest - HELD_TO_QUEUED)) return rotate_back(self, ring);
  self->current = (int32_t)(intptr_t)task_of(oldest);
  return 0;
}

enum { STOLEN, NOTHING_THERE, CONTENDED, ABOVE_BOUND, BUDGET_SPENT };

// Not here, because the bench does not come to it: classes that are empty or hold tombstones.
static inline int take_from(struct hart *self, struct hart *victim, int allowed) {
  int occupied = wasm_atomic_load_i32_32(&victim->occupied), classes = occupied & allowed;
  if (classes == 0) return occupied == 0 ? NOTHING_THERE : ABOVE_BOUND;
  struct ring *ring = &victim->rings[highest_class[classes]];
  int64_t state = load(&ring->state);
  if ((uint32_t)state >= RING_CAPACITY) wasm_unreachable();
  int64_t entry = load(slot(ring, state >> 32));
  if (!exchanged(&ring->state, state, state + TAKE_ONE)) return CONTENDED;
  struct task *task = task_of(entry);
  if (!exchanged(&task->word, entry, (entry & ~PLACE_MASK) | self->held_here)) {
    add(&ring->state, -TOMBSTONE);
    return CONTENDED;
  }
  self->steals_in_tick++;
  self->stolen = (int32_t)(intptr_t)task;
  self->stolen_from = cpu_of(entry);
  return STOLEN;
}

int twin_steal(struct hart *self, int bound) {
  if (self->steals_in_tick >= 1) return BUDGET_SPENT;
  int64_t others = load(WORK_MAP) & ~(INT64_C(1) << self->cpu), bit = INT64_C(1) << self->cpu;
  int outcome = NOTHING_THERE;
  if (others == 0) return outcome;
  struct hart *end = (struct hart *)(intptr_t)TOPOLOGY->harts_end;
  for (struct hart *victim = self;;) {
    victim++, bit <<= 1;
    if (victim == end) victim = HARTS, bit = 1;
    if (victim == self) return outcome;
    if ((others & bit) == 0) continue;
    int result = take_from(self, victim, (2 << bound) - 1);
    if (result == STOLEN) return result;
    if (result != NOTHING_THERE) outcome = result;
  }
}

enum { NO_ROOM = -1, MAY_HAVE_ROOM = -2 };

// The number of the free slot, or one of the above.
static inline int free_slot(struct ring *ring) {
  int64_t state = load(&ring->state);
  int room = (int)state;
  if (room > 0) return (int)((state >> 32) - room) & (RING_CAPACITY - 1);
  return room == 0 ? NO_ROOM : MAY_HAVE_ROOM;
}

static inline bool insert(struct hart *self, struct task *task, struct ring *ring, int at, int64_t seen, int64_t queued) {
  swap(&ring->slots[at], queued);
  if (!exchanged(&task->word, seen, queued)) return false;
  publish(self, ring, qos_of(queued));
  return true;
}

static int reserve(struct mailbox *mailbox) {
  for (int i = 0; i < 16; i++) {
    int64_t state = load(&mailbox->state);
    if ((int)state == 0) return -1;
    int tail = (int)(state >> 32);
    int64_t next = (int64_t)((tail + 1) & 0x7fffffff) << 32 | ((state - 1) & 0xffffffff);
    if (exchanged(&mailbox->state, state, next)) return tail;
  }
  return -2;
}

enum { QUEUED, POSTED, REMEMBERED, QUEUE_FULL, WAKE_CONTENDED, NOT_FOUND };

// The word of a task that sleeps, with nothing else asked of it, less the count of its sleeps.
static inline bool is_plain_sleep(int64_t life, int incarnation) {
  return life << (64 - SLEEPS_SHIFT) ==
         ((int64_t)incarnation << INCARNATION_SHIFT | LIFE_ASLEEP) << (64 - SLEEPS_SHIFT);
}

static inline int64_t woken(int64_t life) { return (life & ~(int64_t)LIFE_ASLEEP) | LIFE_WOKEN; }

static int wake_there(struct hart *self, struct task *task, int64_t life, int64_t blocked) {
  int cpu = cpu_of(blocked);
  struct mailbox *mailbox = &HARTS[cpu].mailbox;
  int position = reserve(mailbox);
  if (position < 0) return position == -1 ? QUEUE_FULL : WAKE_CONTENDED;
  if (!exchanged(&task->life, life, woken(life))) wasm_unreachable();
  int64_t mailed = with_state(blocked, TASK_MAILED);
  store(&task->word, mailed);
  store(&mailbox->places[position & (MAILBOX_CAPACITY - 1)], mailed);
  self->posted = cpu;
  return POSTED;
}

// Not here, because the bench does not come to it: a lost exchange, a task that is awake, tombstones.
int twin_wake(struct hart *self, struct task *task, int incarnation) {
  int64_t life = load(&task->life), word = load(&task->word);
  if (!is_plain_sleep(life, incarnation)) wasm_unreachable();
  if (!is_here(self, word, TASK_BLOCKED)) return wake_there(self, task, life, word);
  struct ring *ring = &self->rings[qos_of(word)];
  int at = free_slot(ring);
  if (at == NO_ROOM) return QUEUE_FULL;
  if (at < 0 || !exchanged(&task->life, life, woken(life))) wasm_unreachable();
  put(self, task, ring, at, with_state(word, TASK_QUEUED));
  return QUEUED;
}

// Likewise: a task that is not queued, a lost exchange.
int twin_kill(struct runtime *runtime, struct hart *self, struct task *task, int incarnation) {
  (void)runtime, (void)self;
  int64_t word = load(&task->word);
  if (state_of(word) != TASK_QUEUED || task->incarnation != incarnation) wasm_unreachable();
  struct ring *ring = &HARTS[cpu_of(word)].rings[qos_of(word)];
  add(&ring->state, TOMBSTONE);
  if (!exchanged(&task->word, word, renewed(word, (TASK_EXITED - TASK_QUEUED) << STATE_SHIFT))) wasm_unreachable();
  task->exit_reason = 3;
  add(EXITS, 1);
  return 0;
}

// Likewise: a task queued on another CPU, other signals, tombstones, a lost exchange.
int twin_change_qos(struct runtime *runtime, struct hart *self, struct task *task, int incarnation, int qos) {
  (void)runtime;
  int64_t word = load(&task->word), life = load(&task->life);
  if (!is_here(self, word, TASK_QUEUED) || qos_of(word) == qos) wasm_unreachable();
  if (task->incarnation != incarnation || (life & LIFE_SIGNALS) != 0) wasm_unreachable();
  struct ring *target = &self->rings[qos];
  int at = free_slot(target);
  if (at == NO_ROOM) return 2;
  if (at < 0) wasm_unreachable();
  struct ring *ring = &self->rings[qos_of(word)];
  add(&ring->state, TOMBSTONE);
  if (!insert(self, task, target, at, word, (renewed(word, 0) & ~INT64_C(3)) | qos)) wasm_unreachable();
  return 0;
}
