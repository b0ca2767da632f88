# Words that a compiler or a system lacks, or that windows.h defines as macros, stand in no header:
# min and max are in parentheses, small is no name, attributes and builtins of compilers are in
# strata/language/compiler.hpp, and algorithms of std::ranges are those of language/algorithms.hpp.
file(GLOB_RECURSE headers "${include}/strata/*.hpp")
set(problems "")
foreach(header IN LISTS headers)
  if(header MATCHES "/language/")
    continue()
  endif()
  file(STRINGS "${header}" lines)
  set(number 0)
  foreach(line IN LISTS lines)
    if(line MATCHES "^ *//")
      continue()
    endif()
    if(line MATCHES "[^A-Za-z_(]std::(min|max)\\(|::(min|max)\\(\\)|[^A-Za-z_]small[^A-Za-z_ ]"
       OR line MATCHES "__attribute__\\(\\((always|no|vis|cold)|gnu::|__builtin_|std::bit_cast"
       OR line MATCHES "std::ranges::[a-z_]+\\(" AND NOT line MATCHES "ranges::(data|size)\\(")
      string(REPLACE "${include}/" "" short "${header}")
      string(APPEND problems "  ${short}: ${line}\n")
    endif()
  endforeach()
endforeach()
if(problems)
  message(FATAL_ERROR "these lines are not portable, see tests/house/portable.cmake:\n${problems}")
endif()
list(LENGTH headers count)
message(STATUS "${count} headers")
