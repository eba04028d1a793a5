// The ladder: RFC-0022's proof markers, letter for letter, and the other fixed spellings on the console.

/** `KINIT: cpu1 online`: the number stands between these. */
export const MARKER_CPU_PREFIX = "KINIT: cpu";
export const MARKER_CPU_SUFFIX = " online";
export const MARKER_SMP_ONLINE = "KSELFTEST: smp online ok";
export const MARKER_IPI_COUNTERFACTUAL = "KSELFTEST: ipi counterfactual ok";
export const MARKER_IPI_RESCHED = "KSELFTEST: ipi resched ok";
export const MARKER_REJECT_INVALID_CPU = "KSELFTEST: test_reject_invalid_ipi_target_cpu ok";
export const MARKER_REJECT_OFFLINE_CPU = "KSELFTEST: test_reject_offline_cpu_resched ok";
export const MARKER_WORK_STEALING = "KSELFTEST: work stealing ok";
export const MARKER_REJECT_STEAL_ABOVE_BOUND = "KSELFTEST: test_reject_steal_above_bound ok";
export const MARKER_REJECT_STEAL_HIGHER_QOS = "KSELFTEST: test_reject_steal_higher_qos ok";

/** On a machine with one hart this line stands in place of the SMP markers. */
export const MARKER_SMP_SKIPPED = "KSELFTEST: smp skipped (harts=1)";

/** `KSELFTEST: FAIL <reason>`: a check did not hold. */
export const FAIL_PREFIX = "KSELFTEST: FAIL ";
/** `PANIC: cpu=… reason=… detail=…`: a broken invariant; the kernel stops. */
export const PANIC_PREFIX = "PANIC: ";
/** `EVIDENCE: …`: see events.ts. */
export const EVIDENCE_PREFIX = "EVIDENCE: ";
export const EVIDENCE_FORM = "of=cpu# n=# by=cpu# # request=# detail=#";
/**
 * `BOOT: harts=2 cpus=2 boot-hart=0 ipi=firmware …` (or `ipi=aclint-sswi`): what the kernel found and chose. `cpus` is
 * smaller than `harts` where there are more harts than CPUS_MAX; `sswi-covers` is how many CPUs the SSWI device reaches.
 */
export const BOOT_PREFIX = "BOOT: ";
export const BOOT_FORM = "harts=# cpus=# boot-hart=# ipi=# ipi-device=# sswi-covers=# ticks-per-second=#";
/** How it names each IpiPath, at its number. */
export const IPI_NAMES = "firmware aclint-sswi";
/** The summary: a line for each task, one that counts them, and two for each hart. A `#` stands for a number or a word. */
export const TASK_PREFIX = "TASK: ";
export const TASK_FORM =
  "id=# program=# class=# runs=# steals=# migrations=# wakes=# last-cpu=# end=# code=# fault-address=#";
export const TASKS_PREFIX = "TASKS: ";
export const TASKS_FORM = "spawned=# reported=# reaped=#";
export const HART_PREFIX = "HART: ";
export const HART_FORM =
  "cpu=# hart=# picks=# steals=# migrations=# wakes=# ended=# faults=# fallbacks=# idle-percent=#";
export const RESCHED_PREFIX = "RESCHED: ";
export const RESCHED_FORM =
  "cpu=# accepted=# sent=# failed=# coalesced=# requests=# trapped=# acked=# acked-to=# shown=#";
/** How a line names a class and the end of a task, each at its number. */
export const QOS_NAMES = "Idle Normal Interactive PerfBurst";
export const END_NAMES = "alive exit fault killed";
/** `RESULT: passed` or `RESULT: failed`: the last line before the machine powers off. */
export const RESULT_PASSED = "RESULT: passed";
export const RESULT_FAILED = "RESULT: failed";
