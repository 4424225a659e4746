#!/usr/bin/env bash
# build.sh FOLDER COMPILER [FLAG ...]: builds kernels, searches and threads into FOLDER, warnings as errors.
set -euo pipefail
folder=$1
compiler=("${@:2}" -std=c++17 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -pthread)
here=$(dirname "$0")
csrc=$here/../../csrc
mkdir -p "$folder"
rm -f "$folder"/*.o

ls "$csrc"/{kernels,search,support}/*.cpp "$here"/*.cpp |
  xargs -P "$(nproc)" -I{} sh -c 'source=$1 folder=$2; shift 2; exec "$@" -c "$source" -o "$folder/$(basename "$source" .cpp).o"' \
    sh {} "$folder" "${compiler[@]}"

core=()
for source in "$csrc"/{kernels,search,support}/*.cpp; do core+=("$folder/$(basename "$source" .cpp).o"); done
for program in kernels searches threads; do
  "${compiler[@]}" "$folder/$program.o" "${core[@]}" -o "$folder/$program"
done
