// Interpreter state: a state of an abstract program under interpretation: its memory, its threads, who waits.
//
// Invariant: a state and its threads are never changed once they were handed out.
// Pairs with: abstract-machine.ts, which makes the next state; memory-image.ts (bytes).

import type { MemoryImage } from "./memory-image.ts";

/** What goes wrong in a step. */
export class Wrong extends Error {
  readonly kind: "trap" | "assertion" | "unaligned";
  constructor(kind: Wrong["kind"]) {
    super(kind);
    this.kind = kind;
  }
}

export interface Frame {
  readonly callee: number;
  at: number;
  readonly locals: bigint[];
  stack: bigint[];
}

export type Status = "starting" | "ready" | "waiting" | "waiting-timed" | "woken" | "finished";

export interface Thread {
  status: Status;
  frames: Frame[];
  globals: bigint[];
  /** A bit for each segment that this instance has dropped. */
  dropped: number;
  waitsAt: number;
  /** The thread as text; made once. */
  text: string | undefined;
}

export interface State {
  readonly memory: MemoryImage;
  pages: number;
  readonly threads: Thread[];
  /** Who waits, first come first. */
  queue: number[];
}

export function copyThread(thread: Thread): Thread {
  return {
    ...thread,
    frames: thread.frames.map(({ callee, at, locals, stack }) => ({
      callee,
      at,
      locals: [...locals],
      stack: [...stack],
    })),
    globals: [...thread.globals],
    text: undefined,
  };
}

/** The innermost frame of a thread. */
export const top = ({ frames }: Thread): Frame => {
  const frame = frames.at(-1);
  if (!frame) throw new Error("the thread has no frame");
  return frame;
};

/** Lets a waiting thread go on; result: what its wait answers. */
export function wake(state: State, index: number, result: bigint): void {
  const before = state.threads[index];
  if (!before) throw new Error(`there is no thread ${index}`);
  const thread = copyThread(before);
  thread.status = "woken";
  top(thread).stack.push(result);
  state.threads[index] = thread;
  state.queue = state.queue.filter((other) => other !== index);
}
