#!/usr/bin/env bash
# Builds the page: one file without a server or a network, examples/browser/page with the engine and
# the series of the laser in it.
#
#   examples/browser/build.sh [folder for what it builds]
#
# Debian's packages, which it installs: emscripten, libeigen3-dev, nlohmann-json3-dev, python3.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."
source tools/packages.sh
need emscripten em++
need node-acorn /usr/share/nodejs/acorn
need_eigen
need nlohmann-json3-dev {/usr,/usr/local,/opt/homebrew}/include/nlohmann/json.hpp
need python3 python3
install_missing_packages "emscripten, Eigen 3.4, nlohmann/json and Python"

to=${1:-build/browser}
mkdir -p "$to/objects" "$to/include"
# The headers of /usr/include are those of this machine; this one is of any.
ln -sfn "$(dirname "$(ls {/usr,/usr/local,/opt/homebrew}/include/nlohmann/json.hpp 2>/dev/null | head -n 1)")" \
  "$to/include/nlohmann"
eigen=$(dirname "$(ls -d {/usr,/usr/local,/opt/homebrew}/include/eigen3/Eigen 2>/dev/null | head -n 1)")

export NODE_PATH=/usr/share/nodejs
flags=(-std=c++20 -msimd128 -fwasm-exceptions -DNDEBUG -DSTRATA_WITHOUT_LIBZIP -Wall -Wextra
  -I include -isystem "$eigen" -isystem "$to/include")
# What computes is compiled for speed, and linked first; the readers, most of the code, for size.
objects=()
compile() { # <optimisation> <source>
  local object=$to/objects/$2.o source=$here/engine/$2.cpp
  objects+=("$object")
  if [[ -e $object && -z $(find include "$here/engine" -newer "$object" -name '*.?pp' -print -quit) ]]; then
    return
  fi
  em++ "${flags[@]}" "$1" -c "$source" -o "$object"
}
compile -O2 forecaster
compile -O2 player
compile -Os opened_model
compile -Os result
em++ "${flags[@]}" -Os "${objects[@]}" -o "$to/engine.wasm" --no-entry -sSTANDALONE_WASM=1 \
  -sALLOW_MEMORY_GROWTH=1 -sERROR_ON_UNDEFINED_SYMBOLS=0 -sWARN_ON_UNDEFINED_SYMBOLS=0

python3 "$here/bundle.py" "$here/page" "$to/engine.wasm" examples/data/santafe_laser.txt "$to/index.html"
echo "$to/index.html: $(($(wc -c <"$to/index.html") / 1000)) KB"
