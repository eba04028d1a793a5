// Tree: a flattened device tree of as many harts as the scenario has, made word by word when it is asked for.
//
// Structure: root { cpus { cpu@ { reg = <id> } ... } }. Hart ids are the machine's (machine.ts).
// Pairs with: kernel/device-tree.ts, which reads it.

import { hartCount } from "./model";

const STRUCTURE: i32 = 40;
const STRINGS: i32 = 4096;
export const TREE_BYTES: i32 = 4608;
/** Words of one cpu node: begin, "cpu@", its end, property, length, name, value, end. */
const CPU_WORDS: i32 = 8;
/** Words before the first: begin root, "", begin cpus, "cpus", its end. */
const HEAD_WORDS: i32 = 5;

export function treeWord(offset: i32): i32 {
  if (offset == 0) return 0xd00dfeed;
  if (offset == 8) return STRUCTURE;
  if (offset == 12) return STRINGS;
  // "reg", zero-terminated.
  if (offset == STRINGS) return 0x72656700;
  const word = (offset - STRUCTURE) >> 2;
  if (word < 0 || offset >= STRINGS) return 0;
  if (word < HEAD_WORDS) return word == 0 || word == 2 ? 1 : word == 3 ? 0x63707573 : 0;
  const cpu = (word - HEAD_WORDS) / CPU_WORDS;
  if (cpu < hartCount()) return cpuWord(cpu, (word - HEAD_WORDS) % CPU_WORDS);
  const rest = word - HEAD_WORDS - CPU_WORDS * hartCount();
  // Ends of cpus, of the root, of the tree.
  return rest < 2 ? 2 : 9;
}

function cpuWord(cpu: i32, place: i32): i32 {
  if (place == 0) return 1;
  if (place == 1) return 0x63707540;
  if (place == 3) return 3;
  if (place == 4) return 4;
  if (place == 6) return cpu + 1;
  return place == 7 ? 2 : 0;
}
