// Bench: what the boot hart runs instead of the kernel's own boot: each operation of the kernel, in situations made
// for it, between two readings of the counter of retired instructions, beside its twin in C.
//
// Owner: the boot hart, alone; only the image that measures resched chains starts another.
// Invariants: a situation is made again before each call. An outcome other than the expected one, and memory that
// differs between kernel and twin, are reported in place of a count. Operations are called through their exported
// functions, as the kernel's trap path calls them; what the artifact's compiler inlined into callers stays there.
// Pairs with: situations.c, resched-chains.c, measure.S, twin.c, programs.c; board-run.ts, which reads the lines.
#include "bench.h"
#include "situations.h"

#define REPETITIONS 3
#define HARTS_PROBED 64

int cpus;
int32_t hart_of[CPUS_MAX];

// ---- lines

void put(struct line *line, const char *string) {
  while (*string) line->text[line->length++] = *string++;
}

void put_number(struct line *line, const char *name, int64_t value) {
  char digits[24], *at = digits + 23;
  uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
  *at = 0;
  do *--at = (char)('0' + rest % 10); while (rest /= 10);
  if (value < 0) *--at = '-';
  put(line, name);
  put(line, at);
}

// A turn for each line: no tick comes here.
void end_line(struct line *line) {
  if (!console_write(line->text, line->length)) machine_panic("bench: the console's ring is full", 0);
  machine_drainConsole();
}

// ---- measuring

struct measurement {
  int64_t count; // instructions, or -1: another outcome than expected
  uint64_t digest;
};

int64_t overhead(void) {
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
  end_line(&line);
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

// ---- user tasks: one that makes calls, two that yield to each other, one that prints the end

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
  end_line(&line);
  if (bench_trap_stamps == 0) {
    measure_operations();
    return run_programs();
  }
  measure_chains();
  struct line last = {0, {0}};
  put_number(&last, "BENCH end=", 0);
  end_line(&last);
  machine_powerOff(POWER_OFF_PASSED);
  return IDLE_SPACE;
}
