// Index: what the harness exports: the machine's calls for the kernel, threads, checks and first states for the explorer.

export {
  clearSoft,
  consoleRoom,
  copyFromUser,
  deviceTreeBytes,
  deviceTreeWord,
  drainConsole,
  hartPointer,
  hartStateOf,
  offerLine,
  powerOff,
  prepareSpace,
  programCount,
  raiseSoft,
  selectIpi,
  sendIpi,
  setHartPointer,
  setReturn,
  setTimer,
  stackSlot,
  stackSlotFirst,
  startHart,
  ticksPerSecond,
  timeTicks,
  writeLine,
} from "./machine";
export { bootHart, clock, hart, intruder, lateHart, lazyClock, saboteur } from "./hart";
export { beginOperation, countAccess, endOperation } from "./meter";
export { atRest, invariant, signalled } from "./checks";
export {
  identity,
  killer,
  owner,
  persistent,
  petitioner,
  poster,
  receiver,
  reclassifier,
  requester,
  thief,
  thiefOf,
} from "./operations";
export * from "./scenarios";
