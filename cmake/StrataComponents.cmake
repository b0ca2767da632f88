# The components of strata: what needs libraries of its own. All headers are installed in any case; a
# component is a target that brings its headers' libraries. Used by the source tree and by the installed
# package alike.
#
# A new component is a branch here, its name in strata_components and, where it stands on io, in
# strata_components_of_files, and what its headers include in cmake/StrataHeaders.cmake.
set(strata_components io keras onnx mpi)
set(strata_components_of_files keras onnx)

# strata_components_with_io(<list>): adds io before the components of files that stand on it.
function(strata_components_with_io list)
  foreach(component IN LISTS strata_components_of_files)
    if(component IN_LIST ${list})
      list(PREPEND ${list} io)
    endif()
  endforeach()
  list(REMOVE_DUPLICATES ${list})
  set(${list} "${${list}}" PARENT_SCOPE)
endfunction()

# strata_component_libraries(<component> <libraries> <problem>): what strata::<component> links, or
# in <problem> what is missing and what to install.
function(strata_component_libraries component libraries problem)
  set(${libraries} "" PARENT_SCOPE)
  set(${problem} "" PARENT_SCOPE)
  if(component STREQUAL "io")
    find_package(nlohmann_json QUIET CONFIG)
    if(TARGET nlohmann_json::nlohmann_json)
      set(${libraries} strata::strata nlohmann_json::nlohmann_json PARENT_SCOPE)
    else()
      set(${problem} "nlohmann/json, which was not found. Install it (Debian, Ubuntu: \
nlohmann-json3-dev; Fedora: json-devel; Homebrew, vcpkg: nlohmann-json), or set nlohmann_json_DIR to \
the folder of nlohmann_jsonConfig.cmake" PARENT_SCOPE)
    endif()
  elseif(component STREQUAL "keras")
    # Not libzip's own package file, which wants its programs too.
    find_path(STRATA_ZIP_INCLUDE_DIR zip.h)
    find_library(STRATA_ZIP_LIBRARY NAMES zip)
    mark_as_advanced(STRATA_ZIP_INCLUDE_DIR STRATA_ZIP_LIBRARY)
    if(STRATA_ZIP_INCLUDE_DIR AND STRATA_ZIP_LIBRARY)
      strata_component_target(libzip "${STRATA_ZIP_LIBRARY}" "${STRATA_ZIP_INCLUDE_DIR}")
      set(${libraries} strata::io strata::libzip PARENT_SCOPE)
    else()
      set(${problem} "libzip, which was not found. Install it (Debian, Ubuntu: libzip-dev; Fedora: \
libzip-devel; Homebrew, vcpkg: libzip)" PARENT_SCOPE)
    endif()
  elseif(component STREQUAL "onnx")
    # ONNX' files are read without Protocol Buffers, see strata/io/onnx/graph/protobuf.hpp.
    set(${libraries} strata::io PARENT_SCOPE)
  elseif(component STREQUAL "mpi")
    # The C interface alone.
    set(MPI_CXX_SKIP_MPICXX TRUE)
    find_package(MPI QUIET COMPONENTS CXX)
    if(TARGET MPI::MPI_CXX)
      set(${libraries} strata::strata MPI::MPI_CXX PARENT_SCOPE)
    else()
      set(${problem} "MPI, which was not found. Install it (Debian, Ubuntu: libopenmpi-dev openmpi-bin, \
or libmpich-dev mpich; Fedora: openmpi-devel; Homebrew: open-mpi)" PARENT_SCOPE)
    endif()
  else()
    list(JOIN strata_components ", " known)
    set(${problem} "a later version: the components are core, ${known}" PARENT_SCOPE)
  endif()
endfunction()

# A target for a library that comes without a CMake package.
function(strata_component_target name library include_directory)
  if(NOT TARGET strata::${name})
    add_library(strata::${name} UNKNOWN IMPORTED)
    set_target_properties(
      strata::${name} PROPERTIES IMPORTED_LOCATION "${library}"
                                 INTERFACE_INCLUDE_DIRECTORIES "${include_directory}")
  endif()
endfunction()
