// End look: which tasks ended in a trap of a hart's.
//
// A call of Exit and a fault end the running task. A hart that finds a task killed before it runs ends it too, and the
// boot hart ends by a call what waits: both leave a record in the task's entry, which stays until the entry's next life.
// Owner: observer.ts, one for all harts: each end is found once.
// Partners: kernel/dispatch.ts (endCurrent), kernel/authority.ts (kill).

import { SPACES_MAX } from "../../abi/layout.ts";
import { Syscall } from "../../abi/syscalls.ts";
import { INTERRUPT_FLAG, TrapCause } from "../../abi/traps.ts";
import { EXIT_KILLED, SIGNAL_KILL, STATE_EXITED, STATE_FREE, TASK_EXIT_REASON, TASK_WORD } from "../kernel-fields.ts";
import { cpuOf, type KernelView, lifeOfId, stateOf, taskAddress } from "./kernel-view.ts";

export interface End {
  readonly task: number;
  readonly reason: "exited" | "faulted" | "killed";
  readonly code: number;
  /** The task whose call ended it. */
  readonly by: number | null;
}

/** The trap in which tasks may have ended; task: the one that ran. */
export interface EndingTrap {
  readonly cause: number;
  readonly call: number;
  readonly a0: number;
  readonly task: number | null;
}

const BOOT_CPU = 0;

export class EndLook {
  /** The life whose end was found last, of each entry. */
  private readonly found = new Map<number, number>();

  constructor(private readonly view: KernelView) {}

  /** count: how many ends this hart has counted. exitCode: what the call of Exit gave, as 32 bits. */
  ends(cpu: number, trap: EndingTrap, count: number, exitCode: number): End[] {
    const ends: End[] = [];
    const { task } = trap;
    if (task !== null && isExit(trap)) ends.push({ task, reason: "exited", code: exitCode, by: null });
    else if (task !== null && isFault(trap)) ends.push({ task, reason: "faulted", code: trap.cause, by: null });
    for (const { task: ended } of ends) this.remember(ended);
    if (count > ends.length) ends.push(...this.killedBefore(cpu));
    if (cpu === BOOT_CPU && task !== null && trap.cause === TrapCause.SystemCall && trap.call === Syscall.Kill)
      ends.push(...this.killedByCall(trap.a0, task));
    return ends;
  }

  /** Killed while a hart held it, and ended by this one before it ran. */
  private killedBefore(cpu: number): End[] {
    const ends: End[] = [];
    for (let index = 0; index < SPACES_MAX; index++) {
      const address = taskAddress(index);
      if (cpuOf(this.view.word(address + TASK_WORD)) !== cpu || !this.isKilled(address, true)) continue;
      const task = this.view.idOf(address);
      if (this.isNew(task)) ends.push({ task, reason: "killed", code: 0, by: null });
    }
    return ends;
  }

  /** Killed by the boot hart while it waited: no signal was needed. */
  private killedByCall(id: number, by: number): End[] {
    const { index, incarnation } = lifeOfId(id);
    if (index >= SPACES_MAX) return [];
    const address = taskAddress(index);
    if (this.view.life(address).incarnation !== incarnation || !this.isKilled(address, false)) return [];
    return this.isNew(id) ? [{ task: id, reason: "killed", code: 0, by }] : [];
  }

  private isKilled(address: number, bySignal: boolean): boolean {
    const state = stateOf(this.view.word(address + TASK_WORD));
    if (state !== STATE_EXITED && state !== STATE_FREE) return false;
    if (this.view.u8(address + TASK_EXIT_REASON) !== EXIT_KILLED) return false;
    return ((this.view.life(address).signals & SIGNAL_KILL) !== 0) === bySignal;
  }

  private isNew(id: number): boolean {
    const { index, incarnation } = lifeOfId(id);
    return this.found.get(index) !== incarnation && this.remember(id);
  }

  private remember(id: number): true {
    const { index, incarnation } = lifeOfId(id);
    this.found.set(index, incarnation);
    return true;
  }
}

function isExit({ cause, call }: EndingTrap): boolean {
  return cause === TrapCause.SystemCall && call === Syscall.Exit;
}

function isFault({ cause }: EndingTrap): boolean {
  return cause !== TrapCause.SystemCall && (cause & INTERRUPT_FLAG) === 0;
}
