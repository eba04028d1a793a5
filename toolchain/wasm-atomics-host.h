// WebAssembly's atomics through the compiler's own, for running printed C on the machine that built it (tests).
//
// Owner: wasm-c.h includes this everywhere but on RISC-V. The names are wasm-atomics-riscv.h's.

#define WASM_ATOMIC_ACCESS(name, value_type, memory_type)                                       \
  WASM_INLINE value_type wasm_atomic_load_##name(memory_type *p) {                              \
    return (value_type)__atomic_load_n(p, __ATOMIC_SEQ_CST);                                    \
  }                                                                                             \
  WASM_INLINE void wasm_atomic_store_##name(memory_type *p, value_type value) {                 \
    __atomic_store_n(p, (memory_type)value, __ATOMIC_SEQ_CST);                                  \
  }
WASM_ATOMIC_ACCESS(i32_8, int32_t, uint8_t)
WASM_ATOMIC_ACCESS(i32_16, int32_t, uint16_t)
WASM_ATOMIC_ACCESS(i32_32, int32_t, int32_t)
WASM_ATOMIC_ACCESS(i64_8, int64_t, uint8_t)
WASM_ATOMIC_ACCESS(i64_16, int64_t, uint16_t)
WASM_ATOMIC_ACCESS(i64_32, int64_t, uint32_t)
WASM_ATOMIC_ACCESS(i64_64, int64_t, int64_t)
#undef WASM_ATOMIC_ACCESS

#define WASM_ATOMIC_UPDATE(bits, operation, builtin)                                                    \
  WASM_INLINE int##bits##_t wasm_atomic_##operation##_i##bits(int##bits##_t *p, int##bits##_t value) {  \
    return builtin(p, value, __ATOMIC_SEQ_CST);                                                         \
  }
#define WASM_ATOMIC_UPDATES(bits)                          \
  WASM_ATOMIC_UPDATE(bits, add, __atomic_fetch_add)        \
  WASM_ATOMIC_UPDATE(bits, sub, __atomic_fetch_sub)        \
  WASM_ATOMIC_UPDATE(bits, and, __atomic_fetch_and)        \
  WASM_ATOMIC_UPDATE(bits, or, __atomic_fetch_or)          \
  WASM_ATOMIC_UPDATE(bits, xor, __atomic_fetch_xor)        \
  WASM_ATOMIC_UPDATE(bits, xchg, __atomic_exchange_n)      \
  WASM_INLINE int##bits##_t wasm_atomic_cmpxchg_i##bits(int##bits##_t *p, int##bits##_t expected,       \
                                                        int##bits##_t replacement) {                    \
    __atomic_compare_exchange_n(p, &expected, replacement, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);  \
    return expected;                                                                                    \
  }
WASM_ATOMIC_UPDATES(32)
WASM_ATOMIC_UPDATES(64)
#undef WASM_ATOMIC_UPDATES
#undef WASM_ATOMIC_UPDATE

WASM_INLINE void wasm_atomic_fence(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
