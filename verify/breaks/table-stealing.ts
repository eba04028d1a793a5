// Table of breaks, section S of docs/contract.md: work stealing.
//
// Old text is kept short, so that a rewording nearby leaves it alone. Pairs with: table.ts, which lists all.

import { type Break, kernel } from "./break.ts";

export const STEALING_BREAKS: readonly Break[] = [
  {
    clauses: ["S1"],
    title: "a thief takes two and keeps one",
    edits: [
      kernel(
        "scheduler",
        "if (!exchanged64(ring, state, after)) return StealOutcome.Contended;",
        "if (!exchanged64(ring, state, after + TAKE_ONE)) return StealOutcome.Contended;",
      ),
    ],
  },
  {
    clauses: ["S1"],
    title: "a thief takes half, the rest to its own queue",
    edits: [
      kernel(
        "scheduler",
        "self.stealsInTick += 1;",
        `self.stealsInTick += 1;
  for (let i = (RING_CAPACITY - roomOf(state)) / 2; i > 1; i--) {
    const next = load64(ring);
    const more = load64(slotAt(ring, headOf(next)));
    if (!exchanged64(ring, next, next + TAKE_ONE)) break;
    if (!exchanged64((more >> 32) as i32, more, movedTo(more, self.heldHere))) break;
    assert(queueHeld(self, taskFrom((more >> 32) as i32)) == EnqueueOutcome.Queued);
  }`,
      ),
    ],
  },
  {
    clauses: ["S1"],
    title: "successful steals are not counted",
    edits: [kernel("scheduler", "self.stealsInTick += 1;", "")],
  },
  {
    clauses: ["S2"],
    title: "the bound is ignored",
    edits: [
      kernel("scheduler", "const classes = occupied & allowed;", "const classes = occupied;"),
      kernel("scheduler", "if ((occupied & classes) == 0) return StealOutcome.AboveBound;", ""),
    ],
  },
  {
    clauses: ["S2"],
    title: "the thief's bound ignored",
    edits: [kernel("scheduler", "const classes = occupied & allowed;", "const classes = occupied & 15;")],
  },
  {
    clauses: ["S3"],
    title: "a thief's take is not atomic",
    edits: [
      kernel(
        "scheduler",
        "if (!exchanged64(ring, state, after)) return StealOutcome.Contended;",
        "store64(ring, after);",
      ),
    ],
  },
  {
    clauses: ["S3"],
    title: "the owner's take is not atomic",
    edits: [
      kernel(
        "scheduler",
        "if (exchanged64(ring, state, state + TAKE_ONE)) { if (exchanged64((entry >> 32) as i32, entry, entry - HELD_TO_QUEUED)) return (entry >> 32) as i32;",
        "store64(ring, state + TAKE_ONE); { if (exchanged64((entry >> 32) as i32, entry, entry - HELD_TO_QUEUED)) return (entry >> 32) as i32;",
      ),
    ],
  },
  {
    clauses: ["S3"],
    title: "a thief takes a task without asking its word",
    edits: [
      kernel(
        "scheduler",
        "if (!exchanged64(task, entry, movedTo(entry, self.heldHere))) {",
        "store64(task, movedTo(entry, self.heldHere)); if (false) {",
      ),
    ],
  },
  {
    clauses: ["S3"],
    title: "a thief leaves the entry behind",
    edits: [
      kernel(
        "scheduler",
        "if (!exchanged64(ring, state, after)) return StealOutcome.Contended;",
        "if (!exchanged64(ring, state, state)) return StealOutcome.Contended;",
      ),
    ],
  },
  {
    clauses: ["S3"],
    title: "a tombstone met by the owner stays announced",
    edits: [
      kernel(
        "scheduler",
        "retractTombstone(ring); } } return pickPatiently(self, ALL_CLASSES);",
        "} } return pickPatiently(self, ALL_CLASSES);",
      ),
    ],
  },
  {
    clauses: ["S3"],
    title: "a take that is not atomic",
    edits: [
      kernel(
        "scheduler",
        "  if (!exchanged64(ring, state, after)) return StealOutcome.Contended;\n  const task",
        "  if (load64(ring) != state) return StealOutcome.Contended;\n  store64(ring, after);\n  const task",
      ),
    ],
  },
  {
    clauses: ["S3"],
    title: "a plain load where an atomic is needed",
    edits: [
      kernel(
        "scheduler",
        "  const classes = load32(victim + OCCUPIED_OFFSET) &",
        "  const classes = load<i32>((victim + OCCUPIED_OFFSET) as usize) &",
      ),
    ],
  },
  {
    clauses: ["S3"],
    title: "the owner forgets that the entry was announced as a tombstone",
    edits: [
      kernel(
        "scheduler",
        "      // The task was killed or reclassified since the state was read.\n      retractTombstone(ring);\n",
        "",
      ),
    ],
  },
  {
    clauses: ["S3"],
    title: "the generation is not checked when a thief takes a task",
    edits: [
      kernel(
        "scheduler",
        "  if (!exchanged64(task, entry, movedTo(entry, self.heldHere))) {",
        "  store64(task, movedTo(entry, self.heldHere));\n  if (task == NO_TASK) {",
      ),
    ],
  },
  {
    clauses: ["S3"],
    title: "cleaning puts an entry back before it is in its slot",
    edits: [
      kernel(
        "run-queue",
        "      swap64(slotAt(ring, head + length + kept), entry);\n      add64(ring, -1);\n",
        "      add64(ring, -1);\n      swap64(slotAt(ring, head + length + kept), entry);\n",
      ),
    ],
  },
  {
    clauses: ["S3"],
    title: "a thief forgets that the entry was announced as a tombstone",
    edits: [
      kernel("scheduler", "    // Killed or reclassified while it was queued.\n    retractTombstone(ring);\n", ""),
    ],
  },
  {
    clauses: ["S3"],
    title: "an expired sleeper is queued though somebody else has woken it",
    edits: [
      kernel(
        "sleepers",
        "  if (!exchanged64(lifeOf(task), life, claimed(life, Signal.Expired))) return ExpireOutcome.Waits;\n",
        "  exchanged64(lifeOf(task), life, claimed(life, Signal.Expired));\n",
      ),
    ],
  },
  {
    clauses: ["S3"],
    title: "a task that has ended stays its hart's current one",
    edits: [kernel("dispatch", "  self.current = NO_TASK;\n  // Publishes the record", "  // Publishes the record")],
  },
  {
    clauses: ["S4"],
    title: "a thief tries again until it works",
    edits: [
      kernel(
        "scheduler",
        "if (!exchanged64(ring, state, after)) return StealOutcome.Contended;",
        `let seen = state;
  for (let i = 0; i < 1000; i++) {
    if (exchanged64(ring, seen, seen + (after - state))) break;
    seen = load64(ring);
  }`,
      ),
    ],
  },
  {
    clauses: ["S4"],
    title: "victims are visited in another order",
    edits: [
      kernel(
        "scheduler",
        "let left = (map >> self.cpu) >> 1;",
        "let left: u64 = (map & ((bitOf(self.cpu) - 1) as u64)) != 0 ? 0 : (map >> self.cpu) >> 1;",
      ),
    ],
  },
  {
    clauses: ["S5"],
    title: "one may steal from a CPU that is offline",
    edits: [kernel("scheduler", "if (victimCpu == self.cpu || !isOnline(victimCpu))", "if (victimCpu == self.cpu)")],
  },
  {
    clauses: ["S5"],
    title: "stealing from oneself is let through",
    edits: [kernel("scheduler", "if (victimCpu == self.cpu || !isOnline(victimCpu))", "if (!isOnline(victimCpu))")],
  },
  {
    clauses: ["S5"],
    title: "an offline CPU is stolen from",
    edits: [
      kernel(
        "scheduler",
        "if (victimCpu == self.cpu || !isOnline(victimCpu))",
        "if (victimCpu == self.cpu || victimCpu > 3)",
      ),
    ],
  },
  {
    clauses: ["S6"],
    title: "a hart leaves the map of work by a load and a store",
    edits: [
      kernel(
        "work-map",
        "and64(WORK_MAP, ~bitOf(self.cpu));",
        "store64(WORK_MAP, load64(WORK_MAP) & ~bitOf(self.cpu));",
      ),
      kernel("work-map", "import { and64, load64, or64 } from", "import { load64, or64, store64 } from"),
    ],
  },
  {
    clauses: ["S6"],
    title: "a thief looks at the highest class of a victim alone",
    edits: [kernel("scheduler", "} while (left != 0);", "} while (false);")],
  },
  {
    clauses: ["S6"],
    title: "a hart with work is not on the map of work",
    edits: [kernel("run-queue", "if (self.isOnWorkMap == 0) enterWorkMap(self);", "")],
  },
  {
    clauses: ["S3"],
    title: "a mailbox entry is delivered though its task is mailed to another CPU",
    edits: [
      kernel(
        "drain",
        "if (stateOf(word) != TaskState.Mailed || cpuOf(word) != self.cpu) return DELIVERED;",
        "if (stateOf(word) != TaskState.Mailed) return DELIVERED;",
      ),
      kernel("drain", "addressOfTask, cpuOf, qosOf,", "addressOfTask, qosOf,"),
    ],
  },
  {
    clauses: ["S3"],
    title: "a wake reads the state of its own CPU's ring by a plain load",
    edits: [kernel("run-queue", "return positionIn(load64(ring));", "return positionIn(load<i64>(ring as usize));")],
  },
  {
    clauses: ["S3"],
    title: "an owner that could not take its ring to drop tombstones drops one nevertheless",
    edits: [kernel("run-queue", "return RING_CAPACITY as i64;", "return (RING_CAPACITY - 1) as i64;")],
  },
];
