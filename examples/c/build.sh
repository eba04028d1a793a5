#!/bin/sh
# Builds the C examples to WebAssembly with threads: build.sh OUTPUT-FOLDER. Needs clang and wasm-ld (Debian: clang lld).
set -eu
here=$(dirname "$0")
out=${1:?"usage: build.sh OUTPUT-FOLDER"}
mkdir -p "$out"
for source in "$here"/*.c; do
  clang --target=wasm32-unknown-unknown -matomics -mbulk-memory -mmutable-globals -O1 -g -nostdlib \
    -Wl,--no-entry -Wl,--import-memory -Wl,--shared-memory -Wl,--max-memory=131072 -Wl,-z,stack-size=4096 \
    -Wl,--export=__stack_pointer -o "$out/$(basename "$source" .c).wasm" "$source"
done
