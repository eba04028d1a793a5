// Resumable instance: one instance of a pausable module, whose calls can be left at a pause and gone on with later, each on a
// stack region of its own.
//
// A left call's stack lies in linear memory, in its region: two words (the top of the saved stack, the region's end),
// then the saved frames. Only one call is on the engine's stack at any time, so one instance serves many harts.
// Invariant: outside `enter` and `resume` the instance is neither unwinding nor rewinding.
// Partners: toolchain/pausable.ts made the module; execution.ts and space.ts own the instances.

import { GLOBAL_EXPORT_PREFIX, PAGE_BYTES, PAUSES_LEFT_EXPORT, type Site, readTable } from "../../toolchain/sites.ts";

export type Argument = number | bigint;

/** What a call came to. A trap of the engine, or a signal of an import, is thrown instead. */
export type CallOutcome =
  { readonly kind: "paused" } | { readonly kind: "returned"; readonly value: Argument | undefined };

/** The region for unwound frames was too small: the machine's fault, not the program's. */
export class RegionOverflow extends Error {}

const PAUSED: CallOutcome = { kind: "paused" };
const HEADER_BYTES = 8;

type Export = (...values: Argument[]) => Argument | undefined;

/** A compiled pausable module and what it states about itself. */
export interface PausableModule {
  readonly module: WebAssembly.Module;
  readonly sites: readonly Site[];
  /** Size of the memory that it needs. */
  readonly memoryBytes: number;
  /** Bytes from address 0 that are the program's own; stack regions lie above. */
  readonly ownBytes: number;
  /** The module as it was before has a shared memory. */
  readonly shared: boolean;
}

/** The module as a machine needs it; throws when it was not made pausable. */
export function pausableModule(module: WebAssembly.Module): PausableModule {
  const table = readTable(module);
  if (table === undefined) throw new Error("the module is not pausable: toolchain/pausable.ts makes it so");
  const { pages, ownPages, shared, sites } = table;
  return { module, sites, shared, memoryBytes: pages * PAGE_BYTES, ownBytes: ownPages * PAGE_BYTES };
}

export function memoryFor({ memoryBytes }: PausableModule): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: memoryBytes / PAGE_BYTES, maximum: memoryBytes / PAGE_BYTES });
}

export class Resumable {
  readonly memory: WebAssembly.Memory;
  private readonly words: Int32Array;
  private readonly exports: ReadonlyMap<string, Export>;
  private readonly globals: readonly WebAssembly.Global[];
  private readonly countdown: WebAssembly.Global | undefined;
  private readonly startGlobals: readonly Argument[];
  private readonly startBytes: Uint8Array;
  private readonly startUnwind: (region: number) => void;
  private readonly stopUnwind: () => void;
  private readonly startRewind: (region: number) => void;
  private readonly stopRewind: () => void;
  private region = 0;
  private unwinding = false;
  private rewinding = false;

  constructor(module: WebAssembly.Module, imports: WebAssembly.Imports, memory: WebAssembly.Memory) {
    this.memory = memory;
    this.words = new Int32Array(memory.buffer);
    const instance = new WebAssembly.Instance(module, imports);
    this.exports = new Map(
      Object.entries(instance.exports).flatMap(([name, value]) =>
        typeof value === "function" ? [[name, value as Export]] : [],
      ),
    );
    this.globals = Object.keys(instance.exports)
      .filter((name) => name.startsWith(GLOBAL_EXPORT_PREFIX))
      .map((name) => instance.exports[name] as WebAssembly.Global);
    this.countdown = instance.exports[PAUSES_LEFT_EXPORT] as WebAssembly.Global | undefined;
    this.startGlobals = this.globalValues();
    this.startBytes = startBytesOf(module, this.words);
    this.startUnwind = this.control("asyncify_start_unwind");
    this.stopUnwind = this.control("asyncify_stop_unwind");
    this.startRewind = this.control("asyncify_start_rewind");
    this.stopRewind = this.control("asyncify_stop_rewind");
  }

