// Boot: from the first instruction of the artifact to a machine whose harts wait for the selftests.
//
// Owner: the boot hart, alone until it starts the others.
// Pairs with: device-tree.ts, online.ts, selftest.ts (which goes on at the next trap).
// Fulfils: D6 (what cannot be started is said, and nothing else is tried instead).

import { EventKind } from "../abi/events";
import { BOOT_PREFIX } from "../abi/markers";
import { IpiPath, MachineError } from "../abi/results";
import { beginLine, endLine, putField, putNumber, putText } from "./console";
import { HARTS_MAX, hartIdOf, readTree, Tree, TreeOutcome } from "./device-tree";
import { record } from "./evidence";
import { Hart, hartAt } from "./hart-local";
import { GLOBALS_BASE } from "./layout";
import * as machine from "./machine";
import { join } from "./online";
import { BOOT_CPU } from "./runtime";
import { enterIdle } from "./dispatch";
import { fail, rejectOffline } from "./selftest";
import { setTopology } from "./topology";

const TREE: i32 = GLOBALS_BASE + 1024;
const TICKS_A_SECOND: i32 = 1000;

/** The boot hart's first entry. */
export function boot(hart: i32): i32 {
  const self = hartAt(BOOT_CPU);
  self.hartId = hart;
  const read = readTree(TREE);
  const tree = changetype<Tree>(TREE as usize);
  setTopology(assignCpus(tree, hart), machine.ticksPerSecond() / TICKS_A_SECOND);
  join(self, BOOT_CPU);
  if (read != TreeOutcome.Read) fail(self, "the device tree cannot be read");
  const found = tree.hartCount;
  const count = found < HARTS_MAX ? found : HARTS_MAX;
  const ipi = chooseIpi(tree);
  announce(self, found, ipi, tree);
  if (machine.selectIpi(ipi, tree.sswiBase) != MachineError.Ok) fail(self, "the IPI device cannot be used");
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

/** The boot hart is CPU 0; the others follow in the tree's order. Returns how many there are. */
function assignCpus(tree: Tree, bootHart: i32): i32 {
  let cpu = 1;
  // bound: HARTS_MAX.
  for (let i = 0; i < tree.hartCount && i < HARTS_MAX; i++) {
    const id = hartIdOf(tree, i);
    if (id == bootHart || cpu == HARTS_MAX) continue;
    hartAt(cpu).hartId = id;
    cpu += 1;
  }
  return cpu;
}

function chooseIpi(tree: Tree): IpiPath {
  return tree.sswiBase != 0 ? IpiPath.AclintSswi : IpiPath.Firmware;
}

function announce(self: Hart, found: i32, ipi: IpiPath, tree: Tree): void {
  const line = beginLine(self);
  putText(line, BOOT_PREFIX);
  putText(line, "harts=");
  putNumber(line, found);
  putField(line, "boot-hart", self.hartId);
  putText(line, ipi == IpiPath.AclintSswi ? " ipi=aclint-sswi" : " ipi=firmware");
  putField(line, "ipi-device", tree.sswiBase);
  putField(line, "ticks-per-second", machine.ticksPerSecond());
  endLine(line);
}

function start(self: Hart, cpu: i32): void {
  const error = machine.startHart(hartAt(cpu).hartId, cpu);
  if (error != MachineError.Ok) record(self, EventKind.StartFailed, error, hartAt(cpu).hartId);
}
