# What the toolchains of this folder share: programs are searched on this machine, libraries and
# headers of the target in its own folders, header-only packages in build/cross, which
# tools/cross_packages.sh makes. The emulator runs the tests.
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE BOTH)
get_filename_component(strata_cross_packages "${CMAKE_CURRENT_LIST_DIR}/../../build/cross" ABSOLUTE)
list(APPEND CMAKE_PREFIX_PATH "${strata_cross_packages}")
