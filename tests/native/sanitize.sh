#!/usr/bin/env bash
# The native tests under AddressSanitizer with UndefinedBehaviorSanitizer, then under ThreadSanitizer.
set -euo pipefail
cd "$(dirname "$0")/../.."

# ThreadSanitizer's fixed memory layout clashes with much address space randomisation (vm.mmap_rnd_bits): without it
# where the system lets us.
fixed=()
if setarch -R true 2>/dev/null; then fixed=(setarch -R); fi

build() {  # build SANITIZERS: the folder of the tests built with them
  echo "== $1"
  folder=build/native/$1
  tests/native/build.sh "$folder" "${CXX:-g++}" -O1 -g -fsanitize="$1" -fno-sanitize-recover=all
}

build address,undefined
"${fixed[@]}" "$folder/kernels"
"${fixed[@]}" "$folder/searches"
"${fixed[@]}" "$folder/threads" --no-busy-fork  # GCC 12's AddressSanitizer forks with its allocator's locks as they are

build thread  # kernels know no threads
"${fixed[@]}" "$folder/searches" --only-shared
"${fixed[@]}" "$folder/threads" --no-fork  # ThreadSanitizer allows none in the child of a process that had threads
