// User image: the linked user programs, as bytes of the kernel image, in pages of their own.
//
// Invariant: code and constants lie page-aligned and one after the other, as they do at USER_CODE_BASE.
// Pairs with: user.ld, which laid them out; page-table.c, which maps them into every space.
#include "address-map.h"

.section .user_image, "a", @progbits
.balign PAGE_BYTES
.globl user_code_start
.globl user_constants_start
.globl user_image_end
user_code_start:
  .incbin "user-code.bin"
.balign PAGE_BYTES
user_constants_start:
  .incbin "user-constants.bin"
.balign PAGE_BYTES
user_image_end:
