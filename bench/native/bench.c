// Bench: what the boot hart runs instead of the kernel's own boot: each operation of the kernel, in situations made
// for it, between two readings of the counter of retired instructions, beside its twin in C.
//
// Owner: the boot hart, alone. The other CPUs' regions have joined so that they can be stolen from and posted to, but
// no hart runs on them; only the image that measures resched chains starts one.
// Invariants: a situation is made again before each call. An outcome other than the expected one, and memory that
// differs between kernel and twin, are reported in place of a count. Operations are called through their exported
// functions, as the kernel's trap path calls them; what the artifact's compiler inlined into callers stays there.
// Pairs with: measure.S, state.h, twin.c, programs.c; board-run.ts, which reads the lines.
#include <stdbool.h>
#include "machine.h"
#include "state.h"
#include "twin.h"
#define WASM_MEMORY_BASE 0
#include "wasm-c.h"
#include "kernel.h"

#define REPETITIONS 3
#define CHAINS 24
#define HARTS_PROBED 64
#define GENERIC_CLASS QOS_NORMAL
#define OTHER_CLASS QOS_INTERACTIVE

int64_t bench_count(void *function, const int64_t arguments[6], int64_t *result);
void bench_ring_and_wait(void *function, int64_t a0, int64_t a1, int64_t stamps[2]);
void bench_nothing(void);
// Only in the image that measures resched chains.
extern int64_t bench_trap_stamps[2] __attribute__((weak));
extern void *bench_trap __attribute__((weak));
// What --wrap leaves of kernel_trap.
int32_t __real_kernel_trap(int32_t, int64_t, int32_t, int64_t, int64_t, int64_t) __attribute__((weak));

static struct hart *const self = HARTS;
static int cpus;
static int32_t hart_of[CPUS_MAX];

// ---- lines

struct line {
  size_t length;
  char text[CONSOLE_LINE_BYTES];
};

static void put(struct line *line, const char *words) {
  while (*words) line->text[line->length++] = *words++;
}

static void put_number(struct line *line, const char *name, int64_t value) {
  char digits[24], *at = digits + 23;
  uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
  *at = 0;
  do *--at = (char)('0' + rest % 10); while (rest /= 10);
  if (value < 0) *--at = '-';
  put(line, name);
  put(line, at);
}

// A turn for each line: no tick comes here.
static void end(struct line *line) {
  if (!console_write(line->text, line->length)) machine_panic("bench: the console's ring is full", 0);
  machine_drainConsole();
}

// ---- situations

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

