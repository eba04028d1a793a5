// Layout: where everything lies in the kernel's linear memory. asc's constant data comes first, from 1024 on.
//
//   0x00000  constant data (asc)          0x20000  task table, 64 bytes a task
//   0x0C000  console lines, 256 a hart    0x30000  sleepers, 1 KiB a hart
//   0x08000  machine-wide words           0x40000  hart regions, 4 KiB a hart
//   0x10000  evidence rings, 1 KiB a hart 0x80000  end
//
// A hart region is four banks of 1 KiB, one a QoS class. A bank begins with the state word of that class's run
// queue and ends with the 64 slots; what lies between holds the hart's other data:
//
//   bank 0: identity and counters (hart-local.ts), orders (orders.ts)
//   bank 1: mailbox (mailbox.ts), resched chain (resched.ts)
//
// All of that lies in the region's first 2 KiB, which one instruction of RISC-V reaches from the region's address.
//
// The only description: host code imports these constants and C reads them from layout.h, so they have no types of
// AssemblyScript. Pairs with: verify/rig/kernel-map.ts, verify/scenarios/scenario.ts, toolchain/layout-header.ts.

import { HART_BASE, HART_STRIDE_LOG2 } from "../abi/layout.ts";

export const GLOBALS_BASE = 0x8000;
/** The map of work, in a cache line of its own: see work-map.ts. */
export const WORK_MAP = GLOBALS_BASE + 448;
export const LINES_BASE = 0xc000;
export const LINE_STRIDE_LOG2 = 8;
export const EVIDENCE_BASE = 0x10000;
// So the evidence rings begin at HARTS >> (HART_LOG2 - EVIDENCE_STRIDE_LOG2); see evidence.ts.
export const EVIDENCE_STRIDE_LOG2 = 10;
export const TASKS_BASE = 0x20000;
export const TASK_STRIDE_LOG2 = 6;
export const SLEEPERS_BASE = 0x30000;
export const SLEEPERS_STRIDE_LOG2 = 10;

/** Bytes from one QoS class's bank to the next, within a hart region. */
export const BANK_STRIDE_LOG2 = 10;
/** Where a bank's slots begin; its state word lies at 0. */
export const BANK_SLOTS = 512;
/** Where the parts of a hart that are no run queue begin, within its region. */
export const IDENTITY_OFFSET = 64;
export const MAILBOX_OFFSET = 1024 + 64;
export const COUNTERS_OFFSET = 192;
/** Of `Counters` in hart-local.ts. */
export const COUNTERS_BYTES = 23 * 8;
export const ORDER_OFFSET = 448;
export const RESCHED_OFFSET = 1024 + 384;

export const HART_LOG2 = HART_STRIDE_LOG2;
export const HARTS = HART_BASE;
