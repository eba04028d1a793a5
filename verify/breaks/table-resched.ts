// Table of breaks, section I of docs/contract.md: IPIs, requests and wake-ups.
//
// Old text is kept short, so that a rewording nearby leaves it alone. Pairs with: table.ts, which lists all.

import { type Break, kernel } from "./break.ts";

export const RESCHED_BREAKS: readonly Break[] = [
  {
    clauses: ["I1"],
    title: "the bounds of the target are not checked",
    edits: [
      kernel("resched", "if (!isValid(target)) {", "if (false) {"),
      kernel("hart-local", "return isValid(cpu) && load32(", "return load32("),
    ],
  },
  {
    clauses: ["I1"],
    title: "a request to no CPU is not distinguished from one to an offline CPU",
    edits: [
      kernel(
        "resched",
        "  if (!isValid(target)) {\n    record(self, EventKind.RejectedInvalidCpu",
        "  if (target < 0) {\n    record(self, EventKind.RejectedInvalidCpu",
      ),
    ],
  },
  {
    clauses: ["I2"],
    title: "the target need not be online",
    edits: [kernel("resched", "if (!isOnline(target)) {", "if (false) {")],
  },
  {
    clauses: ["I2"],
    title: "a request to an offline CPU is accepted",
    edits: [
      kernel(
        "resched",
        "  if (!isOnline(target)) {\n    record(self, EventKind.RejectedOfflineCpu",
        "  if (target > 64) {\n    record(self, EventKind.RejectedOfflineCpu",
      ),
    ],
  },
  {
    clauses: ["I3"],
    title: "the sender acknowledges when it sends",
    edits: [
      kernel(
        "resched",
        "recordPair(self, target, EventKind.Accepted, EventKind.Sent, number, request);",
        "recordPair(self, target, EventKind.Accepted, EventKind.Sent, number, request); recordNumbered(self, target, EventKind.Acked, drawNumber(peer), request, 0);",
      ),
    ],
  },
  {
    clauses: ["I3"],
    title: "a request is numbered after it can be seen",
    edits: [
      kernel(
        "resched",
        "const number = drawNumbers(peer, 2); if (!exchanged64(stateAddress(peer), state, state + 1 + SENT)) { return requestContended(self, target, doorbell, number); }",
        "if (!exchanged64(stateAddress(peer), state, state + 1 + SENT)) { return requestContended(self, target, doorbell, drawNumbers(peer, 2)); } const number = drawNumbers(peer, 2);",
      ),
    ],
  },
  {
    clauses: ["I3"],
    title: "the second event of a pair lies behind the ring's end",
    edits: [
      kernel(
        "evidence",
        "const next = eventIn(ringOf(self), position + 1);",
        "const next = event + (1 << EVENT_LOG2);",
      ),
    ],
  },
  {
    clauses: ["I3"],
    title: "a number that was drawn for a send that another hart made becomes no event",
    edits: [kernel("resched", "recordNumbered(self, target, EventKind.Unused, number + 1, 0, 0);", "")],
  },
  {
    clauses: ["I3"],
    title: "the ack is given where the IPI is sent",
    edits: [
      kernel(
        "resched",
        "  recordPair(self, target, EventKind.Accepted, EventKind.Sent, number, request);\n",
        "  recordPair(self, target, EventKind.Accepted, EventKind.Acked, number, request);\n",
      ),
    ],
  },
  {
    clauses: ["I4"],
    title: "a refused IPI is taken for one that was sent",
    edits: [
      kernel(
        "resched",
        "if (error != MachineError.Ok) return recordRefusal(self, target, doorbell, request, taken, error);",
        "",
      ),
    ],
  },
  {
    clauses: ["I4"],
    title: "a refused IPI is not sent again",
    edits: [
      kernel("resched", "if (unsent != SEVERAL) return sendAgain(self, unsent - 1);", "if (unsent != SEVERAL) return;"),
    ],
  },
  {
    clauses: ["I4"],
    title: "a refused send is forgotten",
    edits: [kernel("resched", "  withdraw(peer, taken, doorbell);\n", "")],
  },
  {
    clauses: ["I4"],
    title: "of two refused sends the first is forgotten",
    edits: [
      kernel(
        "resched",
        "self.unsentTarget = isFirst ? target + 1 : SEVERAL;",
        "self.unsentTarget = isFirst || target >= 0 ? target + 1 : SEVERAL;",
      ),
    ],
  },
  {
    clauses: ["I4"],
    title: "a refused sender rings for the mark that it saw before, not for the one that it clears",
    edits: [
      kernel(
        "resched",
        "  const cleared = and64(address, ~FAILED);\n",
        "  and64(address, ~FAILED);\n  const cleared = (before & SENT) != 0 ? SENT | FAILED : 0;\n",
      ),
    ],
  },
  {
    clauses: ["I4"],
    title: "of several refused sends the last CPU's is not sent again",
    edits: [
      kernel(
        "resched",
        "for (let cpu = 0; cpu < count; cpu++) sendAgain(self, cpu);",
        "for (let cpu = 0; cpu < count - 1; cpu++) sendAgain(self, cpu);",
      ),
    ],
  },
  {
    clauses: ["I5"],
    title: "every S_SOFT is acknowledged",
    edits: [
      kernel(
        "trap",
        "const space = resume(self); if (taken == TakeOutcome.Taken) acknowledge(self);",
        "const space = resume(self); acknowledge(self);",
      ),
    ],
  },
  {
    clauses: ["I5"],
    title: "every S_SOFT counts as a request's",
    edits: [kernel("resched", "if (!isOnItsWay(seen)) return recordSpurious(self);", "")],
  },
  {
    clauses: ["I5"],
    title: "an S_SOFT without a request is acknowledged, too",
    edits: [
      kernel(
        "trap",
        "  const space = resume(self);\n  if (taken == TakeOutcome.Taken) acknowledge(self);\n  return space;",
        "  const space = resume(self);\n  if (taken != TakeOutcome.Taken || taken == TakeOutcome.Taken) acknowledge(self);\n  return space;",
      ),
    ],
  },
  {
    clauses: ["I6"],
    title: "requests are taken after the queues were looked at",
    edits: [
      kernel("trap", "const taken = takeRequests(self);", "let taken = TakeOutcome.NoPendingRequest;"),
      kernel(
        "trap",
        "const space = resume(self); if (taken == TakeOutcome.Taken) acknowledge(self);",
        "const space = resume(self); if (takeRequests(self) == TakeOutcome.Taken) acknowledge(self);",
      ),
    ],
  },
  {
    clauses: ["I6"],
    title: "a task falls asleep without looking for a wake again",
    edits: [kernel("sleep", "if (has(before, Signal.Permit | Signal.Kill) && takeBack", "if (false && takeBack")],
  },
  {
    clauses: ["I6"],
    title: "a waker takes a permit that it could not leave for one that it left",
    edits: [
      kernel(
        "sleep",
        "} else if (has(life, Signal.Permit) || exchanged64(address, life, life | (Signal.Permit as i64))) {",
        "} else if (exchanged64(address, life, life | (Signal.Permit as i64)) || true) {",
      ),
    ],
  },
  {
    clauses: ["I6"],
    title: "a sleeper whose class changes at the same time is taken for one that another has woken",
    edits: [
      kernel("sleep", "if (!isSameSleep(seen, asleep) || !has(seen, Signal.Asleep)) return false;", "return false;"),
    ],
  },
  {
    clauses: ["I6"],
    title: "a hart's register in the SSWI device is taken to be its id",
    edits: [kernel("boot", "hartAt(cpu).doorbell = sswiIndexOf(tree, entry);", "hartAt(cpu).doorbell = entry.id;")],
  },
  {
    clauses: ["I6"],
    title: "the index of a register is counted from one",
    edits: [kernel("device-tree", "return at / INTERRUPT_BYTES;", "return at / INTERRUPT_BYTES + 1;")],
  },
  {
    clauses: ["I6"],
    title: "a boot hart that comes late in the tree has no entry",
    edits: [
      kernel(
        "device-tree",
        "const most = walk.reg == walk.bootHart ? ENTRIES_MAX : CPUS_MAX;",
        "const most = CPUS_MAX;",
      ),
    ],
  },
  {
    clauses: ["I6"],
    title: "the sleeper does not look for a permit once it sleeps",
    edits: [
      kernel(
        "sleep",
        "if (has(before, Signal.Permit | Signal.Kill) && takeBack",
        "if (has(before, Signal.Kill) && takeBack",
      ),
    ],
  },
  {
    clauses: ["I6"],
    title: "S_SOFT is cleared after the requests are taken and the mailbox is read",
    edits: [
      kernel(
        "trap",
        "  const taken = takeRequests(self);\n",
        "  const taken = takeRequests(self);\n  if (hasMail(self)) receiveMail(self);\n  machine.clearSoft();\n",
      ),
    ],
  },
  {
    clauses: ["I6"],
    title: "S_SOFT is never cleared",
    edits: [
      kernel(
        "resched",
        "  machine.clearSoft();\n  const seen = load64(stateAddress(self));",
        "  const seen = load64(stateAddress(self));",
      ),
    ],
  },
  {
    clauses: ["I6"],
    title: "an empty mailbox entry, which held up one behind it, is not rung for",
    edits: [
      kernel(
        "sleep",
        "  fill(hartAt(cpu), position, EMPTY_ENTRY);\n  notify(self, cpu);\n",
        "  fill(hartAt(cpu), position, EMPTY_ENTRY);\n",
      ),
    ],
  },
  {
    clauses: ["I6"],
    title: "the ack is given before the mailbox is read",
    edits: [
      kernel(
        "trap",
        "  const taken = takeRequests(self);\n",
        "  const taken = takeRequests(self);\n  if (taken == TakeOutcome.Taken) acknowledge(self);\n",
      ),
    ],
  },
  {
    clauses: ["I6"],
    title: "the ack is given before the hart looks at its queues",
    edits: [
      kernel(
        "trap",
        "  const space = resume(self);\n  if (taken == TakeOutcome.Taken) acknowledge(self);\n  return space;",
        "  if (taken == TakeOutcome.Taken) acknowledge(self);\n  return resume(self);",
      ),
    ],
  },
  {
    clauses: ["I6"],
    title: "a sleeper that could not be taken back is left to its deadline",
    edits: [kernel("sleep", "  hasten(self, blocked);\n  return false;", "  return false;")],
  },
  {
    clauses: ["I6"],
    title: "a trap takes requests without marking that later ones must ring",
    edits: [
      kernel(
        "resched",
        "const before = add64(stateAddress(self), (count << TAKEN_SHIFT) - count - SENT);",
        "const before = add64(stateAddress(self), (count << TAKEN_SHIFT) - count);",
      ),
    ],
  },
  {
    clauses: ["I7"],
    title: "a second request is forgotten",
    edits: [kernel("resched", "if (covered) {", "if (covered) { add64(stateAddress(hartAt(target)), -1);")],
  },
  {
    clauses: ["I7"],
    title: "a second request rings a second time",
    edits: [kernel("resched", "if (covered) {", "if (covered && machine.sendIpi(doorbell) == MachineError.Ok) {")],
  },
  {
    clauses: ["I8"],
    title: "a mailbox has no bound",
    edits: [kernel("mailbox", "if ((state as i32) == 0) return ReserveOutcome.QueueFull;", "")],
  },
  {
    clauses: ["I8"],
    title: "the event names the target as its author",
    edits: [
      kernel(
        "evidence",
        "const event = eventIn(ringOf(self), position); const next = eventIn(ringOf(self), position + 1);",
        "const event = eventIn(ringOf(hartAt(subject)), position); const next = eventIn(ringOf(hartAt(subject)), position + 1);",
      ),
    ],
  },
  {
    clauses: ["I8"],
    title: "a mailbox has room again before its places are cleared",
    edits: [
      kernel(
        "mailbox",
        "for (let i = 0; i < count; i++) store64(placeAt(self, mailbox.head + i), 0); mailbox.head = (mailbox.head + count) & POSITION_MASK; add64(addressOfMailbox(self), count as i64);",
        "add64(addressOfMailbox(self), count as i64); for (let i = 0; i < count; i++) store64(placeAt(self, mailbox.head + i), 0); mailbox.head = (mailbox.head + count) & POSITION_MASK;",
      ),
    ],
  },
  {
    clauses: ["I8"],
    title: "a full mailbox takes one mailbox entry more",
    edits: [
      kernel(
        "mailbox",
        "    if ((state as i32) == 0) return ReserveOutcome.QueueFull;",
        "    if ((state as i32) < 0) return ReserveOutcome.QueueFull;",
      ),
    ],
  },
  {
    clauses: ["I9"],
    title: "pending requests are not bounded",
    edits: [
      kernel(
        "resched",
        "if (countOf(load64(stateAddress(peer))) >= REQUESTS_PENDING_MAX) return ReschedOutcome.TooManyPending;",
        "",
      ),
    ],
  },
  {
    clauses: ["I9"],
    title: "an entry that has had its last life is used again",
    edits: [kernel("authority", "if (task.incarnation < INCARNATION_MAX) return index;", "return index;")],
  },
  {
    clauses: ["I7"],
    title: "two senders that mark a CPU at once both ring",
    edits: [
      kernel("resched", "return or64(address, SENT) & ~FAILED;", "or64(address, SENT);\n  return before & ~FAILED;"),
    ],
  },
  {
    clauses: ["I8"],
    title: "a place of a mailbox is filled by a plain store",
    edits: [
      kernel(
        "mailbox",
        "store64(placeAt(target, position), entry);",
        "store<i64>(placeAt(target, position) as usize, entry);",
      ),
    ],
  },
];
