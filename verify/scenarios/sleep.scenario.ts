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
    clauses: ["I6", "S3"],
    harts: 2,
    init: "wakeAgainstSleep",
    fast: [...harts(2), thread("intruder", 1, 1)],
    full: [...harts(2), thread("intruder", 0, 1), thread("intruder", 1, 1), thread("clock", 1, 3)],
    faults: [
      { break: "the sleeper does not look for a permit once it sleeps", reported: "final", broken: Broken.WakeLost },
      {
        break: "S_SOFT is cleared after the requests are taken and the mailbox is read",
        reported: "invariant",
        broken: Broken.IpiLost,
      },
      { break: "S_SOFT is never cleared", reported: "livelock" },
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
    faults: [
      { break: "a CPU that rings another takes its own pending mark away", reported: "final" },
      {
        break: "a place that was taken in the queue is never linked up, and whoever comes behind it waits for ever",
        reported: "final",
      },
    ],
  },
  {
    ...traps,
    name: "two-wakers",
    about: "Tasks on two CPUs wake the one that goes to sleep on a third.",
    clauses: ["I6", "S3"],
    harts: 3,
    init: "twoWakers",
    full: [...harts(3)],
    faults: [
      {
        break: "an empty mailbox entry, which held up one behind it, is not rung for",
        reported: "final",
        broken: Broken.PostLost,
      },
    ],
  },
  {
    ...traps,
    name: "two-entries",
    about:
      "Two sleepers of one CPU are woken from another: two mailbox entries, one IPI or two, a hart that goes idle in between.",
    clauses: ["I6", "S3"],
    harts: 2,
    init: "twoEntries",
    fast: [...harts(2)],
    full: [...harts(2), thread("intruder", 1, 1), thread("clock", 1, 2)],
    faults: [
      { break: "the ack is given before the mailbox is read", reported: "invariant", broken: Broken.MailUnseenAtAck },
      {
        break: "the ack is given before the hart looks at its queues",
        reported: "invariant",
        broken: Broken.QueueUnseenAtAck,
      },
      { break: "a CPU that seems to be running a task is not rung after another was posted to it", reported: "race" },
    ],
  },
  {
    ...traps,
    name: "two-sleepers",
    about: "Two sleepers of one CPU are woken from two others at once.",
    clauses: ["I6", "S3"],
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
    faults: [{ break: "an expired sleeper is queued though somebody else has woken it", reported: "invariant" }],
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
    faults: [{ break: "a refused send is forgotten", reported: "invariant", broken: Broken.IpiLost }],
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
      { break: "of two refused sends the first is forgotten", reported: "final", broken: Broken.PostLost },
      { break: "of two IPIs that could not go out, the first is forgotten", reported: "final" },
    ],
  },
];
