// Addresses: where the engine's own words lie, and how they are packed. What depends on the module is in supplied.ts.
//
// The only description: host code imports these constants, so they have no types of AssemblyScript.
// Pairs with: explore/instrument/engine-layout.ts (the rest of the layout), program.ts (reads these words from JavaScript).

/** Words of the control page, by byte offset. */
export enum CONTROL {
  /** i64: sum of mixed words of user memory. */
  memorySum = 8,
  /** i64: fingerprint of the state after the last step. */
  fingerprint = 16,
  /** i32: next free byte of the undo log. */
  logTop = 24,
  /** i32: 1 after a step that changed a word which a check has read at some time. */
  touched = 28,
  /** i32: threads that can step, and above them, from bit 16, those whose wait can expire. i32: those that finished. */
  choices = 32,
  finished = 36,
  /** i32: a FAULT; then its address (user's own), the other thread. */
  fault = 40,
  faultAddress = 44,
  faultOther = 48,
  /** i32: race-tracked words in all, found in this search, and whether there were too many. */
  raceTracked = 52,
  raceTrackedNew = 56,
  raceTrackedFull = 60,
  /** 16 words: results of the last function that finished. */
  results = 64,
  scratchWord = 192,
  /** i32: 1 while accesses of threads are tracked for races. */
  raceTracking = 204,
  /** i64: the module's memory size in pages. */
  pages = 208,
  /** i32: next free byte of the trace buffer (traced builds). */
  traceTop = 216,
  /** i32: iterations of plain loops that one step may take. */
  plainLoopMax = 220,
  /** i64: sum of the threads' parts of the fingerprint. */
  threadSum = 224,
  /** i32 a thread: symmetry class. */
  classes = 256,
}

/** Why the engine stopped a step, beside the module's own traps. */
export enum FAULT {
  none,
  race,
  mixedWidth,
  plainLoop,
  stackDepth,
  unaligned,
}

/** Words of a thread's block, by byte offset; the first is the sum over all the others. */
export enum BLOCK {
  sum = 0,
  /** i32 STATUS; i32 top of the frames, relative to the block. */
  status = 8,
  top = 12,
  /** i32 address of the pending access; i32 site << 8 | log2 of its bytes << 4 | ACCESS. */
  pendingAddress = 16,
  pendingSite = 20,
  /** While waiting: i32 rank in the queue, i32 address. Afterwards: i32 what the wait returns. */
  wait = 24,
  waitAddress = 28,
  steps = 32,
  /** i32: which entry a thread that has not started will run; not part of the state. */
  entry = 40,
  /** i64: what the block adds to the fingerprint; follows from the sum. */
  part = 48,
  globals = 56,
}
export const BLOCK_BYTES = 16384;

export enum STATUS {
  starting,
  ready,
  finished,
  waiting,
  waitingTimed,
}

/** `bulk`: an access of many words, or across two of them; it depends on every other access. */
export enum ACCESS {
  none,
  read,
  write,
  wait,
  notify,
  plainRead,
  plainWrite,
  bulk,
}

/** Open footprints: so many words can have one, of 16 bits each (read bytes, written bytes). */
export const RACE_TRACKED_MAX = 512;

/** Bytes of shadow for each word of user memory: race-tracked index, atomic shape, who touched it. */
export const SHADOW_BYTES = 16;
/** Of the shadow: i32 place among the race-tracked words, from 1; i32 atomic shape, 4 bits a byte; i64 who touched the word. */
export enum SHADOW {
  raceTracked = 0,
  shape = 4,
  who = 8,
}
/** Of who touched a word: 16 bits a lane, one a thread. A lane is how a thread touched it. */
export enum LANE {
  plainRead,
  plainWrite,
  atomicRead,
  atomicWrite,
}
/** Bits in the place of thread 15: two threads touch the word and one writes; the word is no state. */
export const CONTENDED_BIT = 47;
export const GHOST_BIT = 63;

/** Of each word of user memory: has a check read it, and does a change of it end the step? */
export const CHECKED_BYTES = 2;
/** Among the bytes of a word and of the one before, loaded together from two bytes before the word's own. */
export const PAUSES_AFTER = 1 << 24;
export const LOG_ENTRY_BYTES = 16;
export const TRACE_ENTRY_BYTES = 16;

/** Invisible accesses that one step may make; a pause more is never wrong. */
export const INVISIBLE_MAX = 512;
