// Table of breaks, section Q of docs/contract.md: bounded queues.
//
// Old text is kept short, so that a rewording nearby leaves it alone. Pairs with: table.ts, which lists all.

import { type Break, kernel } from "./break.ts";

export const QUEUES_BREAKS: readonly Break[] = [
  {
    clauses: ["Q1"],
    title: "memory grows when a hart joins",
    edits: [kernel("run-queue", "hart.occupied = 0;", "hart.occupied = memory.grow(0);")],
  },
  {
    clauses: ["Q1"],
    title: "an allocation when a hart joins",
    edits: [kernel("run-queue", "hart.occupied = 0;", "hart.occupied = changetype<usize>(new ArrayBuffer(8)) as i32;")],
  },
  {
    clauses: ["Q1"],
    title: "a queue holds one task fewer than its capacity",
    edits: [kernel("run-queue", "if (room <= 0) return room == 0 ?", "if (room <= 1) return room >= 0 ?")],
  },
  {
    clauses: ["Q2"],
    title: "capacity off by one: the 65th overwrites",
    edits: [kernel("run-queue", "if (room <= 0) return room == 0 ?", "if (room <= -1) return room == -1 ?")],
  },
  {
    clauses: ["Q2"],
    title: "a full queue overwrites its oldest task",
    edits: [
      kernel(
        "run-queue",
        "if (room <= 0) return room == 0 ? EnqueueOutcome.QueueFull : enqueueCompacting(self, task);",
        "if (room < 0) return enqueueCompacting(self, task); if (room == 0) add64(ring, TAKE_ONE);",
      ),
    ],
  },
  {
    clauses: ["Q2"],
    title: "a task is dropped in silence when its queue is full",
    edits: [
      kernel(
        "run-queue",
        "return room == 0 ? EnqueueOutcome.QueueFull : enqueueCompacting(self, task);",
        "return room == 0 ? EnqueueOutcome.Queued : enqueueCompacting(self, task);",
      ),
    ],
  },
  {
    clauses: ["Q3"],
    title: "the CPU index is taken modulo the CPU count",
    edits: [
      kernel(
        "scheduler",
        "if (!isOnline(cpu)) return PlaceRefusal.InvalidCpu; const position = reserve(hartAt(cpu));",
        "const position = reserve(hartAt(cpu % cpuCount()));",
      ),
    ],
  },
  {
    clauses: ["Q4"],
    title: "a call site drops the outcome of a drain",
    edits: [
      kernel(
        "drain",
        "if (drainMailbox(self) == DrainOutcome.WaitsForRoom) countersOf(self).mailWaits += 1;",
        "drainMailbox(self);",
      ),
    ],
  },
  {
    clauses: ["Q5"],
    title: "the next pick overwrites a task whose yield was refused",
    edits: [
      kernel("scheduler", "return YieldOutcome.Deferred;", "self.current = pick(self); return YieldOutcome.Switched;"),
    ],
  },
  {
    clauses: ["Q5"],
    title: "current is cleared before the enqueue is known to hold",
    edits: [
      kernel(
        "scheduler",
        "if (queueHeld(self, taskFrom(self.current)) != EnqueueOutcome.Queued) return",
        "const left = self.current; self.current = NO_TASK; if (queueHeld(self, taskFrom(left)) != EnqueueOutcome.Queued) return",
      ),
    ],
  },
  {
    clauses: ["Q5"],
    title: "the running task is given up before its queue is known to have room",
    edits: [
      kernel(
        "scheduler",
        "  countersOf(self).deferredYields += 1;\n",
        "  countersOf(self).deferredYields += 1;\n  self.current = NO_TASK;\n",
      ),
    ],
  },
  {
    clauses: ["Q5"],
    title: "a running task that is preempted while its class is full is not kept",
    edits: [
      kernel(
        "scheduler",
        "  if (queueHeld(self, current) != EnqueueOutcome.Queued) park(self, current);\n",
        "  if (queueHeld(self, current) != EnqueueOutcome.Queued) countersOf(self).parked += 1;\n",
      ),
    ],
  },
  {
    clauses: ["Q6"],
    title: "classes are scanned upward",
    edits: [
      kernel(
        "scheduler",
        "0, 0, 1024, 1024, 2048, 2048, 2048, 2048, 3072, 3072, 3072, 3072, 3072, 3072, 3072, 3072,",
        "0, 0, 1024, 0, 2048, 0, 1024, 0, 3072, 0, 1024, 0, 2048, 0, 1024, 0,",
      ),
    ],
  },
  {
    clauses: ["Q6"],
    title: "enqueue pushes at the head",
    edits: [
      kernel(
        "run-queue",
        "swap64(slotAt(ring, ((state >> 32) as i32) - room), queued);",
        "swap64(slotAt(ring, ((state >> 32) as i32) - 1), queued);",
      ),
      kernel(
        "run-queue",
        "add64(ring, -1); return isAnnounced(ring)",
        "add64(ring, -TAKE_ONE); return isAnnounced(ring)",
      ),
    ],
  },
  {
    clauses: ["Q6"],
    title: "a drain forgets which class has found no place",
    edits: [kernel("drain", "fullClasses |= fullClass;", "")],
  },
  {
    clauses: ["Q7"],
    title: "the task leaves its queue before its new class is known to have room",
    edits: [
      kernel(
        "authority",
        "if (position == NO_ROOM) return QosOutcome.QueueFull;",
        "if (position == NO_ROOM && killQueued(task, word)) return QosOutcome.QueueFull;",
      ),
    ],
  },
  {
    clauses: ["Q7"],
    title: "a full class of another CPU is not looked at",
    edits: [kernel("authority", "if ((load64(ringOf(target, qos)) as i32) == 0) return ChangeOutcome.QueueFull;", "")],
  },
  {
    clauses: ["Q7"],
    title: "the generation is not renewed: the old entry stands again when the task comes back",
    edits: [
      kernel(
        "run-queue",
        "const moved = withQos(renewed(seen, SAME_STATE), qos);",
        "const moved = withQos(seen, qos);",
      ),
    ],
  },
  {
    clauses: ["Q7"],
    title: "of two requests for a class, the older one stands",
    edits: [
      kernel(
        "authority",
        "if (has(life, Signal.ChangeQos) && requestedQos(life) != qos) {",
        "if (has(life, Signal.ChangeQos) && requestedQos(life) != qos && state == TaskState.Held) {",
      ),
    ],
  },
  {
    clauses: ["Q7"],
    title: "an older pending QoS request outlives a newer one",
    edits: [
      kernel(
        "authority",
        "if (has(life, Signal.ChangeQos) && requestedQos(life) != qos) {",
        "if (false && requestedQos(life) != qos) {",
      ),
    ],
  },
  {
    clauses: ["Q7"],
    title: "a class that was asked of a running task is never given to it",
    edits: [kernel("dispatch", "  if (has(life, Signal.ChangeQos)) honourQosRequest(task);\n", "")],
  },
  {
    clauses: ["Q7"],
    title: "the class of a task that sleeps stays what it is",
    edits: [
      kernel(
        "authority",
        "    // Whoever claims its sleep gives it the class before it is queued.\n    return exchanged64(",
        "    return load64(lifeOf(task)) == life || exchanged64(",
      ),
    ],
  },
  {
    clauses: ["Q7"],
    title: "the entry that a change of class leaves behind is not announced as a tombstone",
    edits: [kernel("run-queue", "announceTombstone(ring); const moved = withQos(", "const moved = withQos(")],
  },
  {
    clauses: ["Q8"],
    title: "a running task whose class is full is not preempted",
    edits: [
      kernel(
        "scheduler",
        "const higher = pickPatiently(self, ALL_CLASSES",
        "if (freePosition(ringOf(self, qosOf(current.word))) == NO_ROOM) return YieldOutcome.Alone; const higher = pickPatiently(self, ALL_CLASSES",
      ),
    ],
  },
  {
    clauses: ["Q8"],
    title: "a mailbox entry whose class is full holds up those of other classes behind it",
    edits: [kernel("drain", "fullClasses |= fullClass;", "fullClasses = -1;")],
  },
  {
    clauses: ["Q8"],
    title: "a parked task does not get the class that was asked for",
    edits: [kernel("parking", "moveAsked(self, ring);", "")],
  },
  {
    clauses: ["Q8"],
    title: "of the parked tasks of a class the last one alone gets the class that was asked for",
    edits: [kernel("parking", "link = parked + EXIT_CODE_OFFSET;", "return;")],
  },
  {
    clauses: ["Q9"],
    title: "a wake leaves a permit before it knows that there is a place",
    edits: [
      kernel(
        "sleep",
        "if (position < 0) return refusedBy(position); if (!exchanged64(lifeOf(task), life, claimed(life, Signal.Woken))) return wakeAgain",
        "if (position < 0) { add64(lifeOf(task), Signal.Permit); return refusedBy(position); } if (!exchanged64(lifeOf(task), life, claimed(life, Signal.Woken))) return wakeAgain",
      ),
    ],
  },
  {
    clauses: ["Q9"],
    title: "a wake that has lost every exchange leaves a permit",
    edits: [
      kernel(
        "sleep",
        "return WakeOutcome.Remembered; } } return WakeOutcome.Contended;",
        "return WakeOutcome.Remembered; } } if (!has(load64(address), Signal.Permit)) add64(address, Signal.Permit); return WakeOutcome.Contended;",
      ),
    ],
  },
  {
    clauses: ["Q9"],
    title: "tombstones of another CPU count as tasks",
    edits: [
      kernel(
        "authority",
        "if ((load64(ringOf(target, qos)) as i32) == 0) return ChangeOutcome.QueueFull;",
        "if (((load64(ringOf(target, qos)) as i32) & 0xffff) == 0) return ChangeOutcome.QueueFull;",
      ),
    ],
  },
  {
    clauses: ["Q9"],
    title: "a class is cleaned of tombstones in one attempt, which a kill can spoil",
    edits: [kernel("run-queue", "i < 2 * RING_CAPACITY; i++", "i < 1; i++")],
  },
];
