// Demangle: Rust's symbol names as people write them, both manglings ("_ZN...17h...E" and "_R...").
//
// Names are for reading in a column: hashes, crate numbers, lifetimes and the type arguments of generic functions are left
// out. Owner: none, pure. Invariant: a name that is not understood to its end comes back as it was.
// Pairs with: names.ts. Names of C++ the linker demangles itself; those of C, Zig and AssemblyScript need none of it.

import { assertDefined } from "./assert-defined.ts";

export function demangle(name: string): string {
  try {
    return (name.startsWith("_R") ? new NewSymbol(name.slice(2)).read() : legacy(name)) ?? name;
  } catch {
    return name;
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  SP: "@",
  BP: "*",
  RF: "&",
  LT: "<",
  GT: ">",
  LP: "(",
  RP: ")",
  C: ",",
};

/** The older mangling: lengths and names, the last of which is a hash; undefined for another language's. */
function legacy(name: string): string | undefined {
  const parts: string[] = [];
  let at = 3;
  if (!name.startsWith("_ZN")) return undefined;
  while (name[at] !== "E") {
    const digits = /^\d+/.exec(name.slice(at))?.[0];
    if (digits === undefined) return undefined;
    at += digits.length + Number(digits);
    parts.push(name.slice(at - Number(digits), at));
  }
  if (!/^h[0-9a-f]{16}$/.test(parts.pop() ?? "")) return undefined;
  const unescape = (part: string): string =>
    part
      .replace(/^_\$/, "$")
      .replaceAll(/\$(u[0-9a-f]{1,6}|[A-Z]+)\$/g, (all, escape: string) =>
        escape.startsWith("u") ? String.fromCodePoint(Number.parseInt(escape.slice(1), 16)) : (ESCAPES[escape] ?? all),
      )
      .replaceAll("..", "::");
  return parts.map(unescape).join("::");
}

const BASIC: Readonly<Record<string, string>> = {
  a: "i8",
  b: "bool",
  c: "char",
  d: "f64",
  e: "str",
  f: "f32",
  h: "u8",
  i: "isize",
  j: "usize",
  l: "i32",
  m: "u32",
  n: "i128",
  o: "u128",
  p: "_",
  s: "i16",
  t: "u16",
  u: "()",
  v: "...",
  x: "i64",
  y: "u64",
  z: "!",
};

/** Nesting and length beyond which a name is no name: references back can make a short symbol very long. */
const DEPTH_MAX = 100;
const STEPS_MAX = 5000;

/** A symbol of the newer mangling; positions count from behind the "_R". */
class NewSymbol {
  private readonly text: string;
  private at = 0;
  private depth = 0;
  private steps = 0;

  constructor(text: string) {
    this.text = text;
  }

  read(): string | undefined {
    const path = this.path(false);
    // Behind it: the crate that asked for the generic code, and what a later pass added.
    if (this.at < this.text.length && !/[.$]/.test(this.peek())) this.path(false);
    return this.at === this.text.length || /[.$]/.test(this.peek()) ? path : undefined;
  }

  private peek(): string {
    return this.text[this.at] ?? "";
  }
  private take(): string {
    if (this.at >= this.text.length || ++this.steps > STEPS_MAX) throw new Error("no such symbol");
    return assertDefined(this.text[this.at++]);
  }
  private skips(character: string): boolean {
    if (this.peek() !== character) return false;
    this.take();
    return true;
  }

  /** "_" is 0; otherwise digits up to "_", and one more. */
  private number62(): number {
    let value = 0;
    if (this.skips("_")) return 0;
    for (let digit = this.take(); digit !== "_"; digit = this.take()) {
      if (!/[0-9a-zA-Z]/.test(digit)) throw new Error("no number");
      const code = digit.charCodeAt(0);
      value = value * 62 + code - (code >= 97 ? 87 : code >= 65 ? 29 : 48);
    }
    return value + 1;
  }

  private disambiguator(): number {
    return this.skips("s") ? this.number62() + 1 : 0;
  }

  private identifier(): { readonly name: string; readonly number: number } {
    const number = this.disambiguator();
    return { name: this.plainIdentifier(), number };
  }

  private plainIdentifier(): string {
    const isPunycode = this.skips("u");
    if (!/\d/.test(this.peek())) throw new Error("no name");
    let length = 0;
    while (/\d/.test(this.peek())) {
      length = length * 10 + Number(this.take());
      if (length === 0) break;
    }
    this.skips("_");
    const name = this.text.slice(this.at, this.at + length);
    if (name.length < length) throw new Error("a name ends early");
    this.at += length;
    return isPunycode ? `{${name}}` : name;
  }

  /** Reads what stands at an earlier place; `here` is where the "B" stood. */
  private back<T>(here: number, read: () => T): T {
    const to = this.number62();
    if (to >= here) throw new Error("a reference forward");
    const after = this.at;
    this.at = to;
    const result = read();
    this.at = after;
    return result;
  }

  private deeper<T>(read: () => T): T {
    if (++this.depth > DEPTH_MAX) throw new Error("too deep");
    const result = read();
    this.depth--;
    return result;
  }

  /** `whole`: with the arguments of generics, as in a type. */
  private path(whole: boolean): string {
    return this.deeper(() => {
      const here = this.at;
      const kind = this.take();
      switch (kind) {
        case "C":
          return this.identifier().name;
        case "M": {
          this.disambiguator();
          this.path(false);
          const type = this.type();
          return /^[\w:]+$/.test(type) ? type : `<${type}>`;
        }
        case "X":
          this.disambiguator();
          this.path(false);
          return `<${this.type()} as ${this.path(true)}>`;
        case "Y":
          return `<${this.type()} as ${this.path(true)}>`;
        case "N":
          return this.nested(whole);
        case "I": {
          const path = this.path(whole);
          const args = this.genericArguments();
          return whole && args.length > 0 ? `${path}<${args.join(", ")}>` : path;
        }
        case "B":
          return this.back(here, () => this.path(whole));
        default:
          throw new Error(`no path: ${kind}`);
      }
    });
  }

  private nested(whole: boolean): string {
    const namespace = this.take();
    const path = this.path(whole);
    const { name, number } = this.identifier();
    if (/[a-z]/.test(namespace)) return name === "" ? path : `${path}::${name}`;
    const kind = namespace === "C" ? "closure" : namespace === "S" ? "shim" : namespace;
    return `${path}::{${kind}${name === "" ? "" : `:${name}`}#${number}}`;
  }

  private genericArguments(): string[] {
    const list: string[] = [];
    while (!this.skips("E")) {
      if (this.skips("L")) this.number62();
      else list.push(this.skips("K") ? this.constant() : this.type());
    }
    return list;
  }

  private constant(): string {
    const here = this.at;
    if (this.skips("p")) return "_";
    if (this.skips("B")) return this.back(here, () => this.constant());
    const type = this.type();
    const sign = this.skips("n") ? "-" : "";
    let digits = "";
    for (let digit = this.take(); digit !== "_"; digit = this.take()) digits += digit;
    if (!/^[0-9a-f]*$/.test(digits)) throw new Error("no constant");
    if (type === "bool") return digits === "1" ? "true" : "false";
    return `${sign}${BigInt(`0x${digits || "0"}`)}`;
  }

  private type(): string {
    return this.deeper(() => {
      const here = this.at;
      const kind = this.take();
      const basic = BASIC[kind];
      if (basic !== undefined) return basic;
      switch (kind) {
        case "A":
          return `[${this.type()}; ${this.constant()}]`;
        case "S":
          return `[${this.type()}]`;
        case "T": {
          const types = this.types();
          return `(${types.join(", ")}${types.length === 1 ? "," : ""})`;
        }
        case "R":
        case "Q":
          if (this.skips("L")) this.number62();
          return `${kind === "Q" ? "&mut " : "&"}${this.type()}`;
        case "P":
          return `*const ${this.type()}`;
        case "O":
          return `*mut ${this.type()}`;
        case "F":
          return this.functionType();
        case "D":
          return this.dynamic();
        case "B":
          return this.back(here, () => this.type());
        default:
          this.at = here;
          return this.path(true);
      }
    });
  }

  private types(): string[] {
    const list: string[] = [];
    while (!this.skips("E")) list.push(this.type());
    return list;
  }

  private functionType(): string {
    if (this.skips("G")) this.number62();
    const safety = this.skips("U") ? "unsafe " : "";
    const abi = this.skips("K") ? `extern "${this.skips("C") ? "C" : this.plainIdentifier()}" ` : "";
    const params = this.types();
    const result = this.type();
    return `${safety}${abi}fn(${params.join(", ")})${result === "()" ? "" : ` -> ${result}`}`;
  }

  private dynamic(): string {
    if (this.skips("G")) this.number62();
    const bounds: string[] = [];
    while (!this.skips("E")) {
      const bound = this.path(true);
      const associated: string[] = [];
      while (this.skips("p")) associated.push(`${this.plainIdentifier()} = ${this.type()}`);
      const open = bound.endsWith(">") ? `${bound.slice(0, -1)}, ` : `${bound}<`;
      bounds.push(associated.length > 0 ? `${open}${associated.join(", ")}>` : bound);
    }
    if (this.skips("L")) this.number62();
    return `dyn ${bounds.join(" + ")}`;
  }
}
