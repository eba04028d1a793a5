import { expect, test } from "vitest";
import { demangle } from "./demangle.ts";

// Symbols that rustc 1.63 and 1.95 gave to functions of a small program.
test.each([
  ["_ZN6ticket4Lock4with17he12254e9050e04b1E", "ticket::Lock::with"],
  [
    "_ZN4core3ptr28drop_in_place$LT$$RF$u64$GT$17h1d02b19a6a06a02bE.llvm.5115463553621482282",
    "core::ptr::drop_in_place<&u64>",
  ],
  ["_ZN36_$LT$T$u20$as$u20$core..any..Any$GT$7type_id17h1eb33050df948c2cE", "<T as core::any::Any>::type_id"],
])("demangle: the older mangling, %s: %s", (symbol, name) => {
  expect(demangle(symbol)).toBe(name);
});

test.each([
  ["_RINvMs_CsfXVLJahg94Z_6ticketNtB5_4Lock4withNCNvB5_6worker0EB5_", "ticket::Lock::with"],
  ["_RINvCsgwMZY51pkhx_4many3genKb1_Kce9_Axj4_EB2_", "many::gen"],
  ["_RNCNvCsgwMZY51pkhx_4many4mains_0B3_", "many::main::{closure#1}"],
  ["_RNvYjNtNtCs6IL9ONYDOZW_4core3cmp3Ord3maxCsgwMZY51pkhx_4many", "<usize as core::cmp::Ord>::max"],
  [
    "_RNvMNtCs6IL9ONYDOZW_4core5sliceSINtNtCsihNoVIYWwLU_5alloc5boxed3BoxDG_INtNtNtB4_3ops8function2FnTRL0_eEEp6OutputNtNtBz_6string6StringEL_E3lenCsgwMZY51pkhx_4many",
    "<[alloc::boxed::Box<dyn core::ops::function::Fn<(&str,), Output = alloc::string::String>>]>::len",
  ],
])("demangle: the newer mangling, %s: %s", (symbol, name) => {
  expect(demangle(symbol)).toBe(name);
});

test.each([
  ["worker"],
  ["function 7"],
  ["~lib/rt/stub/__alloc"],
  // C++, which the linker demangles itself.
  ["_ZN3foo3barEv"],
  ["_ZN3foo"],
  ["_R"],
  ["_RNvCsgwMZY51pkhx_4many"],
  ["_RNvCsgwMZY51pkhx_4many4main and more"],
  // A reference to itself, and a very long chain.
  ["_RB_"],
  [`_R${"NvC1a".repeat(1000)}`],
])("demangle: no name of Rust's, or a broken one, %s: stays as it is", (name) => {
  expect(demangle(name)).toBe(name);
});
