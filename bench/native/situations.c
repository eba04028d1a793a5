// Situations: the kernel's memory made ready for one call of an operation, before each measurement again.
//
// Owner: the boot hart, alone. The other CPUs' regions have joined so that they can be stolen from and posted to, but no
// hart runs on them.
// Pairs with: bench.c, which measures the calls; state.h (the kernel's memory as C structures).
#include "bench.h"
#include "situations.h"

#define GENERIC_CLASS QOS_NORMAL
#define OTHER_CLASS QOS_INTERACTIVE

static struct task *next_task;

static struct task *make_task(int state, int cpu, int qos) {
  struct task *task = next_task++;
  task->word = task_word(task, state, cpu, qos);
  task->life = FIRST_LIFE << INCARNATION_SHIFT | (state == TASK_BLOCKED ? LIFE_ASLEEP : 0);
  task->incarnation = FIRST_LIFE;
  return task;
}

static void queue_some(int cpu, int qos, int count) {
  while (count-- > 0) {
    struct task *task = make_task(TASK_HELD, cpu, qos);
    if (kernel_enqueue((int32_t)(intptr_t)&HARTS[cpu], (int32_t)(intptr_t)task) != 0) machine_panic("bench: a queue is full", 0);
  }
}

void reset(void) {
  for (int64_t *word = (int64_t *)TASKS; word < (int64_t *)(TASKS + TASKS_MAX); word++) *word = 0;
  for (int64_t *word = (int64_t *)HARTS; word < (int64_t *)(HARTS + cpus); word++) *word = 0;
  *RUNTIME = (struct runtime){0};
  *EXITS = *WORK_MAP = 0;
  next_task = TASKS;
  kernel_setTopology(cpus, 10000);
  for (int cpu = 0; cpu < cpus; cpu++) {
    HARTS[cpu].doorbell = hart_of[cpu];
    kernel_join((int32_t)(intptr_t)&HARTS[cpu], cpu);
    // The only words that depend on time.
    HARTS[cpu].online_since = HARTS[cpu].tick_deadline = 0;
  }
  machine_setTimer(INT64_MAX);
}

uint64_t hash_words(uint64_t hash, const void *from, const void *to) {
  for (const int64_t *word = from; word < (const int64_t *)to; word++) hash = (hash ^ (uint64_t)*word) * 1099511628211u;
  return hash;
}

uint64_t digest(void) {
  uint64_t hash = hash_words(14695981039346656037u, TASKS, TASKS + TASKS_MAX);
  hash = hash_words(hash, HARTS, HARTS + cpus);
  return (hash ^ (uint64_t)*EXITS ^ (uint64_t)*WORK_MAP << 8) * 1099511628211u;
}

struct call enqueue_behind(int depth) {
  queue_some(0, GENERIC_CLASS, depth);
  return (struct call){{ADDRESS(self), ADDRESS(make_task(TASK_HELD, 0, GENERIC_CLASS))}, depth == RING_CAPACITY};
}

static struct call pick_of_class(int qos, int depth) {
  queue_some(0, qos, depth);
  return (struct call){{ADDRESS(self)}, depth > 0 ? ADDRESS(TASKS) : 0};
}
struct call pick_perf_burst(int depth) { return pick_of_class(QOS_PERF_BURST, depth); }
struct call pick_interactive(int depth) { return pick_of_class(QOS_INTERACTIVE, depth); }
struct call pick_normal(int depth) { return pick_of_class(QOS_NORMAL, depth); }
struct call pick_idle(int depth) { return pick_of_class(QOS_IDLE, depth); }

// The class of the last task picked is looked at once more before it is found empty.
struct call pick_after_last(int depth) {
  queue_some(0, GENERIC_CLASS, depth);
  while (depth-- > 0) kernel_pick((int32_t)ADDRESS(self));
  return (struct call){{ADDRESS(self)}, 0};
}

struct call yield_behind(int depth) {
  queue_some(0, GENERIC_CLASS, depth);
  self->current = (int32_t)ADDRESS(make_task(TASK_HELD, 0, GENERIC_CLASS));
  return (struct call){{ADDRESS(self)}, depth == 0 ? 2 : depth == RING_CAPACITY};
}

static struct call wake_on(int cpu, int depth) {
  queue_some(cpu, GENERIC_CLASS, depth);
  return (struct call){{ADDRESS(self), ADDRESS(make_task(TASK_BLOCKED, cpu, GENERIC_CLASS)), FIRST_LIFE}, cpu == 0 ? 0 : 1};
}
struct call wake_here(int depth) { return wake_on(0, depth); }
struct call wake_there(int depth) { return wake_on(cpus - 1, depth); }

static struct call steal_from(int victim, int depth) {
  if (victim > 0) queue_some(victim, GENERIC_CLASS, depth);
  return (struct call){{ADDRESS(self), QOS_PERF_BURST}, victim > 0 ? 0 : 1};
}
struct call steal_best(int depth) { return steal_from(1, depth); }
struct call steal_worst(int depth) { return steal_from(cpus - 1, depth); }
struct call steal_nothing(int depth) { return steal_from(0, depth); }

// Every queue of as many CPUs as the task table fills, but for the last places of one class of this hart.
static void fill_everything(int class_with_room, int room) {
  for (int cpu = 0; cpu < cpus; cpu++)
    for (int qos = 0; qos < QOS_COUNT; qos++) {
      int left = (int)(TASKS + TASKS_MAX - next_task), count = RING_CAPACITY;
      if (cpu == 0 && qos == class_with_room) count -= room;
      queue_some(cpu, qos, count < left ? count : left);
    }
}

static struct call change_class(struct task *task, int expected) {
  return (struct call){{ADDRESS(RUNTIME), ADDRESS(self), ADDRESS(task), FIRST_LIFE, OTHER_CLASS}, expected};
}
struct call change_behind(int depth) {
  queue_some(0, GENERIC_CLASS, depth);
  return change_class(TASKS + depth / 2, 0);
}
struct call change_among_all(int depth) {
  fill_everything(OTHER_CLASS, 1);
  return change_class(TASKS + RING_CAPACITY + depth / 2, 0);
}
struct call change_refused(int depth) {
  fill_everything(OTHER_CLASS, 0);
  return change_class(TASKS + RING_CAPACITY + depth / 2, 2);
}

static struct call kill_of(struct task *task) {
  return (struct call){{ADDRESS(RUNTIME), ADDRESS(self), ADDRESS(task), FIRST_LIFE}, 0};
}
struct call kill_among(int depth) {
  queue_some(0, GENERIC_CLASS, depth);
  return kill_of(TASKS + depth / 2);
}
struct call kill_among_all(int depth) {
  fill_everything(GENERIC_CLASS, 0);
  return kill_of(TASKS + RING_CAPACITY + depth / 2);
}

struct call cpu_id(int depth) {
  queue_some(0, GENERIC_CLASS, depth);
  return (struct call){{0}, 0};
}

// What the system call of that name does between trap entry and exit.
struct call cpu_id_call(int depth) {
  (void)depth;
  self->current = (int32_t)ADDRESS(make_task(TASK_HELD, 0, GENERIC_CLASS));
  return (struct call){{TRAP_CAUSE_SYSTEM_CALL, 0, SYSCALL_CPU_ID}, 0};
}

struct call accept_request(int depth) {
  (void)depth;
  return (struct call){{ADDRESS(self), cpus - 1}, 0};
}
