// assertDefined: the value of a lookup that cannot miss, because of an invariant of the caller.
//
// Owner: none. A miss is a fault of this program and stops it with a stack trace.

export function assertDefined<T>(value: T | undefined | null): T {
  if (value === undefined || value === null) throw new Error("a lookup that cannot miss has missed");
  return value;
}
