# Written for vcpkg and not tested with it. As an overlay port inside strata's sources it installs
# these sources: vcpkg install strata --overlay-ports=<sources>/packaging/vcpkg
get_filename_component(sources "${CURRENT_PORT_DIR}/../../.." ABSOLUTE)

vcpkg_cmake_configure(
  SOURCE_PATH "${sources}"
  OPTIONS
    -DSTRATA_BUILD_TESTS=OFF
    -DSTRATA_BUILD_EXAMPLES=OFF
    -DSTRATA_BUILD_BENCHMARKS=OFF
    -DSTRATA_BUILD_TOOLS=OFF)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(CONFIG_PATH share/cmake/strata)
vcpkg_fixup_pkgconfig()
file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/debug" "${CURRENT_PACKAGES_DIR}/lib")
vcpkg_install_copyright(FILE_LIST "${sources}/LICENSE")
