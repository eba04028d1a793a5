// Supplied: what a module's linking gives the runtime. These are imports; the linker puts a constant in the place of each
// member of `layout` and the index of the module's own global in the place of each member of `engine`.
//
// Owner: none, declarations only. Pairs with: explore/instrument/runtime-functions.ts (supplies them).

/** Numbers that depend on the module and on what is asked; see explore/instrument/engine-layout.ts and runtime-functions.ts. */
export declare namespace layout {
  export const threads: u32;
  export const blocks: u32;
  /** Of a block: where its open footprints begin, by race-tracked index, which counts from 1. */
  export const footprint: u32;
  export const frames: u32;
  export const shadow: u32;
  export const checked: u32;
  export const invisibly: u32;
  /** Has the memory a byte a page, and where do these bytes begin? */
  export const hasSummaries: bool;
  export const summarized: u32;
  export const scratchEnd: u32;
  export const userBase: u32;
  export const userPages: u32;
  export const modulePages: u32;
  /** Place of the first begin function in the engine's table. */
  export const firstBegin: u32;
  /** Are races judged? Then one width a location is enforced. */
  export const races: bool;
  export const zeroDead: bool;
  export const coalesceInvisible: bool;
  export const plainInStep: bool;
  /** Can the memory grow? */
  export const grows: bool;
  /** Is there a word that is no part of the state? */
  export const ghosts: bool;
  export const countSteps: bool;
}

/** Globals of the instrumented module, which its own code reads and writes, too. */
export declare namespace engine {
  /** Address of the current thread's block. */
  export let block: u32;
  export let thread: u32;
  /** End of the innermost frame. */
  export let top: u32;
  /** Iterations of plain loops that the step may still take. */
  export let fuel: u32;
  /** Invisible accesses that the step may still make. */
  export let invisible: u32;
  /** STATUS of the thread when the step pauses. */
  export let pauseStatus: u32;
  /** Are accesses tracked for races? */
  export let raceTracking: u32;
  /** Bytes of CHECKED_BYTES of all words that the step has changed, together. */
  export let touched: u32;
  /** Where in the log the words begin that were changed since the last access, invisible ones included. */
  export let stepLog: u32;
}
