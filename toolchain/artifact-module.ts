// Artifact module: a decoded module as printer and gates read it: imported and defined functions in one list, by name.
//
// Owner: none, one function. It refuses blocks with several values, which the toolchain's subset has not; more is the
// gates' to refuse, by name.
// Pairs with: wasm/decode.ts, which decodes; artifact-gate.ts, c-printer.ts.
import { assertDefined } from "../wasm/assert-defined.ts";
import { decodeModule } from "../wasm/decode.ts";
import {
  type FunctionType as WasmFunctionType,
  type Instruction,
  UnsupportedModule,
  type WasmModule,
} from "../wasm/module.ts";
import { readNameSection } from "../wasm/names.ts";
import { type TypeName, typeName } from "../wasm/opcodes.ts";
import type { ExternalKind } from "../wasm/sections.ts";

export interface FunctionType {
  readonly params: readonly TypeName[];
  readonly results: readonly TypeName[];
}

export interface ImportedFunction {
  readonly kind: "imported";
  readonly module: string;
  readonly base: string;
  readonly name: string;
  readonly type: FunctionType;
}

export interface DefinedFunction {
  readonly kind: "defined";
  readonly name: string;
  readonly type: FunctionType;
  /** Types of the locals after the parameters. */
  readonly locals: readonly TypeName[];
  /** Names of parameters and locals, where the names section has them. */
  readonly localNames: ReadonlyMap<number, string>;
  /** The closing `end` of the function is included. */
  readonly body: readonly Instruction[];
}

export type ArtifactFunction = ImportedFunction | DefinedFunction;

export interface ArtifactModule {
  readonly wasm: WasmModule;
  /** By their indices. */
  readonly functions: readonly ArtifactFunction[];
  readonly exports: readonly { readonly name: string; readonly kind: ExternalKind; readonly index: number }[];
}

/** Reads a module. Throws MalformedModule or UnsupportedModule, each with one clear line. */
export function readArtifactModule(bytes: Uint8Array): ArtifactModule {
  const wasm = decodeModule(bytes);
  const names = readNameSection(wasm);
  const imported = wasm.imports.map(({ module, name, typeIndex }, index): ImportedFunction => ({
    kind: "imported",
    module,
    base: name,
    name: names.functions.get(index) ?? `${module}/${name}`,
    type: namedTypes(assertDefined(wasm.types[typeIndex])),
  }));
  const defined = wasm.functions.map(({ index, type, locals, body }): DefinedFunction => {
    const name = names.functions.get(index) ?? `function-${index}`;
    refuseSeveralValues(name, body);
    const localNames = names.locals.get(index) ?? new Map<number, string>();
    return { kind: "defined", name, type: namedTypes(type), locals: locals.map(typeName), localNames, body };
  });
  const exports = [...wasm.exports].map(([name, { kind, index }]) => ({ name, kind, index }));
  return { wasm, functions: [...imported, ...defined], exports };
}

function namedTypes({ params, results }: WasmFunctionType): FunctionType {
  return { params: params.map(typeName), results: results.map(typeName) };
}

function refuseSeveralValues(name: string, body: readonly Instruction[]): void {
  if (body.some(({ type }) => type !== undefined && (type.params.length > 0 || type.results.length > 1)))
    throw new UnsupportedModule(`${name}: a block with several values is outside the toolchain's subset`);
}

/** The result of a block, loop or if; null: none. */
export function blockResult({ type }: Instruction): TypeName | null {
  const result = type?.results[0];
  return result === undefined ? null : typeName(result);
}
