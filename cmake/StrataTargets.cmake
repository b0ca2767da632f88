# Options of the targets of tests, examples and benchmarks. Nothing here reaches the users of strata.

if(PROJECT_IS_TOP_LEVEL AND NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

function(strata_target_options target)
  target_link_libraries(${target} PRIVATE strata::strata)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
  strata_target_warnings(${target})
  if(STRATA_NATIVE)
    target_compile_options(${target} PRIVATE -march=native)
  endif()
  if(MINGW)
    # Objects of more sections than the format's first version can count.
    target_compile_options(${target} PRIVATE -Wa,-mbig-obj)
  endif()
  strata_target_sanitizers(${target})
endfunction()
