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
      {
        clause: "S3",
        title: "a take that is not atomic",
        file: "scheduler.ts",
        from: "  if (!exchanged64(ring, state, after)) return StealOutcome.Contended;\n  const task",
        to: "  if (load64(ring) != state) return StealOutcome.Contended;\n  store64(ring, after);\n  const task",
        reported: "invariant",
      },
      {
        clause: "S3",
        title: "a plain load where an atomic is needed",
        file: "scheduler.ts",
        from: "  const classes = load32(victim + OCCUPIED_OFFSET) &",
        to: "  const classes = load<i32>((victim + OCCUPIED_OFFSET) as usize) &",
        reported: "race",
      },
      {
        clause: "S2",
        title: "the thief's bound ignored",
        file: "scheduler.ts",
        from: "const classes = occupied & allowed;",
        to: "const classes = occupied & 15;",
        reported: "assertion",
      },
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
    faults: [
      {
        clause: "S5",
        title: "stealing from oneself is let through",
        file: "scheduler.ts",
        from: "if (victimCpu == self.cpu || !isOnline(victimCpu))",
        to: "if (!isOnline(victimCpu))",
        reported: "assertion",
      },
    ],
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
        clause: "S3",
        title: "the owner forgets that the entry was announced void",
        file: "scheduler.ts",
        from: "      // The task was killed or reclassified since the state was read.\n      retractVoid(ring);\n",
        to: "",
        reported: "invariant",
        broken: Broken.VoidOvercounted,
      },
      {
        clause: "S3",
        title: "the generation is not checked when a thief takes a task",
        file: "scheduler.ts",
        from: "  if (!exchanged64(task, entry, movedTo(entry, self.heldHere))) {",
        to: "  store64(task, movedTo(entry, self.heldHere));\n  if (task == NO_TASK) {",
        reported: "invariant",
      },
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
      {
        clause: "Q7",
        title: "an older pending QoS request outlives a newer one",
        file: "authority.ts",
        from: "if (has(life, Signal.ChangeQos) && requestedQos(life) != qos) {",
        to: "if (false && requestedQos(life) != qos) {",
        reported: "final",
        broken: Broken.WrongClass,
      },
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
    faults: [
      {
        clause: "Q2",
        title: "a task is dropped in silence when its queue is full",
        file: "run-queue.ts",
        from: "return room == 0 ? EnqueueOutcome.QueueFull : enqueueAmongVoid(self, task);",
        to: "return room == 0 ? EnqueueOutcome.Queued : enqueueAmongVoid(self, task);",
        reported: "assertion",
      },
    ],
  },
  {
    ...bare,
    name: "full-of-void",
    about:
      "An owner cleans a full run queue of void entries while thieves take from it and the boot hart ends one more.",
    clauses: ["S3"],
    harts: 4,
    init: "fullOfVoid",
    fast: [thread("owner", 1, 2), thread("thief", 2, 3, 2)],
    full: [thread("owner", 1, 2), thread("thief", 2, 3, 2), thread("killer", 5)],
    faults: [
      {
        clause: "S3",
        title: "cleaning puts an entry back before it is in its slot",
        file: "run-queue.ts",
        from: "      swap64(slotAt(ring, head + length + kept), entry);\n      add64(ring, -1);\n",
        to: "      add64(ring, -1);\n      swap64(slotAt(ring, head + length + kept), entry);\n",
        reported: "invariant",
      },
    ],
  },
  {
    ...bare,
    name: "void-at-head",
    about: "Void entries lie at the head of a short queue that its owner and thieves take from, and one more comes.",
    clauses: ["S3", "S4"],
    harts: 4,
    init: "someVoid",
    fast: [thread("owner", 1, 3), thread("thief", 2, 3, 1), thread("killer", 2)],
    full: [thread("owner", 1, 4), thread("thief", 2, 3, 3), thread("thief", 3, 3, 2), thread("killer", 2)],
    faults: [
      {
        clause: "S3",
        title: "a thief forgets that the entry was announced void",
        file: "scheduler.ts",
        from: "    // Killed or reclassified while it was queued.\n    retractVoid(ring);\n",
        to: "",
        reported: "invariant",
        broken: Broken.VoidOvercounted,
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
      {
        clause: "I8",
        title: "a full mailbox takes one mailbox entry more",
        file: "mailbox.ts",
        from: "    if ((state as i32) == 0) return ReserveOutcome.QueueFull;",
        to: "    if ((state as i32) < 0) return ReserveOutcome.QueueFull;",
        reported: "invariant",
        broken: Broken.MailboxRoom,
      },
    ],
  },
];
