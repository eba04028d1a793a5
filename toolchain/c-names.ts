// C names: readable, unique identifiers for the functions of an artifact, the same for the same artifact.
//
// Owner: one table a module. An export `enqueue` is `kernel_enqueue`; an import `machine.sendIpi` is
// `machine_sendIpi`; `kernel/run-queue/RunQueue#push` is `run_queue_RunQueue_push`.
import { EXTERNAL } from "../wasm/sections.ts";
import type { ArtifactModule } from "./artifact-module.ts";

/** Prefixes that belong to the header and the machine layer. */
const RESERVED = /^(wasm|machine|os|kernel|user\d*|segment|program)_|^[a-z]+\d+_at$/;

const KEYWORDS = new Set(
  (
    "auto break case char const continue default do double else enum extern float for goto if inline int long " +
    "register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while " +
    "bool true false asm typeof main"
  ).split(" "),
);

/** C identifiers by function index. prefix: of the exports, with its underscore. */
export function functionNames(module: ArtifactModule, prefix: string): string[] {
  const names: string[] = [];
  const taken = new Set<string>();
  const take = (index: number, name: string): void => {
    names[index] = name;
    taken.add(name);
  };
  for (const one of module.exports)
    if (one.kind === EXTERNAL.function && names[one.index] === undefined)
      take(one.index, prefix + identifier(one.name));
  module.functions.forEach((one, index) => {
    if (one.kind === "imported") take(index, `${identifier(one.module)}_${identifier(one.base)}`);
  });
  module.functions.forEach((one, index) => {
    if (names[index] !== undefined) return;
    const plain = identifier(one.name.replace(/^(kernel|user)\//, "").replace(/^~lib\//, "lib/"));
    const wanted = RESERVED.test(plain) ? `${prefix}internal_${plain}` : plain;
    let name = wanted;
    for (let copy = 2; taken.has(name); copy++) name = `${wanted}_${copy}`;
    take(index, name);
  });
  return names;
}

/** The nearest C identifier. */
export function identifier(text: string): string {
  const plain = text.replace(/[^A-Za-z0-9_]+/g, "_").replace(/^(?=\d)/, "_");
  return KEYWORDS.has(plain) || plain === "" ? `${plain}_` : plain;
}
