// Link: several modules over one memory become one module, statically, so that a search sees them as one program.
//
// A part's function imports are resolved by the exports of the part that carries the import's module name; the rest
// stays imported. Instructions stay what they are: only indices of functions, globals, types and data segments are
// counted on, by what comes before the part. The memory is as large as the largest that a part asks for.
//
// Owner: none, a pure function. Invariant: `origin` maps every instruction of the result to the part it came from.
// Pairs with: module.ts (decodes the parts), names.ts (reads the joined name section).

import type { Instruction, WasmFunction, WasmModule } from "./module.ts";
import { decodeModule, UnsupportedModule } from "./module.ts";
import { functionBody } from "./code.ts";
import { pushName, pushSigned, pushU32 } from "./bytes.ts";
import { readNames } from "./names.ts";
import { I32, I64 } from "./opcodes.ts";

export interface LinkPart {
  /** What other parts call this one in their imports. */
  readonly name: string;
  readonly wasm: Uint8Array;
}

export interface Linked {
  readonly wasm: Uint8Array;
  /** The part and the offset in its own bytes of the instruction at an offset of the linked bytes. */
  readonly origin: (offset: number) => { readonly part: string; readonly offset: number } | undefined;
}

interface Placed {
  readonly part: LinkPart;
  readonly module: WasmModule;
  readonly firstType: number;
  readonly firstGlobal: number;
  readonly firstSegment: number;
  /** New index of each of the part's function indices, imports included. */
  functions: number[];
}

/** Links the parts, in this order. Throws UnsupportedModule with one line when they do not fit together. */
export function linkModules(parts: readonly LinkPart[]): Linked {
  const placed: Placed[] = [];
  const count = { types: 0, globals: 0, segments: 0 };
  for (const part of parts) {
    const module = decodeModule(part.wasm);
    if (module.tableSize !== undefined || module.elements.length > 0) throw new UnsupportedModule(`${part.name} has a table of functions; linking takes direct calls only`);
    if (module.start !== undefined) throw new UnsupportedModule(`${part.name} has a start function; linking takes modules without one`);
    placed.push({ part, module, firstType: count.types, firstGlobal: count.globals, firstSegment: count.segments, functions: [] });
    count.types += module.types.length;
    count.globals += module.globals.length;
    count.segments += module.data.length;
  }
  const { imports, exports } = resolve(placed);
  const origins: { readonly at: number; readonly part: string; readonly offset: number }[] = [];
  const wasm = assemble(placed, imports, exports, origins);
  return {
    wasm,
    origin: (offset) => {
      let low = 0;
      let high = origins.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (origins[middle]!.at < offset) low = middle + 1;
        else high = middle;
      }
      const found = origins[low];
      return found?.at === offset ? { part: found.part, offset: found.offset } : undefined;
    },
  };
}

interface OpenImport {
  readonly module: string;
  readonly name: string;
  readonly typeIndex: number;
}

/** Numbers the functions anew; returns what stays imported and the joined exports. */
function resolve(placed: readonly Placed[]): { imports: OpenImport[]; exports: Map<string, number> } {
  const byName = new Map(placed.map((one) => [one.part.name, one]));
  const imports: OpenImport[] = [];
  const openIndex = new Map<string, number>();
  for (const { module, firstType } of placed)
    for (const { module: from, name, typeIndex } of module.imports) {
      if (byName.has(from) || openIndex.has(`${from}.${name}`)) continue;
      openIndex.set(`${from}.${name}`, imports.push({ module: from, name, typeIndex: firstType + typeIndex }) - 1);
    }
  let next = imports.length;
  const own = new Map<Placed, number>();
  for (const one of placed) {
    own.set(one, next);
    next += one.module.functions.length;
  }
  const exportedBy = (one: Placed, name: string): number | undefined => {
    const found = one.module.exports.get(name);
    return found?.kind === 0 && found.index >= one.module.imports.length ? own.get(one)! + found.index - one.module.imports.length : undefined;
  };
  for (const one of placed)
    one.functions = [
      ...one.module.imports.map(({ module: from, name, typeIndex }) => {
        const supplier = byName.get(from);
        if (!supplier) return openIndex.get(`${from}.${name}`)!;
        const found = exportedBy(supplier, name);
        if (found === undefined) throw new UnsupportedModule(`${one.part.name} imports ${from}.${name}, which ${from} does not export`);
        const given = supplier.module.functions[supplier.module.exports.get(name)!.index - supplier.module.imports.length]!.type;
        const wanted = one.module.types[typeIndex]!;
        if (given.params.join() !== wanted.params.join() || given.results.join() !== wanted.results.join())
          throw new UnsupportedModule(`${one.part.name} imports ${from}.${name} with another type than ${from} gives it`);
        return found;
      }),
      ...one.module.functions.map((_, i) => own.get(one)! + i),
    ];
  const exports = new Map<string, number>();
  for (const one of placed)
    for (const name of one.module.exports.keys()) {
      const index = exportedBy(one, name);
      if (index === undefined) continue;
      if (exports.has(name)) throw new UnsupportedModule(`two parts export a function ${name}; rename one`);
      exports.set(name, index);
    }
  return { imports, exports };
}

function section(out: number[], id: number, contents: readonly number[]): void {
  out.push(id);
  pushU32(out, contents.length);
  for (const byte of contents) out.push(byte);
}

function vector(items: readonly (readonly number[])[]): number[] {
  const out: number[] = [];
  pushU32(out, items.length);
  for (const item of items) for (const byte of item) out.push(byte);
  return out;
}

