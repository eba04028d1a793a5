import { expect, test } from "vitest";
import { I32, I64 } from "../../wasm/opcodes.ts";
import { layOut } from "./engine-layout.ts";
import { HELPERS } from "./runtime-names.ts";
import { RUNTIME, type RuntimePlaces, linkRuntime, placeOf, runtimeNames } from "./runtime-functions.ts";

const layout = layOut({
  threads: 2,
  globals: 0,
  modulePages: 1,
  stacks: 0,
  stackBytes: 0,
  threadLocals: { bytes: 0, align: 1 },
  logBytes: 65536,
});
const OPTIONS = {
  zeroDead: true,
  coalesceInvisible: true,
  races: true,
  grows: false,
  ghosts: false,
  plainInStep: true,
  countSteps: false,
};
const PLACES: RuntimePlaces = { first: 10, global: () => 5, typeIndex: () => 0, table: 0, firstBegin: 0 };

test("runtime: compiled: it brings nothing but functions", () => {
  const { imports, data, elements, start, globals } = RUNTIME;
  expect({ imports, data, elements, start }).toEqual({ imports: [], data: [], elements: [], start: undefined });
  expect(globals.filter(({ imported }) => imported === undefined)).toEqual([]);
});

test("runtime: the helpers' names: each is one of its functions", () => {
  for (const helper of HELPERS) expect(runtimeNames[placeOf(helper)]).toBe(helper);
  expect([...RUNTIME.exports.keys()].toSorted()).toEqual([...HELPERS].toSorted());
});

test("runtime: its types: addresses are i32, words are i64", () => {
  expect(RUNTIME.functions[placeOf("put")]?.type).toEqual({ params: [I32, I64], results: [] });
  expect(RUNTIME.functions[placeOf("advance")]?.type).toEqual({ params: [I32, I32, I32], results: [I32] });
});

test("runtime: another layout: other constants in the same functions", () => {
  const bodiesFor = (userBase: number): string[] =>
    linkRuntime(PLACES, { ...layout, userBase }, OPTIONS).map(({ body }) => body.join());
  const [one, other] = [bodiesFor(layout.userBase), bodiesFor(layout.userBase + 65536)];
  const differing = runtimeNames.filter((_, place) => one[place] !== other[place]);
  expect(differing).toContain("store4");
  expect(differing).not.toContain("put");
});

test("runtime: planted fault: a constant that it reads is missing: reported", () => {
  const { shadow: _, ...partial } = layout;
  expect(() => linkRuntime(PLACES, partial as typeof layout, OPTIONS)).toThrow(
    "the runtime imports layout.shadow, which is not supplied",
  );
});
