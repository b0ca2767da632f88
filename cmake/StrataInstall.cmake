# Install rules and the package for find_package(strata CONFIG).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# Headers alone do not depend on the processor; a library does.
set(independent ARCH_INDEPENDENT)
set(package_dir "${CMAKE_INSTALL_DATADIR}/cmake/strata")
if(STRATA_COMPILED)
  set(independent "")
  set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/strata")
endif()

install(TARGETS strata EXPORT strataTargets INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/strata"
        DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
        FILES_MATCHING PATTERN "*.hpp")
if(STRATA_COMPILED)
  install(TARGETS strata_compiled ${strata_separate_libraries} EXPORT strataCompiledTargets
          INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
          ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
          LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
          RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
  install(EXPORT strataCompiledTargets NAMESPACE strata:: DESTINATION "${package_dir}")
endif()
install(EXPORT strataTargets NAMESPACE strata:: DESTINATION "${package_dir}")

configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/strataConfig.cmake.in"
                              "${PROJECT_BINARY_DIR}/strataConfig.cmake"
                              INSTALL_DESTINATION "${package_dir}"
                              NO_SET_AND_CHECK_MACRO)
# Until 1.0 a minor version may break user code.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/strataConfigVersion.cmake"
                                 COMPATIBILITY SameMinorVersion ${independent})
install(FILES "${PROJECT_BINARY_DIR}/strataConfig.cmake"
              "${PROJECT_BINARY_DIR}/strataConfigVersion.cmake"
              "${PROJECT_SOURCE_DIR}/cmake/StrataEigen.cmake"
              "${PROJECT_SOURCE_DIR}/cmake/StrataComponents.cmake"
        DESTINATION "${package_dir}")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}")

# pkg-config: strata, and strata-io, strata-keras and strata-onnx, which need other packages.
set(pc_dir "${CMAKE_INSTALL_DATADIR}/pkgconfig")
string(REGEX REPLACE "[^/]+" ".." strata_pc_up "${pc_dir}")
# strata_pc(<name> <description> <what it requires>)
function(strata_pc strata_pc_name strata_pc_description strata_pc_requires)
  configure_file("${PROJECT_SOURCE_DIR}/cmake/strata.pc.in"
                 "${PROJECT_BINARY_DIR}/${strata_pc_name}.pc" @ONLY)
  install(FILES "${PROJECT_BINARY_DIR}/${strata_pc_name}.pc" DESTINATION "${pc_dir}")
endfunction()
strata_pc(strata "${PROJECT_DESCRIPTION}" "eigen3 >= 3.4")
strata_pc(strata-io "Models of strata in files" "strata nlohmann_json")
strata_pc(strata-onnx "Models of strata in files of ONNX" "strata-io")
strata_pc(strata-keras "Models of Keras and PyTorch for strata" "strata-io libzip")

# The core as one header, for programs that copy one file.
find_package(Python3 COMPONENTS Interpreter QUIET)
if(Python3_Interpreter_FOUND)
  install(CODE "execute_process(COMMAND \"${Python3_EXECUTABLE}\"
    \"${PROJECT_SOURCE_DIR}/tools/single_header.py\" \"${PROJECT_BINARY_DIR}/strata_single.hpp\"
    COMMAND_ERROR_IS_FATAL ANY)")
  install(FILES "${PROJECT_BINARY_DIR}/strata_single.hpp"
          DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
else()
  message(STATUS "strata: no Python 3, so strata_single.hpp is not installed")
endif()

# cpack: libstrata-dev for Debian and Ubuntu, and an archive.
set(CPACK_PACKAGE_NAME strata)
set(CPACK_PACKAGE_VENDOR "The strata authors")
set(CPACK_PACKAGE_CONTACT "The strata authors <strata@localhost>")
set(CPACK_RESOURCE_FILE_LICENSE "${PROJECT_SOURCE_DIR}/LICENSE")
set(CPACK_GENERATOR "DEB;TGZ")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_DEBIAN_PACKAGE_NAME libstrata-dev)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "libeigen3-dev (>= 3.4)")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "nlohmann-json3-dev, libzip-dev")
if(NOT STRATA_COMPILED)
  set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE all)
endif()
include(CPack)
