# The shared library shows no function of an instruction set wider than its own: each set lies in an
# object that shows nothing but its entry.
execute_process(COMMAND "${nm}" -D --defined-only "${library}" OUTPUT_VARIABLE symbols
                RESULT_VARIABLE status)
if(NOT status EQUAL 0 OR NOT symbols MATCHES "compiled_half")
  message(FATAL_ERROR "${library}: no symbols of strata (${status})")
endif()
string(REGEX MATCHALL "[^\n]*(avx_fma|avx512)[^\n]*" wide "${symbols}")
list(FILTER wide EXCLUDE REGEX " strata_code_(avx2|avx512)$")
if(wide)
  list(JOIN wide "\n" wide)
  message(FATAL_ERROR "${library} shows functions of wide instruction sets:\n${wide}")
endif()
