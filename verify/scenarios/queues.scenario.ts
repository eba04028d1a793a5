// Queues: owners, thieves, the boot hart's authority and full queues, by bare operations.

import { Broken } from "./broken.ts";
import type { Scenario } from "./scenario.ts";
import { thread } from "./scenario.ts";

const bare = { final: "signalled", evidence: "ghost" } as const;

export const queueScenarios: readonly Scenario[] = [
  {
    ...bare,
    name: "owner-thieves",
    about:
      "An owner runs and queues three tasks of two classes while others steal them, within their class and budget.",
    clauses: ["Q6", "S1", "S2", "S3", "S4"],
    harts: 4,
    init: "ownerAndThreeThieves",
    fast: [thread("owner", 0, 3), thread("thief", 1, 3, 2), thread("thief", 2, 1, 2)],
    full: [thread("owner", 0, 4), thread("thief", 1, 3, 3), thread("thief", 2, 1, 2), thread("thief", 3, 3, 2)],
    faults: [
      { break: "a take that is not atomic", reported: "invariant" },
      { break: "a plain load where an atomic is needed", reported: "race" },
      { break: "the thief's bound ignored", reported: "assertion" },
      { break: "an entry is published before it is written", reported: "invariant" },
    ],
  },
  {
    ...bare,
    name: "no-victim",
    about: "A hart tries to steal from itself, from no CPU and from another, while the owner picks.",
    clauses: ["S5", "S3"],
    harts: 4,
    init: "twoQueued",
    fast: [thread("thiefOf", 2, 2, 3), thread("thiefOf", 3, 64, 3), thread("thiefOf", 0, 1, 3), thread("owner", 1, 3)],
    faults: [{ break: "stealing from oneself is let through", reported: "assertion" }],
  },
  {
    ...bare,
    name: "kill-queued",
    about: "The boot hart ends a task that is queued on another CPU, while its owner picks and a thief steals.",
    clauses: ["S3"],
    harts: 3,
    init: "twoQueuedOneToEnd",
    fast: [thread("killer", 0), thread("owner", 1, 3), thread("thief", 2, 3, 2)],
    full: [thread("killer", 0), thread("owner", 1, 6), thread("thief", 2, 3, 6)],
    faults: [
      {
        break: "the owner forgets that the entry was announced as a tombstone",
        reported: "invariant",
        broken: Broken.TombstoneOvercounted,
      },
      { break: "the generation is not checked when a thief takes a task", reported: "invariant" },
    ],
  },
  {
    ...bare,
    name: "reclassify-queued",
    about: "The boot hart changes a task's class twice while its owner runs and queues it and a thief steals it.",
    clauses: ["Q7", "S3"],
    harts: 3,
    init: "twoQueuedOneToIdle",
    fast: [thread("reclassifier", 0, 2, 0), thread("owner", 1, 3), thread("thief", 2, 3, 2)],
    full: [thread("reclassifier", 0, 2, 0), thread("owner", 1, 8), thread("thief", 2, 3, 6)],
    faults: [
      { break: "an older pending QoS request outlives a newer one", reported: "final", broken: Broken.WrongClass },
    ],
  },
  {
    ...bare,
    name: "full-queue",
    about: "An owner queues into a full run queue while a thief makes room; a rejection changes nothing.",
    clauses: ["Q1", "Q2", "S3"],
    harts: 3,
    init: "fullQueue",
    fast: [thread("owner", 1, 3), thread("thief", 2, 3, 3)],
    full: [thread("owner", 1, 6), thread("thief", 2, 3, 5), thread("thief", 0, 3, 4)],
    faults: [{ break: "a task is dropped in silence when its queue is full", reported: "assertion" }],
  },
  {
    ...bare,
    name: "full-of-tombstones",
    about: "An owner cleans a full run queue of tombstones while thieves take from it and the boot hart ends one more.",
    clauses: ["S3"],
    harts: 4,
    init: "fullOfTombstones",
    fast: [thread("owner", 1, 2), thread("thief", 2, 3, 2)],
    full: [thread("owner", 1, 2), thread("thief", 2, 3, 2), thread("killer", 5)],
    faults: [{ break: "cleaning puts an entry back before it is in its slot", reported: "invariant" }],
  },
  {
    ...bare,
    name: "tombstone-at-head",
    about: "Tombstones lie at the head of a short queue that its owner and thieves take from, and one more comes.",
    clauses: ["S3", "S4"],
    harts: 4,
    init: "someTombstones",
    fast: [thread("owner", 1, 3), thread("thief", 2, 3, 1), thread("killer", 2)],
    full: [thread("owner", 1, 4), thread("thief", 2, 3, 3), thread("thief", 3, 3, 2), thread("killer", 2)],
    faults: [
      {
        break: "a thief forgets that the entry was announced as a tombstone",
        reported: "invariant",
        broken: Broken.TombstoneOvercounted,
      },
    ],
  },
  {
    ...bare,
    name: "full-mailbox",
    about: "Three harts post into a mailbox with one place left, and to no CPU, while its owner empties it.",
    clauses: ["I8", "Q3"],
    harts: 4,
    init: "nearlyFullMailbox",
    fast: [thread("poster", 0, 1), thread("poster", 2, 1), thread("poster", 3, 64)],
    full: [thread("poster", 0, 1), thread("poster", 2, 1), thread("receiver", 1, 2)],
    faults: [
      { break: "a full mailbox takes one mailbox entry more", reported: "invariant", broken: Broken.MailboxRoom },
    ],
  },
  {
    ...bare,
    name: "spawn-refused",
    about: "A spawn for a CPU that empties its mailbox finds no space that can be prepared, and gives its place back.",
    clauses: ["I8"],
    harts: 4,
    init: "twoQueued",
    fast: [thread("refusedSpawner", 1), thread("receiver", 1, 2)],
    faults: [{ break: "a place of a mailbox is filled by a plain store", reported: "race" }],
  },
];
