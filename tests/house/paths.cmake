# Each file and folder that a document or a comment names exists.
#
#   cmake -Dsource=. -P tests/house/paths.cmake
#
# In documents (*.md) three things are read as paths: targets of links; words in `code` that contain a
# slash or end like a source file; and, in every text, words that begin with a folder of the
# repository, such as tests/. A word may begin in the repository, in include, include/strata or in the
# document's own folder, and a header or source may be named without its folder. <name> and * stand for
# any text.
# In code and build files only the words that begin with a folder of the repository are read.
cmake_minimum_required(VERSION 3.22)
get_filename_component(source "${source}" ABSOLUTE)

# Outputs of builds, and files of users and of other projects.
set(no_paths "^(build|usr|reservoirpy)/|^/|^strata/include$|^app\\.cpp$")
set(folders "tests|tools|docs|examples|benchmarks|cmake|include")
set(letters "A-Za-z0-9_.*<>/+-")

file(GLOB_RECURSE entries LIST_DIRECTORIES true RELATIVE "${source}" "${source}/tests/*"
     "${source}/tools/*" "${source}/docs/*" "${source}/examples/*" "${source}/benchmarks/*"
     "${source}/cmake/*" "${source}/include/*")
file(GLOB top RELATIVE "${source}" "${source}/*" "${source}/.[a-z]*")
list(APPEND entries ${top})
list(FILTER entries EXCLUDE REGEX "^build(/|$)|^\\.git(/|$)|__pycache__")

# exists(<result> <path> <folders it may begin in>...)
function(exists result path)
  set(${result} TRUE PARENT_SCOPE)
  string(REGEX REPLACE "<[^>]*>" "*" path "${path}")
  string(REGEX REPLACE "/+$" "" path "${path}")
  foreach(folder IN LISTS ARGN)
    file(GLOB found "${folder}/${path}")
    if(found)
      return()
    endif()
  endforeach()
  set(${result} FALSE PARENT_SCOPE)
endfunction()

set(faults "")
set(count 0)
# check(<document> <path> <folders it may begin in>...)
macro(check document path)
  if(NOT "${path}" MATCHES "${no_paths}")
    math(EXPR count "${count} + 1")
    exists(found "${path}" ${ARGN})
    if(NOT found)
      list(APPEND faults "${document}: ${path}")
    endif()
  endif()
endmacro()

set(checked ${entries})
list(FILTER checked INCLUDE REGEX
     "\\.(md|cmake|cpp|hpp|in|sh|py)$|CMakeLists\\.txt$|^CMakePresets\\.json$|^tools/strata-model/")
foreach(document IN LISTS checked)
  if(IS_DIRECTORY "${source}/${document}")
    continue()
  endif()
  file(READ "${source}/${document}" text)
  # Characters with a meaning in lists of CMake.
  string(REGEX REPLACE "[][;\\\\]" " " plain "${text}")
  get_filename_component(own "${source}/${document}" DIRECTORY)
  set(paths "")

  string(REGEX MATCHALL "(^|[^${letters}{}$])(${folders})/[${letters}]*" words "${plain}")
  foreach(word IN LISTS words)
    string(REGEX MATCH "(${folders})/.*$" word "${word}")
    string(REGEX REPLACE "<[^>]*>" "*" word "${word}")
    string(REGEX REPLACE "[.<>-]+$" "" word "${word}") # the end of a sentence or of a placeholder
    list(APPEND paths "${word}")
  endforeach()
  list(REMOVE_DUPLICATES paths)
  foreach(path IN LISTS paths)
    check("${document}" "${path}" "${source}" "${own}")
  endforeach()

  if(document MATCHES "\\.md$")
    set(paths "")
    string(REGEX REPLACE "[;\\\\]" " " plain "${text}")
    # Without blocks of code.
    string(REPLACE "@" " " plain "\n${plain}")
    string(REGEX REPLACE "\n *```" "@" plain "${plain}")
    string(REGEX REPLACE "@[^@]*@" "" plain "${plain}")
    if(document MATCHES "^docs/" AND plain MATCHES "\\]\\((#[^)]*)\\)")
      list(APPEND faults
           "${document}: ${CMAKE_MATCH_1}, a link within the page, which Doxygen cannot follow")
    endif()
    string(REGEX REPLACE "\\]\\(" "\n@" links "${plain}")
    string(REGEX REPLACE "[][]" " " links "${links}")
    string(REGEX MATCHALL "@[^)\n]*" links "${links}")
    foreach(link IN LISTS links)
      string(REGEX REPLACE "^@|#.*$" "" link "${link}")
      if(link AND NOT link MATCHES "^[a-z]+:")
        check("${document}" "${link}" "${own}")
      endif()
    endforeach()
    string(REGEX REPLACE "[][]" " " plain "${plain}")
    string(REGEX MATCHALL "`[^`\n]+(\n[^`\n]+)?`" codes "${plain}")
    foreach(code IN LISTS codes)
      string(REGEX MATCHALL "[^` \n]+" words "${code}")
      foreach(word IN LISTS words)
        if(word MATCHES "^[${letters}]+$" AND word MATCHES "[a-z]/|\\.(hpp|cpp|cmake|md|sh)$")
          list(APPEND paths "${word}")
        endif()
      endforeach()
    endforeach()
    list(REMOVE_DUPLICATES paths)
    foreach(path IN LISTS paths)
      set(named FALSE)
      if(NOT path MATCHES "/")
        foreach(entry IN LISTS entries)
          if(entry MATCHES "(^|/)${path}$")
            set(named TRUE)
          endif()
        endforeach()
      endif()
      if(NOT named)
        check("${document}" "${path}" "${source}" "${source}/include" "${source}/include/strata"
              "${own}")
      endif()
    endforeach()
  endif()
endforeach()

if(faults)
  list(REMOVE_DUPLICATES faults)
  list(JOIN faults "\n  " faults)
  message(FATAL_ERROR "paths that lead nowhere:\n  ${faults}")
endif()
message(STATUS "${count} paths")
