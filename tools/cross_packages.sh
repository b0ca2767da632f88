#!/usr/bin/env bash
# Makes build/cross, where the builds for other machines find the header-only packages of this one:
# the headers of nlohmann/json and Catch2 2, which lie in /usr/include beside headers of this machine
# that another one's compiler must not see.
#
#   tools/cross_packages.sh [Debian's name of an architecture]
#
# With an architecture also build/cross/<architecture>: libzip for it, from Debian's packages, and what
# libzip needs to run. Where they cannot be had, the tests of Keras' files are left out.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
to=$PWD/build/cross
mkdir -p "$to/include" "$to/lib/cmake/nlohmann_json" "$to/lib/cmake/Catch2"
ln -sfn /usr/include/nlohmann "$to/include/nlohmann"
ln -sfn /usr/include/catch2 "$to/include/catch2"
package() { # <package> <target>
  cat >"$to/lib/cmake/$1/$1Config.cmake" <<END
if(NOT TARGET $2)
  add_library($2 INTERFACE IMPORTED)
  set_target_properties($2 PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "$to/include")
endif()
END
}
package nlohmann_json nlohmann_json::nlohmann_json
package Catch2 Catch2::Catch2
libzip() { # <architecture>
  local to=$to/$1 file
  [[ ! -e $to/usr/include/zip.h ]] || return 0
  # A list of packages of its own, in which nothing is installed, so that this machine's stays as it is.
  mkdir -p "$to/apt/state/lists/partial" "$to/apt/cache/archives/partial"
  : >"$to/apt/state/status"
  local options=(-qq -o "APT::Architecture=$1" -o "APT::Architectures::=$1" -o "Dir::State=$to/apt/state"
    -o "Dir::State::status=$to/apt/state/status" -o "Dir::Cache=$to/apt/cache")
  apt-get "${options[@]}" update
  apt-get "${options[@]}" install -y --no-install-recommends --download-only libzip-dev
  for file in "$to"/apt/cache/archives/{libzip,zlib1g_,libbz2,libssl}*.deb; do
    dpkg-deb -x "$file" "$to"
  done
  cp -a "$to/lib/." "$to/usr/lib/"
  rm -rf "$to/apt" "$to/lib"
}
if [[ $# -gt 0 ]] && ! libzip "$1"; then
  echo "without libzip for $1"
fi
echo "list(APPEND CMAKE_MODULE_PATH \"/usr/lib/cmake/Catch2\")" >>"$to/lib/cmake/Catch2/Catch2Config.cmake"
