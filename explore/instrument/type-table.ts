// Type table: the function types of the instrumented module.
//
// Owner: instrument.ts, one a module. Invariant: the module's own types keep their indices.

import { encodeType } from "../../wasm/encode.ts";
import type { FunctionType } from "../../wasm/module.ts";

/** Types of the output: the module's own, then the engine's, each once. */
export class TypeTable {
  readonly types: FunctionType[];
  private readonly own: number;
  constructor(types: readonly FunctionType[]) {
    this.types = [...types];
    this.own = types.length;
  }
  indexOf(type: FunctionType): number {
    const key = `${type.params.join()}>${type.results.join()}`;
    const known = this.types.findIndex(
      (other, i) => i >= this.own && `${other.params.join()}>${other.results.join()}` === key,
    );
    return known >= 0 ? known : this.types.push(type) - 1;
  }
  entries(): number[][] {
    return this.types.map(encodeType);
  }
}
