// Event search: the events that are about one CPU, among the rings of all harts.
//
// Owner: the boot hart, which alone searches.
// Pairs with: evidence.ts (the rings), report.ts and selftest.ts (who search).

import { EventKind } from "../abi/events";
import { EVIDENCE_CAPACITY } from "../abi/layout";
import { eventAt, eventCount, kindOf, numberOf, requestOf, subjectOf } from "./evidence";
import { BOOT_CPU } from "./runtime";
import { cpuCount } from "./topology";

/** An event that was found in some CPU's ring: its address, and above it that CPU. 0: no event. */
export type FoundEvent = i32;

const FOUND_CPU_SHIFT: i32 = 24;
/** All events lie below 16 MiB: see layout.ts. */
const FOUND_ADDRESS_MASK: i32 = (1 << FOUND_CPU_SHIFT) - 1;

function foundIn(cpu: i32, event: i32): FoundEvent {
  return event | (cpu << FOUND_CPU_SHIFT);
}

/** Address of the event. */
export function eventOf(found: FoundEvent): i32 {
  return found & FOUND_ADDRESS_MASK;
}

/** The CPU whose hart recorded it. */
export function recorderOf(found: FoundEvent): i32 {
  return found >> FOUND_CPU_SHIFT;
}

/** The event with that number of that CPU's counter, or 0. */
export function findEvent(subject: i32, number: i64): FoundEvent {
  const count = cpuCount();
  // bound: CPUS_MAX rings of EVIDENCE_CAPACITY events.
  for (let cpu = 0; cpu < count; cpu++) {
    const end = eventCount(cpu);
    const begin: i64 = end > EVIDENCE_CAPACITY ? end - EVIDENCE_CAPACITY : 0;
    // bound: EVIDENCE_CAPACITY, by the line above.
    for (let position = begin; position < end; position++) {
      const event = eventAt(cpu, position);
      if (subjectOf(event) == subject && numberOf(event) == number) return foundIn(cpu, event);
    }
  }
  return 0;
}

/** The latest event of that kind and CPU, or 0. */
export function findLatest(subject: i32, kind: EventKind): FoundEvent {
  const count = cpuCount();
  let latest: FoundEvent = 0;
  // bound: CPUS_MAX rings of EVIDENCE_CAPACITY events.
  for (let cpu = 0; cpu < count; cpu++) {
    const end = eventCount(cpu);
    const begin: i64 = end > EVIDENCE_CAPACITY ? end - EVIDENCE_CAPACITY : 0;
    // bound: EVIDENCE_CAPACITY, by the line above.
    for (let position = begin; position < end; position++) {
      const event = eventAt(cpu, position);
      if (subjectOf(event) != subject || kindOf(event) != kind) continue;
      if (latest == 0 || numberOf(event) > numberOf(eventOf(latest))) latest = foundIn(cpu, event);
    }
  }
  return latest;
}

/** The boot hart's record that the machine refused to start a hart, or 0. */
export function findStartFailure(hartId: i32): FoundEvent {
  let number: i64 = 1;
  let event = findEvent(BOOT_CPU, number);
  // bound: the events of the rings.
  while (event != 0) {
    if (kindOf(eventOf(event)) == EventKind.StartFailed && requestOf(eventOf(event)) == hartId) return event;
    number += 1;
    event = findEvent(BOOT_CPU, number);
  }
  return 0;
}
