// Wasm reader: the binary as a WasmModule, instruction by instruction, each with its byte offset.
//
// Owner: none, one function. It reads what the toolchain's subset and its nearest neighbours can hold, so that
// gates refuse by name; anything beyond (SIMD, references, exceptions) is refused here, in one line.
// It does not validate: the binary comes from a compiler that does, and every engine validates again.
// Pairs with: wasm-module.ts (the result), wasm-opcodes.ts (the table).
import { WasmBytes, WasmFormatError } from "./wasm-bytes.ts";
import type {
  DataSegment,
  DefinedFunction,
  FunctionType,
  Instruction,
  ValueType,
  WasmExport,
  WasmGlobal,
  WasmMemory,
  WasmModule,
} from "./wasm-module.ts";
import { OPCODES, OPCODES_FC, OPCODES_FE, type Opcode } from "./wasm-opcodes.ts";

const VALUE_TYPES: ReadonlyMap<number, ValueType> = new Map([
  [0x7f, "i32"],
  [0x7e, "i64"],
  [0x7d, "f32"],
  [0x7c, "f64"],
]);
const EXPORT_KINDS = ["function", "table", "memory", "global", "tag"] as const;
const NO_LABELS: number[] = [];

/** Reads a module. Throws WasmFormatError with one clear line when it cannot. */
export function readWasm(bytes: Uint8Array): WasmModule {
  const input = new WasmBytes(bytes, 0, bytes.length);
  const header = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
  if (header.some((byte) => input.at >= bytes.length || input.byte() !== byte))
    throw new WasmFormatError("wasm: not a WebAssembly 1.0 module");
  const reader = new ModuleReader();
  while (input.at < input.end) {
    const id = input.byte();
    reader.section(id, input.part(input.unsigned()));
  }
  return reader.module;
}

class ModuleReader {
  readonly module: WasmModule = {
    functions: [],
    memories: [],
    globals: [],
    tableCount: 0,
    otherImports: [],
    exports: [],
    segments: [],
    start: null,
  };
  private readonly types: FunctionType[] = [];
  private readonly declared: FunctionType[] = [];

  section(id: number, input: WasmBytes): void {
    switch (id) {
      case 0:
        if (input.name() === "name") this.names(input);
        return;
      case 1:
        return repeat(input, () => void this.types.push(readFunctionType(input)));
      case 2:
        return repeat(input, () => this.importEntry(input));
      case 3:
        return repeat(input, () => void this.declared.push(this.type(input.unsigned())));
      case 4:
        this.module.tableCount += input.unsigned();
        return;
      case 5:
        return repeat(input, () => void this.module.memories.push(readMemory(input, null)));
      case 6:
        return repeat(input, () => void this.module.globals.push(readGlobal(input)));
      case 7:
        return repeat(input, () => void this.module.exports.push(readExport(input)));
      case 8:
        this.module.start = input.unsigned();
        return;
      case 10:
        return this.code(input);
      case 11:
        return repeat(input, () => void this.module.segments.push(readSegment(input)));
      case 9: // Elements: only a call through a table can reach them.
      case 12: // The count of data segments, known anyway.
        return;
      default:
        throw new WasmFormatError(`wasm: section ${id} is outside the toolchain's subset`);
    }
  }

  private type(index: number): FunctionType {
    const type = this.types[index];
    if (type === undefined) throw new WasmFormatError(`wasm: no type ${index}`);
    return type;
  }

  private importEntry(input: WasmBytes): void {
    const module = input.name();
    const base = input.name();
    const kind = input.byte();
    if (kind === 0) {
      const type = this.type(input.unsigned());
      this.module.functions.push({ kind: "imported", module, base, name: `${module}/${base}`, type });
    } else if (kind === 1) {
      input.byte();
      readLimits(input);
      this.module.tableCount++;
    } else if (kind === 2) {
      this.module.memories.push(readMemory(input, { module, base }));
    } else if (kind === 3) {
      const type = readValueType(input);
      const mutable = input.byte() === 1;
      this.module.globals.push({ imported: { module, base }, type, mutable, constant: null });
    } else {
      throw new WasmFormatError(`wasm: the import ${module}.${base} is of a kind outside the toolchain's subset`);
    }
  }

  private code(input: WasmBytes): void {
    const count = input.unsigned();
    for (let i = 0; i < count; i++) {
      const type = this.declared[i];
      if (type === undefined) throw new WasmFormatError("wasm: more function bodies than functions");
      const body = input.part(input.unsigned());
      this.module.functions.push(readFunction(body, type, `function-${this.module.functions.length}`));
    }
  }

  private names(input: WasmBytes): void {
    while (input.at < input.end) {
      const id = input.byte();
      const part = input.part(input.unsigned());
      if (id === 1) repeat(part, () => this.nameFunction(part));
      if (id === 2) repeat(part, () => this.nameLocals(part));
    }
  }

  private nameFunction(input: WasmBytes): void {
    const found = this.module.functions[input.unsigned()];
    const name = input.name();
    if (found !== undefined) found.name = name;
  }

  private nameLocals(input: WasmBytes): void {
    const found = this.module.functions[input.unsigned()];
    repeat(input, () => {
      const local = input.unsigned();
      const name = input.name();
      if (found?.kind === "defined") found.localNames.set(local, name);
    });
  }
}

function repeat(input: WasmBytes, read: () => void): void {
  const count = input.unsigned();
  for (let i = 0; i < count; i++) read();
}

function readValueType(input: WasmBytes): ValueType {
  const code = input.byte();
  const type = VALUE_TYPES.get(code);
  if (type === undefined)
    throw new WasmFormatError(`wasm: value type 0x${code.toString(16)} at byte ${input.at - 1} is outside the subset`);
  return type;
}

