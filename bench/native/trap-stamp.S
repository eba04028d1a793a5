// Trap stamp: notes the counter of retired instructions when a hart's kernel has dealt with a trap. Linked into the
// image that measures resched chains only, with --wrap=kernel_trap, so that nothing else pays for it.
//
// Owner: bench_trap_stamps, written by every hart; one pair is enough, since only one hart traps while they are read.
// Invariant: bench.c takes off what these instructions add: two before the first reading, nine up to the second.
// Pairs with: bench.c.

.section .sbss.bench_trap_stamps, "aw", @nobits
.balign 8
// The counter at the kernel's entry and at its return.
.globl bench_trap_stamps
bench_trap_stamps: .zero 16

// Which trap it is: the kernel's or the twin's.
.section .data.bench_trap, "aw", @progbits
.balign 8
.globl bench_trap
bench_trap: .dword __real_kernel_trap

.text
.globl __wrap_kernel_trap
__wrap_kernel_trap:
  addi sp, sp, -16
  sd ra, 0(sp)
  rdinstret t0
  la t1, bench_trap_stamps
  sd t0, 0(t1)
  la t1, bench_trap
  ld t1, 0(t1)
  jalr t1
  rdinstret t0
  la t1, bench_trap_stamps
  sd t0, 8(t1)
  ld ra, 0(sp)
  addi sp, sp, 16
  ret
