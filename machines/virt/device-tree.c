// Device tree: bounded reads of the flattened tree that the firmware passes.
//
// Owner: read only, by any hart. The kernel reads words and parses them itself; the machine looks for the few
// devices that it maps, so that the kernel can select a device but never name an address of its own.
// Invariant: no read lies outside [0, device_tree_bytes()).
// Not covered: nodes are taken to have two address cells, as QEMU's `virt` writes them.
#include "machine.h"

#define MAGIC 0xd00dfeed
#define BEGIN_NODE 1
#define END_NODE 2
#define PROPERTY 3
#define END 9

static const uint8_t *tree;
static size_t tree_bytes;

static uint32_t word(size_t offset) {
  if (offset + 4 > tree_bytes) return 0;
  const uint8_t *at = tree + offset;
  return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

void device_tree_open(uintptr_t address) {
  tree = (const uint8_t *)address;
  tree_bytes = 8;
  tree_bytes = word(0) == MAGIC ? word(4) : 0;
}

void device_tree_move(uintptr_t address) {
  tree = (const uint8_t *)address;
}

size_t device_tree_bytes(void) {
  return tree_bytes;
}

// Whether the text at an offset of the tree is `expected`, its final zero included.
static bool text_equals(size_t offset, const char *expected) {
  for (;; offset++, expected++) {
    if (offset >= tree_bytes || tree[offset] != (uint8_t)*expected) return false;
    if (*expected == 0) return true;
  }
}

// Whether a list of texts, each ended by a zero, contains `expected`.
static bool list_contains(size_t offset, size_t length, const char *expected) {
  size_t end = offset + length;
  while (offset < end && offset < tree_bytes) {
    if (text_equals(offset, expected)) return true;
    while (offset < tree_bytes && tree[offset] != 0) offset++;
    offset++;
  }
  return false;
}

struct property {
  size_t name;
  size_t value;
  size_t length;
};

// Reads the token at *offset and moves past it. Anything that is no token ends the walk.
static uint32_t next_token(size_t *offset, struct property *property) {
  uint32_t token = word(*offset);
  *offset += 4;
  if (token == BEGIN_NODE) {
    while (*offset < tree_bytes && tree[*offset] != 0) ++*offset;
    *offset = (*offset + 4) & ~(size_t)3;
  } else if (token == PROPERTY) {
    property->length = word(*offset);
    property->name = (size_t)word(12) + word(*offset + 4);
    property->value = *offset + 8;
    *offset = (property->value + property->length + 3) & ~(size_t)3;
  } else if (token == 0) {
    return END;
  }
  return token;
}

// The first word of the first property of that name.
bool device_tree_find_word(const char *name, uint32_t *value) {
  struct property property;
  size_t offset = word(8);
  for (uint32_t token; (token = next_token(&offset, &property)) != END;) {
    if (token != PROPERTY || !text_equals(property.name, name)) continue;
    *value = word(property.value);
    return true;
  }
  return false;
}

// The address of the first device with that compatible string. A node's properties come before its children.
bool device_tree_find_device(const char *compatible, uint64_t *address) {
  struct property property;
  bool matches = false, placed = false;
  size_t offset = word(8);
  for (uint32_t token; (token = next_token(&offset, &property)) != END;) {
    if (token == BEGIN_NODE) matches = placed = false;
    if (token != PROPERTY) continue;
    if (text_equals(property.name, "compatible"))
      matches = list_contains(property.value, property.length, compatible);
    if (text_equals(property.name, "reg") && property.length >= 8) {
      *address = (uint64_t)word(property.value) << 32 | word(property.value + 4);
      placed = true;
    }
    if (matches && placed) return true;
  }
  return false;
}

int32_t machine_deviceTreeBytes(void) {
  return (int32_t)tree_bytes;
}

int32_t machine_deviceTreeWord(int32_t offset) {
  if (offset < 0 || (offset & 3) != 0) return 0;
  return (int32_t)word((size_t)offset);
}
