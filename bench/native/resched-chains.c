// Resched chains: from the request on one hart to the end of the other hart's trap, for the kernel and its twin.
//
// Owner: the boot hart, in the image that measures chains; the other hart idles.
// Pairs with: trap-stamp.S (stamps around each trap), twin-chain.c, bench.c.
#include "bench.h"

#define CHAINS 24

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
  end_line(&line);
}

void measure_chains(void) {
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
