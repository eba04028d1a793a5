// Refusal: separates what the user has to mend in a module from a fault of this program.
//
// Owner: none. Pairs with: whoever calls explore, replay or prepare and talks to people.

import { MalformedModule } from "../../wasm/bytes.ts";
import { UnsupportedModule } from "../../wasm/module.ts";
import { UnusableModule } from "../program/unusable-module.ts";

/** The one line of an error that states what is wrong with the module or the target; undefined: it is a fault of ours. */
export function refusalOf(error: unknown): string | undefined {
  const isUsers =
    error instanceof MalformedModule || error instanceof UnsupportedModule || error instanceof UnusableModule;
  return isUsers ? error.message : undefined;
}
