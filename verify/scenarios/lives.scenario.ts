// Lives: calls that mean one life of a task and arrive while it ends, and operations that are outrun by their subject.

import { Broken } from "./broken.ts";
import type { Scenario } from "./scenario.ts";
import { harts, thread } from "./scenario.ts";

const traps = { final: "atRest", evidence: "ghost" } as const;

export const lifeScenarios: readonly Scenario[] = [
  {
    ...traps,
    name: "late-wake",
    about: "A wake by id arrives while that task ends, its entry is reaped and another is spawned in it.",
    clauses: ["T6", "T7", "I6", "S3"],
    harts: 2,
    init: "lateWake",
    fast: [...harts(2), thread("intruder", 0, 1)],
    faults: [],
  },
  {
    ...traps,
    name: "late-authority",
    about:
      "A task ends while it is killed, another is spawned in its entry, and the first is meant once more by its id.",
    clauses: ["T6", "T7", "S3"],
    harts: 2,
    init: "lateAuthority",
    fast: [...harts(2), thread("intruder", 0, 1)],
    faults: [],
  },
  {
    ...traps,
    name: "kill-outrun",
    about: "A task is killed that has moved on at every look, and falls asleep at the last one.",
    clauses: ["S3"],
    harts: 2,
    init: "killOutrun",
    fast: [...harts(2)],
    faults: [],
  },
  {
    ...traps,
    name: "kill-outrun-always",
    about:
      "A task is killed that has moved on at every look that the operation takes, and falls asleep at the last one.",
    clauses: ["S3"],
    harts: 2,
    init: "killOutrunAlways",
    full: [...harts(2)],
    faults: [],
  },
  {
    ...traps,
    name: "kill-answered",
    about:
      "A task is killed that never ends by itself, while it yields: the killer is answered 0, and it ends by its hart's next trap.",
    clauses: ["T6", "T8"],
    harts: 2,
    init: "killAnswered",
    fast: [...harts(2)],
    faults: [{ break: "a task begins without a look whether it was killed", reported: "assertion" }],
  },
  {
    ...traps,
    name: "class-outrun",
    about: "A task gets another class that has moved on at every look, and computes after the last one.",
    clauses: ["Q7", "S3"],
    harts: 2,
    init: "classOutrun",
    fast: [...harts(2)],
    faults: [
      {
        break: "a class that was asked of a running task is never given to it",
        reported: "final",
        broken: Broken.WrongClass,
      },
    ],
  },
  {
    ...traps,
    name: "class-outrun-always",
    about:
      "A task gets another class that has moved on at every look that the operation takes, and computes after the last one.",
    clauses: ["Q7", "S3"],
    harts: 2,
    init: "classOutrunAlways",
    full: [...harts(2)],
    faults: [],
  },
  {
    ...traps,
    name: "class-and-sleep",
    about: "A task gets another class while it falls asleep: it sleeps in the new one.",
    clauses: ["Q7", "S3"],
    harts: 2,
    init: "classAndSleep",
    fast: [...harts(2)],
    faults: [
      { break: "the class of a task that sleeps stays what it is", reported: "final", broken: Broken.WrongClass },
    ],
  },
  {
    name: "sleep-outrun",
    about: "A task that is woken while it falls asleep changes its class at each try to take it back: a tick wakes it.",
    clauses: ["I6"],
    harts: 3,
    init: "oneToSleep",
    final: "signalled",
    evidence: "ghost",
    fast: [thread("sleeperOf", 1), thread("wakerOf", 2, 0), thread("alternator", 0, 2, 1, 5)],
    faults: [
      {
        break: "a sleeper that could not be taken back is left to its deadline",
        reported: "final",
        broken: Broken.WakeLost,
      },
    ],
  },
  {
    name: "wake-contended",
    about: "A sleeper's class changes at every look that a waker takes: refused, it leaves nothing behind.",
    clauses: ["Q9"],
    harts: 3,
    init: "oneAsleep",
    final: "signalled",
    evidence: "ghost",
    fast: [thread("alternator", 0, 2, 1, 9), thread("wakerOf", 2, 0)],
    faults: [],
  },
  {
    name: "wake-here",
    about: "A task wakes a sleeper of its own CPU, where another of that class is queued, while a thief steals.",
    clauses: ["S3"],
    harts: 3,
    init: "oneAsleepOneQueued",
    final: "signalled",
    evidence: "ghost",
    fast: [thread("wakerOf", 1, 0), thread("thief", 2, 3, 2)],
    faults: [{ break: "a wake reads the state of its own CPU's ring by a plain load", reported: "race" }],
  },
  {
    ...traps,
    name: "spinner",
    about: "A task of the highest class computes on, others wait behind it, and an idle hart has ticks of its own.",
    clauses: ["S6", "S1", "S3"],
    harts: 2,
    init: "spinnerBefore",
    fast: [...harts(2), thread("pacedClock", 0, 3), thread("clock", 2, 2)],
    faults: [],
  },
];
