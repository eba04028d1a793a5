// Sleep: tasks that sleep and are woken, by whole traps, with interrupts at every instant.

import { Broken } from "./broken.ts";
import type { Scenario } from "./scenario.ts";
import { harts, thread } from "./scenario.ts";

const traps = { final: "atRest", evidence: "ghost" } as const;

export const sleepScenarios: readonly Scenario[] = [
  {
    ...traps,
    name: "wake-against-sleep",
    about:
      "A task goes to sleep, and its hart idle, while a task on another CPU wakes it; S_SOFT and ticks come at every instant.",
    clauses: ["I5", "I6", "S3"],
    harts: 2,
    init: "wakeAgainstSleep",
    fast: [...harts(2), thread("intruder", 1, 1)],
    full: [...harts(2), thread("intruder", 0, 1), thread("intruder", 1, 1), thread("clock", 1, 3)],
    faults: [
      {
        clause: "I6",
        title: "the sleeper does not look for a permit once it sleeps",
        file: "sleep.ts",
        from: "if (has(before, Signal.Permit | Signal.Kill) && takeBack",
        to: "if (has(before, Signal.Kill) && takeBack",
        reported: "final",
        broken: Broken.WakeLost,
      },
      {
        clause: "I6",
        title: "S_SOFT is cleared after the requests are taken and the mailbox is read",
        file: "trap.ts",
        from: "  const taken = takeRequests(self);\n",
        to: "  const taken = takeRequests(self);\n  if (hasMail(self)) receiveMail(self);\n  machine.clearSoft();\n",
        reported: "invariant",
        broken: Broken.IpiLost,
      },
      {
        clause: "I6",
        title: "S_SOFT is never cleared",
        file: "resched.ts",
        from: "  machine.clearSoft();\n  const seen = load64(address);",
        to: "  const seen = load64(address);",
        reported: "livelock",
      },
    ],
  },
  {
    ...traps,
    name: "wake-twice",
    about: "A task sleeps twice and is woken twice: the second wake comes before, in or after the second sleep.",
    clauses: ["I6", "S3"],
    harts: 2,
    init: "wakeAgainstSleepTwice",
    fast: [...harts(2)],
    full: [...harts(2), thread("intruder", 1, 1), thread("clock", 1, 2)],
    faults: [],
  },
  {
    ...traps,
    name: "two-wakers",
    about: "Tasks on two CPUs wake the one that goes to sleep on a third.",
    clauses: ["I6", "I7", "I8", "S3"],
    harts: 3,
    init: "twoWakers",
    full: [...harts(3)],
    faults: [
      {
        clause: "I6",
        title: "an empty letter, which held up one behind it, is not rung for",
        file: "sleep.ts",
        from: "  fill(hartAt(cpu), position, EMPTY_LETTER);\n  notify(self, cpu);\n",
        to: "  fill(hartAt(cpu), position, EMPTY_LETTER);\n",
        reported: "final",
        broken: Broken.PostLost,
      },
    ],
  },
  {
    ...traps,
    name: "two-letters",
    about:
      "Two sleepers of one CPU are woken from another: two letters, one IPI or two, a hart that goes idle in between.",
    clauses: ["I6", "I7", "S3"],
    harts: 2,
    init: "twoLetters",
    fast: [...harts(2)],
    full: [...harts(2), thread("intruder", 1, 1), thread("clock", 1, 2)],
    faults: [],
  },
  {
    ...traps,
    name: "two-sleepers",
    about: "Two sleepers of one CPU are woken from two others at once.",
    clauses: ["I6", "I7", "I8", "S3"],
    harts: 3,
    init: "twoSleepers",
    full: [...harts(3)],
    faults: [],
  },
  {
    ...traps,
    name: "timer-against-waker",
    about: "A sleeper's time comes while another task wakes it.",
    clauses: ["I6", "S3"],
    harts: 2,
    init: "timerAgainstWaker",
    fast: [...harts(2), thread("clock", 1, 2)],
    full: [...harts(2), thread("clock", 2, 3)],
    faults: [
      {
        clause: "S3",
        title: "an expired sleeper is queued though somebody else has woken it",
        file: "sleepers.ts",
        from: "  if (!exchanged64(lifeOf(task), life, claimed(life, Signal.Expired))) return ExpireOutcome.Waits;\n",
        to: "  exchanged64(lifeOf(task), life, claimed(life, Signal.Expired));\n",
        reported: "invariant",
      },
    ],
  },
  {
    ...traps,
    name: "refused-send",
    about: "The machine refuses IPIs for a while, at every instant; a later tick or send makes them good.",
    clauses: ["I4", "I6"],
    harts: 2,
    init: "wakeAgainstSleep",
    fast: [...harts(2), thread("saboteur", 1), thread("clock", 1, 1)],
    full: [...harts(2), thread("saboteur", 1), thread("clock", 2, 1), thread("intruder", 1, 1)],
    faults: [
      {
        clause: "I4",
        title: "a refused send is forgotten",
        file: "resched.ts",
        from: "  withdraw(peer, takenOf(marked), doorbell);\n",
        to: "",
        reported: "invariant",
        broken: Broken.IpiLost,
      },
    ],
  },
  {
    ...traps,
    name: "two-refused",
    about: "Two IPIs of one hart, to two CPUs, may both be refused: neither is forgotten.",
    clauses: ["I4", "I6"],
    harts: 3,
    init: "twoRefused",
    fast: [...harts(3), thread("saboteur", 1)],
    full: [...harts(3), thread("saboteur", 1), thread("clock", 1, 1)],
    faults: [
      {
        clause: "I4",
        title: "of two refused sends the first is forgotten",
        file: "resched.ts",
        from: "self.unsentTarget = isFirst ? target + 1 : SEVERAL;",
        to: "self.unsentTarget = isFirst || target >= 0 ? target + 1 : SEVERAL;",
        reported: "final",
        broken: Broken.PostLost,
      },
    ],
  },
];
