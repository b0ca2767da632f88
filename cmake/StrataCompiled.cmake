# strata::compiled: the run-time half of strata, compiled once. Its sources are in src/.
#
# The layers, losses and update rules exist once for each instruction set in strata_processors. The
# linker must not give a function with a wide instruction to code that runs everywhere
# (docs/instruction_sets.md). So the code of a set shows nothing but its entry: in a static library its
# objects are joined to one object; in a shared library, and where the linker cannot join and hide
# objects, it is a shared library of its own.

set(strata_src "${PROJECT_SOURCE_DIR}/src")

set(strata_processors baseline)
set(strata_joined FALSE)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|amd64|AMD64)$" AND NOT CMAKE_OSX_ARCHITECTURES MATCHES ";"
   AND NOT MSVC AND NOT STRATA_SANITIZE)
  list(APPEND strata_processors avx2 avx512)
  if(CMAKE_SYSTEM_NAME STREQUAL "Linux" AND CMAKE_OBJCOPY AND NOT BUILD_SHARED_LIBS)
    set(strata_joined TRUE)
  endif()
endif()
# The sets among which a program chooses; empty where there is one version alone.
set(strata_compiled_sets "")
list(LENGTH strata_processors count)
if(count GREATER 1)
  set(strata_compiled_sets ${strata_processors})
endif()
set(strata_flags_baseline "")
set(strata_flags_avx2 -mavx2 -mfma -mf16c)
set(strata_flags_avx512 -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx2 -mfma -mf16c)

function(strata_compiled_options target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_compile_definitions(${target} PUBLIC STRATA_COMPILED)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON)
  target_link_libraries(${target} PUBLIC strata)
  if(PROJECT_IS_TOP_LEVEL)
    strata_target_warnings(${target})
    strata_target_sanitizers(${target})
  endif()
endfunction()

# The run-time half. Its functions are the same for all instruction sets.
set(sources model.cpp processor.cpp train.cpp)
set(libraries "")
set(strata_sources_io audio.cpp header.cpp io.cpp torch.cpp)
set(strata_sources_keras keras.cpp)
set(strata_sources_onnx onnx.cpp)
foreach(component IN LISTS strata_components)
  if(TARGET strata_${component} AND strata_sources_${component})
    list(APPEND sources ${strata_sources_${component}})
    # Of their libraries a program needs libzip alone: nlohmann/json is in the library.
    list(APPEND libraries $<BUILD_INTERFACE:strata_${component}>)
  endif()
endforeach()
list(TRANSFORM sources PREPEND "${strata_src}/")
add_library(strata_compiled ${sources})
add_library(strata::compiled ALIAS strata_compiled)
strata_compiled_options(strata_compiled)
target_link_libraries(strata_compiled PRIVATE ${libraries})
# The component whose libraries a program that links the library needs.
set(strata_compiled_needs "")
if(TARGET strata_keras)
  set(strata_compiled_needs keras)
  target_link_libraries(strata_compiled PRIVATE $<INSTALL_INTERFACE:strata::libzip>)
endif()
set(strata_soversion "${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}")
set_target_properties(strata_compiled PROPERTIES EXPORT_NAME compiled VERSION ${PROJECT_VERSION}
                                                 SOVERSION "${strata_soversion}"
                                                 WINDOWS_EXPORT_ALL_SYMBOLS ON)
if(BUILD_SHARED_LIBS AND strata_compiled_sets)
  # Installed, the libraries of the instruction sets lie beside it.
  set_target_properties(strata_compiled PROPERTIES
                        INSTALL_RPATH $<IF:$<PLATFORM_ID:Darwin>,@loader_path,$ORIGIN>)
endif()

# strata_join(<processor>): its objects as one object of strata_compiled that shows its entry alone.
function(strata_join processor)
  set(entry strata_code_${processor})
  set(joined "${CMAKE_CURRENT_BINARY_DIR}/${entry}.o")
  add_custom_command(
    OUTPUT "${joined}"
    COMMAND "${CMAKE_CXX_COMPILER}" -r -nostdlib -Wl,--force-group-allocation
            $<TARGET_OBJECTS:${entry}> -o "${joined}"
    COMMAND "${CMAKE_OBJCOPY}" --keep-global-symbol=${entry} "${joined}"
    DEPENDS $<TARGET_OBJECTS:${entry}>
    COMMENT "Joining the code for ${processor}"
    COMMAND_EXPAND_LISTS VERBATIM)
  set_source_files_properties("${joined}" PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
  target_sources(strata_compiled PRIVATE "${joined}")
  # Make knows no rule for objects of another target; they have to be there before.
  add_dependencies(strata_compiled ${entry})
endfunction()

# strata_separate(<processor>): its objects as a shared library that shows its entry, and the types of
# strata's errors, by which a program catches what the library throws.
function(strata_separate processor)
  set(entry strata_code_${processor})
  set(separate strata_${processor})
  add_library(${separate} SHARED $<TARGET_OBJECTS:${entry}> "${strata_src}/processor_base.cpp")
  strata_compiled_options(${separate})
  target_compile_options(${separate} PRIVATE -fvisibility=hidden)
  target_compile_definitions(${entry} PRIVATE STRATA_PROCESSOR_SHOWN)
  set_target_properties(${separate} PROPERTIES EXPORT_NAME ${processor} VERSION ${PROJECT_VERSION}
                                               SOVERSION "${strata_soversion}")
  set(errors "N6strata*ErrorE")
  if(APPLE)
    target_link_options(${separate} PRIVATE "LINKER:-exported_symbol,_${entry}"
                                            "LINKER:-exported_symbol,__ZTI${errors}"
                                            "LINKER:-exported_symbol,__ZTS${errors}")
  elseif(NOT WIN32)
    set(shown "${CMAKE_CURRENT_BINARY_DIR}/${entry}.version")
    file(CONFIGURE OUTPUT "${shown}"
         CONTENT "{ global: ${entry}; _ZTI${errors}; _ZTS${errors}; local: *; };\n")
    target_link_options(${separate} PRIVATE "LINKER:--version-script=${shown}" "LINKER:-z,defs")
    set_target_properties(${separate} PROPERTIES LINK_DEPENDS "${shown}")
  endif()
  target_link_libraries(strata_compiled PRIVATE ${separate})
endfunction()

# The code of each instruction set.
set(strata_separate_libraries "")
file(GLOB processor_sources CONFIGURE_DEPENDS "${strata_src}/processor_*.cpp")
list(REMOVE_ITEM processor_sources "${strata_src}/processor_base.cpp")
foreach(processor IN LISTS strata_processors)
  set(entry strata_code_${processor})
  add_library(${entry} OBJECT ${processor_sources})
  strata_compiled_options(${entry})
  target_compile_definitions(${entry} PRIVATE STRATA_PROCESSOR_CODE=${entry})
  target_compile_options(${entry} PRIVATE ${strata_flags_${processor}})
  if(strata_compiled_sets)
    target_compile_definitions(strata_compiled PRIVATE STRATA_PROCESSORS)
    # -fno-gnu-unique: a unique symbol stays global whatever objcopy is told.
    target_compile_options(${entry} PRIVATE -fvisibility=hidden
                                            $<$<CXX_COMPILER_ID:GNU>:-fno-gnu-unique>)
  endif()
  if(strata_joined)
    strata_join(${processor})
  elseif(processor STREQUAL "baseline")
    target_sources(strata_compiled PRIVATE $<TARGET_OBJECTS:${entry}>)
  else()
    strata_separate(${processor})
    list(APPEND strata_separate_libraries strata_${processor})
  endif()
endforeach()
