// Observer: watches what each hart's traps change in the kernel's memory, and writes it into a ring that the host reads.
//
// Only where the host has asked for it: machine_observer_base is 0 in an image as linked, and then nothing of this runs.
// Owner: each hart its own ring, its own `struct seen`; the boot hart what concerns spawns. The host only reads.
// Invariant: the kernel's memory is read, never written. What is looked at belongs to the hart, which is in its trap;
// where it does not, the record may be wrong and the kernel is not.
// Pairs with: observer.h (the records), kernel-view.h, observer-records.ts (who reads them); machines/sim/observer.ts, which
// does the same there and has the reasons; trap.S, which calls machine_observed_trap.
#include "observer.h"
#include "kernel-view.h"
#include "machine.h"

// Volatile: what the compiler sees here is not what it will be. Physical address of the rings' memory, or 0.
const volatile uint64_t machine_observer_base = 0;

#define BOOT_CPU 0
#define PARKED_AT HART_PARKED_IDLE_AT
#define FINISH_MOMENTS_MAX 4096

struct sleeping {
  uint64_t word;
  uint64_t deadline;
  uint32_t sleep;
};

// The trap that a hart is in, and what was seen of the hart last.
struct seen {
  volatile int32_t in_trap;
  int32_t cause;
  int32_t call;
  uint32_t current; // address of the running task's entry, or 0
  int64_t a0;
  uint64_t task; // its id + 1, or 0
  uint64_t entered;
  uint64_t target_life; // of a wake's target
  uint32_t qos;
  uint32_t sleeping_count;
  uint64_t picks, steals_contended, deferred_yields, parked, migrations, wakes, ended;
  uint64_t evidence;
  uint64_t depths;
  uint64_t requested; // CPUs that this trap made requests for
  uint64_t ack[2];    // its acknowledgement, which comes after the switch; 0 when there is none
  uint32_t heads[QOS_COUNT], tails[QOS_COUNT];
  uint32_t parked_heads[QOS_COUNT];
  int32_t kept[QOS_COUNT]; // not 0: `entries` has that queue as it was
  uint64_t entries[QOS_COUNT][RING_CAPACITY];
  struct sleeping sleeping[SLEEPERS_MAX];
};

// Of all harts; the boot hart's, but for `ends`.
struct shared {
  uint64_t spawned;
  uint32_t next_task, next_cpu;
  uint32_t lives[SPACES_MAX];
  uint32_t ends[SPACES_MAX]; // the life of each entry whose end was found last
};

_Static_assert(sizeof(struct seen) <= OBSERVER_SEEN_BYTES, "a hart's part of the window");
_Static_assert(sizeof(struct shared) <= PAGE_BYTES, "the shared part of the window");

static struct seen *seen_of(int cpu) {
  return (struct seen *)(OBSERVER_WINDOW + OBSERVER_SEEN_OFFSET + (uintptr_t)cpu * OBSERVER_SEEN_BYTES);
}

static struct shared *shared_state(void) {
  return (struct shared *)(OBSERVER_WINDOW + OBSERVER_SHARED_OFFSET);
}

static void emit(int cpu, uint64_t time, uint32_t kind, uint32_t flags, uint32_t extra, uint64_t a, uint64_t b) {
  uint64_t *head = (uint64_t *)(OBSERVER_WINDOW + (uintptr_t)cpu * OBSERVER_HEAD_BYTES);
  uint64_t index = *head;
  uintptr_t ring = OBSERVER_WINDOW + OBSERVER_REGION_BYTES * (1 + (uintptr_t)cpu);
  struct observer_record *record = (struct observer_record *)ring + index % OBSERVER_RECORDS;
  record->time = time;
  record->kind = (uint8_t)kind;
  record->cpu = (uint8_t)cpu;
  record->flags = (uint16_t)flags;
  record->extra = extra;
  record->a = a;
  record->b = b;
  // Publishes the record to the host, which may read it while the machine runs.
  __atomic_store_n(head, index + 1, __ATOMIC_RELEASE);
}