static void reset(void) {
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

// FNV-1a over whole words.
static uint64_t hash_words(uint64_t hash, const void *from, const void *to) {
  for (const int64_t *word = from; word < (const int64_t *)to; word++) hash = (hash ^ (uint64_t)*word) * 1099511628211u;
  return hash;
}

// Everything that an operation of the kernel or its twin may have written.
static uint64_t digest(void) {
  uint64_t hash = hash_words(14695981039346656037u, TASKS, TASKS + TASKS_MAX);
  hash = hash_words(hash, HARTS, HARTS + cpus);
  return (hash ^ (uint64_t)*EXITS ^ (uint64_t)*WORK_MAP << 8) * 1099511628211u;
}

struct call {
  int64_t arguments[6];
  int64_t expected;
};

#define ADDRESS(pointer) ((int64_t)(intptr_t)(pointer))

static struct call enqueue_behind(int depth) {
  queue_some(0, GENERIC_CLASS, depth);
  return (struct call){{ADDRESS(self), ADDRESS(make_task(TASK_HELD, 0, GENERIC_CLASS))}, depth == RING_CAPACITY};
}

static struct call pick_of_class(int qos, int depth) {
  queue_some(0, qos, depth);
  return (struct call){{ADDRESS(self)}, depth > 0 ? ADDRESS(TASKS) : 0};
}
static struct call pick_perf_burst(int depth) { return pick_of_class(QOS_PERF_BURST, depth); }
static struct call pick_interactive(int depth) { return pick_of_class(QOS_INTERACTIVE, depth); }
static struct call pick_normal(int depth) { return pick_of_class(QOS_NORMAL, depth); }
static struct call pick_idle(int depth) { return pick_of_class(QOS_IDLE, depth); }

// The class of the last task picked is looked at once more before it is found empty.
static struct call pick_after_last(int depth) {
  queue_some(0, GENERIC_CLASS, depth);
  while (depth-- > 0) kernel_pick((int32_t)ADDRESS(self));
  return (struct call){{ADDRESS(self)}, 0};
}

static struct call yield_behind(int depth) {
  queue_some(0, GENERIC_CLASS, depth);
  self->current = (int32_t)ADDRESS(make_task(TASK_HELD, 0, GENERIC_CLASS));
  return (struct call){{ADDRESS(self)}, depth == 0 ? 2 : depth == RING_CAPACITY};
}

static struct call wake_on(int cpu, int depth) {
  queue_some(cpu, GENERIC_CLASS, depth);
  return (struct call){{ADDRESS(self), ADDRESS(make_task(TASK_BLOCKED, cpu, GENERIC_CLASS)), FIRST_LIFE}, cpu == 0 ? 0 : 1};
}
static struct call wake_here(int depth) { return wake_on(0, depth); }
static struct call wake_there(int depth) { return wake_on(cpus - 1, depth); }

static struct call steal_from(int victim, int depth) {
  if (victim > 0) queue_some(victim, GENERIC_CLASS, depth);
  return (struct call){{ADDRESS(self), QOS_PERF_BURST}, victim > 0 ? 0 : 1};
}
static struct call steal_best(int depth) { return steal_from(1, depth); }
static struct call steal_worst(int depth) { return steal_from(cpus - 1, depth); }
static struct call steal_nothing(int depth) { return steal_from(0, depth); }

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
static struct call change_behind(int depth) {
  queue_some(0, GENERIC_CLASS, depth);
  return change_class(TASKS + depth / 2, 0);
}
static struct call change_among_all(int depth) {
  fill_everything(OTHER_CLASS, 1);
  return change_class(TASKS + RING_CAPACITY + depth / 2, 0);
}
static struct call change_refused(int depth) {
  fill_everything(OTHER_CLASS, 0);
  return change_class(TASKS + RING_CAPACITY + depth / 2, 2);
}

static struct call kill_of(struct task *task) {
  return (struct call){{ADDRESS(RUNTIME), ADDRESS(self), ADDRESS(task), FIRST_LIFE}, 0};
}
static struct call kill_among(int depth) {
  queue_some(0, GENERIC_CLASS, depth);
  return kill_of(TASKS + depth / 2);
}
static struct call kill_among_all(int depth) {
  fill_everything(GENERIC_CLASS, 0);
  return kill_of(TASKS + RING_CAPACITY + depth / 2);
}

static struct call cpu_id(int depth) {
  queue_some(0, GENERIC_CLASS, depth);
  return (struct call){{0}, 0};
}

// What the system call of that name does between trap entry and exit.
static struct call cpu_id_call(int depth) {
  (void)depth;
  self->current = (int32_t)ADDRESS(make_task(TASK_HELD, 0, GENERIC_CLASS));
  return (struct call){{TRAP_CAUSE_SYSTEM_CALL, 0, SYSCALL_CPU_ID}, 0};
}

static struct call accept_request(int depth) {
  (void)depth;
  return (struct call){{ADDRESS(self), cpus - 1}, 0};
}

// ---- measuring

struct measurement {
  int64_t count; // instructions, or -1: another outcome than expected
  uint64_t digest;
};

static int64_t overhead(void) {
  int64_t arguments[6] = {0}, result;
  return bench_count(bench_nothing, arguments, &result);
}

// The least of some repetitions: an interrupt that the firmware takes would count as well.
static struct measurement measure(void *function, struct call (*situation)(int), int depth) {
  struct measurement least = {INT64_MAX, 0};
  for (int i = 0; i < REPETITIONS; i++) {
    reset();
    struct call call = situation(depth);
    int64_t result, count = bench_count(function, call.arguments, &result) - overhead();
    if ((int32_t)result != (int32_t)call.expected) count = -1;
    if (count < least.count) least = (struct measurement){count, digest()};
  }
  return least;
}

static void compare(const char *name, void *kernel, void *twin, struct call (*situation)(int), int depth) {
  struct measurement ours = measure(kernel, situation, depth);
  struct line line = {0, {0}};
  put(&line, "BENCH operation=");
  put(&line, name);
  put_number(&line, " depth=", depth);
  put_number(&line, " kernel=", ours.count);
  if (twin != 0) {
    struct measurement theirs = measure(twin, situation, depth);
    put_number(&line, " twin=", theirs.count);
    put_number(&line, " same=", theirs.digest == ours.digest);
  }
  end(&line);
}

static const int depths[] = {1, 32, 63};
#define FOR_DEPTHS(body) for (int i = 0; i < 3; i++) { int depth = depths[i]; body; }

static void measure_operations(void) {
  compare("enqueue", kernel_enqueue, twin_enqueue, enqueue_behind, 0);
  FOR_DEPTHS(compare("enqueue", kernel_enqueue, twin_enqueue, enqueue_behind, depth));
  compare("enqueue-full", kernel_enqueue, twin_enqueue, enqueue_behind, RING_CAPACITY);
  FOR_DEPTHS(compare("pick-perf-burst", kernel_pick, twin_pick, pick_perf_burst, depth + (depth == 63)));
  FOR_DEPTHS(compare("pick-interactive", kernel_pick, twin_pick, pick_interactive, depth + (depth == 63)));
  FOR_DEPTHS(compare("pick-normal", kernel_pick, twin_pick, pick_normal, depth + (depth == 63)));
  FOR_DEPTHS(compare("pick-idle", kernel_pick, twin_pick, pick_idle, depth + (depth == 63)));
  compare("pick-none", kernel_pick, twin_pick, pick_idle, 0);
  compare("pick-none-after-last", kernel_pick, twin_pick, pick_after_last, 1);
  FOR_DEPTHS(compare("yield", kernel_yieldCurrent, twin_yield, yield_behind, depth));
  compare("yield-deferred", kernel_yieldCurrent, twin_yield, yield_behind, RING_CAPACITY);
  compare("yield-alone", kernel_yieldCurrent, twin_yield, yield_behind, 0);
  FOR_DEPTHS(compare("wake-here", kernel_wake, twin_wake, wake_here, depth));
  if (cpus > 1) {
    FOR_DEPTHS(compare("wake-there", kernel_wake, twin_wake, wake_there, depth));
    FOR_DEPTHS(compare("steal-best", kernel_steal, twin_steal, steal_best, depth + (depth == 63)));
    FOR_DEPTHS(compare("steal-worst", kernel_steal, twin_steal, steal_worst, depth + (depth == 63)));
  }
  compare("steal-nothing", kernel_steal, twin_steal, steal_nothing, 0);
  FOR_DEPTHS(compare("change-class", kernel_changeQos, twin_change_qos, change_behind, depth + (depth == 63)));
  compare("change-class-all-full", kernel_changeQos, twin_change_qos, change_among_all, RING_CAPACITY);
  compare("change-class-refused", kernel_changeQos, twin_change_qos, change_refused, RING_CAPACITY);
  FOR_DEPTHS(compare("remove", kernel_kill, twin_kill, kill_among, depth + (depth == 63)));
  compare("remove-all-full", kernel_kill, twin_kill, kill_among_all, RING_CAPACITY);
  FOR_DEPTHS(compare("cpu-id", kernel_cpuId, 0, cpu_id, depth));
  compare("cpu-id-call", kernel_trap, 0, cpu_id_call, 0);
  if (cpus > 1) compare("resched-accept-and-send", kernel_requestResched, 0, accept_request, 0);
}

// ---- user tasks: one that makes calls, two that yield to each other, one that says the end

static int32_t run_programs(void) {
  cpus = 1;
  reset();
  kernel_letTasksRun();
  kernel_spawn((int32_t)ADDRESS(RUNTIME), (int32_t)ADDRESS(self), 0, 0, QOS_PERF_BURST, 0);
  kernel_spawn((int32_t)ADDRESS(RUNTIME), (int32_t)ADDRESS(self), 0, 1, QOS_INTERACTIVE, 0);
  kernel_spawn((int32_t)ADDRESS(RUNTIME), (int32_t)ADDRESS(self), 0, 1, QOS_INTERACTIVE, 1);
  kernel_spawn((int32_t)ADDRESS(RUNTIME), (int32_t)ADDRESS(self), 0, 2, QOS_IDLE, 0);
  return kernel_dispatch((int32_t)ADDRESS(self));
}

// ---- resched chains

static int64_t acked_of(int cpu) { return __atomic_load_n(&HARTS[cpu].last_acked, __ATOMIC_SEQ_CST); }

// The parts of a chain, in instructions of all harts together: the request on this hart; the firmware, if any, and the
// other hart's trap entry; the kernel's part of that trap, to the end. The ack comes a few instructions before it.
struct chain {
  int64_t request, delivery, trap;
  uint64_t digest;
};

static struct hart harts_before[2];
static struct evidence evidence_before[2];

// All that a chain leaves behind, but for the time and the peer's ticks.
static uint64_t chain_digest(void) {
  for (int cpu = 0; cpu < 2; cpu++) HARTS[cpu].idle_since = HARTS[cpu].idle_ticks = HARTS[cpu].tick_deadline = HARTS[cpu].ticks = 0;
  return hash_words(hash_words(0, HARTS, HARTS + 2), EVIDENCE, EVIDENCE + 2);
}

// The shortest of several chains, each from the same memory; the peer idles.
static struct chain run_chains(int peer, void *request, void *trap) {
  struct chain least = {0, 0, INT64_MAX / 2, 0};
  bench_trap = trap;
  for (int i = 0; i < CHAINS; i++) {
    int64_t stamps[2];
    __builtin_memcpy(HARTS, harts_before, sizeof harts_before);
    __builtin_memcpy(EVIDENCE, evidence_before, sizeof evidence_before);
    int64_t acked = acked_of(peer);
    machine_setTimer(machine_timeTicks() + 1000);
    bench_ring_and_wait(request, ADDRESS(self), peer, stamps);
    while (acked_of(peer) == acked) machine_sleep_a_moment();
    // A chain in which the peer's tick came is longer.
    if (bench_trap_stamps[1] - stamps[0] >= least.request + least.delivery + least.trap) continue;
    least.request = stamps[1] - stamps[0] - overhead();
    // Without the second reading and the wfi; then without what trap-stamp.S adds before its reading.
    least.delivery = bench_trap_stamps[0] - stamps[1] - 2 - 2;
    // Without the reading, the addresses, the call and its return.
    least.trap = bench_trap_stamps[1] - bench_trap_stamps[0] - 9;
    least.digest = chain_digest();
  }
  return least;
}

static void measure_chain(const char *name, const char *path) {
  int peer = cpus - 1;
  __builtin_memcpy(harts_before, HARTS, sizeof harts_before);
  __builtin_memcpy(evidence_before, EVIDENCE, sizeof evidence_before);
  struct chain ours = run_chains(peer, kernel_requestResched, __real_kernel_trap);
  struct chain theirs = run_chains(peer, twin_request, twin_trap);
  struct line line = {0, {0}};
  put(&line, "BENCH chain=");
  put(&line, name);
  put(&line, " path=");
  put(&line, path);
  put_number(&line, " request=", ours.request);
  put_number(&line, " delivery=", ours.delivery);
  put_number(&line, " trap=", ours.trap);
  put_number(&line, " twin-request=", theirs.request);
  put_number(&line, " twin-trap=", theirs.trap);
  put_number(&line, " same=", ours.digest == theirs.digest);
  end(&line);
}

static void measure_chains(void) {
  int peer = cpus - 1;
  if (cpus != 2) machine_panic("bench: chains are measured between two harts", (uint64_t)cpus);
  reset();
  HARTS[peer].stamp = 0;
  if (machine_startHart(hart_of[peer], peer) != 0) machine_panic("bench: a hart does not start", (uint64_t)peer);
  while (__atomic_load_n(&HARTS[peer].stamp, __ATOMIC_SEQ_CST) == 0) machine_sleep_a_moment();
  machine_sleep_a_moment();

  uint64_t device = 0;
  bool sswi = device_tree_find_device("riscv,aclint-sswi", &device);
  const char *path = sswi ? "sswi" : "firmware";
  if (machine_selectIpi(sswi ? IPI_PATH_ACLINT_SSWI : IPI_PATH_FIRMWARE, (int64_t)device) != 0)
    machine_panic("bench: the IPI path cannot be used", device);
  measure_chain("selftest-phase", path);
  kernel_letTasksRun();
  measure_chain("idle", path);
}

static void count_harts(int32_t boot_hart) {
  cpus = 1;
  hart_of[0] = boot_hart;
  for (int32_t hart = 0; hart < HARTS_PROBED; hart++)
    if (hart != boot_hart && machine_hartStateOf(hart) >= 0) hart_of[cpus++] = hart;
}

int32_t machine_main(int32_t hart) {
  count_harts(hart);
  struct line line = {0, {0}};
  put(&line, "BENCH begin=1");
  put_number(&line, " harts=", cpus);
  end(&line);
  if (bench_trap_stamps == 0) {
    measure_operations();
    return run_programs();
  }
  measure_chains();
  struct line last = {0, {0}};
  put_number(&last, "BENCH end=", 0);
  end(&last);
  machine_powerOff(POWER_OFF_PASSED);
  return IDLE_SPACE;
}
