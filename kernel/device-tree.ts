// Device tree: the few facts that the kernel takes from the flattened tree (Devicetree Specification 0.4,
// chapter 5): the harts, and the ACLINT's supervisor software interrupt device with the order of its registers.
//
// Owner: the boot hart, once, at boot.
// Pairs with: machine.deviceTreeWord; boot.ts, which starts the harts found.
// Clauses: I6.

import { CPUS_MAX } from "../abi/layout";
import * as machine from "./machine";
import { byteOf } from "./text";

/** Depth of the nodes in /cpus: the root is at 1. */
const CPU_DEPTH: i32 = 3;

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

/** What a walk finds. Lies in memory that its caller gives; the entries follow it. */
@unmanaged
export class Tree {
  /** Harts that may be used, with or without an entry. */
  hartCount: i32;
  /** Entries: the first CPUS_MAX harts in the tree's order, and the boot hart where it comes later. */
  entryCount: i32;
  /** Physical address of the first SSWI device, or 0. */
  sswiBase: i64;
  /** The list of that device's interrupts: where it lies in the tree, and its length in bytes. */
  sswiList: i32;
  sswiListBytes: i32;
}

/** A hart. */
@unmanaged
export class HartEntry {
  id: i32;
  /** Of its interrupt controller, by which devices name it; 0 when it has none. */
  phandle: i32;
}

/** The hart has no register in the SSWI device. */
export const NOT_COVERED: i32 = -1;

const ENTRIES_OFFSET: i32 = 32;
const ENTRY_LOG2: i32 = 3;
const ENTRIES_MAX: i32 = CPUS_MAX + 1;

/** S_SOFT among the interrupts of a hart's interrupt controller. */
const SUPERVISOR_SOFT: i32 = 1;
/** An interrupt in a list: the controller's phandle and, since such a controller takes one cell, its number. */
const INTERRUPT_BYTES: i32 = 8;

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
  list: i32;
  listBytes: i32;
  strings: i32;
  /** Address of the entry of the CPU node that the walk is in, or 0. */
  entry: i32;
  /** The walk is in the interrupt controller of a CPU node. */
  isController: i32;
  bootHart: i32;
}

const WALK_OFFSET: i32 = ENTRIES_OFFSET + (ENTRIES_MAX << ENTRY_LOG2);

export function entryAt(tree: Tree, index: i32): HartEntry {
  return changetype<HartEntry>(changetype<usize>(tree) + ENTRIES_OFFSET + ((index as usize) << ENTRY_LOG2));
}

/** Index of a hart's register in the SSWI device, or NOT_COVERED: the n-th interrupt of its list is the n-th register's (I6). */
export function sswiIndexOf(tree: Tree, entry: HartEntry): i32 {
  if (entry.phandle == 0) return NOT_COVERED;
  // bound: the length of the list, which lies in the tree.
  for (let at = 0; at + INTERRUPT_BYTES <= tree.sswiListBytes; at += INTERRUPT_BYTES) {
    const interrupt = tree.sswiList + at;
    if (machine.deviceTreeWord(interrupt) != entry.phandle) continue;
    if (machine.deviceTreeWord(interrupt + 4) == SUPERVISOR_SOFT) return at / INTERRUPT_BYTES;
  }
  return NOT_COVERED;
}

/** Reads the tree into 1 KiB of memory at `address`; `bootHart` gets an entry wherever it stands. */
export function readTree(address: i32, bootHart: i32): TreeOutcome {
  const tree = changetype<Tree>(address as usize);
  const walk = changetype<Walk>((address + WALK_OFFSET) as usize);
  tree.hartCount = 0;
  tree.entryCount = 0;
  tree.sswiBase = 0;
  tree.sswiListBytes = 0;
  walk.bootHart = bootHart;
  walk.entry = 0;
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
      finishNode(walk, tree);
      beginNode(walk, offset);
      offset += (nameLength(offset) + 4) & ~3;
    } else if (token == Token.Property) {
      const length = machine.deviceTreeWord(offset);
      readProperty(walk, walk.strings + machine.deviceTreeWord(offset + 4), offset + 8, length);
      offset += 8 + ((length + 3) & ~3);
    } else if (token == Token.EndNode) {
      finishNode(walk, tree);
      if (walk.depth == walk.cpusDepth) walk.cpusDepth = 0;
      if (walk.depth == CPU_DEPTH) walk.entry = 0;
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
  if (walk.depth == 2 && isText(name, "cpus", true)) walk.cpusDepth = 2;
  const isInCpus = walk.cpusDepth == 2;
  walk.isCpu = isInCpus && walk.depth == CPU_DEPTH && isText(name, "cpu@", false) ? 1 : 0;
  walk.isController = isInCpus && walk.depth > CPU_DEPTH && isText(name, "interrupt-controller", false) ? 1 : 0;
  walk.isUsable = 1;
  walk.isSswi = 0;
  walk.reg = 0;
  walk.regHigh = 0;
  walk.listBytes = 0;
}

function readProperty(walk: Walk, name: i32, value: i32, length: i32): void {
  if (isText(name, "reg", true)) {
    walk.regHigh = length > 4 ? machine.deviceTreeWord(value) : 0;
    walk.reg = machine.deviceTreeWord(length > 4 ? value + 4 : value);
  } else if (isText(name, "status", true)) {
    walk.isUsable = isText(value, "okay", true) || isText(value, "ok", true) ? 1 : 0;
  } else if (isText(name, "compatible", true)) {
    walk.isSswi = isText(value, "riscv,aclint-sswi", true) ? 1 : 0;
  } else if (isText(name, "interrupts-extended", true)) {
    walk.list = value;
    walk.listBytes = length;
  } else if (walk.isController != 0 && walk.entry != 0 && isText(name, "phandle", true)) {
    changetype<HartEntry>(walk.entry as usize).phandle = machine.deviceTreeWord(value);
  }
}

/** A node's properties come before its children, so they are complete at its first child or at its end. */
function finishNode(walk: Walk, tree: Tree): void {
  if (walk.isCpu != 0 && walk.isUsable != 0) addHart(walk, tree);
  // The first one counts: it is the one that the machine maps.
  if (walk.isSswi != 0 && walk.isUsable != 0 && tree.sswiBase == 0) {
    tree.sswiBase = ((walk.regHigh as i64) << 32) | (walk.reg as u32 as i64);
    tree.sswiList = walk.list;
    tree.sswiListBytes = walk.listBytes;
  }
  walk.isCpu = 0;
  walk.isSswi = 0;
}

function addHart(walk: Walk, tree: Tree): void {
  tree.hartCount += 1;
  // I6: the boot hart has an entry, and so a register, wherever it stands in the tree.
  const most = walk.reg == walk.bootHart ? ENTRIES_MAX : CPUS_MAX;
  if (tree.entryCount >= most) return;
  const entry = entryAt(tree, tree.entryCount);
  tree.entryCount += 1;
  entry.id = walk.reg;
  entry.phandle = 0;
  walk.entry = changetype<usize>(entry) as i32;
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
  let length = 0;
  // bound: the length of a constant.
  for (; byteOf(text, length) != 0; length++) {
    if (byteAt(offset + length) != byteOf(text, length)) return false;
  }
  return !whole || byteAt(offset + length) == 0;
}