static void find_spawned(const struct seen *seen, uint64_t now) {
  struct shared *shared = shared_state();
  uint64_t spawned = read64(LAYOUT_GLOBALS_BASE + RUNTIME_SPAWNED_AT);
  if (spawned == shared->spawned) return;
  bool by_call = seen->in_trap && seen->cause == TRAP_CAUSE_SYSTEM_CALL && seen->call == SYSCALL_SPAWN;
  for (uint32_t i = 0; i < SPACES_MAX; i++) {
    uint32_t index = (shared->next_task + i) % SPACES_MAX;
    uintptr_t task = task_at(index);
    uint32_t life = read32(task + TASK_INCARNATION_AT);
    if (life == shared->lives[index]) continue;
    shared->lives[index] = life;
    uint64_t word = read64(task);
    uint32_t target = by_call ? shared->next_cpu : (uint32_t)WORD_CPU(word);
    uint32_t program = read32(task + TASK_PROGRAM_AT) & 0xffff;
    emit(BOOT_CPU, now, OBSERVER_SPAWN, WORD_QOS(word), program | target << 16, id_of(task), 0);
  }
  shared->spawned = spawned;
  shared->next_task = read32(LAYOUT_GLOBALS_BASE + RUNTIME_NEXT_TASK_AT);
  shared->next_cpu = read32(LAYOUT_GLOBALS_BASE + RUNTIME_NEXT_CPU_AT);
}

static void read_evidence(int cpu, struct seen *seen, uint64_t now) {
  uint64_t end = read64(hart_at(cpu) + LAYOUT_RESCHED_OFFSET + EVIDENCE_NEXT_POSITION);
  uint64_t position = seen->evidence;
  if (end - position > EVIDENCE_CAPACITY) {
    emit(cpu, now, OBSERVER_LOST, 0, (uint32_t)(end - position - EVIDENCE_CAPACITY), 0, 0);
    position = end - EVIDENCE_CAPACITY;
  }
  for (; position < end; position++) {
    uintptr_t event = LAYOUT_EVIDENCE_BASE + ((uintptr_t)cpu << LAYOUT_EVIDENCE_STRIDE_LOG2) + position % EVIDENCE_CAPACITY * 16;
    uint64_t first = read64(event), second = read64(event + 8);
    uint32_t kind = first & 0xff;
    if (kind == EVENT_KIND_ACCEPTED) seen->requested |= UINT64_C(1) << (first >> 8 & 63);
    if (kind == EVENT_KIND_ACKED) {
      seen->ack[0] = first;
      seen->ack[1] = second;
    } else {
      emit(cpu, now, OBSERVER_EVIDENCE, 0, 0, first, second);
    }
  }
  seen->evidence = end;
}

static void look(int cpu, struct seen *seen, uint64_t now) {
  if (cpu == BOOT_CPU) find_spawned(seen, now);
  read_evidence(cpu, seen, now);
}

// In a trap, before one of what may be many spaces is prepared: a ring of evidence must not be written over unseen.
void machine_observer_look(void) {
  int cpu = machine_this_block()->cpu;
  look(cpu, seen_of(cpu), (uint64_t)machine_timeTicks());
}

// Queues whose entries may be written again behind their tails in this trap.
static void keep_entries(int cpu, struct seen *seen, bool all) {
  for (int qos = 0; qos < QOS_COUNT; qos++) {
    uintptr_t ring = ring_at(cpu, qos);
    seen->kept[qos] = all || tombstones_of(read64(ring)) != 0;
    if (!seen->kept[qos]) continue;
    for (uint32_t i = seen->heads[qos]; i != seen->tails[qos]; i++)
      seen->entries[qos][i % RING_CAPACITY] = slot_at(ring, i);
  }
}

static void keep_sleeping(int cpu, struct seen *seen) {
  uintptr_t base = LAYOUT_SLEEPERS_BASE + ((uintptr_t)cpu << LAYOUT_SLEEPERS_STRIDE_LOG2);
  uint32_t count = read32(base + SLEEPERS_COUNT_AT);
  for (uint32_t i = 0; i < count && i < SLEEPERS_MAX; i++) {
    uintptr_t entry = base + SLEEPERS_ENTRIES + i * 16;
    uint64_t word = read64(entry + SLEEPER_WORD_AT);
    uint64_t life = life_of(word >> 32);
    if (read64(word >> 32) != word || !(life & SIGNAL_ASLEEP)) continue;
    struct sleeping *kept = &seen->sleeping[seen->sleeping_count++];
    kept->word = word;
    kept->deadline = read64(entry + SLEEPER_DEADLINE_AT);
    kept->sleep = sleeps_of(life);
  }
}

