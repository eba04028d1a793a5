#!/bin/sh
# Builds the Rust examples to WebAssembly with threads: build.sh OUTPUT-FOLDER. Needs a rustc that has the target
# wasm32-unknown-unknown (Debian: rustc libstd-rust-dev-wasm32 lld; rustup: rustup target add wasm32-unknown-unknown).
# RUSTC names another compiler than the first on the path that has it.
# --no-check-features: the compiler's own library was built without atomics; its atomic operations are inlined, so they are
# compiled here, with them. Optimized at least a little, or each would be a call, and its line the library's.
# The exports show how each thread gets a stack and thread-local variables of its own.
set -eu
here=$(dirname "$0")
out=${1:?"usage: build.sh OUTPUT-FOLDER"}
target=wasm32-unknown-unknown
rustc=
for each in ${RUSTC:-} rustc /usr/bin/rustc; do
  library=$("$each" --print target-libdir --target "$target" 2>/dev/null) || continue
  if [ -z "$rustc" ] && [ -d "$library" ]; then rustc=$each; fi
done
if [ -z "$rustc" ]; then
  echo "no rustc with the target $target; Debian: apt-get install rustc libstd-rust-dev-wasm32 lld" >&2
  exit 3
fi
# Debian's rustc comes without a linker of its own.
host=$("$rustc" -vV | sed -n 's/^host: //p')
linker=
if [ ! -x "$("$rustc" --print sysroot)/lib/rustlib/$host/bin/rust-lld" ]; then
  linker="-C linker=wasm-ld"
  command -v wasm-ld >/dev/null || { echo "no linker for $rustc; Debian: apt-get install lld" >&2; exit 3; }
fi
mkdir -p "$out"
for source in "$here"/*.rs; do
  # shellcheck disable=SC2086 # $linker is two words or none
  "$rustc" --edition 2021 --target "$target" --crate-type cdylib -C panic=abort -C opt-level=2 -g $linker \
    -C target-feature=+atomics,+bulk-memory,+mutable-globals \
    -C link-args="--no-check-features --shared-memory --import-memory --max-memory=131072 -z stack-size=4096" \
    -C link-args="--export=__stack_pointer --export=__wasm_init_tls --export=__tls_size --export=__tls_align" \
    -o "$out/$(basename "$source" .rs).wasm" "$source"
done
