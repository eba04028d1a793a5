// Task table image: an image with a task table in it, so that the same kernel boots with other tasks and nothing is linked.
//
// Owner: none, a pure function of the bytes. Pairs with: task-table.c.

import { symbolOf } from "./elf-symbols.ts";

/** A copy of the image with these words as its task table (abi/task-table.ts). Throws where they are too many. */
export function withTaskTable(image: Buffer, words: readonly number[]): Buffer {
  const { offset, bytes } = symbolOf(image, "machine_task_table");
  if (offset === undefined) throw new Error("the image's task table is in no segment");
  if (words.length * 4 > bytes) throw new Error(`a task table of ${words.length} words; the image holds ${bytes / 4}`);
  const copy = Buffer.from(image);
  copy.fill(0, offset, offset + bytes);
  words.forEach((word, index) => copy.writeInt32LE(word | 0, offset + index * 4));
  return copy;
}
