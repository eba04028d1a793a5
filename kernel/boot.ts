// Boot: from the first instruction of the artifact to a machine whose harts wait for the selftests.
//
// Owner: the boot hart, alone until it starts the others.
// Pairs with: device-tree.ts, online.ts, selftest.ts (which goes on at the next trap).
// Clauses: I6, D6.

import { EventKind } from "../abi/events";
import { CPUS_MAX } from "../abi/layout";
import { BOOT_FORM, BOOT_PREFIX, IPI_NAMES } from "../abi/markers";
import { IpiPath, MachineError } from "../abi/results";
import { beginForm, endLine, putNext, putNextWord } from "./console";
import { entryAt, NOT_COVERED, readTree, sswiIndexOf, Tree, TreeOutcome } from "./device-tree";
import { record } from "./evidence";
import { fail } from "./failure";
import { Hart, hartAt } from "./hart-local";
import { GLOBALS_BASE } from "./layout";
import * as machine from "./machine";
import { join } from "./online";
import { BOOT_CPU } from "./runtime";
import { enterIdle } from "./dispatch";
import { rejectOffline } from "./selftest";
import { cpuCount, setTopology } from "./topology";

const TREE: i32 = GLOBALS_BASE + 1024;
const TICKS_A_SECOND: i32 = 1000;

/** The boot hart's first entry. */
export function boot(hart: i32): i32 {
  const self = hartAt(BOOT_CPU);
  self.hartId = hart;
  const read = readTree(TREE, hart);
  const tree = changetype<Tree>(TREE as usize);
  const count = assignCpus(tree, hart);
  const covered = coveredBySswi(count);
  // D6: a device that reaches some harts only is not used, and the BOOT line has the choice.
  const ipi = covered == count ? IpiPath.AclintSswi : IpiPath.Firmware;
  if (ipi == IpiPath.Firmware) ringByHartId(count);
  setTopology(count, machine.ticksPerSecond() / TICKS_A_SECOND);
  join(self, BOOT_CPU);
  if (read != TreeOutcome.Read) fail(self, "the device tree cannot be read");
  const device = ipi == IpiPath.AclintSswi ? tree.sswiBase : 0;
  announce(self, tree.hartCount, ipi, device, covered);
  // D6: no other path is tried.
  if (machine.selectIpi(ipi, device) != MachineError.Ok) fail(self, "the IPI device cannot be used");
  if (count > 1) rejectOffline(self);
  // bound: CPUS_MAX.
  for (let cpu = 1; cpu < count; cpu++) start(self, cpu);
  return enterIdle(self);
}

/** The first entry of any other hart. */
export function bootSecondary(cpu: i32): i32 {
  const self = hartAt(cpu);
  join(self, cpu);
  return enterIdle(self);
}

/**
 * The boot hart is CPU 0; the others follow in the tree's order, and harts past CPUS_MAX get no CPU. Each doorbell is the
 * hart's register in the SSWI device. Returns how many CPUs there are.
 */
function assignCpus(tree: Tree, bootHart: i32): i32 {
  let cpu = 1;
  hartAt(BOOT_CPU).doorbell = NOT_COVERED;
  // bound: CPUS_MAX + 1 entries.
  for (let i = 0; i < tree.entryCount; i++) {
    const entry = entryAt(tree, i);
    if (entry.id == bootHart) {
      hartAt(BOOT_CPU).doorbell = sswiIndexOf(tree, entry);
    } else if (cpu < CPUS_MAX) {
      hartAt(cpu).hartId = entry.id;
      // I6: the register that rings this hart, by the tree.
      hartAt(cpu).doorbell = sswiIndexOf(tree, entry);
      cpu += 1;
    }
  }
  return cpu;
}

/** How many CPUs the SSWI device can ring: unless it is all of them, none is rung by it. */
function coveredBySswi(count: i32): i32 {
  let covered = 0;
  // bound: CPUS_MAX.
  for (let cpu = 0; cpu < count; cpu++) covered += hartAt(cpu).doorbell != NOT_COVERED ? 1 : 0;
  return covered;
}

function ringByHartId(count: i32): void {
  // bound: CPUS_MAX.
  for (let cpu = 0; cpu < count; cpu++) hartAt(cpu).doorbell = hartAt(cpu).hartId;
}

function announce(self: Hart, found: i32, ipi: IpiPath, device: i64, covered: i32): void {
  const line = beginForm(self, BOOT_PREFIX, BOOT_FORM);
  putNext(line, found);
  // D6: fewer CPUs than harts: the rest are left where the firmware keeps them.
  putNext(line, cpuCount());
  putNext(line, self.hartId);
  putNextWord(line, IPI_NAMES, ipi);
  putNext(line, device);
  putNext(line, covered);
  putNext(line, machine.ticksPerSecond());
  endLine(line);
}

function start(self: Hart, cpu: i32): void {
  const error = machine.startHart(hartAt(cpu).hartId, cpu);
  // D6: a hart that could not be started is on record.
  if (error != MachineError.Ok) record(self, EventKind.StartFailed, hartAt(cpu).hartId, error);
}
