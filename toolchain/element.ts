// Element: an array's entry that must be there. A missing one is a bug of ours, said at once.

/** The entry at an index, negative ones counted from the end. Throws when there is none. */
export function element<T>(list: readonly T[], index: number): T {
  const found = list.at(index);
  if (found === undefined) throw new Error(`no element ${index} in a list of ${list.length}`);
  return found;
}
