// Table: for each clause, the deliberate breaks that its checks must find.
//
// Each break is the one that the contract names for the clause, or, where it names none, one in its spirit. Old text
// is kept short, so that it survives a rewording nearby; when it is gone, the trial fails and says so.
// Partners: edit.ts, trial.ts; verify/rig/case.ts, whose clauses these are.

import type { ClauseId } from "../clause-id.ts";
import type { Edit } from "./edit.ts";

export interface Counterfactual {
  readonly clause: ClauseId;
  /** What is broken, in a few words. */
  readonly title: string;
  readonly edits: readonly Edit[];
}

const edit = (file: string, old: string, replacement: string): Edit => ({ file, old, new: replacement });
const kernel = (name: string, old: string, replacement: string): Edit => edit(`kernel/${name}.ts`, old, replacement);

/** Kernel code whose frame holds that many words at once. */
function largeFrame(words: number): string {
  const names = Array.from({ length: words }, (_, i) => i);
  const loads = names.map((i) => `const v${i} = load64(${0x8000 + 8 * i});`);
  const stores = names.map((i) => `store64(${0x8000 + 8 * i}, v${words - 1 - i});`);
  return [...loads, ...stores].join("\n");
}

export const COUNTERFACTUALS: readonly Counterfactual[] = [
  {
    clause: "Q1",
    title: "memory grows when a hart joins",
    edits: [kernel("run-queue", "hart.occupied = 0;", "hart.occupied = memory.grow(0);")],
  },
  {
    clause: "Q1",
    title: "an allocation when a hart joins",
    edits: [kernel("run-queue", "hart.occupied = 0;", "hart.occupied = changetype<usize>(new ArrayBuffer(8)) as i32;")],
  },
  {
    clause: "Q1",
    title: "a queue holds one task fewer than its capacity",
    edits: [kernel("run-queue", "if (room <= 0) return room == 0 ?", "if (room <= 1) return room >= 0 ?")],
  },
  {
    clause: "Q2",
    title: "capacity off by one: the 65th overwrites",
    edits: [kernel("run-queue", "if (room <= 0) return room == 0 ?", "if (room <= -1) return room == -1 ?")],
  },
  {
    clause: "Q2",
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
    clause: "Q3",
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
    clause: "Q4",
    title: "a call site drops the outcome of a drain",
    edits: [
      kernel(
        "dispatch",
        "if (drainMailbox(self) == DrainOutcome.WaitsForRoom) countersOf(self).mailWaits += 1;",
        "drainMailbox(self);",
      ),
    ],
  },
  {
    clause: "Q5",
    title: "the next pick overwrites a task whose yield was refused",
    edits: [
      kernel("scheduler", "return YieldOutcome.Deferred;", "self.current = pick(self); return YieldOutcome.Switched;"),
    ],
  },
  {
    clause: "Q5",
    title: "current is cleared before the enqueue is known to hold",
    edits: [
      kernel(
        "scheduler",
        "if (queueHeld(self, taskFrom(self.current)) != EnqueueOutcome.Queued) return",
        "const left = self.current; self.current = NO_TASK; if (enqueue(self, taskFrom(left)) != EnqueueOutcome.Queued) return",
      ),
    ],
  },
  {
    clause: "Q6",
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
    clause: "Q6",
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
    clause: "Q6",
    title: "a drain forgets which class has found no place",
    edits: [kernel("scheduler", "fullClasses |= fullClass;", "")],
  },
  {
    clause: "Q7",
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
    clause: "Q7",
    title: "a full class of another CPU is not looked at",
    edits: [kernel("authority", "if ((load64(ringOf(target, qos)) as i32) == 0) return ChangeOutcome.QueueFull;", "")],
  },
  {
    clause: "Q7",
    title: "the generation is not renewed: the old entry stands again when the task comes back",
    edits: [
      kernel(
        "authority",
        "const changed = withQos(renewed(word, SAME_STATE), qos); if (insert(self, task, ringOf(self, qos), position, word, changed)) return QosOutcome.Updated;",
        "const changed = withQos(word, qos); if (insert(self, task, ringOf(self, qos), position, word, changed)) return QosOutcome.Updated;",
      ),
    ],
  },
  {
    clause: "Q7",
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
    clause: "Q8",
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
    clause: "Q8",
    title: "a mailbox entry whose class is full holds up those of other classes behind it",
    edits: [kernel("scheduler", "fullClasses |= fullClass;", "fullClasses = ALL_CLASSES;")],
  },
  {
    clause: "Q8",
    title: "a parked task does not get the class that was asked for",
    edits: [kernel("parking", "moveAsked(self, ring);", "")],
  },
  {
    clause: "Q8",
    title: "of the parked tasks of a class the last one alone gets the class that was asked for",
    edits: [kernel("parking", "link = parked + EXIT_CODE_OFFSET;", "return;")],
  },
  {
    clause: "Q9",
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
    clause: "Q9",
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
    clause: "Q9",
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
    clause: "S1",
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
    clause: "S1",
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
    assert(enqueue(self, taskOfWord(more)) == EnqueueOutcome.Queued);
  }`,
      ),
    ],
  },
  {
    clause: "S1",
    title: "successful steals are not counted",
    edits: [kernel("scheduler", "self.stealsInTick += 1;", "")],
  },
  {
    clause: "S2",
    title: "the bound is ignored",
    edits: [
      kernel("scheduler", "const classes = occupied & allowed;", "const classes = occupied;"),
      kernel("scheduler", "if ((occupied & classes) == 0) return StealOutcome.AboveBound;", ""),
    ],
  },
  {
    clause: "S3",
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
    clause: "S3",
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
    clause: "S3",
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
    clause: "S3",
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
    clause: "S3",
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
    clause: "S4",
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
    clause: "S4",
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
    clause: "S5",
    title: "one may steal from a CPU that is offline",
    edits: [kernel("scheduler", "if (victimCpu == self.cpu || !isOnline(victimCpu))", "if (victimCpu == self.cpu)")],
  },
  {
    clause: "S6",
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
    clause: "S6",
    title: "a thief looks at the highest class of a victim alone",
    edits: [kernel("scheduler", "} while (left != 0);", "} while (false);")],
  },
  {
    clause: "S6",
    title: "a hart with work is not on the map of work",
    edits: [kernel("run-queue", "if (self.isOnWorkMap == 0) enterWorkMap(self);", "")],
  },
  {
    clause: "I1",
    title: "the bounds of the target are not checked",
    edits: [
      kernel("resched", "if (!isValid(target)) {", "if (false) {"),
      kernel("hart-local", "return isValid(cpu) && load32(", "return load32("),
    ],
  },
  {
    clause: "I2",
    title: "the target need not be online",
    edits: [kernel("resched", "if (!isOnline(target)) {", "if (false) {")],
  },
  {
    clause: "I3",
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
    clause: "I3",
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
    clause: "I3",
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
    clause: "I3",
    title: "a number that was drawn for a send that another hart made becomes no event",
    edits: [kernel("resched", "recordNumbered(self, target, EventKind.Unused, number + 1, 0, 0);", "")],
  },
  {
    clause: "I4",
    title: "a refused IPI is taken for one that was sent",
    edits: [
      kernel(
        "resched",
        "if (error != MachineError.Ok) return noteRefusal(self, target, doorbell, request, taken, error);",
        "",
      ),
    ],
  },
  {
    clause: "I4",
    title: "a refused IPI is not sent again",
    edits: [
      kernel("resched", "if (unsent != SEVERAL) return sendAgain(self, unsent - 1);", "if (unsent != SEVERAL) return;"),
    ],
  },
  {
    clause: "I5",
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
    clause: "I5",
    title: "every S_SOFT counts as a request's",
    edits: [kernel("resched", "if (!isOnItsWay(seen)) return noteSpurious(self);", "")],
  },
  {
    clause: "I6",
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
    clause: "I6",
    title: "a task falls asleep without looking for a wake again",
    edits: [kernel("sleep", "if (has(before, Signal.Permit | Signal.Kill) && takeBack", "if (false && takeBack")],
  },
  {
    clause: "I6",
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
    clause: "I6",
    title: "a sleeper whose class changes at the same time is taken for one that another has woken",
    edits: [
      kernel("sleep", "if (!isSameSleep(seen, asleep) || !has(seen, Signal.Asleep)) return false;", "return false;"),
    ],
  },
  {
    clause: "I6",
    title: "a hart's register in the SSWI device is taken to be its id",
    edits: [kernel("boot", "hartAt(cpu).doorbell = sswiIndexOf(tree, entry);", "hartAt(cpu).doorbell = entry.id;")],
  },
  {
    clause: "I6",
    title: "the index of a register is counted from one",
    edits: [kernel("device-tree", "return at / INTERRUPT_BYTES;", "return at / INTERRUPT_BYTES + 1;")],
  },
  {
    clause: "I6",
    title: "a boot hart that comes late in the tree has no entry",
    edits: [
      kernel(
        "device-tree",
        "const most = walk.reg == walk.bootHart ? ENTRIES_MAX : HARTS_MAX;",
        "const most = HARTS_MAX;",
      ),
    ],
  },
  {
    clause: "I7",
    title: "a second request is forgotten",
    edits: [kernel("resched", "if (covered) {", "if (covered) { add64(stateAddress(hartAt(target)), -1);")],
  },
  {
    clause: "I7",
    title: "a second request rings a second time",
    edits: [kernel("resched", "if (covered) {", "if (covered && machine.sendIpi(doorbell) == MachineError.Ok) {")],
  },
  {
    clause: "I8",
    title: "a mailbox has no bound",
    edits: [kernel("mailbox", "if ((state as i32) == 0) return ReserveOutcome.QueueFull;", "")],
  },
  {
    clause: "I8",
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
    clause: "I8",
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
    clause: "I9",
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
    clause: "I9",
    title: "an entry that has had its last life is used again",
    edits: [kernel("authority", "if (task.incarnation < INCARNATION_MAX) return index;", "return index;")],
  },
  {
    clause: "C1",
    title: "a pointer in range is believed",
    edits: [
      kernel("cpu-id", "return changetype<Hart>(hint as i32 as usize).stamp == slot + STAMP_MAGIC;", "return true;"),
    ],
  },
  {
    clause: "C1",
    title: "a misaligned pointer is believed",
    edits: [kernel("cpu-id", "if (hint << (64 - HART_LOG2) != 0) return false;", "")],
  },
  {
    clause: "C1",
    title: "the high half of tp is not looked at",
    edits: [
      kernel(
        "cpu-id",
        "if (cpuOfBlock(hint) >= (CPUS_MAX as u64))",
        "if (cpuOfBlock(hint & 0xffffffff) >= (CPUS_MAX as u64))",
      ),
    ],
  },
  {
    clause: "C2",
    title: "tp is preferred to the stack",
    edits: [
      kernel(
        "cpu-id",
        "return changetype<Hart>(hint as i32 as usize).stamp == slot + STAMP_MAGIC;",
        "return changetype<Hart>(hint as i32 as usize).stamp != 0;",
      ),
    ],
  },
  {
    clause: "C3",
    title: "a lone hint is believed when the stack is nobody's",
    edits: [
      kernel(
        "cpu-id",
        "const answer = known ? cpu : 0;",
        `const hinted = ((machine.hartPointer() >> HART_LOG2) - (HARTS >> HART_LOG2)) as i32;
  const answer = known ? cpu : (hinted as u32) < (CPUS_MAX as u32) && hartAt(hinted).stamp != 0 ? hinted : 0;`,
      ),
    ],
  },
  {
    clause: "C4",
    title: "the fallback searches the stacks one by one",
    edits: [
      kernel(
        "cpu-id",
        "const cpu = slot - machine.stackSlotFirst();",
        "let cpu = 0; while (cpu < CPUS_MAX && machine.stackSlotFirst() + cpu != slot) cpu++;",
      ),
    ],
  },
  {
    clause: "C5",
    title: "fallbacks are not counted",
    edits: [kernel("cpu-id", "countersOf(hartAt(answer)).identityFallbacks += 1;", "")],
  },
  {
    clause: "C5",
    title: "trap entry does not look at the high half of tp",
    edits: [
      kernel(
        "cpu-id",
        "if (cpuOfBlock(hint) >= (CPUS_MAX as u64))",
        "if (cpuOfBlock(hint & 0xffffffff) >= (CPUS_MAX as u64))",
      ),
    ],
  },
  {
    clause: "C5",
    title: "tp is not restored at trap entry on virt",
    edits: [edit("machines/virt/trap.S", "ld tp, BLOCK_HART_POINTER(s0) // kernel_trap", "// kernel_trap")],
  },
  {
    clause: "C5",
    title: "tp is not restored when an idle hart traps on virt",
    edits: [edit("machines/virt/trap.S", "ld tp, BLOCK_HART_POINTER(s0) csrr a0, scause", "csrr a0, scause")],
  },
  {
    clause: "T5",
    title: "a line that the console refused is answered as written",
    edits: [
      kernel(
        "syscall",
        "return offerLine(line) == LineOutcome.ConsoleFull ? SyscallError.ConsoleFull : 0;",
        "return offerLine(line) == LineOutcome.ConsoleFull ? 0 : 0;",
      ),
    ],
  },
  {
    clause: "T5",
    title: "a user's line is written as the kernel's, which is never refused",
    edits: [
      kernel(
        "syscall",
        "return offerLine(line) == LineOutcome.ConsoleFull ? SyscallError.ConsoleFull : 0;",
        "endLine(line); return 0;",
      ),
      kernel("syscall", "import { beginLine, offerLine,", "import { beginLine, endLine,"),
    ],
  },
  {
    clause: "T5",
    title: "a user's line may hold a line end",
    edits: [
      kernel("syscall", "byte < 32 || byte > 126 ? 46 : byte", "(byte < 32 && byte != 10) || byte > 126 ? 46 : byte"),
    ],
  },
  {
    clause: "T5",
    title: "a user's line has nothing in front of it",
    edits: [kernel("syscall", 'putByte(line, 91); putNumber(line, idOf(task)); putText(line, "] ");', "")],
  },
  {
    clause: "T5",
    title: "no tick takes a turn",
    edits: [kernel("trap", "machine.drainConsole();", "")],
  },
  {
    clause: "T5",
    title: "only the boot hart's ticks take turns",
    edits: [kernel("trap", "machine.drainConsole();", "if (self.cpu == BOOT_CPU) machine.drainConsole();")],
  },
  {
    clause: "T5",
    title: "a step of the boot flow does not look for space in the console",
    edits: [kernel("selftest", "if (machine.consoleRoom() < BOOT_STEP_LINES_MAX) return;", "")],
  },
  {
    clause: "D4",
    title: "one hart alone gives no turn to the next task of a class",
    edits: [
      kernel(
        "trap",
        "if (self.sliceTicks <= 0 && yieldCurrent",
        "if (cpuCount() > 1 && self.sliceTicks <= 0 && yieldCurrent",
      ),
      kernel(
        "trap",
        'import { setNextTick } from "./tick";',
        'import { setNextTick } from "./tick"; import { cpuCount } from "./topology";',
      ),
    ],
  },
  {
    clause: "D4",
    title: "one hart alone lets a woken task of a higher class wait",
    edits: [
      kernel(
        "dispatch",
        "if (shouldPreempt(self) && preemptCurrent",
        "if (cpuCount() > 1 && shouldPreempt(self) && preemptCurrent",
      ),
      kernel(
        "dispatch",
        'import { mayRunTasks } from "./phase";',
        'import { mayRunTasks } from "./phase"; import { cpuCount } from "./topology";',
      ),
    ],
  },
  {
    clause: "D5",
    title: "a wait that has taken too long counts as done",
    edits: [
      kernel(
        "selftest",
        "if (machine.timeTicks() > progress().deadline) fail(self, what);",
        "if (machine.timeTicks() > progress().deadline) enter((progress().step + 1) as Step);",
      ),
    ],
  },
  {
    clause: "D6",
    title: "harts that got no CPU are not reported",
    edits: [kernel("boot", "putNext(line, cpuCount());", "putNext(line, found);")],
  },
  {
    clause: "D6",
    title: "an SSWI device that reaches some harts only is chosen",
    edits: [
      kernel(
        "boot",
        "const ipi = covered == count ? IpiPath.AclintSswi : IpiPath.Firmware;",
        "const ipi = covered > 0 ? IpiPath.AclintSswi : IpiPath.Firmware;",
      ),
    ],
  },
  {
    clause: "D6",
    title: "the SSWI device is reported though it is not chosen",
    edits: [
      kernel("boot", "const device = ipi == IpiPath.AclintSswi ? tree.sswiBase : 0;", "const device = tree.sswiBase;"),
    ],
  },
  {
    clause: "T1",
    title: "the runtime is granted on every hart",
    edits: [kernel("runtime", "if (self.cpu == BOOT_CPU) return", "if (true) return")],
  },
  {
    clause: "T2",
    title: "every block is stamped with the first stack",
    edits: [kernel("online", "machine.stackSlot() + STAMP_MAGIC", "machine.stackSlotFirst() + STAMP_MAGIC")],
  },
  {
    clause: "T2",
    title: "one stack for all harts, by its symbol, on virt",
    edits: [
      edit(
        "machines/virt/trap.S",
        "csrr t1, sepc ld sp, BLOCK_STACK_TOP(s0)",
        "csrr t1, sepc\n  la sp, shared_stack_top",
      ),
    ],
  },
  {
    clause: "T2",
    title: "an idle hart traps onto the stack that it last used, on virt",
    edits: [edit("machines/virt/trap.S", "csrr s0, sscratch ld sp, BLOCK_STACK_TOP(s0)", "csrr s0, sscratch")],
  },
  {
    clause: "T3",
    title: "a task goes on after its fault",
    edits: [kernel("trap", "endCurrent(self, ExitReason.Faulted, cause);", "")],
  },
  {
    clause: "T3",
    title: "an unknown system call is answered as if it had been done",
    edits: [kernel("syscall", "return SyscallError.Unknown;", "return 0;")],
  },
  {
    clause: "T4",
    title: "recursion",
    edits: [
      kernel(
        "tick",
        "machine.setTimer(self.tickDeadline);",
        "machine.setTimer(self.tickDeadline); if (now < 0) setNextTick(self, now + self.tickDeadline * 3);",
      ),
    ],
  },
  {
    clause: "T4",
    title: "no canary is compared when an idle hart's trap ends, on virt",
    edits: [
      edit(
        "machines/virt/trap.S",
        "call kernel_trap ld t0, BLOCK_STACK_BOTTOM(s0) ld t0, 0(t0) bne t0, sp, 5b",
        "call kernel_trap",
      ),
    ],
  },
  {
    clause: "T4",
    title: "a function with a large frame",
    edits: [
      kernel(
        "tick",
        "machine.setTimer(self.tickDeadline);",
        `machine.setTimer(self.tickDeadline);\n${largeFrame(1000)}`,
      ),
      kernel(
        "tick",
        'import { tickLength } from "./topology";',
        'import { load64, store64 } from "./shared";\nimport { tickLength } from "./topology";',
      ),
    ],
  },
  {
    clause: "T6",
    title: "a wake does not look whose life it meets",
    edits: [
      kernel(
        "sleep",
        "if (!isOfLife(life, incarnation) || !isLive(word)) return WakeOutcome.NotFound;",
        "if (!isLive(word)) return WakeOutcome.NotFound;",
      ),
    ],
  },
  {
    clause: "T6",
    title: "the life is checked before a permit is left, and not with it",
    edits: [
      kernel(
        "sleep",
        "exchanged64(address, life, life | (Signal.Permit as i64))",
        "add64(address, Signal.Permit) >= 0",
      ),
    ],
  },
  {
    clause: "T6",
    title: "a kill rings nobody",
    edits: [
      kernel(
        "authority",
        "if (stateOf(word) == TaskState.Held) notify(self, cpuOf(word)); return word == seen;",
        "return word == seen;",
      ),
    ],
  },
  {
    clause: "T6",
    title: "sleeps are not counted: a waker takes a later sleep for the one that it has seen",
    edits: [
      kernel(
        "signals",
        "export const FALL_ASLEEP: i64 = ((1 as i64) << SLEEPS_SHIFT) + Signal.Asleep;",
        "export const FALL_ASLEEP: i64 = Signal.Asleep as i64;",
      ),
    ],
  },
  {
    clause: "T7",
    title: "signals of a former life reach the next",
    edits: [
      kernel(
        "signals",
        "return (life & ~(SIGNALS_MASK as i64)) + ((1 as i64) << INCARNATION_SHIFT);",
        "return life + ((1 as i64) << INCARNATION_SHIFT);",
      ),
    ],
  },
  {
    clause: "T7",
    title: "how a task ended is written after its end is published and counted",
    edits: [
      kernel("dispatch", "task.exitReason = reason as i8; task.exitCode = code;", ""),
      kernel(
        "dispatch",
        "noteExit(); notify(self, BOOT_CPU);",
        "noteExit(); notify(self, BOOT_CPU); task.exitReason = reason as i8; task.exitCode = code;",
      ),
    ],
  },
  {
    clause: "T8",
    title: "a kill that has ended its task is answered as if there were none",
    edits: [
      kernel(
        "authority",
        "if (!isLive(word)) return isAsked ? KillOutcome.Requested : KillOutcome.NotFound;",
        "if (!isLive(word)) return KillOutcome.NotFound;",
      ),
    ],
  },
  {
    clause: "T8",
    title: "a sleep that is taken back keeps its permit, which ends the next one as well",
    edits: [kernel("sleep", "seen & ~((Signal.Asleep | Signal.Permit) as i64)", "seen & ~(Signal.Asleep as i64)")],
  },
  {
    clause: "T8",
    title: "two refusals of a wake are exchanged",
    edits: [
      kernel(
        "syscall",
        "if (outcome == WakeOutcome.QueueFull) return SyscallError.QueueFull;",
        "if (outcome == WakeOutcome.QueueFull) return SyscallError.Contended;",
      ),
    ],
  },
  {
    clause: "T8",
    title: "a sleep that has ended by its time is answered as one that was woken",
    edits: [
      kernel(
        "dispatch",
        "has(before, Signal.Woken | Signal.Permit) ? 1 : 0",
        "has(before, Signal.Woken | Signal.Permit | Signal.Expired) ? 1 : 0",
      ),
    ],
  },
];
