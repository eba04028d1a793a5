// What is refused: each in one line that names what is wrong and how to mend it.

import { expect, test } from "vitest";
import { explore, refusalOf } from "../index.ts";

const bytes = (text: string): Uint8Array =>
  Uint8Array.from(
    text.split(" ").map((each) => (each.length === 1 ? each.codePointAt(0) : Number.parseInt(each, 16)) ?? 0),
  );

/** A module with one exported function t; `memory`: the limits; `body`: its code behind no locals. */
function module(memory: string, body: string): Uint8Array {
  const code = bytes(body);
  const head = `00 61 73 6d 01 00 00 00 01 04 01 60 00 00 03 02 01 00`;
  const limits = bytes(memory);
  return Uint8Array.from([
    ...bytes(head),
    ...[5, limits.length + 1, 1, ...limits],
    ...[7, 5, 1, 1, 0x74, 0, 0],
    ...[10, code.length + 4, 1, code.length + 2, 0, ...code, 0x0b],
  ]);
}

const SHARED = "03 01 01";
const ATOMIC = "41 00 fe 10 02 00 1a";

async function refused(wasm: Uint8Array): Promise<string> {
  try {
    const { verdict } = await explore({ wasm, threads: [{ function: "t" }] }, { walks: 1 });
    return verdict.kind;
  } catch (error) {
    return refusalOf(error) ?? `an internal fault: ${String(error)}`;
  }
}

test("refusals: a module with a shared memory and an atomic access: none", async () => {
  expect(await refused(module(SHARED, ATOMIC))).toBe("passed");
});

test("refusals: a module that does not validate: the engine's reason", async () => {
  // An i32 where an i64 is wanted; a label that is not there; a function that is not there.
  for (const body of [`${ATOMIC} 41 00 50 1a`, `${ATOMIC} 0c 05`, `${ATOMIC} 10 09`])
    expect(await refused(module(SHARED, body))).toMatch(/^the module is not valid: [^\n]+$/);
});

test("refusals: a memory that is not shared: refused, with the way out", async () => {
  expect(await refused(module("01 01 01", ATOMIC))).toMatch(/^the module's memory is not shared.*--shared-memory/);
});

test("refusals: a memory that leaves the explorer no space: one line; a memory of a gigabyte: explored", async () => {
  // 65,536 pages, as initial size and as maximum.
  expect(await refused(module("03 80 80 04 80 80 04", ATOMIC))).toMatch(
    /^the module's memory of 65,536 pages .* at most/,
  );
  expect(await refused(module("03 80 80 01 80 80 01", ATOMIC))).toBe("passed");
});
