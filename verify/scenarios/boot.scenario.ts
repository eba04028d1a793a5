// Boot: harts that come late, or never, and who is who meanwhile.

import { Broken } from "./broken.ts";
import type { Scenario } from "./scenario.ts";
import { thread } from "./scenario.ts";

const boot = { final: "atRest", evidence: "kept" } as const;

export const bootScenarios: readonly Scenario[] = [
  {
    ...boot,
    name: "bring-up",
    about: "The boot hart starts another, which joins early, late or while the boot hart looks for it.",
    clauses: ["C1"],
    harts: 2,
    init: "bringUpOfTwo",
    fast: [thread("bootHart", 1), thread("lateHart", 1), thread("clock", 1, 1), thread("lazyClock", 3)],
    faults: [
      { break: "a hart says that it is online before it is ready", reported: "invariant" },
      { break: "a CPU can be found before its queues are made", reported: "invariant" },
    ],
  },
  {
    ...boot,
    name: "bring-up-of-three",
    about: "The same with two that join in any order.",
    clauses: ["C1"],
    harts: 3,
    init: "bringUpOfThree",
    full: [
      thread("bootHart", 1),
      thread("lateHart", 1),
      thread("lateHart", 2),
      thread("clock", 1, 1),
      thread("lazyClock", 3),
    ],
    faults: [],
  },
  {
    ...boot,
    name: "bring-up-of-four",
    about: "The same with three.",
    clauses: ["C1"],
    harts: 4,
    init: "bringUpOfFour",
    fast: [
      thread("bootHart", 1),
      thread("lateHart", 1),
      thread("lateHart", 2),
      thread("lateHart", 3),
      thread("lazyClock", 2),
    ],
    faults: [],
  },
  {
    ...boot,
    name: "hart-refused",
    about: "The machine refuses to start one of three harts: the run fails and says so, whenever the other one joins.",
    clauses: ["D6"],
    harts: 3,
    init: "coldStartRefused",
    fast: [thread("bootHart", 1), thread("lateHart", 1), thread("lateHart", 2), thread("lazyClock", 2)],
    faults: [
      { break: "a hart that could not be started goes unmentioned", reported: "final", broken: Broken.RunFailed },
    ],
  },
  {
    name: "impostor",
    about: "A hart on a stack that is another's or nobody's asks which CPU it is, while another hart takes traps.",
    clauses: ["C2", "C3", "C4", "C5"],
    harts: 3,
    init: "chain",
    final: "signalled",
    evidence: "kept",
    fast: [thread("impostor", 2, 0), thread("hart", 1), thread("intruder", 1, 1)],
    faults: [],
  },
  {
    name: "identity",
    about: "Harts ask which CPU they are with every kind of wrong tp while another takes traps.",
    clauses: ["C1", "C2"],
    harts: 3,
    init: "chain",
    final: "signalled",
    evidence: "ghost",
    fast: [thread("identity", 0, 1), thread("identity", 2, 0), thread("hart", 1), thread("intruder", 1, 1)],
    faults: [{ break: "a tp is believed because there is some hart's block where it points", reported: "assertion" }],
  },
];
