# Warnings of the targets of this project, and checks by sanitizers. Nothing here reaches the users of
# strata.

function(strata_target_warnings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # GCC guesses wrongly where a loop fills part of an array, and more so with sanitizers.
    target_compile_options(${target} PRIVATE -Wno-maybe-uninitialized)
    if(CMAKE_CXX_COMPILER_VERSION VERSION_LESS 14)
      # GCC 12 warns of its own AVX-512 intrinsics (GCC bug 105593) and std::string (105651).
      target_compile_options(${target} PRIVATE -Wno-uninitialized -Wno-restrict)
    endif()
  endif()
  if(STRATA_WARNINGS_AS_ERRORS)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
endfunction()

function(strata_target_sanitizers target)
  if(NOT STRATA_SANITIZE)
    return()
  endif()
  list(JOIN STRATA_SANITIZE "," sanitizers)
  target_compile_options(${target} PRIVATE -fsanitize=${sanitizers} -fno-sanitize-recover=all
                                           -fno-omit-frame-pointer)
  target_link_options(${target} PRIVATE -fsanitize=${sanitizers})
  if("undefined" IN_LIST STRATA_SANITIZE)
    # Checks of every reference multiply the time to compile. The address sanitizer and the
    # processor's aligned instructions find the same faults.
    target_compile_options(
      ${target} PRIVATE -fno-sanitize=null,object-size,vptr,pointer-overflow,alignment)
  endif()
  if("address" IN_LIST STRATA_SANITIZE)
    # Checks are calls and not code in line, which compiles faster.
    target_compile_options(
      ${target}
      PRIVATE
        "$<$<CXX_COMPILER_ID:GNU>:SHELL:--param asan-instrumentation-with-call-threshold=0>"
        "$<$<CXX_COMPILER_ID:Clang>:SHELL:-mllvm -asan-instrumentation-with-call-threshold=0>")
  endif()
endfunction()
