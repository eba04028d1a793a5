// SBI: calls of the firmware, as the SBI specification 1.0 numbers them.
//
// Owner: none, no state. `error` is 0 or one of MachineError, which takes its numbers from SBI.
#ifndef SBI_H
#define SBI_H

#include <stdint.h>

#define SBI_BASE 0x10
#define SBI_BASE_PROBE 3
#define SBI_TIME 0x54494D45
#define SBI_TIME_SET 0
#define SBI_IPI 0x735049
#define SBI_IPI_SEND 0
#define SBI_HSM 0x48534D
#define SBI_HSM_START 0
#define SBI_HSM_STATUS 2
#define SBI_SRST 0x53525354
#define SBI_SRST_RESET 0
#define SBI_SRST_SHUTDOWN 0
#define SBI_SRST_NO_REASON 0

struct sbi_answer {
  int64_t error;
  int64_t value;
};

// The firmware keeps every register but a0 and a1.
static inline struct sbi_answer sbi_call(int64_t extension, int64_t function, int64_t x, int64_t y, int64_t z) {
  register int64_t a0 __asm__("a0") = x;
  register int64_t a1 __asm__("a1") = y;
  register int64_t a2 __asm__("a2") = z;
  register int64_t a6 __asm__("a6") = function;
  register int64_t a7 __asm__("a7") = extension;
  __asm__ volatile("ecall" : "+r"(a0), "+r"(a1) : "r"(a2), "r"(a6), "r"(a7) : "memory");
  return (struct sbi_answer){a0, a1};
}

#endif
