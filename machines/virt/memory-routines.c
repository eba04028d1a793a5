// Memory routines: the four functions that gcc may call for copies and fills, in kernel and user programs alike.
//
// Owner: none. Compiled with -fno-tree-loop-distribute-patterns, or gcc would turn each loop into a call of itself.
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t length) {
  uint8_t *out = to;
  const uint8_t *in = from;
  while (length-- > 0) *out++ = *in++;
  return to;
}

void *memmove(void *to, const void *from, size_t length) {
  uint8_t *out = to;
  const uint8_t *in = from;
  if (out < in)
    while (length-- > 0) *out++ = *in++;
  else
    while (length-- > 0) out[length] = in[length];
  return to;
}

void *memset(void *to, int value, size_t length) {
  uint8_t *out = to;
  while (length-- > 0) *out++ = (uint8_t)value;
  return to;
}

int memcmp(const void *left, const void *right, size_t length) {
  const uint8_t *x = left, *y = right;
  for (; length > 0; length--, x++, y++)
    if (*x != *y) return *x - *y;
  return 0;
}
