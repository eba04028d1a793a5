// WebAssembly's atomics on RISC-V: the psABI's mapping of sequentially consistent C11 atomics, in assembly, because
// gcc 12 emits others.
//   load   fence rw,rw ; l ; fence r,rw        store   fence rw,w ; s ; fence rw,rw
//   update amo.aqrl                            cas     lr.aqrl ... sc.rl, again only when the sc failed
//
// Owner: wasm-c.h includes this. The explorer proves the kernel under sequential consistency; this file is the
// reason why that proof speaks about the hardware. QEMU on x86 cannot show a missing fence: c-atomics.test.ts
// compares the emitted text.
// A result leaves the assembly as a long, since gcc promises nothing about the upper half of a narrower operand; so
// does the value that a cas compares all 64 bits of. An operand of which the instruction reads the lower half enters
// as it is.

// The access between the fences is C, so that gcc knows how a loaded word is extended. The fences are compiler
// barriers, so exactly one access stands between two of them and gcc has nothing to merge it with; a volatile
// load would cost a sext.w.
#define WASM_ATOMIC_ACCESS(name, value_type, memory_type)                                       \
  WASM_INLINE value_type wasm_atomic_load_##name(memory_type *p) {                              \
    __asm__ volatile("fence rw,rw" : : : "memory");                                             \
    value_type value = (value_type)*p;                                                          \
    __asm__ volatile("fence r,rw" : : : "memory");                                              \
    return value;                                                                               \
  }                                                                                             \
  WASM_INLINE void wasm_atomic_store_##name(memory_type *p, value_type value) {                 \
    __asm__ volatile("fence rw,w" : : : "memory");                                              \
    *(volatile memory_type *)p = (memory_type)value;                                            \
    __asm__ volatile("fence rw,rw" : : : "memory");                                             \
  }
WASM_ATOMIC_ACCESS(i32_8, int32_t, uint8_t)
WASM_ATOMIC_ACCESS(i32_16, int32_t, uint16_t)
WASM_ATOMIC_ACCESS(i32_32, int32_t, int32_t)
WASM_ATOMIC_ACCESS(i64_8, int64_t, uint8_t)
WASM_ATOMIC_ACCESS(i64_16, int64_t, uint16_t)
WASM_ATOMIC_ACCESS(i64_32, int64_t, uint32_t)
WASM_ATOMIC_ACCESS(i64_64, int64_t, int64_t)
#undef WASM_ATOMIC_ACCESS

#define WASM_ATOMIC_UPDATE(bits, operation, instruction, operand)                                       \
  WASM_INLINE int##bits##_t wasm_atomic_##operation##_i##bits(int##bits##_t *p, int##bits##_t value) {  \
    long old;                                                                                           \
    __asm__ volatile(instruction " %0,%z2,%1" : "=r"(old), "+A"(*p) : "rJ"(operand) : "memory"); \
    return (int##bits##_t)old;                                                                          \
  }
#define WASM_ATOMIC_UPDATES(bits, width)                                        \
  WASM_ATOMIC_UPDATE(bits, add, "amoadd." width ".aqrl", value)                 \
  WASM_ATOMIC_UPDATE(bits, sub, "amoadd." width ".aqrl", -value)                \
  WASM_ATOMIC_UPDATE(bits, and, "amoand." width ".aqrl", value)                 \
  WASM_ATOMIC_UPDATE(bits, or, "amoor." width ".aqrl", value)                   \
  WASM_ATOMIC_UPDATE(bits, xor, "amoxor." width ".aqrl", value)                 \
  WASM_ATOMIC_UPDATE(bits, xchg, "amoswap." width ".aqrl", value)               \
  /* The two exits show gcc which value came back, so `cmpxchg(...) == expected` is no second compare. */ \
  WASM_INLINE int##bits##_t wasm_atomic_cmpxchg_i##bits(int##bits##_t *p, int##bits##_t expected,       \
                                                        int##bits##_t replacement) {                    \
    long old, failed;                                                                                   \
    __asm__ goto("0:\tlr." width ".aqrl %0,%2\n\t"                                                      \
                 "bne %0,%z3,%l[differs]\n\t"                                                           \
                 "sc." width ".rl %1,%z4,%2\n\t"                                                        \
                 "bnez %1,0b"                                                                           \
                 : "=&r"(old), "=&r"(failed), "+A"(*p)                                                  \
                 : "rJ"((long)expected), "rJ"(replacement)                                              \
                 : "memory"                                                                             \
                 : differs);                                                                            \
    return expected;                                                                                    \
  differs:                                                                                              \
    if ((int##bits##_t)old == expected) __builtin_unreachable();                                        \
    return (int##bits##_t)old;                                                                          \
  }
WASM_ATOMIC_UPDATES(32, "w")
WASM_ATOMIC_UPDATES(64, "d")
#undef WASM_ATOMIC_UPDATES
#undef WASM_ATOMIC_UPDATE

WASM_INLINE void wasm_atomic_fence(void) { __asm__ volatile("fence rw,rw" : : : "memory"); }
