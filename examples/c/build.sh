#!/bin/sh
# Builds the C examples to WebAssembly with threads: build.sh OUTPUT-FOLDER. Needs clang and wasm-ld (Debian: clang lld).
# Linked by wasm-ld itself: clang would run a wasm-opt that it finds on the path, and that drops names and line tables.
# The exports show how each thread gets a stack and thread-local variables of its own, and how constructors are run once.
set -eu
here=$(dirname "$0")
out=${1:?"usage: build.sh OUTPUT-FOLDER"}
mkdir -p "$out"
for source in "$here"/*.c; do
  name=$(basename "$source" .c)
  clang --target=wasm32-unknown-unknown -matomics -mbulk-memory -mmutable-globals -ftls-model=local-exec \
    -O1 -g -c -o "$out/$name.o" "$source"
  wasm-ld --no-entry --import-memory --shared-memory --max-memory=131072 -z stack-size=4096 \
    --export=__stack_pointer --export=__wasm_init_tls --export=__tls_size --export=__tls_align \
    --export=__wasm_call_ctors -o "$out/$name.wasm" "$out/$name.o"
done
