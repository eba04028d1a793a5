// The public door of the explorer: what `import { explore } from "hartbeat"` gives.

export { explore } from "./explore.ts";
export type { Exploration, ExploreOptions, IncompleteReason, Progress, Verdict } from "./explore.ts";
export { replay, Replay } from "./replay.ts";
export type { ReplayOutcome } from "./replay.ts";
export { parseCounterexample } from "./counterexample.ts";
export type { AccessRecord, Counterexample, StepRecord } from "./counterexample.ts";
export { renderCounterexample } from "./render.ts";
export { describeViolation } from "./violation.ts";
export type { Violation, ViolationKind } from "./violation.ts";
export { ALL_REDUCTIONS } from "./target.ts";
export type { Reductions, Target, ThreadSpec } from "./target.ts";
export { findSourceLines, linkedSourceLines, linkedSourceMap } from "./source-lines.ts";
export type { MappedPart, SourceLines } from "./source-lines.ts";
export { link } from "./wasm/link.ts";
export type { Linkable, Linked } from "./wasm/link.ts";
export { decodeModule } from "./wasm/module.ts";
export { MalformedModule } from "./wasm/bytes.ts";
export { UnsupportedModule } from "./wasm/module.ts";
export { UnusableModule } from "./program.ts";
export { decodeSearch, encodeSearch } from "./resume.ts";
export type { SearchState } from "./resume.ts";
export { refusalOf } from "./refusal.ts";
export { findDisagreements } from "./disagreements.ts";
export type { Disagreement } from "./disagreements.ts";
export { certificatePage } from "./certificate-page.ts";
export { certificateOf } from "./certificate.ts";
export type { Certificate } from "./certificate.ts";
