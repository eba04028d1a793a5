// assertDefined: the wasm library has it; the explorer and its users take it from here.

export { assertDefined } from "../wasm/assert-defined.ts";
