#!/usr/bin/env bash
# aarch64_python.sh FOLDER VERSION: Debian's Python for AArch64 (VERSION as in 3.11), unpacked into FOLDER with what it
# needs, to be run as `qemu-aarch64 -L FOLDER FOLDER/usr/bin/pythonVERSION`. Nothing is installed, no root is needed.
set -euo pipefail
folder=$(realpath -m "$1") packages=("python$2" libstdc++6)  # libstdc++ is for NumPy
mkdir -p "$folder"/apt/{lists,archives}/partial
options=(
  APT::Architecture=arm64 APT::Architectures=arm64 Dir::State::Lists="$folder/apt/lists" Dir::Cache="$folder/apt"
  Dir::State::status=/dev/null Debug::NoLocking=1
)
apt=(apt-get -qq "${options[@]/#/-o}")
"${apt[@]}" update
"${apt[@]}" install --yes --no-install-recommends --download-only "${packages[@]}"
for archive in "$folder"/apt/archives/*.deb; do dpkg-deb -x "$archive" "$folder"; done
rm -r "$folder/apt"
