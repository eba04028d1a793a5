// Machine: IPIs that are refused or late, and the ladder of the selftests from the boot on.

import { Broken } from "./broken.ts";
import type { Scenario } from "./scenario.ts";
import { harts, thread } from "./scenario.ts";

const traps = { final: "atRest", evidence: "ghost" } as const;

export const machineScenarios: readonly Scenario[] = [
  {
    name: "refused-then-tick",
    final: "rung",
    evidence: "ghost",
    about:
      "The machine refuses the IPIs to three CPUs whose sleepers are woken; the sender's next tick makes all good.",
    clauses: ["I4", "I6"],
    harts: 4,
    init: "threeRefusedWakes",
    fast: [thread("hart", 0), thread("mender")],
    faults: [
      {
        break: "of several refused sends the last CPU's is not sent again",
        reported: "final",
        broken: Broken.PostLost,
      },
    ],
  },
  {
    ...traps,
    name: "late-ipi",
    about: "A task goes to sleep while another wakes it, and the IPI arrives at any moment after it was accepted.",
    clauses: ["I6", "S3"],
    harts: 2,
    init: "lateIpi",
    fast: [...harts(2), thread("courier")],
    faults: [],
  },
  {
    name: "late-chain",
    about: "Two harts ask a third, again and again, and IPIs arrive at any moment after they were accepted.",
    clauses: ["I3", "I6", "I7"],
    harts: 3,
    init: "lateChain",
    final: "atRest",
    evidence: "kept",
    fast: [thread("requester", 0, 1, 1), thread("requester", 2, 1, 1), thread("hart", 1), thread("courier")],
    full: [thread("requester", 0, 1, 2), thread("requester", 2, 1, 1), thread("hart", 1), thread("courier")],
    faults: [],
  },
  {
    name: "one-ipi",
    about: "Two harts ask a third, again and again: never a second IPI while one is pending.",
    clauses: ["I7", "I3"],
    harts: 3,
    init: "quiescentChain",
    final: "atRest",
    evidence: "kept",
    fast: [thread("requester", 0, 1, 1), thread("requester", 2, 1, 1), thread("hart", 1)],
    full: [thread("requester", 0, 1, 2), thread("requester", 2, 1, 1), thread("hart", 1)],
    faults: [],
  },
  {
    name: "ladder",
    about:
      "Every trap of the boot and of the selftests on two harts, up to where the first user task is spawned; ticks come when both wait.",
    clauses: ["I1", "I3", "S1", "S2", "C5"],
    harts: 2,
    init: "ladderOfTwo",
    final: "atRest",
    evidence: "kept",
    fast: [thread("bootHart", 1), thread("lateHart", 1), thread("lazyClock", 12)],
    faults: [],
  },
  {
    name: "ladder-of-three",
    about: "The same on three harts.",
    clauses: ["I1", "I3", "S1", "S2", "C5"],
    harts: 3,
    init: "ladderOfThree",
    final: "atRest",
    evidence: "kept",
    full: [thread("bootHart", 1), thread("lateHart", 1), thread("lateHart", 2), thread("lazyClock", 12)],
    faults: [],
  },
];
