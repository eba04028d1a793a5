// Index plan: which functions and globals the instrumented module has, in which order.
//
// The module's own functions keep their indices. Behind them: the runtime's functions, one function a data segment that fills
// from it, `run` and `resume` of each function that may pause, one `begin` an entry, the copies that checks run.
// Owner: instrument.ts, one a module. Pairs with: wrappers.ts and entries.ts, which make the functions in this order.

import type { FunctionType, Instruction } from "../../wasm/module.ts";
import { isSameType, typeOfFunction } from "../../wasm/module.ts";
import { Op, isAtomic, isBulk, isPlainLoad, isPlainStore, isSizeAccess } from "../../wasm/opcodes.ts";
import type { ExplorableModule } from "./explorable.ts";
import type { Entry, InstrumentOptions, Instrumented } from "./instrument-options.ts";
import { checkedFunctions, growsMemory, pausingFunctions } from "./pausing.ts";
import type { EngineGlobal, Helper } from "./runtime-names.ts";
import { ENGINE_GLOBALS } from "./runtime-names.ts";
import { RUNTIME, placeOf, runtimeNames } from "./runtime-functions.ts";
import { assertDefined } from "../../wasm/assert-defined.ts";

type Check = "invariant" | "final";

export class IndexPlan {
  readonly module: ExplorableModule;
  readonly grows: boolean;
  /** The first function that the module defines. */
  readonly first: number;
  /** Functions that may pause, and the same in the order of their `run` functions. */
  readonly pausing: ReadonlySet<number>;
  readonly order: readonly number[];
  /** Functions that a check runs as copies of its own. */
  readonly copies: readonly { readonly index: number; readonly inCheck: Check }[];
  /** The invariant runs as a copy, which records where it reads. */
  readonly isInvariantCopied: boolean;
  readonly helperBase: number;
  readonly segmentBase: number;
  readonly runBase: number;
  readonly resumeBase: number;
  readonly beginBase: number;
  readonly copyBase: number;
  /** The engine's table of resume and begin functions. */
  readonly table: number;
  private readonly pausesItself: (instruction: Instruction) => boolean;
  private readonly runPlace: ReadonlyMap<number, number>;
  private readonly pausingInTable: readonly number[];

  constructor(module: ExplorableModule, options: InstrumentOptions, entries: readonly Entry[]) {
    this.module = module;
    const grows = growsMemory(module);
    this.grows = grows;
    this.pausesItself = ({ op }) =>
      isAtomic(op) ||
      (grows && isSizeAccess(op)) ||
      (!options.plainInStep && (isPlainLoad(op) || isPlainStore(op) || isBulk(op)));
    this.pausing = pausingFunctions(module, this.pausesItself);
    this.order = [...this.pausing].sort((a, b) => a - b);
    this.runPlace = new Map(this.order.map((index, place) => [index, place]));
    this.pausingInTable = module.elements.flatMap(({ functions }) =>
      functions.filter((index) => this.pausing.has(index)),
    );
    this.table = module.table === undefined ? 0 : 1;
    this.first = module.imports.length;
    this.helperBase = this.first + module.functions.length;
    this.segmentBase = this.helperBase + RUNTIME.functions.length;
    this.runBase = this.segmentBase + module.data.length;
    this.resumeBase = this.runBase + this.order.length;
    this.beginBase = this.resumeBase + this.order.length;
    this.copyBase = this.beginBase + entries.length;
    const copied = (entry: number | undefined): ReadonlySet<number> | undefined =>
      checkedFunctions(module, entry === undefined ? [] : [assertDefined(options.entries[entry]).functionIndex]);
    const [forInvariant, forFinal] = [copied(options.invariant), copied(options.final)];
    this.isInvariantCopied = forInvariant !== undefined;
    // A recorded build runs checks step by step, so that the record has their accesses too.
    this.copies = options.traced
      ? []
      : [
          ...[...(forInvariant ?? [])].map((index) => ({ index, inCheck: "invariant" as const })),
          ...[...(forFinal ?? [])].map((index) => ({ index, inCheck: "final" as const })),
        ];
  }

  readonly global = (name: EngineGlobal): number => this.module.globals.length + ENGINE_GLOBALS.indexOf(name);
  readonly helper = (name: Helper): number => this.helperBase + placeOf(name);
  readonly typeOf = (index: number): FunctionType => assertDefined(typeOfFunction(this.module, index));
  readonly segmentInit = (segment: number): number => this.segmentBase + segment;
  readonly runOf = (index: number): number => this.runBase + this.resumeIndexOf(index);
  readonly resumeIndexOf = (index: number): number => assertDefined(this.runPlace.get(index));

  /** Is this instruction a place where a thread pauses, or a call that may pause? */
  readonly pauses = (instruction: Instruction): boolean =>
    this.pausesItself(instruction) ||
    (instruction.op === Op.call && this.pausing.has(instruction.a)) ||
    (instruction.op === Op.call_indirect &&
      this.pausingInTable.some((index) =>
        isSameType(this.typeOf(index), assertDefined(this.module.types[instruction.a])),
      ));

  /** The copy of a function that a check runs; an import is its own. */
  copyOf(wanted: number, check: Check): number | undefined {
    if (wanted < this.first) return wanted;
    const place = this.copies.findIndex(({ index, inCheck }) => index === wanted && inCheck === check);
    return place < 0 ? undefined : this.copyBase + place;
  }

  readonly roleOf: Instrumented["roleOf"] = (index) =>
    runtimeNames[index - this.helperBase] ?? this.copies[index - this.copyBase]?.inCheck ?? "module";

  readonly originOf: Instrumented["originOf"] = (index) => {
    if (index < this.helperBase) return index;
    if (index >= this.copyBase) return this.copies[index - this.copyBase]?.index;
    return index >= this.runBase ? this.order[index - this.runBase] : undefined;
  };
}
