#!/usr/bin/env bash
# From a fresh clone to a forecast: installs what is missing (Debian, Ubuntu; root or sudo), builds
# examples/05_forecast.cpp and runs it. It prints a table and draws a picture.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source tools/packages.sh
SECONDS=0

need g++ g++ clang++ "${CXX:-g++}"
need cmake cmake
need make make ninja
need_eigen
install_missing_packages "\
  a C++20 compiler (GCC 12 or Clang 14, or later), CMake 3.22, make or ninja, Eigen 3.4:
  Fedora:    sudo dnf install gcc-c++ cmake make eigen3-devel
  Arch:      sudo pacman -S gcc cmake make eigen
  openSUSE:  sudo zypper install gcc-c++ cmake make eigen3-devel
  macOS:     xcode-select --install && brew install cmake eigen"

generator=()
command -v make >/dev/null || generator=(-G Ninja)

build=build/quickstart
mkdir -p "$build"
log=$build/build.log
echo "Building examples/05_forecast.cpp"
if ! { cmake -S . -B "$build" ${generator[@]+"${generator[@]}"} -DCMAKE_BUILD_TYPE=Release \
  -DSTRATA_BUILD_TESTS=OFF -DSTRATA_BUILD_BENCHMARKS=OFF &&
  cmake --build "$build" --target example_05_forecast; } >"$log" 2>&1; then
  cat "$log"
  exit 1
fi

echo
(cd "$build" && ./examples/05_forecast)
echo
echo "To see the picture, open in a browser: file://$PWD/$build/forecast.svg"
echo "Installing, building and running took $SECONDS s"
