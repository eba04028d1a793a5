// Wake look: which sleeping tasks a hart made ready in a trap, and by whose call or at what time.
//
// A wake on another CPU leaves nothing on the waker's hart but the request that follows it, which a place given back
// sends too; so two harts that wake the same sleep at once may both claim it. The sleep's number lets the assembler drop
// the second claim.
// Owner: observer.ts. Partners: kernel/sleep.ts, kernel/sleepers.ts, which do it; trace-assembler.ts.

import { TASKS_MAX } from "../../abi/layout.ts";
import { Syscall } from "../../abi/syscalls.ts";
import { TrapCause } from "../../abi/traps.ts";
import { SLEEPERS_BASE, SLEEPERS_STRIDE_LOG2 } from "../../kernel/layout.ts";
import {
  HART_POSTED,
  SIGNAL_ASLEEP,
  SIGNAL_EXPIRED,
  SIGNAL_WOKEN,
  SLEEPER_BYTES,
  SLEEPER_DEADLINE,
  SLEEPER_WORD,
  SLEEPERS_COUNT,
  SLEEPERS_ENTRIES,
  TASK_WORD,
} from "../kernel-fields.ts";
import { hartAddress, type KernelView, type LifeLook, lifeOfId, taskAddress, type Word } from "./kernel-view.ts";
import type { Push } from "./queue-look.ts";

export interface Wake {
  readonly task: number;
  readonly by: number | null;
  readonly sleep: number;
}

/** A task asleep at the trap's entry. */
interface Sleeping {
  readonly word: Word;
  readonly deadline: number;
  readonly sleep: number;
}

/** What a trap that may wake tasks has to be remembered of. */
export type WakeEntry =
  | { readonly kind: "none" }
  | { readonly kind: "call"; readonly id: number; readonly by: number; readonly life: LifeLook }
  | { readonly kind: "timer"; readonly sleeping: ReadonlyMap<number, Sleeping> };

const NOTHING: WakeEntry = { kind: "none" };
const SLEEPS_MASK = 0x3f_ffff;

/** At a trap's entry. by: the running task. */
export function beforeWakes(
  view: KernelView,
  cpu: number,
  trap: { readonly cause: number; readonly call: number; readonly a0: number },
  by: number | null,
): WakeEntry {
  if (trap.cause === TrapCause.TimerInterrupt) return { kind: "timer", sleeping: sleepingOn(view, cpu) };
  if (trap.cause !== TrapCause.SystemCall || trap.call !== Syscall.Wake || by === null || trap.a0 < 0) return NOTHING;
  const { index } = lifeOfId(trap.a0);
  return { kind: "call", id: trap.a0, by, life: view.life(taskAddress(index % TASKS_MAX)) };
}

function sleepingOn(view: KernelView, cpu: number): Map<number, Sleeping> {
  const base = SLEEPERS_BASE + (cpu << SLEEPERS_STRIDE_LOG2);
  const sleeping = new Map<number, Sleeping>();
  const count = view.i32(base + SLEEPERS_COUNT);
  for (let index = 0; index < count; index++) {
    const entry = base + SLEEPERS_ENTRIES + index * SLEEPER_BYTES;
    const word = view.word(entry + SLEEPER_WORD);
    const now = view.word(word.high + TASK_WORD);
    const life = view.life(word.high);
    if (now.low !== word.low || (life.signals & SIGNAL_ASLEEP) === 0) continue;
    sleeping.set(word.high, { word, deadline: view.number(entry + SLEEPER_DEADLINE), sleep: life.sleeps });
  }
  return sleeping;
}

/** At the trap's end. requested: the CPUs for which it made a request. */
export function wakesOf(
  view: KernelView,
  cpu: number,
  entry: WakeEntry,
  now: number,
  pushes: readonly Push[],
  requested: ReadonlySet<number>,
): Wake[] {
  switch (entry.kind) {
    case "none":
      return [];
    case "call":
      return calledWake(view, cpu, entry, pushes, requested);
    case "timer":
      return pushes.flatMap(({ task }) => {
        const sleeping = entry.sleeping.get(task);
        if (sleeping === undefined || !hasExpired(view, task, sleeping, now)) return [];
        return [{ task: view.idOf(task), by: null, sleep: sleeping.sleep }];
      });
    default:
      return entry satisfies never;
  }
}

/**
 * A task that slept here and was queued here: by its time, unless another's wake came through the mailbox. Where it has
 * run since, the signals no longer show which: it is claimed, and whoever woke it claims the same sleep.
 */
function hasExpired(view: KernelView, task: number, { deadline }: Sleeping, now: number): boolean {
  if (deadline > now) return false;
  const { signals } = view.life(task);
  return (signals & SIGNAL_EXPIRED) !== 0 || (signals & SIGNAL_WOKEN) === 0;
}

function calledWake(
  view: KernelView,
  cpu: number,
  { id, by, life }: WakeEntry & { kind: "call" },
  pushes: readonly Push[],
  requested: ReadonlySet<number>,
): Wake[] {
  const { index, incarnation } = lifeOfId(id);
  if (index >= TASKS_MAX || life.incarnation !== incarnation || id === by) return [];
  const isHere = pushes.some(({ task }) => task === taskAddress(index));
  const isPosted = requested.has(view.i32(hartAddress(cpu) + HART_POSTED));
  if (!isHere && !isPosted) return [];
  // Awake at the entry: it fell asleep in between.
  const isAsleep = (life.signals & SIGNAL_ASLEEP) !== 0;
  return [{ task: id, by, sleep: isAsleep ? life.sleeps : (life.sleeps + 1) & SLEEPS_MASK }];
}