static void enter(int cpu, struct seen *seen, int32_t cause, int32_t call, int64_t a0) {
  bool is_call = cause == TRAP_CAUSE_SYSTEM_CALL;
  seen->cause = cause;
  seen->call = call;
  seen->a0 = a0;
  seen->entered = (uint64_t)machine_timeTicks();
  seen->current = read32(hart_at(cpu) + HART_CURRENT_AT);
  seen->task = seen->current == 0 ? 0 : id_of(seen->current) + 1;
  seen->qos = seen->current == 0 ? 0 : WORD_QOS(read64(seen->current));
  seen->requested = 0;
  seen->ack[0] = 0;
  seen->sleeping_count = 0;
  seen->in_trap = 1;
  keep_entries(cpu, seen, is_call && (call == SYSCALL_SET_QOS || call == SYSCALL_KILL));
  if (cause == TRAP_CAUSE_TIMER_INTERRUPT) keep_sleeping(cpu, seen);
  if (is_call && call == SYSCALL_WAKE) seen->target_life = life_of(task_at((uint32_t)a0 % TASKS_MAX));
  emit(cpu, seen->entered, OBSERVER_TRAP, is_call, (uint32_t)(is_call ? call : cause), seen->task, (uint64_t)a0);
}

static void end(int cpu, uint64_t now, uint64_t task, uint32_t reason, uint32_t code, uint64_t by) {
  shared_state()->ends[task % TASKS_MAX] = (uint32_t)(task >> 10);
  emit(cpu, now, OBSERVER_END, reason, code, task, by);
}

// A task that was killed, and whose end was not found yet. by_signal: while a hart held it.
static bool is_fresh_kill(uint32_t index, bool by_signal) {
  uintptr_t task = task_at(index);
  int state = WORD_STATE(read64(task));
  uint64_t life = life_of(task);
  if (state != STATE_EXITED && state != STATE_FREE) return false;
  if (read32(task + TASK_PROGRAM_AT) >> 24 != EXIT_KILLED) return false;
  return ((life & SIGNAL_KILL) != 0) == by_signal && shared_state()->ends[index] != incarnation_of(life);
}

// Returns why the task that ran has ended, or 0.
static uint32_t find_ends(int cpu, struct seen *seen, uint64_t now) {
  uint64_t count = counter(cpu, COUNTERS_ENDED_AT) - seen->ended;
  bool is_call = seen->cause == TRAP_CAUSE_SYSTEM_CALL;
  uint32_t reason = 0;
  if (seen->task != 0 && is_call && seen->call == SYSCALL_EXIT) {
    end(cpu, now, seen->task - 1, OBSERVER_EXITED, (uint32_t)seen->a0, 0);
    reason = OBSERVER_LEFT_EXITED;
  } else if (seen->task != 0 && !is_call && seen->cause > 0) {
    end(cpu, now, seen->task - 1, OBSERVER_FAULTED, (uint32_t)seen->cause, 0);
    reason = OBSERVER_LEFT_FAULTED;
  }
  if (count > (reason != 0))
    for (uint32_t index = 0; index < SPACES_MAX; index++) {
      if (WORD_CPU(read64(task_at(index))) != cpu || !is_fresh_kill(index, true)) continue;
      if (id_of(task_at(index)) + 1 == seen->task) reason = OBSERVER_LEFT_KILLED;
      end(cpu, now, id_of(task_at(index)), OBSERVER_KILLED, 0, 0);
    }
  if (cpu == BOOT_CPU && is_call && seen->call == SYSCALL_KILL && seen->task != 0) {
    uint32_t index = (uint32_t)seen->a0 % TASKS_MAX;
    if (index < SPACES_MAX && (int64_t)id_of(task_at(index)) == seen->a0 && is_fresh_kill(index, false))
      end(cpu, now, (uint64_t)seen->a0, OBSERVER_KILLED, 0, seen->task);
  }
  return reason;
}

// A task that slept here was queued here: by its time, unless another's wake came through the mailbox.
static bool has_expired(uintptr_t task, const struct sleeping *sleeping, uint64_t before, uint64_t now) {
  if (sleeping->deadline > now) return false;
  uint64_t life = life_of(task);
  if (life & SIGNAL_EXPIRED) return true;
  if (life & SIGNAL_WOKEN) return false;
  // It has run since.
  return sleeping->deadline <= before;
}

static bool was_queued(const struct seen *seen, uintptr_t ring, int qos, uint64_t word) {
  for (uint32_t i = seen->heads[qos]; i != seen->tails[qos]; i++)
    if ((seen->kept[qos] ? seen->entries[qos][i % RING_CAPACITY] : slot_at(ring, i)) == word) return true;
  return false;
}

