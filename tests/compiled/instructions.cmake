# In the library no instruction of a wider set is outside the code for that set. Every member of the
# archive is disassembled; the members for AVX2 and AVX-512 are told by their names.
file(REMOVE_RECURSE "${work}")
file(MAKE_DIRECTORY "${work}")
execute_process(COMMAND "${ar}" x "${library}" WORKING_DIRECTORY "${work}" COMMAND_ERROR_IS_FATAL ANY)
file(GLOB members "${work}/*.o")
# Without its symbols an object is disassembled in a fiftieth of the time.
foreach(member IN LISTS members)
  execute_process(COMMAND "${objcopy}" --strip-all "${member}" COMMAND_ERROR_IS_FATAL ANY)
endforeach()

# first_instruction(<result> <object> <regular expression>): empty where the object has none.
function(first_instruction result object expression)
  execute_process(COMMAND "${objdump}" -d --no-show-raw-insn "${object}"
                  COMMAND grep -m 1 -E "${expression}" OUTPUT_VARIABLE found ERROR_QUIET)
  set(${result} "${found}" PARENT_SCOPE)
endfunction()

# Instructions with the VEX or EVEX prefix begin with v. Registers of AVX-512 alone are zmm, k and those
# from number 16 on.
set(beyond_baseline "%[yz]mm|[[:space:]]v[a-z]+[0-9a-z]* +[%$(0-9-]")
set(beyond_avx2 "%zmm|%k[0-7]|%[xy]mm(1[6-9]|[23][0-9])")
set(found "")
foreach(member IN LISTS members)
  get_filename_component(name "${member}" NAME)
  string(REGEX MATCH "^strata_code_([a-z0-9]+)\\.o$" _ "${name}")
  set(set "${CMAKE_MATCH_1}")
  if(set)
    list(APPEND found ${set})
  else()
    set(set baseline)
  endif()
  if(DEFINED beyond_${set})
    first_instruction(wide "${member}" "${beyond_${set}}")
    if(wide)
      message(FATAL_ERROR "${name} has an instruction beyond ${set}: ${wide}")
    endif()
  endif()
  # Wide code has wide instructions: otherwise the search above would find nothing anywhere.
  if(set STREQUAL "avx2")
    first_instruction(wide "${member}" "${beyond_baseline}")
  elseif(set STREQUAL "avx512")
    first_instruction(wide "${member}" "${beyond_avx2}")
  else()
    set(wide "none expected")
  endif()
  if(NOT wide)
    message(FATAL_ERROR "${name} has no instruction of ${set}")
  endif()
endforeach()
list(SORT found)
if(NOT found STREQUAL "avx2;avx512;baseline")
  message(FATAL_ERROR "${library}: expected code for avx2, avx512 and baseline, found ${found}")
endif()
