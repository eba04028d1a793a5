// The explorer's runtime: the functions that every instrumented module carries, compiled once and linked into each.
//
// They own the control page, the thread blocks, the shadow and the log. The names are those that the instrumenter and the
// program call them by.
// Pairs with: explore/instrument/runtime-functions.ts (links them), explore/instrument/runtime-names.ts (the same names).

export { atomicAccess, pend, recordPlainAccess } from "./access-checks";
export { advance } from "./advance";
export { inBounds, inRange } from "./bounds";
export { copy, fill, grow } from "./bulk";
export { outOfFuel, tooDeep, trace } from "./fault";
export { contended } from "./invisible";
export { restore, undo } from "./log";
export { finish } from "./settle";
export { check, prepare, step } from "./step";
export { clearFrame, put, putUser, setGlobal, setStackPointer, store1, store2, store4, store8 } from "./store";
export { expire, notify, wait } from "./wait";
