// Table of breaks, section D of docs/contract.md: evidence and its judgement.
//
// Old text is kept short, so that a rewording nearby leaves it alone. Pairs with: table.ts, which lists all.

import { type Break, kernel } from "./break.ts";

export const EVIDENCE_BREAKS: readonly Break[] = [
  {
    clauses: ["D4"],
    title: "one hart alone gives no turn to the next task of a class",
    edits: [
      kernel(
        "trap",
        "if (self.sliceTicks <= 0 && yieldCurrent",
        "if (cpuCount() > 1 && self.sliceTicks <= 0 && yieldCurrent",
      ),
      kernel(
        "trap",
        'import { setNextTick } from "./tick";',
        'import { setNextTick } from "./tick"; import { cpuCount } from "./topology";',
      ),
    ],
  },
  {
    clauses: ["D4"],
    title: "one hart alone lets a woken task of a higher class wait",
    edits: [
      kernel(
        "dispatch",
        "if (shouldPreempt(self) && preemptCurrent",
        "if (cpuCount() > 1 && shouldPreempt(self) && preemptCurrent",
      ),
      kernel(
        "dispatch",
        'import { mayRunTasks } from "./phase";',
        'import { mayRunTasks } from "./phase"; import { cpuCount } from "./topology";',
      ),
    ],
  },
  {
    clauses: ["D5"],
    title: "a wait that has taken too long counts as done",
    edits: [
      kernel(
        "selftest",
        "if (machine.timeTicks() > progress().deadline) fail(self, what);",
        "if (machine.timeTicks() > progress().deadline) enter((progress().step + 1) as Step);",
      ),
    ],
  },
  {
    clauses: ["D6"],
    title: "a row of the task table may name any class",
    edits: [kernel("requested-tasks", "if ((qos as u32) >= (QOS_COUNT as u32)) return SpawnRefusal.NoProgram;", "")],
  },
  {
    clauses: ["D6"],
    title: "a row of the task table that names a CPU goes to the next in turn",
    edits: [
      kernel("requested-tasks", "if (cpu == CPUS_IN_TURN) return spawnInTurn", "if (cpu != 0) return spawnInTurn"),
    ],
  },
  {
    clauses: ["D6"],
    title: "a row of the task table that cannot be is left out",
    edits: [kernel("requested-tasks", "refuse(self, row + 1);", "continue;")],
  },
  {
    clauses: ["D6"],
    title: "a task table that waits for a place begins again from its first row",
    edits: [kernel("requested-tasks", "let row = done;", "let row = 0;")],
  },
  {
    clauses: ["D6"],
    title: "harts that got no CPU are not reported",
    edits: [kernel("boot", "putNext(line, cpuCount());", "putNext(line, found);")],
  },
  {
    clauses: ["D6"],
    title: "an SSWI device that reaches some harts only is chosen",
    edits: [
      kernel(
        "boot",
        "const ipi = covered == count ? IpiPath.AclintSswi : IpiPath.Firmware;",
        "const ipi = covered > 0 ? IpiPath.AclintSswi : IpiPath.Firmware;",
      ),
    ],
  },
  {
    clauses: ["D6"],
    title: "the SSWI device is reported though it is not chosen",
    edits: [
      kernel("boot", "const device = ipi == IpiPath.AclintSswi ? tree.sswiBase : 0;", "const device = tree.sswiBase;"),
    ],
  },
  {
    clauses: ["D6"],
    title: "a hart that could not be started goes unmentioned",
    edits: [
      kernel(
        "boot",
        "  if (error != MachineError.Ok) record(",
        "  if (error == MachineError.AlreadyAvailable) record(",
      ),
    ],
  },
];
