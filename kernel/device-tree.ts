// Device tree: the few facts that the kernel takes from the flattened tree (Devicetree Specification 0.4,
// chapter 5): the harts, and the ACLINT's supervisor software interrupt device.
//
// Owner: the boot hart, once, at boot.
// Pairs with: machine.deviceTreeWord; boot.ts, which starts the harts found.

import * as machine from "./machine";

/** Tokens of the structure block. */
enum Token {
  BeginNode = 1,
  EndNode = 2,
  Property = 3,
  Nop = 4,
  End = 9,
}

export enum TreeOutcome {
  Read = 0,
  /** Not a flattened device tree, or cut short. */
  Unreadable = 1,
}

/** What a walk finds. Lies in memory that its caller gives. */
@unmanaged
export class Tree {
  /** Harts found; the first HARTS_MAX ids follow this record. */
  hartCount: i32;
  /** Physical address of the SSWI device, or 0. */
  sswiBase: i64;
}

export const HARTS_MAX: i32 = 64;
const HART_IDS_OFFSET: i32 = 16;

const MAGIC: i32 = 0xd00dfeed;
const STRUCTURE_OFFSET: i32 = 8;
const STRINGS_OFFSET: i32 = 12;

/** What is known of the node that the walk is in. */
@unmanaged
class Walk {
  depth: i32;
  /** Depth of the /cpus node while inside it, else 0. */
  cpusDepth: i32;
  isCpu: i32;
  isUsable: i32;
  isSswi: i32;
  reg: i32;
  regHigh: i32;
  strings: i32;
}

const WALK_OFFSET: i32 = 512;

export function hartIdOf(tree: Tree, index: i32): i32 {
  return load<i32>(changetype<usize>(tree) + HART_IDS_OFFSET + ((index as usize) << 2));
}

/** Reads the tree into 1 KiB of memory at `address`. */
export function readTree(address: i32): TreeOutcome {
  const tree = changetype<Tree>(address as usize);
  const walk = changetype<Walk>((address + WALK_OFFSET) as usize);
  tree.hartCount = 0;
  tree.sswiBase = 0;
  if (machine.deviceTreeWord(0) != MAGIC) return TreeOutcome.Unreadable;
  walk.depth = 0;
  walk.cpusDepth = 0;
  walk.strings = machine.deviceTreeWord(STRINGS_OFFSET);
  let offset = machine.deviceTreeWord(STRUCTURE_OFFSET);
  const end = machine.deviceTreeBytes();
  // bound: a word of the tree each turn, and trees have a length.
  while (offset >= 0 && offset < end) {
    const token = machine.deviceTreeWord(offset);
    offset += 4;
    if (token == Token.BeginNode) {
      noteNode(walk, tree);
      beginNode(walk, offset);
      offset += (nameLength(offset) + 4) & ~3;
    } else if (token == Token.Property) {
      const length = machine.deviceTreeWord(offset);
      noteProperty(walk, walk.strings + machine.deviceTreeWord(offset + 4), offset + 8, length);
      offset += 8 + ((length + 3) & ~3);
    } else if (token == Token.EndNode) {
      noteNode(walk, tree);
      if (walk.depth == walk.cpusDepth) walk.cpusDepth = 0;
      walk.depth -= 1;
    } else if (token == Token.End) {
      return TreeOutcome.Read;
    } else if (token != Token.Nop) {
      return TreeOutcome.Unreadable;
    }
  }
  return TreeOutcome.Unreadable;
}

function beginNode(walk: Walk, name: i32): void {
  walk.depth += 1;
  // The root is at depth 1, so /cpus is at 2 and its children at 3.
  if (walk.depth == 2 && isText(name, "cpus", true)) walk.cpusDepth = 2;
  walk.isCpu = walk.depth == 3 && walk.cpusDepth == 2 && isText(name, "cpu@", false) ? 1 : 0;
  walk.isUsable = 1;
  walk.isSswi = 0;
  walk.reg = 0;
  walk.regHigh = 0;
}

function noteProperty(walk: Walk, name: i32, value: i32, length: i32): void {
  if (isText(name, "reg", true)) {
    walk.regHigh = length > 4 ? machine.deviceTreeWord(value) : 0;
    walk.reg = machine.deviceTreeWord(length > 4 ? value + 4 : value);
  } else if (isText(name, "status", true)) {
    walk.isUsable = isText(value, "okay", true) || isText(value, "ok", true) ? 1 : 0;
  } else if (isText(name, "compatible", true)) {
    walk.isSswi = isText(value, "riscv,aclint-sswi", true) ? 1 : 0;
  }
}

/** A node's properties come before its children, so they are complete at its first child or at its end. */
function noteNode(walk: Walk, tree: Tree): void {
  if (walk.isCpu != 0 && walk.isUsable != 0) {
    if (tree.hartCount < HARTS_MAX) {
      store<i32>(changetype<usize>(tree) + HART_IDS_OFFSET + ((tree.hartCount as usize) << 2), walk.reg);
    }
    tree.hartCount += 1;
  }
  if (walk.isSswi != 0 && walk.isUsable != 0) {
    tree.sswiBase = ((walk.regHigh as i64) << 32) | (walk.reg as u32 as i64);
  }
  walk.isCpu = 0;
  walk.isSswi = 0;
}

function byteAt(offset: i32): i32 {
  const word = machine.deviceTreeWord(offset & ~3);
  return ((word as u32) >> (24 - ((offset & 3) << 3))) & 0xff;
}

/** Length of a zero-terminated string. */
function nameLength(offset: i32): i32 {
  const end = machine.deviceTreeBytes();
  let length = 0;
  // bound: the length of the tree.
  while (offset + length < end && byteAt(offset + length) != 0) length += 1;
  return length;
}

/** Whether the string at an offset begins with a text, and ends there too if it is to be `whole`. */
function isText(offset: i32, text: string, whole: bool): bool {
  const length = text.length;
  // bound: the length of a constant.
  for (let i = 0; i < length; i++) {
    if (byteAt(offset + i) != text.charCodeAt(i)) return false;
  }
  return !whole || byteAt(offset + length) == 0;
}
