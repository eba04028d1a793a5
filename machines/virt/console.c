// Console: whole lines to the UART, from any number of harts, none of which waits for another hart or for the device.
//
// A writer draws a ticket, copies its line into the ticket's slot and marks it ready. Ready lines are sent in the order
// of their tickets, in turns of at most CONSOLE_TURN_BYTES: at each hart's ticks and after a user's line. A turn may end
// within a line; the next one goes on there. docs/decisions/0011-console-in-turns.md states why.
//
// Owner: a slot belongs to its ticket's writer until it is ready, then to the hart in `sender`.
// Invariants: a line and its line end leave together, lines in ticket order; a line that was written before another
// hart was notified of anything comes out before what that hart then writes. Nothing here waits but console_flush.
// Every atomic access is sequentially consistent: console-races.test.ts explores this file, and DRF-SC carries that to virt.
// Pairs with: panic.c and machine.c, which flush before the board goes off; kernel/trap.ts, which takes turns at ticks.
// Clauses: T5.
#include "machine.h"

#define UART_DATA 0
#define UART_FIFO_CONTROL 2
#define UART_LINE_STATUS 5
#define FIFO_ENABLE 1
#define FIFO_BYTES 16
#define STATUS_FIFO_EMPTY 0x20
#define STATUS_IDLE 0x40

#define NOBODY -1

// Exchanges of the next ticket that a user's line may lose before it is refused.
#define CONSOLE_ATTEMPTS CPUS_MAX

// Moments in a row without a byte after which console_flush no longer counts on whoever it waits for: 10 s at least.
#ifndef FLUSH_MOMENTS_MAX
#define FLUSH_MOMENTS_MAX 1000000
#endif

_Static_assert(CONSOLE_USER_SLOTS < CONSOLE_SLOTS, "slots are left for the kernel's lines");
_Static_assert((CONSOLE_SLOTS & (CONSOLE_SLOTS - 1)) == 0, "tickets wrap at a multiple of the ring");

struct slot {
  uint32_t ready; // ticket + 1 of the line that stands here
  uint32_t length;
  char text[CONSOLE_LINE_BYTES];
};

static struct slot slots[CONSOLE_SLOTS];
static uint32_t next_ticket;
static uint32_t sent_tickets; // written by the sender only
static uint32_t sent_bytes;   // of the line whose ticket is sent_tickets; the sender's
static int32_t sender = NOBODY;

void console_open(void) {
  uart_write(UART_FIFO_CONTROL, FIFO_ENABLE);
}

