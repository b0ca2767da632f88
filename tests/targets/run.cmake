# Programs of several instruction sets: the numbers they compute, and the functions they share. The
# programs, the objects (unit=file) and the object of main.cpp are given, separated by bars, and the
# tools.
string(REPLACE "|" ";" alone "${alone}")
string(REPLACE "|" ";" together "${together}")
string(REPLACE "|" ";" objects "${objects}")
file(MAKE_DIRECTORY "${work}")

function(output_of program result)
  execute_process(COMMAND "${program}" OUTPUT_VARIABLE out ERROR_VARIABLE problem
                  RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${program} failed (${status}): ${problem}")
  endif()
  set(${result} "${out}" PARENT_SCOPE)
endfunction()

# With the library the numbers are those of the header-only unit of the same instruction set.
string(REPLACE "|" ";" compiled "${compiled}")
foreach(pair IN LISTS compiled)
  string(REGEX REPLACE "=.*" "" unit "${pair}")
  string(REGEX REPLACE "^[^=]*=" "" program "${pair}")
  set(header_only ${alone})
  list(FILTER header_only INCLUDE REGEX "_${unit}_")
  output_of("${header_only}" expected)
  set(ENV{STRATA_PROCESSOR} ${unit})
  output_of("${program}" numbers)
  unset(ENV{STRATA_PROCESSOR})
  if(NOT numbers STREQUAL expected)
    file(WRITE "${work}/expected.txt" "${expected}")
    file(WRITE "${work}/found.txt" "${numbers}")
    message(FATAL_ERROR "strata::compiled does not compute with ${unit} what the headers compute: "
                        "compare ${work}/expected.txt with ${work}/found.txt")
  endif()
endforeach()

set(expected "")
foreach(program IN LISTS alone)
  output_of("${program}" numbers)
  string(LENGTH "${numbers}" length)
  if(length LESS 10000)
    message(FATAL_ERROR "${program} printed too little: ${numbers}")
  endif()
  string(APPEND expected "${numbers}")
endforeach()
foreach(program IN LISTS together)
  output_of("${program}" numbers)
  if(optimised STREQUAL "release" AND NOT numbers STREQUAL expected)
    file(WRITE "${work}/expected.txt" "${expected}")
    file(WRITE "${work}/found.txt" "${numbers}")
    message(FATAL_ERROR "${program} does not compute what its units compute alone: compare "
                        "${work}/expected.txt with ${work}/found.txt")
  endif()
endforeach()

# The functions that two objects share, of which a program keeps one. The names are as in C++.
function(functions_of object result)
  execute_process(COMMAND "${nm}" -C --defined-only "${object}" OUTPUT_VARIABLE symbols
                  COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX REPLACE "[][;]" "_" symbols "${symbols}")
  string(REGEX MATCHALL "[^\n]+" symbols "${symbols}")
  list(FILTER symbols INCLUDE REGEX "^[0-9a-f]+ W ")
  list(TRANSFORM symbols REPLACE "^[0-9a-f]+ W " "")
  set(${result} "${symbols}" PARENT_SCOPE)
endfunction()

# Two kinds of function must not be shared: those that allocate or free memory aligned for one
# instruction set, and Eigen's arithmetic, which may round differently. Fills and copies of numbers that
# need no alignment may be shared. Without optimisation Eigen's operations on registers are functions,
# which no header can change.
set(harmful
    "aligned_malloc|aligned_free|aligned_new|aligned_delete|handmade"
    "DenseStorage<[a-z]+, -1, -?[0-9]+, -?[0-9]+, [01]>::" "CwiseBinaryOp" "CwiseUnaryOp"
    "Product<" "redux_" "general_matrix" "gebp")
if(optimised STREQUAL "release")
  list(APPEND harmful "pmadd" "pexp" "plog" "ptanh" "predux")
endif()
list(JOIN harmful "|" harmful)
set(harmless "conditional_aligned_[a-z_]+<(.*, )?false>")
function(check_shared first second)
  string(REGEX REPLACE "=.*" "" first_name "${first}")
  string(REGEX REPLACE "=.*" "" second_name "${second}")
  string(REGEX REPLACE "^[^=]*=" "" first "${first}")
  string(REGEX REPLACE "^[^=]*=" "" second "${second}")
  functions_of("${first}" a)
  functions_of("${second}" b)
  foreach(name IN LISTS b)
    set("has ${name}" TRUE)
  endforeach()
  set(shared "")
  foreach(name IN LISTS a)
    if(DEFINED "has ${name}")
      list(APPEND shared "${name}")
    endif()
  endforeach()
  list(LENGTH shared all)
  list(FILTER shared INCLUDE REGEX "Eigen::")
  list(LENGTH shared of_eigen)
  message("${first_name} and ${second_name} share ${all} functions, ${of_eigen} with Eigen's types")
  list(FILTER shared INCLUDE REGEX "${harmful}")
  list(FILTER shared EXCLUDE REGEX "${harmless}")
  if(shared)
    list(JOIN shared "\n  " shared)
    message(FATAL_ERROR "${first_name} and ${second_name} share functions that differ:\n  ${shared}")
  endif()
endfunction()

set(rest ${objects})
while(rest)
  list(POP_FRONT rest first)
  foreach(second IN LISTS rest)
    check_shared("${first}" "${second}")
  endforeach()
endwhile()

# Nothing at all is shared by objects of which only the entry is visible, as docs/instruction_sets.md
# makes them.
set(isolated "")
foreach(object IN LISTS objects)
  string(REGEX REPLACE "=.*" "" unit "${object}")
  string(REGEX REPLACE "^[^=]*=" "" object "${object}")
  execute_process(COMMAND "${compiler}" -r -nostdlib -Wl,--force-group-allocation "${object}" -o
                          "${work}/${unit}.o" RESULT_VARIABLE status ERROR_VARIABLE problem)
  if(NOT status EQUAL 0)
    message("this linker does not merge groups: ${problem}")
    return()
  endif()
  execute_process(COMMAND "${nm}" --defined-only "${object}" OUTPUT_VARIABLE symbols
                  COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCH "T (_Z[0-9]+work_${unit}[A-Za-z]+)" _ "${symbols}")
  execute_process(COMMAND "${objcopy}" "--keep-global-symbol=${CMAKE_MATCH_1}" "${work}/${unit}.o"
                  COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND "${nm}" --defined-only "${work}/${unit}.o" OUTPUT_VARIABLE symbols
                  COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL "[0-9a-f]+ [A-Zu] [^\n]+" visible "${symbols}")
  list(FILTER visible INCLUDE REGEX " [TWVDBRu] ")
  list(LENGTH visible count)
  if(NOT count EQUAL 1)
    message(FATAL_ERROR "${unit}: more is visible than its entry: ${visible}")
  endif()
  list(APPEND isolated "${work}/${unit}.o")
endforeach()
execute_process(COMMAND "${compiler}" "${main}" ${isolated} -pthread -o "${work}/isolated"
                COMMAND_ERROR_IS_FATAL ANY)
output_of("${work}/isolated" numbers)
if(NOT numbers STREQUAL expected)
  message(FATAL_ERROR "isolated objects do not compute what they compute alone")
endif()