// A task was queued; returns whether it is the one that a call of Wake was for.
static bool find_pushed(int cpu, struct seen *seen, uint64_t now, uint64_t word, int qos, uint32_t depth) {
  uintptr_t task = word >> 32;
  for (uint32_t i = 0; i < seen->sleeping_count; i++)
    if (seen->sleeping[i].word >> 32 == task && has_expired(task, &seen->sleeping[i], seen->entered, now))
      emit(cpu, now, OBSERVER_WAKE, 0, seen->sleeping[i].sleep, id_of(task), 0);
  emit(cpu, now, OBSERVER_ENQUEUE, (uint32_t)qos, depth, id_of(task), 0);
  return task == task_at((uint32_t)seen->a0 % TASKS_MAX);
}

// Returns whether the target of a call of Wake was queued here. depths: the tasks in each queue, 16 bits each.
static bool find_queued(int cpu, struct seen *seen, uint64_t now, uint64_t *depths) {
  bool is_target_here = false;
  *depths = 0;
  for (int qos = 0; qos < QOS_COUNT; qos++) {
    uintptr_t ring = ring_at(cpu, qos);
    uint64_t state = read64(ring);
    uint32_t tail = tail_of(state);
    bool has_parked = read32(hart_at(cpu) + PARKED_AT + 4 * (uintptr_t)qos) != 0;
    uint32_t depth = length_of(state) - (tombstones_of(state) - has_parked);
    uint32_t count = tail - seen->tails[qos];
    if (count > RING_CAPACITY) emit(cpu, now, OBSERVER_LOST, 0, count - RING_CAPACITY, 0, 0);
    for (uint32_t i = count > RING_CAPACITY ? tail - RING_CAPACITY : seen->tails[qos]; i != tail; i++) {
      uint64_t word = slot_at(ring, i);
      if (!was_queued(seen, ring, qos, word)) is_target_here |= find_pushed(cpu, seen, now, word, qos, depth);
    }
    seen->heads[qos] = head_of(state);
    seen->tails[qos] = tail;
    *depths |= (uint64_t)(depth & 0xffff) << 16 * qos;
  }
  return is_target_here;
}

static void find_called_wake(int cpu, const struct seen *seen, uint64_t now, bool is_target_here) {
  if (seen->cause != TRAP_CAUSE_SYSTEM_CALL || seen->call != SYSCALL_WAKE || seen->a0 < 0 || seen->task == 0) return;
  if (incarnation_of(seen->target_life) != (uint64_t)seen->a0 >> 10 || (uint64_t)seen->a0 + 1 == seen->task) return;
  uint32_t posted = read32(hart_at(cpu) + HART_POSTED_AT);
  if (!is_target_here && !(seen->requested >> (posted & 63) & 1)) return;
  // Awake at the entry: it fell asleep in between.
  uint32_t sleep = sleeps_of(seen->target_life) + !(seen->target_life & SIGNAL_ASLEEP);
  emit(cpu, now, OBSERVER_WAKE, 0, sleep & SLEEPS_MASK, (uint64_t)seen->a0, seen->task);
}

static void find_parked(int cpu, struct seen *seen, uint64_t now) {
  for (int qos = 0; qos < QOS_COUNT; qos++) {
    uint32_t first = read32(hart_at(cpu) + PARKED_AT + 4 * (uintptr_t)qos);
    uint32_t task = first;
    for (int i = 0; i < SPACES_MAX && task != 0 && task != seen->parked_heads[qos]; i++) {
      emit(cpu, now, OBSERVER_PARK, (uint32_t)qos, 0, id_of(task), 0);
      task = read32(task + TASK_EXIT_CODE_AT);
    }
    seen->parked_heads[qos] = first;
  }
}

static uint32_t reason_of(const struct seen *seen) {
  if (seen->cause != TRAP_CAUSE_SYSTEM_CALL) return OBSERVER_LEFT_PREEMPTED;
  if (seen->call == SYSCALL_SLEEP_UNTIL) return OBSERVER_LEFT_BLOCKED;
  return seen->call == SYSCALL_YIELD ? OBSERVER_LEFT_YIELDED : OBSERVER_LEFT_PREEMPTED;
}

