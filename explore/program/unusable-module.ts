// Unusable module: the error for a module that cannot be used as the target asks.
//
// Owner: none. Pairs with: report/refusal.ts, which distinguishes it from our own faults.

/** Something is wrong with how the module is used; the message is one line. */
export class UnusableModule extends Error {}
