# Runs the program with the code for each instruction set, and where there is QEMU on processors that
# lack some: it takes the widest that there is, and refuses more with a sentence.

# run(<expected first line> <command>...): a regular expression. A program that is killed by an unknown
# instruction does not return 0 or 2.
function(run expected)
  execute_process(COMMAND ${ARGN} OUTPUT_VARIABLE out ERROR_VARIABLE problem RESULT_VARIABLE status)
  list(JOIN ARGN " " command)
  if(NOT out MATCHES "^${expected}" OR NOT status MATCHES "^(0|2)$")
    message(FATAL_ERROR "STRATA_PROCESSOR=$ENV{STRATA_PROCESSOR} ${command}: expected ${expected}, \
found (${status}) ${out}${problem}")
  endif()
  if(out MATCHES "^processor" AND NOT status EQUAL 0)
    message(FATAL_ERROR "STRATA_PROCESSOR=$ENV{STRATA_PROCESSOR} ${command}: wrong numbers")
  endif()
endfunction()

# levels(<widest> <how to run a program>...)
function(levels widest)
  set(levels baseline avx2 avx512)
  list(FIND levels ${widest} last)
  unset(ENV{STRATA_PROCESSOR})
  run("processor: ${widest}\n" ${ARGN} "${app}")
  foreach(level IN LISTS levels)
    list(FIND levels ${level} number)
    if(number GREATER last)
      set(expected "error: .*does not have ${level}, but ${widest}\n")
    else()
      set(expected "processor: ${level}\n")
    endif()
    set(ENV{STRATA_PROCESSOR} ${level})
    run("${expected}" ${ARGN} "${app}")
    unset(ENV{STRATA_PROCESSOR})
    run("${expected}" ${ARGN} "${app}" ${level})
  endforeach()
  set(ENV{STRATA_PROCESSOR} pentium)
  run("error: STRATA_PROCESSOR: expects baseline, avx2 or avx512, found pentium\n" ${ARGN} "${app}")
  unset(ENV{STRATA_PROCESSOR})
endfunction()

levels(${widest})
if(qemu)
  # Without AVX; with AVX2 and FMA but without AVX-512.
  levels(baseline "${qemu}" -cpu Nehalem)
  levels(avx2 "${qemu}" -cpu Haswell)
else()
  message("skipped: processors without AVX and without AVX-512, since there is no qemu-x86_64")
endif()
