# What a shared library shows: that of an instruction set its entry and the types of strata's errors,
# strata_compiled no function of a set wider than its own.
execute_process(COMMAND "${nm}" -D --defined-only "${library}" OUTPUT_VARIABLE symbols
                RESULT_VARIABLE status)
string(REGEX MATCHALL "[^\n]+" shown "${symbols}")
if(processor STREQUAL "compiled")
  set(expected "compiled_half")
  list(FILTER shown INCLUDE REGEX "avx_fma|avx512")
else()
  set(expected "strata_code_${processor}")
  list(FILTER shown EXCLUDE REGEX " (strata_code_${processor}|_ZT[IS]N6strata[0-9]+[A-Za-z]*ErrorE)$")
endif()
if(NOT status EQUAL 0 OR NOT symbols MATCHES "${expected}")
  message(FATAL_ERROR "${library}: no symbol ${expected} (${status})")
endif()
if(shown)
  list(JOIN shown "\n" shown)
  message(FATAL_ERROR "${library} shows more than it should:\n${shown}")
endif()
