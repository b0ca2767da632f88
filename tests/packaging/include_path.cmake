# No CMake in the user's project: a compiler and its -I. The headers are no system headers then, so
# they must be free of warnings.
file(MAKE_DIRECTORY "${work}")
string(REPLACE "|" ";" includes "${includes}")
list(POP_FRONT includes strata)
list(TRANSFORM includes PREPEND "-isystem")
execute_process(COMMAND "${compiler}" -std=c++20 -O1 -Wall -Wextra -Werror "-I${strata}" ${includes}
                        "${source}" -o "${work}/app" RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "it does not compile")
endif()
execute_process(COMMAND "${work}/app" RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "it does not run: ${result}")
endif()
