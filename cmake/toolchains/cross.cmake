# What the toolchains of this folder share: programs are searched on this machine, libraries and
# headers of the target in its own folders, header-only packages in build/cross, which
# tools/cross_packages.sh makes; with strata_debian_architecture and its strata_triplet also Debian's
# libraries for the target. The emulator runs the tests.
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE BOTH)
get_filename_component(strata_cross_packages "${CMAKE_CURRENT_LIST_DIR}/../../build/cross" ABSOLUTE)
list(APPEND CMAKE_PREFIX_PATH "${strata_cross_packages}")
if(strata_debian_architecture)
  set(strata_cross_root "${strata_cross_packages}/${strata_debian_architecture}")
  list(APPEND CMAKE_FIND_ROOT_PATH "${strata_cross_root}")
  set(CMAKE_LIBRARY_ARCHITECTURE ${strata_triplet})
  set(CMAKE_EXE_LINKER_FLAGS_INIT
      "-Wl,-rpath-link,${strata_cross_root}/usr/lib/${strata_triplet}")
  list(APPEND CMAKE_CROSSCOMPILING_EMULATOR -E
       "LD_LIBRARY_PATH=${strata_cross_root}/usr/lib/${strata_triplet}")
endif()
