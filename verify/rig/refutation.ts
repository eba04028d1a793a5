// Refutation: how a check reports that the kernel under test does not do what a clause asks.
//
// Checks run under the test runner and outside it (verify/breaks), so they bring their own few functions for
// comparing. Only a Refutation, or a trap of the kernel itself, counts as the kernel's fault; any other error is a
// fault of the check and must never pass for a kernel that was found out.
// Partners: checks/, case.ts.

/** The kernel does not fulfil the clause; the message states what was seen and what was due. */
export class Refutation extends Error {}

export function refute(what: string): never {
  throw new Refutation(what);
}

export function holds(condition: boolean, what: string): void {
  if (!condition) refute(what);
}

/** Equal as JSON, with bigints as decimal text. */
export function same<T>(seen: T, due: T, what: string): void {
  // Most comparisons are of equal numbers or of short equal lists of them.
  if (seen === due || (Array.isArray(seen) && Array.isArray(due) && isSameList(seen, due))) return;
  const texts = [seen, due].map((value) => format(value));
  if (texts[0] !== texts[1]) refute(`${what}: ${texts[0]} where ${texts[1]} was due`);
}

function isSameList(seen: readonly unknown[], due: readonly unknown[]): boolean {
  return seen.length === due.length && seen.every((one, i) => one === due[i]);
}

function format(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) => (typeof one === "bigint" ? `${one}n` : one)) ?? "nothing";
}

/** A panic of the kernel (a failed assertion, an access out of bounds) refutes as well as a wrong answer. */
export function isRefutation(thrown: unknown): thrown is Error {
  return thrown instanceof Refutation || thrown instanceof WebAssembly.RuntimeError;
}
