// OS calls: the one import of user.wasm as a C function.
//
// Pairs with: user-entry.S, which defines it; the printed user.c, which includes this file and nothing else.
#ifndef OS_CALLS_H
#define OS_CALLS_H

#include <stdint.h>

int64_t os_call(int32_t number, int64_t a0, int64_t a1, int64_t a2);

#endif
