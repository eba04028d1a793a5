// Checks of counters and numbers at their ends: clause I9 of the contract.
//
// Each is set up near its end; nothing here runs as often as that.
// Partners: case.ts; kernel/resched.test.ts, which runs them on the shipped kernel.

import { EventKind } from "../../abi/events.ts";
import { CPUS_MAX, MAILBOX_CAPACITY, SPACES_MAX } from "../../abi/layout.ts";
import { Program } from "../../abi/programs.ts";
import { Qos } from "../../abi/qos.ts";
import { Syscall, SyscallError } from "../../abi/syscalls.ts";
import { TrapCause } from "../../abi/traps.ts";
import type { Case } from "../rig/case.ts";
import type { KernelImage } from "../rig/kernel-image.ts";
import { ENQUEUE, KILL, LIFE_MAX, REQUESTS_PENDING_MAX, RESCHED, TAKE, TASK_STATE } from "../rig/kernel-map.ts";
import { NONE } from "../rig/kernel-memory.ts";
import { holds, same } from "../rig/refutation.ts";
import { Rig } from "../rig/rig.ts";

/** Requests made past the count that was set up. */
const MORE = 4;

/** The answer that a space's system call was given last. */
function answerOf(rig: Rig, space: number): bigint | undefined {
  return rig.machine.calls
    .flatMap((call) => (call.kind === "answer" && call.space === space ? [call.value] : []))
    .at(-1);
}

/** Makes a free entry of the task table one that has had so many lives. */
function hasLived(rig: Rig, entry: number, lives: number): void {
  rig.setLife(entry, { incarnation: lives, sleeps: 0, signals: 0 });
  rig.setTaskField(entry, "incarnation", lives);
}

/** Requests for CPU 1, of which `count` are pending and covered by an IPI on its way; then its trap. */
function requestsPast(kernel: KernelImage, count: number): void {
  const rig = Rig.open(kernel, { cpus: 2 });
  rig.letTasksRun();
  const { taken } = rig.resched(1);
  rig.setResched(1, { taken, count, sent: true, failed: false });
  rig.machine.hartOf(1).softPending = true;
  for (let i = 0; i < MORE; i++) {
    const before = rig.resched(1);
    const what = `request ${i + 1} past ${count} pending`;
    const isFull = before.count >= REQUESTS_PENDING_MAX;
    same(rig.requestResched(0, 1), isFull ? RESCHED.TooManyPending : RESCHED.Coalesced, `the outcome of ${what}`);
    same(rig.resched(1), { ...before, count: before.count + (isFull ? 0 : 1) }, `the state after ${what}`);
  }
  const last = taken + rig.resched(1).count;
  same(rig.takeRequests(1), TAKE.Taken, `the trap of ${last} requests`);
  same(rig.resched(1), { taken: last, count: 0, sent: false, failed: false }, "the state after the trap");
  rig.acknowledge(1);
  const [trapped, acked] = [EventKind.Trapped, EventKind.Acked].map((kind) => rig.eventsOf(1, kind).at(-1)?.request);
  same([trapped, acked], [last, last], "the last request trapped for and acknowledged");
}

export const limitChecks: readonly Case[] = [
  {
    clause: "I9",
    title:
      "resched: as many requests pending as 16 bits hold, and more come: refused, and the trap takes all that were accepted",
    run: (kernel) => {
      for (const count of [65_535 - CPUS_MAX, 65_533, 65_535]) requestsPast(kernel, count);
    },
  },
  {
    clause: "I9",
    title:
      "resched: as many requests pending as the state can count, and more come: SENT, FAILED and what was taken stay",
    run: (kernel) => {
      requestsPast(kernel, REQUESTS_PENDING_MAX - 2);
    },
  },
  {
    clause: "I9",
    title:
      "spawn: an entry at its last life, and at each power of two before: the id is of that task alone, or another entry serves",
    run: (kernel) => {
      const ends = Array.from({ length: 20 }, (_, i) => 2 ** (12 + i) - 1).filter((life) => life < LIFE_MAX);
      for (const life of [...ends, LIFE_MAX - 1, LIFE_MAX]) {
        const rig = Rig.open(kernel, { cpus: 1 });
        rig.letTasksRun();
        for (let entry = 0; entry < SPACES_MAX; entry++) hasLived(rig, entry, life);
        // A caller with a space of its own, beyond the entries that spawn may take.
        rig.run(0, SPACES_MAX, Qos.PerfBurst);
        rig.trap(0, TrapCause.SystemCall, Syscall.Spawn, BigInt(Program.Probe), BigInt(Qos.Normal), 0n);
        const id = answerOf(rig, SPACES_MAX) ?? -99n;
        const queued = rig.queued(0, Qos.Normal);
        const what = `after life ${life}`;
        if (id < 0n) {
          same(queued, [], `tasks queued by a refused spawn ${what}`);
          continue;
        }
        same(
          queued.map((task) => rig.idOf(task)),
          [id],
          `ids of the tasks queued ${what}`,
        );
        rig.trap(0, TrapCause.SystemCall, Syscall.Kill, id);
        same(answerOf(rig, SPACES_MAX), 0n, `kill of task ${id}, spawned ${what}`);
        rig.trap(0, TrapCause.SystemCall, Syscall.Kill, id);
        same(answerOf(rig, SPACES_MAX), BigInt(SyscallError.NotFound), `a second kill of task ${id}`);
      }
    },
  },
  {
    clause: "I9",
    title:
      "spawn: one entry has had all its lives: it is not used again, the others serve, and its old ids stay unknown",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 1 });
      hasLived(rig, 0, LIFE_MAX);
      const ids = Array.from({ length: 64 }, () => rig.spawn(0, Program.Probe, Qos.Normal, 0));
      holds(
        ids.every((id) => id >= 0),
        `spawn answered ${ids.find((id) => id < 0)}`,
      );
      same(new Set(ids).size, ids.length, "different ids");
      same(rig.queued(0, Qos.Normal).length, ids.length, "tasks queued");
      same(rig.word(0).state, TASK_STATE.Free, "the state of the entry that has had all its lives");
    },
  },
  {
    clause: "I9",
    title: "mailbox: its position at the end of its range: 32 entries fit, the 33rd does not, the order holds",
    run: (kernel) => {
      for (const position of [0x7fff_fff0, 0x7fff_ffff, 0xfff0, 0]) {
        const rig = Rig.open(kernel, { cpus: 2 });
        rig.setMailboxPosition(1, position);
        rig.fillMailbox(1, 0);
        rig.makeTask(100, Qos.Normal);
        same(rig.place(0, 1, 100), ENQUEUE.QueueFull, `post 33 at position ${position}`);
        rig.drainMailbox(1);
        same(
          rig.queued(1, Qos.Normal),
          Array.from({ length: MAILBOX_CAPACITY }, (_, i) => i),
          "the order of what came",
        );
      }
    },
  },
  {
    clause: "I9",
    title: "task word: its generation at its end: the task is killed, slept and queued as before",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 2 });
      rig.makeTask(3, Qos.Normal, 1);
      rig.setWord(3, { ...rig.word(3), generation: 0x1f_ffff });
      same(rig.enqueue(1, 3), ENQUEUE.Queued, "enqueue at the last generation");
      same(rig.kill(3), KILL.Killed, "kill");
      same(rig.word(3), { task: 3, generation: 0, cpu: 1, state: TASK_STATE.Exited, qos: Qos.Normal }, "its word");
      same(rig.pick(1), NONE, "pick after the kill");
    },
  },
];
