// Fragments: the code of a function under construction as basic blocks, with places that are filled in when all are known.
//
// Owner: one function. Invariant: `code` is what was written since the last fragment of the last block.
// Pairs with: spilling.ts (puts the blocks together).

import { Code } from "../../wasm/code.ts";
import { assertDefined } from "../../wasm/assert-defined.ts";

export interface Label {
  id: number;
  used: boolean;
}

export type Fragment =
  | { readonly kind: "bytes"; readonly bytes: readonly number[] }
  | { readonly kind: "branch"; readonly label: Label; readonly nested: number }
  | { readonly kind: "spill"; readonly label: Label; readonly live: ReadonlySet<number>; readonly leaf: boolean }
  | { readonly kind: "frame-size" };

export class FragmentWriter {
  protected readonly blocks: Fragment[][] = [[]];
  protected code = new Code();

  protected addFragment(fragment: Fragment): void {
    const block = assertDefined(this.blocks.at(-1));
    block.push({ kind: "bytes", bytes: this.code.bytes }, fragment);
    this.code = new Code();
  }
  protected bind(label: Label): void {
    assertDefined(this.blocks.at(-1)).push({ kind: "bytes", bytes: this.code.bytes });
    this.code = new Code();
    label.id = this.blocks.length;
    this.blocks.push([]);
  }
  protected newLabel(): Label {
    return { id: -1, used: false };
  }
}