static void find_switch(int cpu, struct seen *seen, uint64_t now, uint32_t ended) {
  uint32_t current = read32(hart_at(cpu) + HART_CURRENT_AT);
  uint64_t next = current == 0 ? 0 : id_of(current) + 1;
  uint32_t qos = current == 0 ? 0 : WORD_QOS(read64(current));
  uint64_t picks = counter(cpu, COUNTERS_PICKS_AT);
  uint64_t migrations = counter(cpu, COUNTERS_MIGRATIONS_AT);
  uint64_t wakes = counter(cpu, COUNTERS_WAKES_AT);
  if (picks != seen->picks || next != seen->task) {
    uint32_t reason = seen->task == 0 ? 0 : ended != 0 ? ended : reason_of(seen);
    uint32_t migrated = (migrations != seen->migrations) << 5;
    emit(cpu, now, OBSERVER_SWITCH, reason | qos << 3 | migrated, (uint32_t)(wakes - seen->wakes), seen->task, next);
  } else if (next != 0 && qos != seen->qos) {
    emit(cpu, now, OBSERVER_CLASS, qos, 0, next - 1, 0);
  }
  seen->picks = picks;
  seen->migrations = migrations;
  seen->wakes = wakes;
}

// A call that is answered in this trap. Where the caller has left the hart, its frame may be another's to write by now.
static void find_answer(int cpu, const struct seen *seen, uint64_t now, uint32_t ended) {
  if (seen->cause != TRAP_CAUSE_SYSTEM_CALL || seen->task == 0 || ended != 0) return;
  bool stays = read32(hart_at(cpu) + HART_CURRENT_AT) == seen->current;
  if (seen->call == SYSCALL_SLEEP_UNTIL && !stays) return;
  uint64_t value = seen->call == SYSCALL_YIELD ? 0 : space_frames[index_of(seen->current)].registers[10];
  emit(cpu, now, OBSERVER_ANSWER, 0, (uint32_t)seen->call, seen->task - 1, value);
}

// The trap's end. Also of one that does not end, when the machine powers off.
static void leave(int cpu, struct seen *seen) {
  uint64_t now = (uint64_t)machine_timeTicks();
  look(cpu, seen, now);
  uint32_t ended = find_ends(cpu, seen, now);
  uint64_t depths;
  bool is_target_here = find_queued(cpu, seen, now, &depths);
  find_called_wake(cpu, seen, now, is_target_here);
  uint64_t parked = counter(cpu, COUNTERS_PARKED_AT);
  find_parked(cpu, seen, now);
  uint64_t contended = counter(cpu, COUNTERS_STEALS_CONTENDED_AT);
  if (contended != seen->steals_contended)
    emit(cpu, now, OBSERVER_STEALS_CONTENDED, 0, (uint32_t)(contended - seen->steals_contended), 0, 0);
  find_answer(cpu, seen, now, ended);
  uint64_t deferred = counter(cpu, COUNTERS_DEFERRED_YIELDS_AT);
  if (deferred != seen->deferred_yields)
    emit(cpu, now, OBSERVER_YIELDS_DEFERRED, 0, (uint32_t)(deferred - seen->deferred_yields), seen->task, 0);
  find_switch(cpu, seen, now, ended);
  if (seen->ack[0] != 0) emit(cpu, now, OBSERVER_EVIDENCE, 0, 0, seen->ack[0], seen->ack[1]);
  uint32_t mailbox = MAILBOX_CAPACITY - read32(hart_at(cpu) + LAYOUT_MAILBOX_OFFSET);
  uint64_t packed = depths ^ (uint64_t)mailbox << 8;
  if (packed != seen->depths) emit(cpu, now, OBSERVER_DEPTHS, 0, mailbox, depths, 0);
  seen->depths = packed;
  seen->parked = parked;
  seen->steals_contended = contended;
  seen->deferred_yields = deferred;
  seen->ended = counter(cpu, COUNTERS_ENDED_AT);
  seen->in_trap = 0;
}

// From trap.S, in place of kernel_trap, where the hart's block has it so.
int32_t machine_observed_trap(int32_t cause, int64_t value, int32_t call, int64_t a0, int64_t a1, int64_t a2) {
  int cpu = machine_this_block()->cpu;
  struct seen *seen = seen_of(cpu);
  enter(cpu, seen, cause, call, a0);
  int32_t space = kernel_trap(cause, value, call, a0, a1, a2);
  leave(cpu, seen);
  return space;
}

// The run ends in this hart's trap. The others leave theirs, so that no record of what they have counted is missing.
void machine_observer_finish(void) {
  int self = machine_this_block()->cpu;
  if (seen_of(self)->in_trap) leave(self, seen_of(self));
  for (int cpu = 0; cpu < CPUS_MAX; cpu++) {
    if (cpu == self || read32(hart_at(cpu) + HART_STAMP_AT) == 0) continue;
    for (int i = 0; seen_of(cpu)->in_trap && i < FINISH_MOMENTS_MAX; i++) machine_sleep_a_moment();
  }
}
