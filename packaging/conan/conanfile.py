"""The recipe of strata for Conan 2: `conan create packaging/conan --build=missing`."""

import pathlib
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.files import copy
from conan.tools.layout import basic_layout


class StrataRecipe(ConanFile):
    name = "strata"
    description = "Stacked LSTM networks as a header-only C++20 library on Eigen"
    license = "MIT"
    topics = ("lstm", "neural-network", "header-only")
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    # The components that read and write files of models; the core needs Eigen alone.
    options = {"io": [True, False], "keras": [True, False]}
    default_options = {"io": False, "keras": False}
    no_copy_source = True

    def set_version(self):
        text = (self.root() / "include/strata/version.hpp").read_text()
        self.version = re.search(r'version_string = "([^"]+)"', text)[1]

    def root(self):
        return pathlib.Path(self.recipe_folder).parent.parent

    def export_sources(self):
        for pattern in ("include/*", "LICENSE"):
            copy(self, pattern, self.root(), self.export_sources_folder)

    def layout(self):
        basic_layout(self)

    def requirements(self):
        self.requires("eigen/[>=3.4.0 <6]", transitive_headers=True)
        if self.options.io or self.options.keras:
            self.requires("nlohmann_json/[>=3.10 <4]", transitive_headers=True)
        if self.options.keras:
            self.requires("libzip/[>=1.7 <2]", transitive_headers=True, transitive_libs=True)

    def package_id(self):
        self.info.clear()

    def validate(self):
        check_min_cppstd(self, 20)

    def package(self):
        sources = self.export_sources_folder
        copy(self, "LICENSE", sources, str(pathlib.Path(self.package_folder) / "licenses"))
        copy(self, "include/strata/*", sources, self.package_folder)

    def package_info(self):
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []
        self.cpp_info.set_property("cmake_file_name", "strata")
        core = self.cpp_info.components["core"]
        core.set_property("cmake_target_name", "strata::strata")
        core.set_property("pkg_config_name", "strata")
        core.requires = ["eigen::eigen"]
        if self.settings.os in ("Linux", "FreeBSD"):
            core.system_libs = ["pthread"]
        if self.options.io or self.options.keras:
            for name in ("io", "onnx"):
                component = self.cpp_info.components[name]
                component.set_property("cmake_target_name", f"strata::{name}")
                component.requires = ["core", "nlohmann_json::nlohmann_json"]
        if self.options.keras:
            keras = self.cpp_info.components["keras"]
            keras.set_property("cmake_target_name", "strata::keras")
            keras.requires = ["io", "libzip::libzip"]
