// Encode types: the numbers of a generated module's function types.
//
// Owner: one encoding. Pairs with: encode-program.ts, encode-code.ts.

import type { Signature } from "./ast.ts";

/** Types of a module, each once. */
export class TypeIndices {
  readonly signatures: Signature[] = [];

  of({ params, results }: Signature): number {
    const key = `${params.join()}>${results.join()}`;
    const known = this.signatures.findIndex((other) => `${other.params.join()}>${other.results.join()}` === key);
    return known >= 0 ? known : this.signatures.push({ params, results }) - 1;
  }
}
