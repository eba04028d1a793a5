// Measure: calls a function between two readings of the retired instructions' counter.
//
// Owner: the caller's stack only. Invariant: the same instructions stand around every call, so a call of
// bench_nothing measures what they cost; the difference is the function's body without its call and its return.
// Pairs with: bench.c.

.text
.globl bench_count
// int64_t bench_count(void *function, const int64_t arguments[6], int64_t *result)
bench_count:
  addi sp, sp, -32
  sd ra, 0(sp)
  sd s0, 8(sp)
  sd s1, 16(sp)
  mv s1, a2
  mv t0, a0
  mv t1, a1
  ld a0, 0(t1)
  ld a1, 8(t1)
  ld a2, 16(t1)
  ld a3, 24(t1)
  ld a4, 32(t1)
  ld a5, 40(t1)
  rdinstret s0
  jalr t0
  rdinstret t1
  sd a0, 0(s1)
  sub a0, t1, s0
  ld ra, 0(sp)
  ld s0, 8(sp)
  ld s1, 16(sp)
  addi sp, sp, 32
  ret

.globl bench_nothing
bench_nothing:
  ret

.globl bench_ring_and_wait
// void bench_ring_and_wait(void *function, int64_t a0, int64_t a1, int64_t stamps[2]): calls it and sleeps until the
// next interrupt, so that from the second reading on the other harts' instructions are the only ones, but for one wfi.
bench_ring_and_wait:
  addi sp, sp, -32
  sd ra, 0(sp)
  sd s0, 8(sp)
  sd s1, 16(sp)
  mv s1, a3
  mv t0, a0
  mv a0, a1
  mv a1, a2
  rdinstret s0
  jalr t0
  rdinstret t0
  wfi
  sd s0, 0(s1)
  sd t0, 8(s1)
  ld ra, 0(sp)
  ld s0, 8(sp)
  ld s1, 16(sp)
  addi sp, sp, 32
  ret
