// Engine layout: where the engine's own state lies in the instrumented module's memory, below the user's memory.
//
// Owner: none, numbers only. The order is: control page, one block a thread (the last is the main thread's: init, final,
// invariant), undo log, scratch, shadow, marks of checks, and from `userBase` on the module's memory, to the very end.
// Pairs with: explore/runtime/ (code over these words), program.ts (reads them from JavaScript).

import {
  BLOCK,
  BLOCK_BYTES,
  CHECKED_BYTES,
  CONTENDED_BIT,
  GHOST_BIT,
  RACE_TRACKED_MAX,
  SHADOW_BYTES,
} from "../runtime/addresses.ts";

export * from "../runtime/addresses.ts";

export const PAGE_BYTES = 65536;
export const THREADS_MAX = 16;

/** Bytes of a thread's open footprints. */
export const FOOTPRINT_BYTES = 2 * RACE_TRACKED_MAX;

/** What memory.size reads and memory.grow writes, as an address: no atomic access is aligned to it. */
export const SIZE_ADDRESS = 0xffffffff;

/** The bits of SHADOW.who as values. */
export const CONTENDED = 1n << BigInt(CONTENDED_BIT);
export const GHOST = 1n << BigInt(GHOST_BIT);

/** Up to so many pages all words are looked through where only some have an access summary. */
const SMALL_PAGES = 64;
/** What a wasm32 memory has at most, and the largest module that leaves space for the engine's own memory. */
export const PAGES_MAX = 65536;
export const USER_PAGES_MAX = 20_000;

export interface Layout {
  readonly threads: number;
  readonly globals: number;
  readonly blocks: number;
  readonly footprint: number;
  readonly frames: number;
  readonly shadow: number;
  /**
   * CHECKED_BYTES a word of user memory. First byte: 1 once a check has read there; a load that begins in a word marks that
   * one only. Second byte: 1 where a step pauses at its next atomic access after it has changed the word, however invisible the
   * access is; this byte changes only before a search begins, so that a schedule means the same throughout.
   */
  readonly checked: number;
  /** One byte a word of user memory: 1 once a thread has written there atomically without a pause. */
  readonly invisibly: number;
  /**
   * Large memories: one byte a page of user memory: 1 once a word in it has an access summary. What was not is neither read
   * nor written, so the shadow of pages that nobody touches takes no storage and no time.
   */
  readonly summarized: number | undefined;
  readonly log: number;
  readonly logEnd: number;
  readonly scratch: number;
  readonly scratchEnd: number;
  readonly userBase: number;
  readonly userPages: number;
  readonly totalPages: number;
  /** Pages that the module may use, growth included. */
  readonly modulePages: number;
  /** The user's address of each thread's shadow stack's end; the main thread is the last. */
  readonly stackTop: (thread: number) => number;
  readonly stackBytes: number;
  /** The user's address of each thread's block of thread-local variables; the main thread is the last. */
  readonly threadLocals: (thread: number) => number;
}

/** `userPages` counts what the module may use, growth included; thread stacks and thread-local variables come on top. */
export function layOut(options: {
  readonly threads: number;
  readonly globals: number;
  readonly modulePages: number;
  readonly stacks: number;
  readonly stackBytes: number;
  readonly threadLocals: { readonly bytes: number; readonly align: number };
  readonly logBytes: number;
}): Layout {
  const { threads, globals, modulePages, stackBytes } = options;
  const upTo = (unit: number, bytes: number): number => Math.ceil(bytes / unit) * unit;
  const round = (bytes: number): number => upTo(PAGE_BYTES, bytes);
  const stacks = modulePages * PAGE_BYTES;
  // No two threads' variables share a word, or each would look contended.
  const align = upTo(8, options.threadLocals.align);
  const localBytes = upTo(align, options.threadLocals.bytes);
  const locals = upTo(align, stacks + options.stacks * stackBytes);
  const userPages = round(locals + (threads + 1) * localBytes) / PAGE_BYTES;
  const blocks = PAGE_BYTES;
  const footprint = BLOCK.globals + 8 * globals;
  const log = blocks + round((threads + 1) * BLOCK_BYTES);
  const logEnd = log + round(options.logBytes);
  const scratch = logEnd;
  const scratchEnd = scratch + 1024 * 1024;
  const shadow = scratchEnd;
  const checked = shadow + (userPages * PAGE_BYTES * SHADOW_BYTES) / 8 + 8;
  const invisibly = checked + (userPages * PAGE_BYTES * CHECKED_BYTES) / 8;
  const shadowEnd = invisibly + (userPages * PAGE_BYTES) / 8;
  const summarized = userPages > SMALL_PAGES ? shadowEnd : undefined;
  const userBase = round(shadowEnd + (summarized === undefined ? 0 : userPages));
  return {
    threads,
    globals,
    blocks,
    footprint,
    frames: footprint + FOOTPRINT_BYTES,
    shadow,
    checked,
    invisibly,
    summarized,
    log,
    logEnd,
    scratch,
    scratchEnd,
    userBase,
    userPages,
    totalPages: userBase / PAGE_BYTES + userPages,
    modulePages,
    stackTop: (thread) => stacks + (thread + 1) * stackBytes,
    stackBytes,
    threadLocals: (thread) => locals + thread * localBytes,
  };
}