function readFunctionType(input: WasmBytes): FunctionType {
  const form = input.byte();
  if (form !== 0x60) throw new WasmFormatError(`wasm: type form 0x${form.toString(16)} is outside the subset`);
  const type: FunctionType = { params: [], results: [] };
  repeat(input, () => void type.params.push(readValueType(input)));
  repeat(input, () => void type.results.push(readValueType(input)));
  return type;
}

function readLimits(input: WasmBytes): { initialPages: number; maximumPages: number | null; shared: boolean } {
  const flags = input.byte();
  if (flags > 3) throw new WasmFormatError("wasm: 64-bit memories are outside the subset");
  const initialPages = input.unsigned();
  return { initialPages, maximumPages: (flags & 1) === 1 ? input.unsigned() : null, shared: (flags & 2) === 2 };
}

function readMemory(input: WasmBytes, imported: WasmMemory["imported"]): WasmMemory {
  return { imported, ...readLimits(input) };
}

/** A constant expression: its value, or null when it is anything but one integer constant. */
function readConstant(input: WasmBytes): bigint | null {
  const first = readInstruction(input);
  if (first.op !== "i32.const" && first.op !== "i64.const") {
    while (readInstruction(input).op !== "end");
    return null;
  }
  if (readInstruction(input).op !== "end") throw new WasmFormatError("wasm: a compound constant is outside the subset");
  return first.constant;
}

function readGlobal(input: WasmBytes): WasmGlobal {
  const type = readValueType(input);
  const mutable = input.byte() === 1;
  return { imported: null, type, mutable, constant: readConstant(input) };
}

function readExport(input: WasmBytes): WasmExport {
  const name = input.name();
  const kind = EXPORT_KINDS[input.byte()];
  if (kind === undefined) throw new WasmFormatError(`wasm: the export ${name} is of an unknown kind`);
  return { name, kind, index: input.unsigned() };
}

function readSegment(input: WasmBytes): DataSegment {
  const flags = input.unsigned();
  if (flags === 1) return { offset: null, bytes: input.slice(input.unsigned()) };
  if (flags === 2) input.unsigned();
  const offset = readConstant(input);
  if (offset === null) throw new WasmFormatError("wasm: a data segment's address is not a constant");
  return { offset: Number(BigInt.asUintN(32, offset)), bytes: input.slice(input.unsigned()) };
}

function readFunction(input: WasmBytes, type: FunctionType, name: string): DefinedFunction {
  const at = input.at;
  const locals: ValueType[] = [];
  repeat(input, () => {
    const count = input.unsigned();
    const local = readValueType(input);
    if (locals.length + count > 50_000) throw new WasmFormatError(`wasm: ${name} has more than 50000 locals`);
    for (let i = 0; i < count; i++) locals.push(local);
  });
  const body: Instruction[] = [];
  while (input.at < input.end) body.push(readInstruction(input));
  return { kind: "defined", name, type, locals, localNames: new Map(), body, at };
}

function readInstruction(input: WasmBytes): Instruction {
  const at = input.at;
  const opcode = readOpcode(input, at);
  const instruction: Instruction = {
    op: opcode.name,
    at,
    index: 0,
    constant: 0n,
    blockType: null,
    labels: NO_LABELS,
    offset: 0,
    align: 1,
  };
  readImmediates(input, opcode, instruction);
  return instruction;
}

function readOpcode(input: WasmBytes, at: number): Opcode {
  const first = input.byte();
  const table = first === 0xfc ? OPCODES_FC : first === 0xfe ? OPCODES_FE : OPCODES;
  const number = table === OPCODES ? first : input.unsigned();
  const opcode = table.get(number);
  if (opcode !== undefined) return opcode;
  const spelled = table === OPCODES ? first.toString(16) : `${first.toString(16)} 0x${number.toString(16)}`;
  throw new WasmFormatError(`wasm: opcode 0x${spelled} at byte ${at} is outside the toolchain's subset`);
}

function readImmediates(input: WasmBytes, opcode: Opcode, to: Instruction): void {
  switch (opcode.immediates) {
    case "none":
      return;
    case "block": {
      const type = input.signed(33);
      if (type >= 0n)
        throw new WasmFormatError(`wasm: a block with several values at byte ${to.at} is outside the subset`);
      if (type === -64n) return;
      const found = VALUE_TYPES.get(Number(type & 0x7fn));
      if (found === undefined) throw new WasmFormatError(`wasm: a block's type at byte ${to.at} is outside the subset`);
      to.blockType = found;
      return;
    }
    case "index":
      to.index = input.unsigned();
      return;
    case "table":
      to.labels = [];
      repeat(input, () => void to.labels.push(input.unsigned()));
      to.index = input.unsigned();
      return;
    case "indirect":
    case "index-zero":
      to.index = input.unsigned();
      input.unsigned();
      return;
    case "memory": {
      const log2 = input.unsigned();
      // Larger numbers are flags of other proposals: several memories, weaker orderings.
      if (log2 > 4) throw new WasmFormatError(`wasm: a memory access at byte ${to.at} is outside the subset`);
      to.align = 2 ** log2;
      to.offset = input.unsigned();
      return;
    }
    case "i32":
      to.constant = input.signed(32);
      return;
    case "i64":
      to.constant = input.signed(64);
      return;
    case "f32":
      return input.skip(4);
    case "f64":
      return input.skip(8);
    case "zero":
      return input.skip(1);
    case "zero-zero":
      return input.skip(2);
  }
}
