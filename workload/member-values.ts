// Values: a member's value as the type that its key demands; a wrong one is refused with what to write.
//
// Partners: json-tree.ts; the readers of this folder.

import type { JsonValue, Member } from "./json-tree.ts";
import type { Findings } from "./problem.ts";

/** A member with the path of its key. */
export interface Placed {
  readonly member: Member;
  readonly path: string;
}

export class Values {
  constructor(readonly findings: Findings) {}

  refuse({ member, path }: Placed, message: string): undefined {
    this.findings.refuse(member.line, path, message);
    return undefined;
  }

  whole(place: Placed, least: number, most: number, what: string): number | undefined {
    const { value } = place.member;
    if (value.kind === "number" && Number.isInteger(value.number) && value.number >= least && value.number <= most) {
      return value.number;
    }
    return this.refuse(place, `give ${what}, a whole number from ${least} to ${most}, not ${describe(value)}`);
  }

  text(place: Placed, what: string): string | undefined {
    const { value } = place.member;
    if (value.kind === "string") return value.text;
    return this.refuse(place, `give ${what} in quotes, not ${describe(value)}`);
  }

  name(place: Placed, what: string): string | undefined {
    const text = this.text(place, what);
    return text === "" ? this.refuse(place, `give ${what}: the name is empty`) : text;
  }

  flag(place: Placed): boolean | undefined {
    const { value } = place.member;
    return value.kind === "boolean" ? value.flag : this.refuse(place, `give true or false, not ${describe(value)}`);
  }

  members(place: Placed, what: string): readonly Member[] | undefined {
    const { value } = place.member;
    return value.kind === "object" ? value.members : this.refuse(place, `give ${what} in { }, not ${describe(value)}`);
  }

  /** Each setting of a list of members once: a second one of the same key is refused. */
  once(members: readonly Member[], path: string): ReadonlyMap<string, Placed> {
    const settings = new Map<string, Placed>();
    for (const member of members) {
      const place = { member, path: join(path, member.key) };
      const before = settings.get(member.key);
      if (before === undefined) settings.set(member.key, place);
      else this.refuse(place, `is given twice (line ${before.member.line} too); only events may repeat`);
    }
    return settings;
  }
}

export function join(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}

export function describe(value: JsonValue): string {
  switch (value.kind) {
    case "object":
      return "an object";
    case "array":
      return "a list";
    case "string":
      return `the text "${value.text.slice(0, 30)}"`;
    case "number":
      return String(value.number);
    case "boolean":
      return String(value.flag);
    case "null":
      return "null";
    case "bare":
      return "nothing";
    default:
      return value satisfies never;
  }
}
