# strata.hpp includes, itself or through other headers, every header but the file formats of io/ and
# those of MPI.
file(MAKE_DIRECTORY "${work}")
file(WRITE "${work}/umbrella.cpp" "#include <strata/strata.hpp>\n")
string(REPLACE "|" ";" includes "${includes}")
list(TRANSFORM includes PREPEND "-I")
execute_process(
  COMMAND "${compiler}" -std=c++20 ${includes} -M "${work}/umbrella.cpp"
  OUTPUT_VARIABLE dependencies ERROR_VARIABLE errors RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "strata.hpp does not compile:\n${errors}")
endif()
file(GLOB_RECURSE headers RELATIVE "${include}" "${include}/strata/*.hpp")
set(missing "")
foreach(header IN LISTS headers)
  # Nor those of one system, whose whole text is in an #if.
  file(READ "${include}/${header}" begin LIMIT 40)
  if(header MATCHES "^strata/(io/|mpi)" OR begin MATCHES "^#pragma once\n\n#if defined\\(_")
    continue()
  endif()
  string(FIND "${dependencies}" "/${header}" position)
  if(position EQUAL -1)
    string(APPEND missing "\n  ${header}")
  endif()
endforeach()
if(missing)
  message(FATAL_ERROR "strata.hpp does not include:${missing}")
endif()
