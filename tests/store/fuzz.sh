#!/usr/bin/env bash
# fuzz.sh PYTHON [OPTION ...]: the mutations of mutate.py with a core built for AddressSanitizer and UBSan.
set -euo pipefail
python=$(realpath -s "$1")
cd "$(dirname "$0")/../.."
folder=build/fuzz
PATH=$(dirname "$python"):$PATH cmake -S . -B $folder -G Ninja -DPython_EXECUTABLE="$python" \
  -Dpybind11_DIR="$("$python" -m pybind11 --cmakedir)" -DCMAKE_BUILD_TYPE=RelWithDebInfo \
  -DCMAKE_CXX_FLAGS="-O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all" >/dev/null
PATH=$(dirname "$python"):$PATH cmake --build $folder
# Python itself leaks at its end, and small blocks must come from malloc for their ends to be watched.
export ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 PYTHONMALLOC=malloc
LD_PRELOAD="$("${CXX:-g++}" -print-file-name=libasan.so) $("${CXX:-g++}" -print-file-name=libstdc++.so.6)" \
  "$python" tests/store/mutate.py --core "$(ls $folder/_core*.so)" "${@:2}"
