#!/usr/bin/env bash
# The native tests under AddressSanitizer with UndefinedBehaviorSanitizer, then under ThreadSanitizer.
set -euo pipefail
cd "$(dirname "$0")/../.."

# ThreadSanitizer's fixed memory layout clashes with much address space randomisation (vm.mmap_rnd_bits): without it
# where the system lets us.
fixed=()
if setarch -R true 2>/dev/null; then fixed=(setarch -R); fi

run() {  # run SANITIZERS [FLAG OF threads]
  local folder=build/native/$1
  tests/native/build.sh "$folder" "${CXX:-g++}" -O1 -g -fsanitize="$1" -fno-sanitize-recover=all
  echo "== $1"
  "${fixed[@]}" "$folder/kernels"
  "${fixed[@]}" "$folder/searches"
  "${fixed[@]}" "$folder/threads" "${@:2}"
}

run address,undefined --no-busy-fork  # GCC 12's AddressSanitizer forks with its allocator's locks as they are
run thread --no-fork  # ThreadSanitizer allows no new threads in the child of a process that had threads