static uint32_t load(const uint32_t *word) {
  return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static bool is_ready(uint32_t ticket) {
  return load(&slots[ticket % CONSOLE_SLOTS].ready) == ticket + 1;
}

static bool is_status(uint8_t bits) {
  return (uart_read(UART_LINE_STATUS) & bits) != 0;
}

// ---- sending

// Sends one byte of the oldest line; false when that line is not ready.
static bool send_byte(void) {
  uint32_t ticket = load(&sent_tickets);
  if (!is_ready(ticket)) return false;
  struct slot *slot = &slots[ticket % CONSOLE_SLOTS];
  if (sent_bytes < slot->length) {
    uart_write(UART_DATA, (uint8_t)slot->text[sent_bytes]);
    sent_bytes++;
    return true;
  }
  uart_write(UART_DATA, '\n');
  sent_bytes = 0;
  // Gives the slot back to whoever draws the ticket one ring further.
  __atomic_store_n(&sent_tickets, ticket + 1, __ATOMIC_SEQ_CST);
  return true;
}

// Sends at most so many bytes; how many. The device is asked once for each FIFO's worth: asking costs as much as sending.
static uint32_t send_bytes(uint32_t bytes_max) {
  uint32_t sent = 0;
  while (sent < bytes_max) {
    if (sent % FIFO_BYTES == 0 && !is_status(STATUS_FIFO_EMPTY)) break;
    if (!send_byte()) break;
    sent++;
  }
  return sent;
}

static bool become_sender(void) {
  int32_t nobody = NOBODY;
  return __atomic_compare_exchange_n(&sender, &nobody, machine_this_block()->cpu, false, __ATOMIC_SEQ_CST,
                                     __ATOMIC_SEQ_CST);
}

static void cease_sending(void) {
  // The next sender's device stores must come after this one's: atomics alone order memory only.
  console_device_fence();
  __atomic_store_n(&sender, NOBODY, __ATOMIC_SEQ_CST);
}

static void take_turn(void) {
  if (load(&next_ticket) == load(&sent_tickets) || !become_sender()) return;
  send_bytes(CONSOLE_TURN_BYTES);
  cease_sending();
}

// ---- writing

static void fill(uint32_t ticket, const char *text, size_t length) {
  struct slot *slot = &slots[ticket % CONSOLE_SLOTS];
  for (size_t index = 0; index < length; index++) slot->text[index] = text[index];
  slot->length = (uint32_t)length;
  __atomic_store_n(&slot->ready, ticket + 1, __ATOMIC_SEQ_CST);
}

// A ticket for a user's line, unless there are too many lines already. Sent tickets are read first, so that the
// difference is never smaller than the number of lines that have not been sent.
static bool draw_ticket(uint32_t *ticket) {
  for (int attempt = 0; attempt < CONSOLE_ATTEMPTS; attempt++) {
    uint32_t sent = load(&sent_tickets);
    uint32_t next = load(&next_ticket);
    if (next - sent >= CONSOLE_USER_SLOTS) return false;
    *ticket = next;
    if (__atomic_compare_exchange_n(&next_ticket, &next, next + 1, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
      return true;
  }
  return false;
}

static bool flush_through(uint32_t last);

// A line of the kernel's. False when the ring was full: then the line stands, after a wait that must not have been due.
bool console_write(const char *text, size_t length) {
  if (length > CONSOLE_LINE_BYTES) length = CONSOLE_LINE_BYTES;
  uint32_t ticket = __atomic_fetch_add(&next_ticket, 1, __ATOMIC_SEQ_CST);
  bool fits = ticket - load(&sent_tickets) < CONSOLE_SLOTS;
  if (!fits) flush_through(ticket - CONSOLE_SLOTS + 1);
  fill(ticket, text, length);
  return fits;
}

// ---- the end of the run

// Sends the lines before ticket `last`. True when all of them have left, none has been left out and no other hart may
// still be within its turn. Moments are counted from the last byte of this hart's.
static bool flush_through(uint32_t last) {
  // A hart that faulted in its turn goes on where it stopped: nobody else can.
  bool is_mine = __atomic_load_n(&sender, __ATOMIC_SEQ_CST) == machine_this_block()->cpu;
  bool is_complete = true;
  uint32_t moments = 0;
  while ((int32_t)(last - load(&sent_tickets)) > 0) {
    is_mine = is_mine || become_sender();
    if (is_mine && send_bytes(CONSOLE_TURN_BYTES) > 0) {
      moments = 0;
      continue;
    }
    if (moments++ < FLUSH_MOMENTS_MAX) {
      machine_sleep_a_moment();
      continue;
    }
    moments = 0;
    is_complete = false;
    if (!is_mine) {
      // The sender has stopped for good.
      __atomic_store_n(&sender, machine_this_block()->cpu, __ATOMIC_SEQ_CST);
      is_mine = true;
    } else if (!is_ready(load(&sent_tickets))) {
      // The line's writer has.
      sent_bytes = 0;
      __atomic_store_n(&sent_tickets, load(&sent_tickets) + 1, __ATOMIC_SEQ_CST);
    } else {
      // The device has.
      break;
    }
  }
  if (is_mine) cease_sending();
  return is_complete;
}

// Waits until every line of this moment and its last byte have left; the machine is about to go off. False when
// something did not leave, or may not have left whole.
bool console_flush(void) {
  bool is_complete = flush_through(load(&next_ticket));
  for (uint32_t moments = 0; moments < FLUSH_MOMENTS_MAX; moments++) {
    if (is_status(STATUS_IDLE)) return is_complete;
    machine_sleep_a_moment();
  }
  return false;
}

// ---- machine calls

static const char *checked_line(int32_t address, int32_t lengthBytes) {
  if (!in_linear_memory(address, lengthBytes)) machine_panic("a line outside linear memory", (uint32_t)address);
  if (lengthBytes > LINE_LENGTH_MAX) machine_panic("a line longer than LINE_LENGTH_MAX", (uint32_t)lengthBytes);
  return (const char *)(intptr_t)address;
}

void machine_writeLine(int32_t address, int32_t lengthBytes) {
  const char *text = checked_line(address, lengthBytes);
  if (!console_write(text, (size_t)lengthBytes)) machine_panic("the console's ring is full", CONSOLE_SLOTS);
}

int32_t machine_offerLine(int32_t address, int32_t lengthBytes) {
  const char *text = checked_line(address, lengthBytes);
  uint32_t ticket;
  bool is_drawn = draw_ticket(&ticket);
  if (is_drawn) fill(ticket, text, (size_t)lengthBytes);
  // Also when it was refused: whoever prints helps to send.
  take_turn();
  return is_drawn ? LINE_OUTCOME_ACCEPTED : LINE_OUTCOME_CONSOLE_FULL;
}

void machine_drainConsole(void) {
  take_turn();
}

int32_t machine_consoleRoom(void) {
  uint32_t sent = load(&sent_tickets);
  uint32_t waiting = load(&next_ticket) - sent;
  return waiting < CONSOLE_SLOTS ? (int32_t)(CONSOLE_SLOTS - waiting) : 0;
}
