// What printed C needs: addresses, traps, division, bit counting and WebAssembly's atomics.
//
// Owner: c-printer.ts includes this first, after defining WASM_MEMORY_BASE: where linear memory begins, 0 for the
// kernel. A 32-bit address is used sign-extended, so that what lies 2 GiB below and above the memory is page
// tables' business and no access costs a check.
// Invariant: the files that include this are compiled with -fwrapv -fno-strict-aliasing
// -fno-delete-null-pointer-checks; toolchain/c-flags.ts has the list.
// Pairs with: the psABI's mapping of sequentially consistent atomics, which the RISC-V half follows letter by letter.
#ifndef WASM_C_H
#define WASM_C_H
#include <stdbool.h>
#include <stdint.h>

#define WASM_INLINE static inline __attribute__((always_inline, unused))

/** One stretch of bytes that the machine copies into linear memory before the first call. */
struct wasm_segment {
  uint32_t offset;
  uint32_t length;
  const uint8_t *bytes;
};

// A trap is an illegal instruction: in the kernel the machine's handler panics with its address, in a user
// program the kernel ends the task. It costs the path beside it nothing. A machine may define its own.
#ifndef WASM_TRAP
#ifdef __riscv
#define WASM_TRAP() __asm__ volatile("unimp")
#else
#define WASM_TRAP() __builtin_trap()
#endif
#endif

WASM_INLINE _Noreturn void wasm_unreachable(void) {
  WASM_TRAP();
  __builtin_unreachable();
}

// The displacement is added in 64 bits. It is below 2 MiB, so where the 32-bit sum would have been out of
// bounds, this one lies in a hole of the address map too.
#define WASM_POINTER(name, type)                                                        \
  WASM_INLINE type *name(int32_t address, intptr_t displacement) {                      \
    return (type *)((intptr_t)(WASM_MEMORY_BASE) + (intptr_t)address + displacement);   \
  }
WASM_POINTER(i8_at, int8_t)
WASM_POINTER(u8_at, uint8_t)
WASM_POINTER(i16_at, int16_t)
WASM_POINTER(u16_at, uint16_t)
WASM_POINTER(i32_at, int32_t)
WASM_POINTER(u32_at, uint32_t)
WASM_POINTER(i64_at, int64_t)
#undef WASM_POINTER

// Division traps on zero and on a quotient that does not fit; the remainder of INT_MIN by -1 is 0.
#define WASM_DIVISION(bits, minimum)                                                    \
  WASM_INLINE int##bits##_t wasm_div_s##bits(int##bits##_t a, int##bits##_t b) {        \
    if (b == 0 || (a == minimum && b == -1)) wasm_unreachable();                        \
    return a / b;                                                                       \
  }                                                                                     \
  WASM_INLINE int##bits##_t wasm_div_u##bits(int##bits##_t a, int##bits##_t b) {        \
    if (b == 0) wasm_unreachable();                                                     \
    return (int##bits##_t)((uint##bits##_t)a / (uint##bits##_t)b);                      \
  }                                                                                     \
  WASM_INLINE int##bits##_t wasm_rem_s##bits(int##bits##_t a, int##bits##_t b) {        \
    if (b == 0) wasm_unreachable();                                                     \
    return b == -1 ? 0 : a % b;                                                         \
  }                                                                                     \
  WASM_INLINE int##bits##_t wasm_rem_u##bits(int##bits##_t a, int##bits##_t b) {        \
    if (b == 0) wasm_unreachable();                                                     \
    return (int##bits##_t)((uint##bits##_t)a % (uint##bits##_t)b);                      \
  }                                                                                     \
  WASM_INLINE int##bits##_t wasm_rotl##bits(int##bits##_t a, int##bits##_t n) {         \
    uint##bits##_t v = (uint##bits##_t)a;                                               \
    return (int##bits##_t)(v << (n & (bits - 1)) | v >> (-n & (bits - 1)));             \
  }                                                                                     \
  WASM_INLINE int##bits##_t wasm_rotr##bits(int##bits##_t a, int##bits##_t n) {         \
    uint##bits##_t v = (uint##bits##_t)a;                                               \
    return (int##bits##_t)(v >> (n & (bits - 1)) | v << (-n & (bits - 1)));             \
  }
WASM_DIVISION(32, INT32_MIN)
WASM_DIVISION(64, INT64_MIN)
#undef WASM_DIVISION

WASM_INLINE int32_t wasm_clz32(int32_t a) { return a == 0 ? 32 : __builtin_clz((uint32_t)a); }
WASM_INLINE int32_t wasm_ctz32(int32_t a) { return a == 0 ? 32 : __builtin_ctz((uint32_t)a); }
WASM_INLINE int32_t wasm_popcnt32(int32_t a) { return __builtin_popcount((uint32_t)a); }
WASM_INLINE int64_t wasm_clz64(int64_t a) { return a == 0 ? 64 : __builtin_clzll((uint64_t)a); }
WASM_INLINE int64_t wasm_ctz64(int64_t a) { return a == 0 ? 64 : __builtin_ctzll((uint64_t)a); }
WASM_INLINE int64_t wasm_popcnt64(int64_t a) { return __builtin_popcountll((uint64_t)a); }

// memory.fill and memory.copy trap before the first byte when any byte is outside the memory.
WASM_INLINE void wasm_memory_check(int32_t address, int32_t length, int64_t memory_bytes) {
  if ((int64_t)(uint32_t)address + (int64_t)(uint32_t)length > memory_bytes) wasm_unreachable();
}
WASM_INLINE void wasm_memory_fill(int32_t to, int32_t value, int32_t length, int64_t memory_bytes) {
  wasm_memory_check(to, length, memory_bytes);
  __builtin_memset(u8_at(to, 0), value, (uint32_t)length);
}
WASM_INLINE void wasm_memory_copy(int32_t to, int32_t from, int32_t length, int64_t memory_bytes) {
  wasm_memory_check(to, length, memory_bytes);
  wasm_memory_check(from, length, memory_bytes);
  __builtin_memmove(u8_at(to, 0), u8_at(from, 0), (uint32_t)length);
}

#ifdef __riscv
#include "wasm-atomics-riscv.h"
#else
#include "wasm-atomics-host.h"
#endif
#endif
