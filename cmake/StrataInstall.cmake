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
