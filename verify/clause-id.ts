// Clause id: the names of the clauses of docs/contract.md, in its order.
//
// Owner: none, constants. Invariant: an id that stands here has a section in docs/contract.md, and the other way round.
// Pairs with: verify/contract/ (holds the document, the kernel's comments and the checks together).

export const CLAUSE_IDS = [
  // Q: bounded queues.
  ...(["Q1", "Q2", "Q3", "Q4", "Q5", "Q6", "Q7", "Q8", "Q9"] as const),
  // S: stealing.
  ...(["S1", "S2", "S3", "S4", "S5", "S6"] as const),
  // I: resched requests and IPIs.
  ...(["I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I9"] as const),
  // C: CPU identity.
  ...(["C1", "C2", "C3", "C4", "C5"] as const),
  // T: traps and runtime authority.
  ...(["T1", "T2", "T3", "T4", "T5", "T6", "T7", "T8"] as const),
  // D: determinism and proof.
  ...(["D1", "D2", "D3", "D4", "D5", "D6", "D7", "D8", "D9"] as const),
] as const;

export type ClauseId = (typeof CLAUSE_IDS)[number];

export function isClauseId(text: string): text is ClauseId {
  return CLAUSE_IDS.some((id) => id === text);
}
