// Saturation: changes on the boot hart's own queues, and tasks that find their class full.

import { Broken } from "./broken.ts";
import type { Scenario } from "./scenario.ts";
import { harts, thread } from "./scenario.ts";

const bare = { final: "signalled", evidence: "ghost" } as const;
const traps = { final: "atRest", evidence: "ghost" } as const;

export const saturationScenarios: readonly Scenario[] = [
  {
    ...bare,
    name: "class-here",
    about:
      "The boot hart changes the class of a task in its own queue to and fro, runs and queues, while others steal.",
    clauses: ["Q6", "Q7", "S3"],
    harts: 4,
    init: "fourQueuedHere",
    fast: [thread("authorityHere", 0, 2, 1, 5), thread("thief", 1, 3, 2)],
    full: [thread("authorityHere", 0, 2, 1, 7), thread("thief", 1, 3, 2), thread("thief", 2, 1, 2)],
    faults: [
      {
        break: "the entry that a change of class leaves behind is not announced as a tombstone",
        reported: "invariant",
        broken: Broken.TombstoneUncounted,
      },
    ],
  },
  {
    ...bare,
    name: "class-here-full",
    about: "The boot hart gives a task in its own queue a class that is full, while a thief may make room.",
    clauses: ["Q7", "S3"],
    harts: 3,
    init: "fullClassHere",
    fast: [thread("authorityHere", 0, 2, 1, 3), thread("thief", 1, 3, 1)],
    faults: [],
  },
  {
    ...bare,
    name: "class-there-full",
    about: "The boot hart gives a task of another CPU a class that is full there, while its owner and a thief act.",
    clauses: ["Q7", "S3"],
    harts: 3,
    init: "fullClassThere",
    fast: [thread("alternator", 0, 2, 1, 2), thread("thief", 2, 3, 1)],
    faults: [],
  },
  {
    ...bare,
    name: "kill-here",
    about: "The boot hart ends a task in its own queue while others steal.",
    clauses: ["S3"],
    harts: 4,
    init: "fourQueuedOneToEnd",
    fast: [thread("killer", 0), thread("thief", 1, 3, 2), thread("thief", 2, 1, 1)],
    faults: [],
  },
  {
    ...bare,
    name: "steal-one",
    about: "Four tasks of one class wait; each thief takes one in a tick, and leaves the others where they are.",
    clauses: ["S1", "S3"],
    harts: 3,
    init: "fourOfOneClass",
    fast: [thread("thief", 1, 3, 2), thread("thief", 2, 3, 1)],
    faults: [],
  },
  {
    ...traps,
    name: "preempt-when-full",
    about: "A task of a higher class becomes ready while the class of the running one is full: none is lost, it runs.",
    clauses: ["Q5", "Q8", "S3"],
    harts: 2,
    init: "preemptWhenFull",
    full: [...harts(2)],
    faults: [
      {
        break: "a running task that is preempted while its class is full is not kept",
        reported: "invariant",
        broken: Broken.TaskLost,
      },
    ],
  },
  {
    ...traps,
    name: "class-twice",
    about:
      "A running task gets one class and then another while it yields: it ends in the second, and never in a third.",
    clauses: ["Q7", "I6", "S3"],
    harts: 2,
    init: "classTwice",
    fast: [...harts(2)],
    faults: [],
  },
];