const leb = (value: number): number[] => {
  const out: number[] = [];
  pushU32(out, value);
  return out;
};

function assemble(
  placed: readonly Placed[],
  imports: readonly OpenImport[],
  exports: ReadonlyMap<string, number>,
  origins: { at: number; part: string; offset: number }[],
): Uint8Array {
  const out: number[] = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  const types = placed.flatMap(({ module }) => module.types);
  section(out, 1, vector(types.map(({ params, results }) => [0x60, ...vector(params.map((t) => [t])), ...vector(results.map((t) => [t]))])));
  const memories = placed.map(({ module }) => module.memory);
  const initial = Math.max(...memories.map((memory) => memory.initial));
  const maximum = Math.max(initial, ...memories.map((memory) => memory.maximum));
  const memory: number[] = [];
  pushName(memory, "env");
  pushName(memory, "memory");
  memory.push(2, memories.some((one) => one.shared) ? 3 : 1, ...leb(initial), ...leb(maximum));
  const imported = imports.map(({ module, name, typeIndex }) => {
    const item: number[] = [];
    pushName(item, module);
    pushName(item, name);
    item.push(0, ...leb(typeIndex));
    return item;
  });
  section(out, 2, vector([...imported, memory]));
  section(out, 3, vector(placed.flatMap(({ module, firstType }) => module.functions.map(({ typeIndex }) => leb(firstType + typeIndex)))));
  const globals = placed.flatMap(({ part, module }) => module.globals.map(({ type, mutable, initial: value }) => [type, mutable ? 1 : 0, ...constant(part, type, value)]));
  if (globals.length > 0) section(out, 6, vector(globals));
  section(
    out,
    7,
    vector(
      [...exports].map(([name, index]) => {
        const item: number[] = [];
        pushName(item, name);
        item.push(0, ...leb(index));
        return item;
      }),
    ),
  );
  const segments = placed.flatMap(({ module }) => module.data);
  if (segments.some(({ passive }) => passive)) section(out, 12, leb(segments.length));
  codeSection(out, placed, origins);
  const data = segments.map(({ passive, offset, bytes }) => {
    const item: number[] = passive ? [1] : [0, 0x41];
    if (!passive) {
      pushSigned(item, offset | 0);
      item.push(0x0b);
    }
    item.push(...leb(bytes.length), ...bytes);
    return item;
  });
  section(out, 11, vector(data));
  nameSection(out, placed);
  return Uint8Array.from(out);
}

function constant(part: LinkPart, type: number, value: bigint): number[] {
  if (type !== I32 && type !== I64) throw new UnsupportedModule(`${part.name} has a global of a float type; linking takes integers`);
  const out = [type === I32 ? 0x41 : 0x42];
  pushSigned(out, BigInt.asIntN(type === I32 ? 32 : 64, value));
  out.push(0x0b);
  return out;
}

function codeSection(out: number[], placed: readonly Placed[], origins: { at: number; part: string; offset: number }[]): void {
  const bodies: { readonly bytes: number[]; readonly marks: { readonly at: number; readonly part: string; readonly offset: number }[] }[] = [];
  for (const one of placed) for (const func of one.module.functions) bodies.push(body(one, func));
  const contents = leb(bodies.length);
  const starts: number[] = [];
  for (const { bytes } of bodies) {
    starts.push(contents.length);
    for (const byte of bytes) contents.push(byte);
  }
  out.push(10, ...leb(contents.length));
  const base = out.length;
  for (const byte of contents) out.push(byte);
  bodies.forEach(({ marks }, i) => {
    for (const { at, part, offset } of marks) origins.push({ at: base + starts[i]! + at, part, offset });
  });
}

function body(one: Placed, func: WasmFunction): { bytes: number[]; marks: { at: number; part: string; offset: number }[] } {
  const code: number[] = [];
  const marks: { at: number; part: string; offset: number }[] = [];
  for (const instruction of func.body) {
    marks.push({ at: code.length, part: one.part.name, offset: instruction.start });
    renumber(code, instruction, one);
  }
  const bytes = functionBody(func.locals, code);
  const head = bytes.length - code.length;
  return { bytes, marks: marks.map((mark) => ({ ...mark, at: mark.at + head })) };
}

/** Appends one instruction with its indices counted on. */
function renumber(code: number[], instruction: Instruction, one: Placed): void {
  const { op, a, start, end } = instruction;
  const { bytes } = one.module;
  if (op === 0x10) code.push(op, ...leb(one.functions[a]!));
  else if (op === 0x23 || op === 0x24) code.push(op, ...leb(one.firstGlobal + a));
  else if (op === 0xfc08) code.push(0xfc, 8, ...leb(one.firstSegment + a), 0);
  else if (op === 0xfc09) code.push(0xfc, 9, ...leb(one.firstSegment + a));
  else if (op >= 0x02 && op <= 0x04 && instruction.type && one.module.types.includes(instruction.type)) {
    // A block type that names a type of the module, rather than spelling one result.
    code.push(op);
    pushSigned(code, one.firstType + one.module.types.indexOf(instruction.type));
  } else for (let at = start; at < end; at++) code.push(bytes[at]!);
}

function nameSection(out: number[], placed: readonly Placed[]): void {
  const named: number[][] = [];
  for (const { module, functions } of placed) {
    const { functionName } = readNames(module);
    for (const func of module.functions) {
      const item = leb(functions[func.index]!);
      pushName(item, functionName(func.index));
      named.push(item);
    }
  }
  const contents: number[] = [];
  pushName(contents, "name");
  section(contents, 1, vector(named));
  section(out, 0, contents);
}
