// Resource reader: the members of `resources`. rt-app 1.0 makes resources by their use; where a file lists them all the
// same, a name that is used and not listed is a mistake.
//
// Partners: member-values.ts; reference-check.ts, which compares uses with this list.

import type { Member } from "./json-tree.ts";
import type { Values } from "./member-values.ts";

/** What a name is used as. */
export type ResourceUse = "mutex" | "condition" | "timer" | "barrier" | "suspension";

/** rt-app's types of resources, and the uses that each allows. */
const TYPES: ReadonlyMap<string, ResourceUse> = new Map([
  ["mutex", "mutex"],
  ["wait", "condition"],
  ["signal", "condition"],
  ["broadcast", "condition"],
  ["sync", "condition"],
  ["timer", "timer"],
  ["barrier", "barrier"],
  ["suspend", "suspension"],
  ["resume", "suspension"],
]);

/** Names and their uses; undefined: the file has no list. */
export type DeclaredResources = ReadonlyMap<string, ResourceUse>;

export function readResources(values: Values, member: Member): DeclaredResources {
  const declared = new Map<string, ResourceUse>();
  const members = values.members({ member, path: "resources" }, "resources");
  for (const [name, place] of values.once(members ?? [], "resources")) {
    const fields = values.members(place, '"type"');
    if (fields === undefined) continue;
    const settings = values.once(fields, place.path);
    const typePlace = settings.get("type");
    for (const [key, other] of settings) {
      if (key !== "type" && key !== "target") values.refuse(other, "is no key of a resource; it has type, target");
    }
    if (typePlace === undefined) {
      values.refuse(place, `has no type; give one of ${[...TYPES.keys()].join(", ")}`);
      continue;
    }
    const type = values.text(typePlace, "a type");
    const use = TYPES.get(type ?? "");
    if (use !== undefined) declared.set(name, use);
    else if (type !== undefined) {
      values.refuse(typePlace, `"${type}" is no type of resource here; use one of ${[...TYPES.keys()].join(", ")}`);
    }
  }
  return declared;
}
