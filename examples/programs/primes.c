// Primes: how many there are below its argument, found by Eratosthenes' sieve; the count is its exit code.
//
//   hartbeat boot --program examples/programs/primes.c:1000 --count 2

#include "hartbeat-user.h"

#define LIMIT 4096

static uint8_t is_composite[LIMIT];

static int64_t format_line(char *line, int32_t count) {
  static const char text[] = "primes: ";
  char digits[10];
  int64_t length = 0;
  int count_of_digits = 0;
  for (; text[length] != 0; length++) line[length] = text[length];
  do digits[count_of_digits++] = (char)('0' + count % 10);
  while ((count /= 10) != 0);
  while (count_of_digits > 0) line[length++] = digits[--count_of_digits];
  return length;
}

HARTBEAT_PROGRAM int32_t run(int64_t argument) {
  if (argument < 0 || argument > LIMIT) return HARTBEAT_INVALID_ARGUMENT;
  int32_t count = 0;
  for (int32_t number = 2; number < argument; number++) {
    if (is_composite[number]) continue;
    count += 1;
    for (int32_t multiple = number * number; multiple < argument; multiple += number) is_composite[multiple] = 1;
    hartbeat_yield();
  }
  char line[32];
  if (hartbeat_write_line(line, format_line(line, count)) != 0) return -1;
  return count;
}
