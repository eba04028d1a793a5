// Observer: the records that a hart writes for the host, and where they lie in the memory that the host shares.
//
// That memory is regions of OBSERVER_REGION_BYTES: the first has each hart's count of records, and what the observer
// itself remembers; the next ones are the harts' rings. It is mapped at OBSERVER_WINDOW, for S-mode alone.
// Pairs with: observer.c; observer-records.ts, which reads this file's numbers and the memory.
#ifndef OBSERVER_H
#define OBSERVER_H

#define OBSERVER_REGION_BYTES 0x200000
#define OBSERVER_RECORDS 0x10000
// In the first region.
#define OBSERVER_HEAD_BYTES 64
#define OBSERVER_SHARED_OFFSET 0x1000
#define OBSERVER_SEEN_OFFSET 0x100000
#define OBSERVER_SEEN_BYTES 0x4000

// Kinds of records: what extra, flags, a and b hold stands in observer-records.ts.
#define OBSERVER_TRAP 1
#define OBSERVER_ANSWER 2
#define OBSERVER_SWITCH 3
#define OBSERVER_SPAWN 4
#define OBSERVER_ENQUEUE 5
#define OBSERVER_PARK 6
#define OBSERVER_WAKE 7
#define OBSERVER_STEALS_CONTENDED 8
#define OBSERVER_CLASS 9
#define OBSERVER_END 10
#define OBSERVER_YIELDS_DEFERRED 11
#define OBSERVER_EVIDENCE 12
#define OBSERVER_DEPTHS 13
#define OBSERVER_LOST 14

// How a task ended, and why one left its hart.
#define OBSERVER_EXITED 0
#define OBSERVER_FAULTED 1
#define OBSERVER_KILLED 2
#define OBSERVER_LEFT_YIELDED 1
#define OBSERVER_LEFT_PREEMPTED 2
#define OBSERVER_LEFT_BLOCKED 3
#define OBSERVER_LEFT_EXITED 4
#define OBSERVER_LEFT_FAULTED 5
#define OBSERVER_LEFT_KILLED 6

#ifndef __ASSEMBLER__

#include <stdint.h>

struct observer_record {
  uint64_t time;
  uint8_t kind, cpu;
  uint16_t flags;
  uint32_t extra;
  uint64_t a, b;
};

_Static_assert(sizeof(struct observer_record) * OBSERVER_RECORDS == OBSERVER_REGION_BYTES, "a ring is a region");

// Physical address of that memory, or 0: nobody observes. The host writes it into a copy of the image.
extern const volatile uint64_t machine_observer_base;

void machine_observer_look(void);
void machine_observer_finish(void);

#endif
#endif
