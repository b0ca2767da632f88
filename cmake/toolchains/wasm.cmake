# WebAssembly: Debian's emscripten, tests by Node, which must not take a path of this machine for an
# address of the network.
include(/usr/share/emscripten/cmake/Modules/Platform/Emscripten.cmake)
set(CMAKE_EXE_LINKER_FLAGS_INIT
    "-sALLOW_MEMORY_GROWTH=1 -sNODERAWFS=1 -sEXIT_RUNTIME=1")
set(CMAKE_CROSSCOMPILING_EMULATOR node --no-experimental-fetch)
add_compile_options(-fwasm-exceptions)
add_link_options(-fwasm-exceptions)
include("${CMAKE_CURRENT_LIST_DIR}/cross.cmake")
