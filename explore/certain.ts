// Certain: the wasm library has it; the explorer and its users take it from here.

export { certain } from "../wasm/certain.ts";
