// Machine: brings the board from the firmware's hand-over to the kernel, and ends the run.
//
// Owner: the boot hart until machine_main; then any hart may power off.
// Invariant: machine_prepare runs with paging off and leaves every mapping in place; machine_load_memory runs with
// paging on and is the first to touch linear memory.
// Pairs with: boot.S, kernel/machine.ts (whose calls harts.c, user-space.c, console.c and device-tree.c supply too).
#include "machine.h"
#include "observer.h"
#define WASM_MEMORY_BASE 0
#include "wasm-c.h"

// QEMU ends with exit code 0 for the first word, and with the code in the upper half for the second.
#define TEST_PASSED 0x5555
#define TEST_FAILED(code) ((uint32_t)(code) << 16 | 0x3333)
// Added to a PowerOff result: QEMU itself exits with 1 when it cannot start (see qemu.ts).
#define EXIT_CODE_BASE 16

#define MOMENT_TICKS 100

extern const struct wasm_segment kernel_segments[];
extern const uint32_t kernel_segment_count;

volatile uint8_t *uart = (volatile uint8_t *)UART_PHYSICAL;

static volatile uint32_t *test_device;
static int32_t ticks_per_second;

static uint64_t find_device(const char *compatible) {
  uint64_t address;
  return device_tree_find_device(compatible, &address) ? address : 0;
}

// device_tree: physical address. Returns satp for the kernel's address space.
uint64_t machine_prepare(uintptr_t device_tree) {
  console_open();
  device_tree_open(device_tree);
  // First of all, so that a panic of what follows reaches the host with its own exit code.
  uint64_t test = find_device("sifive,test0");
  test_device = (volatile uint32_t *)test;
  size_t bytes = device_tree_bytes();
  uintptr_t page_offset = device_tree % PAGE_BYTES;
  if (bytes == 0) machine_panic("no device tree from the firmware", device_tree);
  // The firmware puts it at the end of the memory: this is how too small a memory shows.
  if (device_tree < (uintptr_t)reserved_end) machine_panic("too little memory for the kernel", device_tree);
  if (page_offset + bytes > DEVICE_TREE_BYTES_MAX) machine_panic("the device tree does not fit its window", bytes);

  uint32_t frequency;
  if (!device_tree_find_word("timebase-frequency", &frequency))
    machine_panic("no timebase-frequency in the device tree", 0);
  ticks_per_second = (int32_t)frequency;
  uint64_t sswi = find_device("riscv,aclint-sswi");
  uint64_t satp = page_tables_build(device_tree, bytes, test, sswi);
  machine_prepare_harts(sswi);

  // From the moment paging is on, devices and device tree are where their windows are.
  device_tree_move(DEVICE_TREE_WINDOW + page_offset);
  uart = (volatile uint8_t *)UART_WINDOW;
  if (test != 0) test_device = (volatile uint32_t *)TEST_WINDOW;
  return satp;
}

// Linear memory as WebAssembly has it at the start: zero, then the data segments.
void machine_load_memory(void) {
  volatile uint64_t *word = (volatile uint64_t *)LINEAR_MEMORY_GUARD_BYTES;
  while (word < (volatile uint64_t *)LINEAR_MEMORY_BYTES) *word++ = 0;
  for (uint32_t index = 0; index < kernel_segment_count; index++) {
    const struct wasm_segment *segment = &kernel_segments[index];
    __builtin_memcpy(u8_at((int32_t)segment->offset, 0), segment->bytes, segment->length);
  }
}

// What the boot hart runs when the machine is up: a space to enter, or IDLE_SPACE. A benchmark links its own.
__attribute__((weak)) int32_t machine_main(int32_t hart) {
  return kernel_boot(hart);
}

int32_t machine_ticksPerSecond(void) {
  return ticks_per_second;
}

// Lets other harts run: under -icount one that spins would keep them from ever finishing.
void machine_sleep_a_moment(void) {
  __asm__ volatile("csrci sie, %0" : : "i"(SIP_SOFT));
  machine_setTimer(machine_timeTicks() + MOMENT_TICKS);
  __asm__ volatile("wfi" : : : "memory");
}

void machine_powerOff(int32_t result) {
  // After a panic nothing is known of the harts: what was not written by then is missing.
  if (machine_observer_base != 0 && result != POWER_OFF_PANIC) machine_observer_finish();
  // A console with a hole must not be taken for that of a passed run.
  if (!console_flush() && result == POWER_OFF_PASSED) result = POWER_OFF_FAILED;
  if (test_device != 0) *test_device = result == POWER_OFF_PASSED ? TEST_PASSED : TEST_FAILED(EXIT_CODE_BASE + result);
  // QEMU exits with 0 on the firmware's shutdown, whatever the reason given: that must mean passed and nothing else.
  if (result == POWER_OFF_PASSED) sbi_call(SBI_SRST, SBI_SRST_RESET, SBI_SRST_SHUTDOWN, SBI_SRST_NO_REASON, 0);
  // A failed run that cannot say so stands still, for the host's time-out to see; it must not go on.
  for (;;) machine_sleep_a_moment();
}
