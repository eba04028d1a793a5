// Console: whole lines to the UART, from any number of harts, none of which waits for another's line.
//
// A writer draws a ticket, copies its line into the ticket's slot and marks it ready. Whoever finds the UART free
// sends every ready line in the order of the tickets; the others go on at once. A lock would make a hart spin while
// the holder's thread is not running, which on a board with more harts than processors is most of the time.
//
// Owner: a slot belongs to its ticket's writer until it is ready, then to the hart in `sender`.
// Invariants: a line and its line end leave together, lines in ticket order; a line that was written before another
// hart was told anything comes out before what that hart then writes. Only a full ring makes a writer wait.
// Pairs with: panic.c and machine.c, which flush before the board goes off.
#include "machine.h"

#define UART_DATA 0
#define UART_FIFO_CONTROL 2
#define UART_LINE_STATUS 5
#define FIFO_ENABLE 1
#define FIFO_BYTES 16
#define STATUS_FIFO_EMPTY 0x20
#define STATUS_IDLE 0x40

#define SLOTS 256
#define NOBODY -1

struct slot {
  uint32_t ready; // ticket + 1 of the line that stands here
  uint32_t length;
  char text[CONSOLE_LINE_BYTES];
};

volatile uint8_t *uart = (volatile uint8_t *)UART_PHYSICAL;

static struct slot slots[SLOTS];
static uint32_t next_ticket;
static uint32_t sent_tickets; // written by the sender only
static int32_t sender = NOBODY;

void console_open(void) {
  uart[UART_FIFO_CONTROL] = FIFO_ENABLE;
}

// The transmitter is asked once for each FIFO's worth of bytes: asking costs as much as sending.
static void send(const char *text, size_t length) {
  for (size_t sent = 0; sent < length; sent++) {
    if (sent % FIFO_BYTES == 0)
      while ((uart[UART_LINE_STATUS] & STATUS_FIFO_EMPTY) == 0) continue;
    uart[UART_DATA] = (uint8_t)text[sent];
  }
}

static bool is_ready(uint32_t ticket) {
  return __atomic_load_n(&slots[ticket % SLOTS].ready, __ATOMIC_ACQUIRE) == ticket + 1;
}

static void send_ready_lines(void) {
  uint32_t ticket = sent_tickets;
  for (; is_ready(ticket); ticket++) {
    struct slot *slot = &slots[ticket % SLOTS];
    slot->text[slot->length] = '\n';
    send(slot->text, slot->length + 1);
    __atomic_store_n(&sent_tickets, ticket + 1, __ATOMIC_RELEASE);
  }
}

static bool become_sender(void) {
  int32_t nobody = NOBODY;
  return __atomic_compare_exchange_n(&sender, &nobody, machine_this_block()->cpu, false, __ATOMIC_SEQ_CST,
                                     __ATOMIC_RELAXED);
}

// Sends what is ready unless another hart does. A line that becomes ready while the sender leaves is seen by its
// writer or by the sender: each stores its own word, then loads the other's, sequentially consistently.
static void send_unless_busy(void) {
  do {
    if (!become_sender()) return;
    send_ready_lines();
    // The next sender's device stores must come after this one's: atomics alone order memory only.
    __asm__ volatile("fence iorw, iorw" : : : "memory");
    __atomic_store_n(&sender, NOBODY, __ATOMIC_SEQ_CST);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
  } while (is_ready(__atomic_load_n(&sent_tickets, __ATOMIC_RELAXED)));
}

void console_write(const char *text, size_t length) {
  if (length > CONSOLE_LINE_BYTES - 1) length = CONSOLE_LINE_BYTES - 1;
  uint32_t ticket = __atomic_fetch_add(&next_ticket, 1, __ATOMIC_RELAXED);
  while (ticket - __atomic_load_n(&sent_tickets, __ATOMIC_ACQUIRE) >= SLOTS) send_unless_busy();
  struct slot *slot = &slots[ticket % SLOTS];
  for (size_t index = 0; index < length; index++) slot->text[index] = text[index];
  slot->length = (uint32_t)length;
  __atomic_store_n(&slot->ready, ticket + 1, __ATOMIC_SEQ_CST);
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  send_unless_busy();
}

// Waits until every line of this moment and its last byte have left; the machine is about to go off.
void console_flush(void) {
  // A hart that faulted while it was sending goes on where it stopped: nobody else can.
  if (__atomic_load_n(&sender, __ATOMIC_RELAXED) == machine_this_block()->cpu) send_ready_lines();
  uint32_t last = __atomic_load_n(&next_ticket, __ATOMIC_RELAXED);
  while ((int32_t)(last - __atomic_load_n(&sent_tickets, __ATOMIC_ACQUIRE)) > 0) {
    send_unless_busy();
    machine_sleep_a_moment();
  }
  while ((uart[UART_LINE_STATUS] & STATUS_IDLE) == 0) continue;
}

void machine_writeLine(int32_t address, int32_t lengthBytes) {
  if (!in_linear_memory(address, lengthBytes)) machine_panic("a line outside linear memory", (uint32_t)address);
  if (lengthBytes > LINE_LENGTH_MAX) machine_panic("a line longer than LINE_LENGTH_MAX", (uint32_t)lengthBytes);
  console_write((const char *)(intptr_t)address, (size_t)lengthBytes);
}
