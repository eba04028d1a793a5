// Page tables: one Sv39 tree for the kernel alone and one for each user space, all built before paging is on.
//
// Owner: the boot hart, once. Afterwards the tables are mapped nowhere: nothing can change them, so no hart ever
// needs a fence for a mapping that another hart made.
// Invariants: no page is writable and executable; pages of the kernel are global and never for U-mode; every space
// shares the kernel's part and has its own ASID, space + 1 (ASID 0 is the kernel's own tree). Where a module of the image
// has a shared memory, each space has a second tree, with that memory and the same stack, and an ASID for it.
// Pairs with: address-map.h, link.ld, observer.h, user-space.c (which fills the frames that are mapped here).
#include "machine.h"
#include "observer.h"
#include "user-modules.h"

#define VALID 0x001
#define READ 0x002
#define WRITE 0x004
#define EXECUTE 0x008
#define USER 0x010
// Accessed and dirty are set from the start: a hart may fault instead of setting them.
#define TOUCHED 0x0c0
#define KERNEL (0x020 | TOUCHED)

#define SATP_SV39 (UINT64_C(8) << 60)
#define SATP_ASID_SHIFT 44
#define SATP_ASID_MASK 0xffff

#define ENTRIES 512
#define USER_ROOT_INDEX (USER_MEMORY_BASE >> 30)

_Static_assert(USER_CODE_BASE >> 30 == USER_ROOT_INDEX, "a user space lies in one gigabyte");
_Static_assert((USER_STACK_TOP - 1) >> 30 == USER_ROOT_INDEX, "a user space lies in one gigabyte");
#ifdef SHARED_SEGMENTS
#define ASIDS (2 * SPACES_MAX)
#else
#define ASIDS SPACES_MAX
#endif
_Static_assert(ASIDS < SATP_ASID_MASK, "each tree of a space has an ASID");

uint64_t kernel_satp;
bool asids_missing;

static uint64_t *next_table;

static uint64_t *new_table(void) {
  uint64_t *table = next_table;
  if ((uintptr_t)table >= (uintptr_t)reserved_end) machine_panic("no page left for the page tables", PAGE_TABLES_MAX);
  for (int index = 0; index < ENTRIES; index++) table[index] = 0;
  next_table += ENTRIES;
  return table;
}

static uint64_t entry(uintptr_t physical, uint64_t flags) {
  return (uint64_t)physical >> 12 << 10 | flags | VALID;
}

// The table that an entry points at, made when the entry is empty.
static uint64_t *child(uint64_t *table, size_t index) {
  if ((table[index] & VALID) == 0) table[index] = entry((uintptr_t)new_table(), 0);
  return (uint64_t *)(table[index] >> 10 << 12);
}

static void map(uint64_t *root, uintptr_t virtual, uintptr_t physical, size_t bytes, uint64_t flags) {
  uint64_t *leaves = 0;
  for (size_t offset = 0; offset < bytes; offset += PAGE_BYTES) {
    uintptr_t at = virtual + offset;
    size_t index = at >> 12 & (ENTRIES - 1);
    if (leaves == 0 || index == 0) leaves = child(child(root, at >> 30 & (ENTRIES - 1)), at >> 21 & (ENTRIES - 1));
    leaves[index] = entry(physical + offset, flags);
  }
}

static void map_range(uint64_t *root, char *start, char *end, uint64_t flags) {
  map(root, (uintptr_t)start, (uintptr_t)start, (size_t)(end - start), flags);
}

// Width of the ASID field: the bits that keep a one.
static bool asids_suffice(void) {
  uint64_t probe = SATP_SV39 | (uint64_t)SATP_ASID_MASK << SATP_ASID_SHIFT | (uintptr_t)page_tables >> 12;
  uint64_t kept;
  // Paging comes on for the length of the probe: the tree that satp names maps this code where it lies.
  __asm__ volatile("csrw satp, %1\n\tcsrr %0, satp\n\tcsrw satp, zero\n\tsfence.vma"
                   : "=r"(kept) : "r"(probe) : "memory");
  return (kept >> SATP_ASID_SHIFT & SATP_ASID_MASK) >= ASIDS;
}

static uint64_t satp_of(const uint64_t *root, int asid) {
  return SATP_SV39 | (asids_missing ? 0 : (uint64_t)asid) << SATP_ASID_SHIFT | (uintptr_t)root >> 12;
}

static void map_space(int space, const uint64_t *kernel_root, uint64_t user_code_entry) {
  uint64_t *root = new_table();
  for (int index = 0; index < ENTRIES; index++) root[index] = kernel_root[index];
  map(root, USER_MEMORY_BASE, (uintptr_t)user_memories + (size_t)space * USER_MEMORY_BYTES, USER_MEMORY_BYTES,
      READ | WRITE | USER | TOUCHED);
  map(root, USER_STACK_TOP - USER_STACK_BYTES, (uintptr_t)user_stacks + (size_t)space * USER_STACK_BYTES,
      USER_STACK_BYTES, READ | WRITE | USER | TOUCHED);
  child(root, USER_ROOT_INDEX)[USER_CODE_BASE >> 21 & (ENTRIES - 1)] = user_code_entry;
  space_frames[space].satp = satp_of(root, space + 1);
}

