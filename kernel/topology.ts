// Topology: which CPUs there are. CPU indices are dense, CPU 0 is the boot hart, and the indices never change.
//
// Owner: the boot hart writes before it starts any other hart; afterwards everybody reads.
// Pairs with: boot.ts.

import { GLOBALS_BASE, HARTS, HART_LOG2 } from "./layout";

@unmanaged
class Topology {
  /** CPUs that the device tree lists; their indices are below this. */
  cpuCount: i32;
  /** Address just past the last CPU's hart region. */
  hartsEnd: i32;
  /** Length of a tick, in the machine's ticks of time. */
  tickLength: i32;
}

const TOPOLOGY: i32 = GLOBALS_BASE + 64;

function topology(): Topology {
  return changetype<Topology>(TOPOLOGY as usize);
}

export function setTopology(cpus: i32, length: i32): void {
  topology().cpuCount = cpus;
  topology().hartsEnd = HARTS + (cpus << HART_LOG2);
  topology().tickLength = length;
}

export function cpuCount(): i32 {
  return topology().cpuCount;
}

export function hartsEnd(): i32 {
  return topology().hartsEnd;
}

export function tickLength(): i32 {
  return topology().tickLength;
}
