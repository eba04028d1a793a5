// Snapshot: the kernel's whole memory at a moment, and what has changed since.
//
// Partners: rig.ts; checks use it for "not one byte of scheduler state changed".

import { KERNEL_PAGES } from "../../abi/layout.ts";
import { describeAddress } from "./kernel-map.ts";
import { holds } from "./refutation.ts";
import type { Rig } from "./rig.ts";

const KERNEL_BYTES = KERNEL_PAGES * 65536;

export type Snapshot = Uint8Array;

export function snapshot(rig: Rig): Snapshot {
  return rig.bytes.slice(0, KERNEL_BYTES);
}

/** Names of the 32-bit words that differ, in the order of addresses. */
export function changesSince(rig: Rig, before: Snapshot): string[] {
  const then = new Uint32Array(before.buffer, before.byteOffset, KERNEL_BYTES / 4);
  const now = new Uint32Array(rig.bytes.buffer, 0, KERNEL_BYTES / 4);
  const changed: string[] = [];
  for (let i = 0; i < then.length; i++) if (then[i] !== now[i]) changed.push(describeAddress(4 * i));
  return changed;
}

/** Refutes when a word changed whose name none of the patterns matches. */
export function unchangedBut(rig: Rig, before: Snapshot, allowed: readonly RegExp[], what: string): void {
  const wrong = changesSince(rig, before).filter((name) => !allowed.some((pattern) => pattern.test(name)));
  holds(wrong.length === 0, `${what}: it changed ${wrong.slice(0, 5).join(", ")}`);
}
