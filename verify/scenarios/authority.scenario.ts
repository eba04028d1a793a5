// Authority: ends, reaping, spawning, killing and reclassifying in motion, by whole traps.

import { Broken } from "./broken.ts";
import type { Scenario } from "./scenario.ts";
import { harts, thread } from "./scenario.ts";

const traps = { final: "atRest", evidence: "ghost" } as const;

export const authorityScenarios: readonly Scenario[] = [
  {
    ...traps,
    name: "exit-and-reap",
    about: "A task ends on a secondary hart while the boot hart reaps, and spawns another in its place.",
    clauses: ["T7", "S3"],
    harts: 2,
    init: "exitAndReap",
    fast: [...harts(2)],
    full: [...harts(2), thread("intruder", 0, 1), thread("intruder", 1, 1), thread("clock", 1, 3)],
    faults: [
      {
        break: "a task that has ended stays its hart's current one",
        reported: "invariant",
        broken: Broken.CurrentNotHeld,
      },
    ],
  },
  {
    ...traps,
    name: "authority-contended",
    about:
      "A secondary hart asks to spawn and kill and is refused with nothing changed, while the boot hart does both.",
    clauses: ["T1"],
    harts: 2,
    init: "authorityContended",
    fast: [...harts(2)],
    full: [...harts(2), thread("intruder", 0, 1), thread("intruder", 1, 1)],
    faults: [{ break: "the runtime is lent to any hart", reported: "race" }],
  },
  {
    ...traps,
    name: "kill-in-motion",
    about: "A task is killed while it yields, falls asleep or ends on another CPU.",
    clauses: ["S3", "T6", "I6"],
    harts: 2,
    init: "killInMotion",
    fast: [...harts(2)],
    full: [...harts(2), thread("intruder", 1, 1), thread("clock", 1, 2)],
    faults: [
      {
        break: "a task that falls asleep does not look whether it was killed",
        reported: "final",
        broken: Broken.WakeLost,
      },
    ],
  },
  {
    ...traps,
    name: "class-in-motion",
    about: "A task gets another class while it yields on its CPU, and a third CPU looks for work.",
    clauses: ["S3", "I6"],
    harts: 3,
    init: "classInMotion",
    fast: [...harts(3)],
    full: [...harts(3), thread("intruder", 2, 1)],
    faults: [],
  },
  {
    ...traps,
    name: "yield-when-full",
    about: "A running task yields while its class is full and another CPU, between two ticks, may make room.",
    clauses: ["Q5"],
    harts: 3,
    init: "yieldWhenFull",
    fast: [...harts(3), thread("clock", 1, 6)],
    full: [...harts(3), thread("clock", 3, 6)],
    faults: [
      {
        break: "the running task is given up before its queue is known to have room",
        reported: "invariant",
        broken: Broken.TaskLost,
      },
    ],
  },
  {
    ...traps,
    name: "fault-and-go-on",
    about: "A task faults; its hart goes on with the next, the boot hart reaps it, and an idle hart may steal.",
    clauses: ["T3", "S3"],
    harts: 2,
    init: "faultAndGoOn",
    fast: [...harts(2)],
    full: [...harts(2), thread("intruder", 1, 1), thread("clock", 1, 3)],
    faults: [],
  },
  {
    ...traps,
    name: "write-lines",
    about: "Tasks on two harts write lines from memory that holds any byte and changes while the kernel copies it.",
    clauses: ["T5"],
    harts: 2,
    init: "writeLines",
    fast: [...harts(2), thread("author")],
    faults: [
      { break: "a byte above 127 is sent as it is", reported: "assertion" },
      { break: "a task's line does not say whose it is", reported: "assertion" },
    ],
  },
];
