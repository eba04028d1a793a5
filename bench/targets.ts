// Targets: what each operation may cost, and what others paid for the same.
//
// Owner: none, a table. peer: the Rust kernel that first implemented RFC-0022; c: the best hand-written C, with one lock
// or owner-only, or a lock-free ring; all of them retired instructions on the same QEMU.

export interface Target {
  /** As bench.c names it. */
  operation: string;
  title: string;
  /** The depth at which the main table shows it. */
  depth: number;
  peer: string;
  c: string;
  /** Instructions at most; undefined where no target was set. */
  most?: number;
}

export const TARGETS: readonly Target[] = [
  { operation: "enqueue", title: "enqueue", depth: 1, peer: "95", c: "18, 24", most: 26 },
  { operation: "enqueue-full", title: "enqueue on a full queue", depth: 64, peer: "82", c: "8", most: 12 },
  { operation: "pick-perf-burst", title: "pick, PerfBurst", depth: 1, peer: "92-96", c: "18, 35", most: 38 },
  { operation: "pick-interactive", title: "pick, Interactive", depth: 1, peer: "92-96", c: "18, 35", most: 38 },
  { operation: "pick-normal", title: "pick, Normal", depth: 1, peer: "92-96", c: "18, 35", most: 38 },
  { operation: "pick-idle", title: "pick, Idle", depth: 1, peer: "92-96", c: "18, 35", most: 38 },
  { operation: "pick-none", title: "pick, nothing there", depth: 0, peer: "80", c: "6", most: 10 },
  { operation: "pick-none-after-last", title: "pick, a class found empty", depth: 1, peer: "", c: "" },
  { operation: "yield", title: "yield and pick the next", depth: 1, peer: "232", c: "25-46, 58", most: 60 },
  { operation: "yield-deferred", title: "yield on a full queue", depth: 64, peer: "", c: "" },
  { operation: "yield-alone", title: "yield, nobody else ready", depth: 0, peer: "", c: "" },
  { operation: "wake-here", title: "wake, same CPU", depth: 1, peer: "", c: "" },
  { operation: "wake-there", title: "wake, another CPU's mailbox", depth: 1, peer: "", c: "" },
  { operation: "steal-best", title: "steal, first victim", depth: 1, peer: "124", c: "58, 60", most: 80 },
  { operation: "steal-worst", title: "steal, last victim", depth: 1, peer: "219", c: "78", most: 80 },
  { operation: "steal-nothing", title: "steal, nothing there", depth: 0, peer: "200", c: "38, 47", most: 50 },
  { operation: "change-class", title: "change a queued task's class", depth: 1, peer: "146", c: "", most: 80 },
  { operation: "change-class", title: "the same, queue full", depth: 64, peer: "524", c: "", most: 80 },
  {
    operation: "change-class-all-full",
    title: "the same, everything full",
    depth: 64,
    peer: "6619",
    c: "",
    most: 80,
  },
  { operation: "change-class-refused", title: "the same, refused", depth: 64, peer: "", c: "" },
  { operation: "remove", title: "remove a queued task", depth: 1, peer: "148", c: "", most: 40 },
  { operation: "remove-all-full", title: "the same, everything full", depth: 64, peer: "11433", c: "", most: 40 },
  { operation: "cpu-id", title: "cpu id, fast path", depth: 1, peer: "about 40", c: "", most: 12 },
];

/** Trap entry and exit, everything saved. */
export const TRAP_TARGET = 90;
/** U-mode to U-mode by yield. */
export const SWITCH_TARGET = 250;
/** Accept to ack through the firmware: this much above the firmware's own floor, which is `FIRMWARE_FLOOR`. */
export const RESCHED_FIRMWARE_TARGET = 100;
export const FIRMWARE_FLOOR = [820, 880] as const;
/** Accept to ack by the SSWI device. */
export const RESCHED_SSWI_TARGET = 300;
/** Emitted code against the twin. */
export const RATIO_TARGET = 1.1;
/** From QEMU's start to the last marker, over the time until the kernel's first byte, in milliseconds. */
export const BOOT_TARGET_MS = 250;
export const KERNEL_BYTES_TARGET = 32 * 1024;