#ifdef SHARED_SEGMENTS
static uint64_t own_satp[SPACES_MAX], shared_satp[SPACES_MAX];

// The table of leaves of the shared memory, once, for the trees of all spaces.
static uint64_t map_shared_memory(void) {
  uint64_t *leaves = new_table();
  for (size_t page = 0; page < USER_MEMORY_BYTES / PAGE_BYTES; page++)
    leaves[USER_MEMORY_BASE / PAGE_BYTES % ENTRIES + page] =
        entry((uintptr_t)user_shared_memory + page * PAGE_BYTES, READ | WRITE | USER | TOUCHED);
  return entry((uintptr_t)leaves, 0);
}

// The second tree of a space: as the first, but for the memory.
static void map_shared_space(int space, uint64_t memory_entry) {
  own_satp[space] = space_frames[space].satp;
  const uint64_t *own_root = (const uint64_t *)(uintptr_t)(own_satp[space] << 20 >> 8);
  const uint64_t *own_gigabyte = (const uint64_t *)(uintptr_t)(own_root[USER_ROOT_INDEX] >> 10 << 12);
  uint64_t *root = new_table();
  uint64_t *gigabyte = new_table();
  for (int index = 0; index < ENTRIES; index++) {
    root[index] = own_root[index];
    gigabyte[index] = own_gigabyte[index];
  }
  gigabyte[USER_MEMORY_BASE >> 21 & (ENTRIES - 1)] = memory_entry;
  root[USER_ROOT_INDEX] = entry((uintptr_t)gigabyte, 0);
  shared_satp[space] = satp_of(root, SPACES_MAX + space + 1);
}

uint64_t page_tables_satp(int32_t space, bool shared) {
  return shared ? shared_satp[space] : own_satp[space];
}
#endif

// One table of leaves for the user image, shared by every space. Returns the entry that points at it.
static uint64_t map_user_image(void) {
  uint64_t *leaves = new_table();
  size_t pages = (size_t)(user_image_end - user_code_start) / PAGE_BYTES;
  if (pages > ENTRIES) machine_panic("the user programs do not fit in 2 MiB", pages);
  for (size_t page = 0; page < pages; page++) {
    char *at = user_code_start + page * PAGE_BYTES;
    leaves[page] = entry((uintptr_t)at, (at < user_constants_start ? READ | EXECUTE : READ) | USER | TOUCHED);
  }
  return entry((uintptr_t)leaves, 0);
}

_Static_assert(OBSERVER_REGION_BYTES == ENTRIES * PAGE_BYTES, "a region is a large page");

// In large pages. What lies past the board's memory is never touched: a hart that is not there writes nothing.
static void map_observer(uint64_t *root) {
  uint64_t *regions = child(root, OBSERVER_WINDOW >> 30 & (ENTRIES - 1)) + (OBSERVER_WINDOW >> 21 & (ENTRIES - 1));
  for (uintptr_t region = 0; region <= CPUS_MAX; region++)
    regions[region] = entry(machine_observer_base + region * OBSERVER_REGION_BYTES, READ | WRITE | KERNEL);
}

uint64_t page_tables_build(uintptr_t device_tree, size_t device_tree_length, uintptr_t test, uintptr_t sswi) {
  next_table = (uint64_t *)page_tables;
  uint64_t *root = new_table();

  map(root, LINEAR_MEMORY_GUARD_BYTES, (uintptr_t)linear_memory + LINEAR_MEMORY_GUARD_BYTES,
      LINEAR_MEMORY_BYTES - LINEAR_MEMORY_GUARD_BYTES, READ | WRITE | KERNEL);
  map_range(root, (char *)IMAGE_BASE, image_code_end, READ | EXECUTE | KERNEL);
  map_range(root, image_code_end, image_constants_end, READ | KERNEL);
  map_range(root, image_data_start, image_data_end, READ | WRITE | KERNEL);
  map_range(root, trap_stacks, machine_data_end, READ | WRITE | KERNEL);

  map(root, UART_WINDOW, UART_PHYSICAL, PAGE_BYTES, READ | WRITE | KERNEL);
  if (test != 0) map(root, TEST_WINDOW, test, PAGE_BYTES, READ | WRITE | KERNEL);
  if (sswi != 0) map(root, SSWI_WINDOW, sswi, PAGE_BYTES, READ | WRITE | KERNEL);
  uintptr_t first = device_tree & ~(uintptr_t)(PAGE_BYTES - 1);
  map(root, DEVICE_TREE_WINDOW, first, device_tree + device_tree_length - first, READ | KERNEL);

  if (machine_observer_base != 0) map_observer(root);

  asids_missing = !asids_suffice();
  uint64_t user_code_entry = map_user_image();
  for (int space = 0; space < SPACES_MAX; space++) map_space(space, root, user_code_entry);
#ifdef SHARED_SEGMENTS
  uint64_t memory_entry = map_shared_memory();
  for (int space = 0; space < SPACES_MAX; space++) map_shared_space(space, memory_entry);
#endif

  kernel_satp = SATP_SV39 | (uintptr_t)root >> 12;
  return kernel_satp;
}