  /** Memory below `ownBytes` (0: none of it) and globals become what they were after instantiation; calls that are paused are lost. */
  reset(ownBytes: number): void {
    if (ownBytes > 0) {
      const bytes = new Uint8Array(this.memory.buffer, 0, ownBytes);
      bytes.set(this.startBytes);
      bytes.fill(0, this.startBytes.length);
    }
    this.restoreGlobals(this.startGlobals);
  }

  /** Loop heads that may be passed before one pauses, for a module whose loops count down. */
  get pausesLeft(): number {
    return Number(this.countdown?.value ?? 0);
  }

  set pausesLeft(count: number) {
    if (this.countdown !== undefined) this.countdown.value = count;
  }

  has(name: string): boolean {
    return this.exports.has(name);
  }

  /** Calls an export from its beginning; when it pauses, its frames go to the region [region, region + bytes). */
  enter(region: number, bytes: number, name: string, values: readonly Argument[]): CallOutcome {
    this.region = region;
    this.words[region >>> 2] = region + HEADER_BYTES;
    this.words[(region >>> 2) + 1] = region + bytes;
    return this.run(name, values);
  }

  /** Goes on with a call that paused on that region; name and values as when it was entered. */
  resume(region: number, name: string, values: readonly Argument[]): CallOutcome {
    this.region = region;
    this.rewinding = true;
    this.startRewind(region);
    return this.run(name, values);
  }

  /** For imports that can pause: true when the call comes from rewinding, and the import must just go on. */
  arrive(): boolean {
    if (!this.rewinding) return false;
    this.rewinding = false;
    this.stopRewind();
    return true;
  }

  /** For imports that can pause: leave the running call as soon as the import returns. */
  leave(): void {
    this.unwinding = true;
    this.startUnwind(this.region);
  }

  /** The frames saved in a region: a view, not a copy. */
  frames(region: number): Uint8Array {
    const top = this.words[region >>> 2] ?? 0;
    return new Uint8Array(this.memory.buffer, region + HEADER_BYTES, Math.max(0, top - region - HEADER_BYTES));
  }

  globalValues(): Argument[] {
    return this.globals.map((global) => global.value as Argument);
  }

  restoreGlobals(values: readonly Argument[]): void {
    this.globals.forEach((global, index) => {
      global.value = values[index];
    });
  }

  private run(name: string, values: readonly Argument[]): CallOutcome {
    const call = this.exports.get(name);
    if (call === undefined) throw new Error(`the module exports no function ${name}`);
    let value: Argument | undefined;
    try {
      value = call(...values);
    } catch (thrown) {
      this.rewinding = false;
      if (this.unwinding) this.refuseOverflow(name);
      throw thrown;
    }
    if (!this.unwinding) return { kind: "returned", value };
    const slot = this.region >>> 2;
    if ((this.words[slot] ?? 0) > (this.words[slot + 1] ?? 0)) this.refuseOverflow(name);
    this.unwinding = false;
    this.stopUnwind();
    return PAUSED;
  }

  /** The frames ran over the region's end. Asyncify refuses to stop in that state, so the top is set back first. */
  private refuseOverflow(name: string): never {
    this.unwinding = false;
    this.words[this.region >>> 2] = this.region + HEADER_BYTES;
    this.stopUnwind();
    throw new RegionOverflow(`the stack of ${name} does not fit its region when it pauses`);
  }

  private control(name: string): (region?: number) => Argument | undefined {
    const found = this.exports.get(name);
    if (found === undefined) throw new Error(`the module exports no ${name}: make it pausable first`);
    return found as (region?: number) => Argument | undefined;
  }
}

/** By module, since to read a whole memory costs more than the instance: its bytes after instantiation, without the zeros at the end. */
const startBytes = new WeakMap<WebAssembly.Module, Uint8Array>();

/** `words`: the memory of a new instance. */
function startBytesOf(module: WebAssembly.Module, words: Int32Array): Uint8Array {
  const known = startBytes.get(module);
  if (known !== undefined) return known;
  let length = words.length;
  while (length > 0 && words[length - 1] === 0) length -= 1;
  const bytes = new Uint8Array(words.buffer, 0, length * 4).slice();
  startBytes.set(module, bytes);
  return bytes;
}
