// Engine layout: where the engine's own state lies in the instrumented module's memory, below the user's memory.
//
// Owner: none, numbers only. The order is: control page, one block a thread (the last is the main thread's: init, final,
// invariant), undo log, scratch, shadow, marks of checks, and from `userBase` on the module's memory, to the very end.
// Pairs with: runtime-functions.ts (code over these words), program.ts (reads them from JavaScript).

export const PAGE_BYTES = 65536;
export const THREADS_MAX = 16;

/** Words of the control page, by byte offset. */
export const CONTROL = {
  /** i64: sum of mixed words of user memory. */
  memorySum: 8,
  /** i64: fingerprint of the state after the last step. */
  fingerprint: 16,
  /** i32: next free byte of the undo log. */
  logTop: 24,
  /** i32: 1 after a step that changed a word which a check has read at some time. */
  touched: 28,
  /** i32: threads that can step, and above them, from bit 16, those whose wait can expire. i32: those that finished. */
  choices: 32,
  finished: 36,
  /** i32: a Fault; then its address (user's own), the other thread. */
  fault: 40,
  faultAddress: 44,
  faultOther: 48,
  /** i32: race-tracked words in all, found in this search, and whether there were too many. */
  raceTracked: 52,
  raceTrackedNew: 56,
  raceTrackedFull: 60,
  /** 16 words: results of the last function that finished. */
  results: 64,
  scratchWord: 192,
  /** i32: 1 while accesses of threads are tracked for races. */
  raceTracking: 204,
  /** i64: the module's memory size in pages. */
  pages: 208,
  /** i32: next free byte of the trace buffer (traced builds). */
  traceTop: 216,
  /** i32: iterations of plain loops that one step may take. */
  plainLoopMax: 220,
  /** i64: sum of the threads' parts of the fingerprint. */
  threadSum: 224,
  /** i32 a thread: symmetry class. */
  classes: 256,
} as const;

/** Why the engine stopped a step, beside the module's own traps. */
export const FAULT = { none: 0, race: 1, mixedWidth: 2, plainLoop: 3, stackDepth: 4, unaligned: 5 } as const;

/** Words of a thread's block, by byte offset; the first is the sum over all the others. */
export const BLOCK = {
  sum: 0,
  /** i32 Status; i32 top of the frames, relative to the block. */
  status: 8,
  top: 12,
  /** i32 address of the pending access; i32 site << 8 | log2 of its bytes << 4 | kind of access. */
  pendingAddress: 16,
  pendingSite: 20,
  /** While waiting: i32 rank in the queue, i32 address. Afterwards: i32 what the wait returns. */
  wait: 24,
  steps: 32,
  /** i32: which entry a thread that has not started will run; not part of the state. */
  entry: 40,
  /** i64: what the block adds to the fingerprint; follows from the sum. */
  part: 48,
  globals: 56,
} as const;
export const BLOCK_BYTES = 16384;
/** Open footprint: 16 bits a race-tracked word (read bytes, written bytes). */
export const FOOTPRINT_BYTES = 1024;
export const RACE_TRACKED_MAX = FOOTPRINT_BYTES / 2;

export const STATUS = { starting: 0, ready: 1, finished: 2, waiting: 3, waitingTimed: 4 } as const;
/** `bulk`: an access of many words, or across two of them; it depends on every other access. */
export const ACCESS = { none: 0, read: 1, write: 2, wait: 3, notify: 4, plainRead: 5, plainWrite: 6, bulk: 7 } as const;
/** What memory.size reads and memory.grow writes, as an address: no atomic access is aligned to it. */
export const SIZE_ADDRESS = 0xffffffff;

/** Bytes of shadow for each word of user memory: race-tracked index, atomic shape, who touched it. */
export const SHADOW_BYTES = 16;
/** Marks among who touched a word, in the place of thread 15: two threads touch it and one writes; it is no state. */
export const CONTENDED = 1n << 47n;
export const GHOST = 1n << 63n;
/** Of each word of user memory: has a check read it, and does a change of it end the step? */
export const CHECKED_BYTES = 2;
/** Among the bytes of a word and of the one before, loaded together from two bytes before the word's own. */
export const PAUSES_AFTER = 1 << 24;
export const LOG_ENTRY_BYTES = 16;
export const TRACE_ENTRY_BYTES = 16;

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
