#!/usr/bin/env bash
# Builds and runs packaging/hello.cpp by the tools that the packaging tests of CMake leave out: Conan
# and Meson from PyPI, and libstrata-dev in a clean Debian (as root, by debootstrap).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
sources=$PWD
work=$sources/build/packages
mkdir -p "$work"
[[ -x $work/venv/bin/python ]] || python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check conan==2.15.0 meson==1.7.0

# Conan: Eigen's recipe is one of the test's own, which takes the headers of this machine.
export CONAN_HOME=$work/conan
rm -rf "$CONAN_HOME" "$work/eigen"
mkdir -p "$work/eigen"
cat >"$work/eigen/conanfile.py" <<'END'
from conan import ConanFile
from conan.tools.files import copy


class Eigen(ConanFile):
    name = "eigen"
    version = "3.4.0"
    package_type = "header-library"

    def package(self):
        copy(self, "*", "/usr/include/eigen3", self.package_folder + "/include/eigen3")

    def package_info(self):
        self.cpp_info.set_property("cmake_file_name", "Eigen3")
        self.cpp_info.set_property("cmake_target_name", "Eigen3::Eigen")
        self.cpp_info.includedirs = ["include/eigen3"]
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []
END
conan=$work/venv/bin/conan
"$conan" profile detect --force
"$conan" remote disable "*"
"$conan" create "$work/eigen"
# It builds its test in a temporary folder, not among these sources.
"$conan" create packaging/conan --settings compiler.cppstd=20 \
  --conf 'tools.cmake.cmake_layout:test_folder=$TMP' --conf tools.cmake.cmaketoolchain:user_presets=
echo "passed: conan create"

# Meson: a project that has strata's sources as a subproject.
rm -rf "$work/meson"
mkdir -p "$work/meson/subprojects/strata"
cp -r include meson.build "$work/meson/subprojects/strata"
cp packaging/hello.cpp "$work/meson"
cat >"$work/meson/meson.build" <<'END'
project('hello', 'cpp', default_options: ['cpp_std=c++20'])
strata = dependency('strata', fallback: ['strata', 'strata_dep'])
test('hello', executable('hello', 'hello.cpp', dependencies: strata))
END
"$work/venv/bin/meson" setup "$work/meson/build" "$work/meson"
"$work/venv/bin/meson" test -C "$work/meson/build" --print-errorlogs
echo "passed: meson"

# libstrata-dev, in a Debian that has nothing else.
if [[ $(id -u) -ne 0 ]] || ! command -v debootstrap >/dev/null; then
  echo "skipped: libstrata-dev in a clean Debian: it needs root and debootstrap"
  exit 0
fi
rm -rf "$work/deb"
cmake -S . -B "$work/deb" -DSTRATA_BUILD_TESTS=OFF -DSTRATA_BUILD_EXAMPLES=OFF \
  -DSTRATA_BUILD_BENCHMARKS=OFF -DSTRATA_BUILD_TOOLS=OFF
(cd "$work/deb" && cpack -G DEB)
root=$work/debian
rm -rf "$root"
debootstrap --variant=minbase bookworm "$root"
cp /etc/apt/sources.list "$root/etc/apt/" 2>/dev/null || true
cp -r /etc/apt/sources.list.d /etc/apt/apt.conf.d "$root/etc/apt/" 2>/dev/null || true
cp /etc/resolv.conf "$root/etc/" 2>/dev/null || true
cp "$work"/deb/libstrata-dev_*.deb packaging/hello.cpp "$root/tmp/"
chroot "$root" sh -euc '
  export DEBIAN_FRONTEND=noninteractive
  apt-get update
  apt-get install -y --no-install-recommends g++ pkg-config /tmp/libstrata-dev_*.deb
  g++ -std=c++20 -O1 $(pkg-config --cflags --libs strata) /tmp/hello.cpp -o /tmp/hello
  /tmp/hello'
rm -rf "$root"
echo "passed: libstrata-dev in a clean Debian"
