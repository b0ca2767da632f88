# Defines Eigen3::Eigen, for the source tree and for the installed package alike.
#
# strata works with Eigen 3.4 and with Eigen 5. Eigen's version files accept a request only within
# one major version, so the version is not requested but looked at afterwards.
#
# strata_find_eigen(<problem>): <problem> is empty, or says what is wrong and what to do.
function(strata_find_eigen problem)
  set(${problem} "" PARENT_SCOPE)
  if(TARGET Eigen3::Eigen)
    return()
  endif()
  set(minimum 3.4.0)

  if(STRATA_EIGEN_DIR)
    if(NOT EXISTS "${STRATA_EIGEN_DIR}/Eigen/Core")
      set(${problem} "STRATA_EIGEN_DIR is ${STRATA_EIGEN_DIR}, but there is no Eigen/Core in it"
          PARENT_SCOPE)
      return()
    endif()
    # Eigen 3 keeps its version in Macros.h, Eigen 5 in Eigen/Version, where WORLD is still 3.
    set(file "${STRATA_EIGEN_DIR}/Eigen/Version")
    set(parts MAJOR MINOR PATCH)
    if(NOT EXISTS "${file}")
      set(file "${STRATA_EIGEN_DIR}/Eigen/src/Core/util/Macros.h")
      set(parts WORLD MAJOR MINOR)
    endif()
    file(READ "${file}" text)
    set(version "")
    foreach(part IN LISTS parts)
      string(REGEX MATCH "#define EIGEN_${part}_VERSION ([0-9]+)" _ "${text}")
      list(APPEND version "${CMAKE_MATCH_1}")
    endforeach()
    list(JOIN version "." version)
    if(version VERSION_LESS minimum)
      set(${problem}
          "the Eigen in ${STRATA_EIGEN_DIR} is ${version}, but ${minimum} or later is needed"
          PARENT_SCOPE)
      return()
    endif()
    get_filename_component(directory "${STRATA_EIGEN_DIR}" ABSOLUTE)
    add_library(Eigen3::Eigen INTERFACE IMPORTED)
    set_target_properties(Eigen3::Eigen PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${directory}")
    message(STATUS "strata: Eigen ${version} in ${directory}")
    return()
  endif()

  find_package(Eigen3 QUIET NO_MODULE)
  if(NOT TARGET Eigen3::Eigen)
    set(${problem} "Eigen was not found. Install it (Debian, Ubuntu: libeigen3-dev; Fedora: \
eigen3-devel; Homebrew, vcpkg: eigen), or set Eigen3_DIR to the folder of Eigen3Config.cmake, or \
STRATA_EIGEN_DIR to a folder that contains Eigen/Core" PARENT_SCOPE)
  elseif(Eigen3_VERSION VERSION_LESS minimum)
    set(${problem} "Eigen ${Eigen3_VERSION} was found in ${Eigen3_DIR}, but ${minimum} or later \
is needed" PARENT_SCOPE)
  endif()
endfunction()
