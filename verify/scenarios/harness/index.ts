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
  taskWord,
  ticksPerSecond,
  timeTicks,
  writeLine,
} from "./machine";
export {
  author,
  bootHart,
  clock,
  courier,
  hart,
  intruder,
  lateHart,
  lazyClock,
  lazyClockOf,
  mender,
  pacedClock,
  saboteur,
} from "./hart";
export { beginOperation, countAccess, endOperation } from "./cost-counter";
export { invariant } from "./invariant";
export { atRest, rung, signalled } from "./rest-checks";
export {
  alternator,
  authorityHere,
  identity,
  impostor,
  wakerOf,
  killer,
  owner,
  persistent,
  petitioner,
  poster,
  receiver,
  reclassifier,
  refusedSpawner,
  requester,
  sleeperOf,
  thief,
  thiefOf,
} from "./operations";
export * from "./life-states";
export * from "./machine-states";
export * from "./queue-states";
export * from "./scenarios";
