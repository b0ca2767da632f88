#!/usr/bin/env bash
# Makes build/cross, where the builds for other machines find the header-only packages of this one:
# the headers of nlohmann/json and Catch2 2, which lie in /usr/include beside headers of this machine
# that another one's compiler must not see.
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
echo "list(APPEND CMAKE_MODULE_PATH \"/usr/lib/cmake/Catch2\")" >>"$to/lib/cmake/Catch2/Catch2Config.cmake"
