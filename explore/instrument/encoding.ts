// Encoding: the instrumented module's sections, from its functions, types and index plan.
//
// Owner: none, pure. Pairs with: instrument.ts (makes the functions), index-plan.ts (their order).

import { type Body, functionBody } from "../../wasm/code.ts";
import { constantExpression } from "../../wasm/constant.ts";
import { ELEMENTS, ELEMENTS_ARE_FUNCTIONS } from "../../wasm/decode.ts";
import { encodeLimits } from "../../wasm/encode.ts";
import { FUNCREF, I32 } from "../../wasm/opcodes.ts";
import { EXTERNAL, SECTION, type Section, moduleOf, named, u32, vector } from "../../wasm/sections.ts";
import type { IndexPlan } from "./index-plan.ts";
import type { Layout } from "./engine-layout.ts";
import { ENGINE_GLOBALS, EXPORTED } from "./runtime-names.ts";
import type { TypeTable } from "./type-table.ts";

/** The functions of the output, in the order of their indices. */
export class FunctionList {
  readonly typeIndices: number[] = [];
  readonly bodies: (readonly number[])[] = [];

  add(type: number, { locals, code }: Body): void {
    this.addBody(type, functionBody(locals, code));
  }

  /** body: with its size in front. */
  addBody(type: number, body: readonly number[]): void {
    this.typeIndices.push(type);
    this.bodies.push(body);
  }
}

/** A table or memory of the engine does not grow past its first size by a bound of its own. */
const FIXED = { maximum: undefined, shared: false } as const;

export function encodeInstrumented(
  plan: IndexPlan,
  types: TypeTable,
  functions: FunctionList,
  layout: Layout,
): Uint8Array {
  const { module } = plan;
  const sections: Section[] = [];
  const section = (id: number, items: readonly (readonly number[])[]): void => {
    sections.push({ id, contents: vector(items) });
  };
  const tableOf = (initial: number): number[] => [FUNCREF, ...encodeLimits({ initial, ...FIXED })];
  section(SECTION.type, types.entries());
  section(SECTION.import, [
    ...module.imports.map(({ module: from, name, typeIndex }) => [
      ...named(from, name),
      EXTERNAL.function,
      ...u32(typeIndex),
    ]),
    [...named("engine", "memory"), EXTERNAL.memory, ...encodeLimits({ initial: layout.totalPages, ...FIXED })],
  ]);
  section(SECTION.function, functions.typeIndices.map(u32));
  // Resume and begin functions follow one another.
  const own = Array.from({ length: plan.copyBase - plan.resumeBase }, (_, place) => plan.resumeBase + place);
  section(SECTION.table, [...(module.table === undefined ? [] : [tableOf(module.table.initial)]), tableOf(own.length)]);
  section(SECTION.global, [
    ...module.globals.map(({ type, mutable, initial }) => [
      type,
      mutable ? 1 : 0,
      ...constantExpression(type, initial),
    ]),
    ...ENGINE_GLOBALS.map(() => [I32, 1, ...constantExpression(I32, 0n)]),
  ]);
  section(
    SECTION.export,
    EXPORTED.map((name) => [...named(name), EXTERNAL.function, ...u32(plan.helper(name))]),
  );
  const active = module.elements.filter((segment) => segment.kind === "active");
  section(SECTION.element, [
    ...active.map(({ offset, functions: indices }) => [
      0,
      ...constantExpression(I32, BigInt(offset)),
      ...vector(indices.map(u32)),
    ]),
    // Of the second table: its number, where it begins, and the kind of its elements.
    [
      ELEMENTS.extended,
      ...u32(plan.table),
      ...constantExpression(I32, 0n),
      ELEMENTS_ARE_FUNCTIONS,
      ...vector(own.map(u32)),
    ],
  ]);
  if (module.data.some(({ passive }) => passive))
    sections.push({ id: SECTION.dataCount, contents: u32(module.data.length) });
  section(SECTION.code, functions.bodies);
  section(
    SECTION.data,
    module.data.map(({ passive, offset, bytes }) => [
      ...(passive ? [1] : [0, ...constantExpression(I32, BigInt(offset + layout.userBase))]),
      ...u32(bytes.length),
      ...bytes,
    ]),
  );
  return moduleOf(sections);
}
