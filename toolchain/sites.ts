// Sites: the places of a pausable module, by number. A module carries its own table in a custom section, so that a
// machine, an explorer or a viewer can name the place at which a hart stands without the compiler at hand.
//
// Invariant: a site's number is its index in the table; numbers follow the order of functions in the artifact.
// Partners: pausable.ts writes the table; machines/sim reads it.

/** What stands at a site: the hart is announced there just before it does this. */
export type SiteKind =
  | "atomic-load"
  | "atomic-store"
  | "atomic-rmw"
  | "atomic-cmpxchg"
  | "fence"
  | "call"
  | "loop"
  | "load"
  | "store"
  | "bulk";

export interface Site {
  /** The function's name as the artifact's name section gives it. */
  readonly function: string;
  readonly kind: SiteKind;
  /** For a call: the import, as `machine.sendIpi`; for an access its width in bytes; else empty. */
  readonly detail: string;
}

/** What a pausable module states about itself. */
export interface PausableTable {
  /** Pages of 64 KiB that the module's memory must have. */
  readonly pages: number;
  /** The pages that are the program's own, from address 0; the others hold unwound stacks. */
  readonly ownPages: number;
  /** Its memory was a shared one. */
  readonly shared: boolean;
  readonly sites: readonly Site[];
}

/** Name of the custom section, UTF-8 JSON: { pages, ownPages, shared, sites: [function, kind, detail][] }. */
export const SITES_SECTION = "hartbeat.sites";

export const PAGE_BYTES = 65536;

/** Flags of the last argument of `sim.access`; the low bits hold the width in bytes (1, 2, 4 or 8). */
export const ACCESS_WIDTH_MASK = 15;
export const ACCESS_WRITE = 16;
export const ACCESS_ATOMIC = 32;

/** The export of a user module that has one program. */
export const ENTRY_RUN = "run";

/** Mutable globals of the module are exported under this prefix and a number, so that they can be captured. */
export const GLOBAL_EXPORT_PREFIX = "sim:global:";

/** Exported by a module whose loops count down: loop heads to pass, the last of which pauses. */
export const PAUSES_LEFT_EXPORT = "sim:pauses-left";

type Row = [name: string, kind: SiteKind, detail: string];

export function encodeTable(table: PausableTable): Uint8Array {
  const sites = table.sites.map((site): Row => [site.function, site.kind, site.detail]);
  return new TextEncoder().encode(JSON.stringify({ ...table, sites }));
}

/** The table of a compiled module, or undefined when the module was not made pausable. */
export function readTable(module: WebAssembly.Module): PausableTable | undefined {
  const section = WebAssembly.Module.customSections(module, SITES_SECTION)[0];
  if (section === undefined) return undefined;
  const { pages, ownPages, shared, sites } = JSON.parse(new TextDecoder().decode(section)) as {
    pages: number;
    ownPages: number;
    shared: boolean;
    sites: Row[];
  };
  return { pages, ownPages, shared, sites: sites.map(([name, kind, detail]) => ({ function: name, kind, detail })) };
}
