#!/usr/bin/env bash
# emulate.sh PYTHON: the native code as other CPUs would run it. PYTHON has hashindex installed. By qemu's user mode:
#
#   AArch64       kernels, searches and threads, cross-compiled: neon, scalar
#   Core 2        kernels: no popcnt, no AVX
#   Sandy Bridge  kernels, and the built extension within Python: popcnt, no AVX2 (NumPy itself needs that much)
#   Haswell       the same: AVX2, no AVX-512
#
# It has no AVX-512: those kernels are compiled with intrinsics in plain C++ (portable/immintrin.h).
#
# On each x86 CPU a kernel that it lacks is forced to run and must die of an illegal instruction. That shows that the
# emulator refuses what the CPU has not, so that silence elsewhere means something.
set -euo pipefail
python=$(realpath -s "$1")
cd "$(dirname "$0")/../.."
if [ "$(uname -m)" != x86_64 ]; then
  echo "emulate: needs an x86-64 machine, this one is $(uname -m)" >&2
  exit 1
fi

missing=()
command -v aarch64-linux-gnu-g++ >/dev/null || missing+=(g++-aarch64-linux-gnu)
command -v qemu-x86_64 >/dev/null && command -v qemu-aarch64 >/dev/null || missing+=(qemu-user)
[ -e /usr/include/simde/x86/avx512.h ] || missing+=(libsimde-dev)
if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "emulate: install ${missing[*]} first (on Debian: sudo apt-get install ${missing[*]})" >&2
    exit 1
  fi
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi

# NumPy's OpenBLAS misjudges an emulated CPU and dies: it is told to take its plainest kernels, which are not tested here.
# qemu warns about features of the named CPU that it lacks (x2apic and the like); everything else stays.
emulate() { "$@" 2> >(grep -v "TCG doesn't support requested feature" >&2); }

must_be_illegal() {
  local status=0
  emulate "$@" >/dev/null 2>&1 || status=$?
  if [ $status -ne $((128 + 4)) ]; then  # 4: SIGILL
    echo "emulate: '$*' should die of an illegal instruction, its status is $status" >&2
    exit 1
  fi
  echo "$*: illegal instruction, as it must be"
}

native=build/native/x86_64 arm=build/native/aarch64 portable=build/native/portable
tests/native/build.sh $native g++ -O2 -static
tests/native/build.sh $arm aarch64-linux-gnu-g++ -O2 -static
mkdir -p $portable
compiled=($native/kernels.o)
for source in csrc/{kernels,support}/*.cpp; do
  object=$(basename "$source" .cpp).o
  if [[ $object == avx512* ]]; then
    g++ -std=c++17 -O2 -Wno-psabi -isystem tests/native/portable -c "$source" -o $portable/$object
    compiled+=($portable/$object)
  else compiled+=($native/$object); fi
done
g++ -pthread "${compiled[@]}" -o $portable/kernels

echo "== this CPU"
for program in kernels searches threads; do $native/$program; done

echo "== AVX-512, by intrinsics in plain C++"
for isa in avx512bw avx512; do $portable/kernels --force $isa; done

echo "== AArch64"
emulate qemu-aarch64 $arm/kernels
emulate qemu-aarch64 $arm/searches
emulate qemu-aarch64 $arm/threads --no-fork  # qemu 7.2 itself aborts when a forked child starts a thread

echo "== Core 2"
emulate qemu-x86_64 -cpu core2duo $native/kernels
must_be_illegal qemu-x86_64 -cpu core2duo $native/kernels --force popcnt

echo "== Sandy Bridge"
emulate qemu-x86_64 -cpu SandyBridge $native/kernels
must_be_illegal qemu-x86_64 -cpu SandyBridge $native/kernels --force avx2
OPENBLAS_NUM_THREADS=1 OPENBLAS_CORETYPE=Nehalem emulate qemu-x86_64 -cpu SandyBridge "$python" tests/native/emulated_search.py popcnt scalar

echo "== Haswell"
emulate qemu-x86_64 -cpu Haswell $native/kernels
must_be_illegal qemu-x86_64 -cpu Haswell $native/kernels --force avx512bw
must_be_illegal qemu-x86_64 -cpu Haswell $native/kernels --force avx512
OPENBLAS_NUM_THREADS=1 OPENBLAS_CORETYPE=Nehalem emulate qemu-x86_64 -cpu Haswell "$python" tests/native/emulated_search.py avx2 popcnt scalar
