// Sizes: bytes of the artifacts, and the kernel's deepest stack.
//
// Owner: none. Pairs with: toolchain/build.ts, which leaves stack.json beside the image.
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { buildArtifacts, buildElf } from "../toolchain/build.ts";
import { SECTION, moduleOf, sectionsOf } from "../wasm/sections.ts";
import { type GroupOutcome, type Section, targetText, verdictOf } from "./result.ts";
import { KERNEL_BYTES_TARGET } from "./targets.ts";

export async function measureSizes(): Promise<GroupOutcome> {
  const built = await buildArtifacts();
  if (built.kind === "refused") return { kind: "failed", message: built.lines[0] ?? built.step };
  const image = await buildElf();
  if (image.kind === "missing-compiler") return { kind: "missing-tool", message: image.message };
  if (image.kind === "refused") return { kind: "failed", message: image.lines[0] ?? image.step };
  const kernel = await readFile(built.artifacts.kernel);
  const stack = JSON.parse(await readFile(join(dirname(image.elf), "stack.json"), "utf8")) as {
    bytes: number;
    of: number;
  };
  const text = textBytes(await readFile(image.elf));
  const sizes: [string, string, number, number | undefined][] = [
    ["kernel.wasm, as it ships", "kernel", kernel.length, KERNEL_BYTES_TARGET],
    ["kernel.wasm, without custom sections (names)", "kernel-bare", bareBytes(kernel), undefined],
    ["user.wasm", "user", (await readFile(built.artifacts.user)).length, undefined],
    ["hartbeat.elf, code of kernel and machine layer", "text", text, undefined],
    [`deepest kernel stack, of ${stack.of}`, "stack", stack.bytes, stack.of],
  ];
  const section: Section = {
    title: "Sizes, bytes",
    note: "The stack's depth is added up from the compiler's call graph at build time.",
    header: ["what", "bytes", "target", ""],
    rows: sizes.map(([title, , bytes, most]) => [title, `${bytes}`, targetText(most), verdictOf(bytes, most)]),
  };
  const figures = Object.fromEntries(sizes.map(([, name, bytes]) => [`sizes.${name}`, bytes]));
  return { kind: "measured", result: { sections: [section], figures } };
}

/** Bytes of a wasm module without its custom sections. */
export function bareBytes(wasm: Uint8Array): number {
  return moduleOf(sectionsOf(wasm).filter(({ id }) => id !== SECTION.custom)).length;
}

/** Bytes of the image's first LOAD segment, which is its code (link.ld). */
export function textBytes(elf: Buffer): number {
  const header = Number(elf.readBigUInt64LE(32));
  return Number(elf.readBigUInt64LE(header + 32));
}
