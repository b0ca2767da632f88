# A source file that must not compile:
# - it contains at least one line "// expect: <regular expression>" (CMake's syntax); each must match
#   the errors and notes of the compiler, without the source lines that it quotes;
# - with STRATA_CONTROL defined it must compile, so that it fails for no other reason.
# The flags ${precompiled} stand for the headers that it includes, which saves most of the time.
file(STRINGS "${source}" expectations REGEX "^// expect: ")
if(NOT expectations)
  message(FATAL_ERROR "${source} has no line \"// expect: ...\"")
endif()
string(REPLACE "|" ";" precompiled "${precompiled}")
string(REPLACE "|" ";" includes "${includes}")
list(TRANSFORM includes PREPEND "-I")
set(command "${compiler}" -std=c++20 -fsyntax-only -fdiagnostics-color=never ${precompiled}
            ${includes} "${source}")

execute_process(COMMAND ${command} -DSTRATA_CONTROL
                OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(NOTICE "${output}")
  message(FATAL_ERROR "With STRATA_CONTROL it should compile.")
endif()

execute_process(COMMAND ${command}
                OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE result)
if(result EQUAL 0)
  message(FATAL_ERROR "It should not compile, but does.")
endif()
string(REGEX MATCHALL "(error|note): [^\n]*" diagnostics "${output}")
foreach(line IN LISTS expectations)
  string(REGEX REPLACE "^// expect: " "" pattern "${line}")
  if(NOT diagnostics MATCHES "${pattern}")
    message(NOTICE "${output}")
    message(FATAL_ERROR "It does not compile, but the compiler does not say: ${pattern}")
  endif()
endforeach()
