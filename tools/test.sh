#!/usr/bin/env bash
# Installs what the tests need (Debian, Ubuntu; root or sudo), builds and runs them.
#
#   tools/test.sh                  release: strata::compiled, and tests, examples, tools and packages
#   tools/test.sh --rest           the other configurations
#   tools/test.sh --all            both
#   tools/test.sh --everywhere     for other machines, by emulators, and by other tools: some packages
#                                  more, half an hour
#   tools/test.sh clang asan ...   these configurations only
#
# The configurations are those of CMakePresets.json (release, targets, clang, avx2, asan, tsan), shared
# (strata::compiled as a shared library in another project), fuzz (the kernels under Clang's checks of
# pointers, and each reader of files for STRATA_FUZZ_SECONDS, 20 by default), format (clang-format 14)
# and docs (Doxygen without warnings); by their names alone also dev, of CMakePresets.json, and
# instructions (how the counts of benchmarks/instructions.txt moved; that fails nothing). Everywhere
# are aarch64, armv7 (under qemu), mingw (under wine), wasm and wasm-simd (by Node), the tests of the
# kernels and of files on each; cortex-m (the example for a processor without an operating system, under
# qemu), browser (the example of a page, in Chromium) and packages (Conan, Meson, libstrata-dev in a
# clean Debian). release and shared are the compiled form, the others are header-only. Together they
# see each of GCC and Clang with each of Eigen 3.4 and 5.
# Where ccache is installed, it keeps what was compiled.
# Everything goes to build/, the logs to build/logs/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source tools/packages.sh
SECONDS=0

configurations=()
rest=(format targets shared clang avx2 asan tsan fuzz docs)
everywhere=(aarch64 armv7 mingw wasm wasm-simd cortex-m browser packages)
for argument in "$@"; do
  case $argument in
    --rest) configurations=("${rest[@]}") ;;
    --all) configurations=(release "${rest[@]}") ;;
    --everywhere) configurations=("${everywhere[@]}") ;;
    aarch64 | armv7 | mingw | wasm | wasm-simd | cortex-m | browser | packages | release | targets | shared | dev | clang | avx2 | asan | tsan | fuzz | format | docs | instructions)
      configurations+=("$argument") ;;
    *)
      sed -n '2,/^set/ { /^#/ s/^# \{0,1\}//p }' "${BASH_SOURCE[0]}"
      [[ $argument == --help || $argument == -h ]] && exit 0
      echo "unknown argument: $argument"
      exit 2
      ;;
  esac
done
if [[ ${#configurations[@]} -eq 0 ]]; then
  configurations=(release)
fi
wanted() { [[ " ${configurations[*]} " == *" $1 "* ]]; }

need g++ g++
need cmake cmake
need ninja-build ninja
need_eigen
need nlohmann-json3-dev {/usr,/usr/local,/opt/homebrew}/include/nlohmann/json.hpp
need libzip-dev {/usr,/usr/local,/opt/homebrew}/include/zip.h
need locales /usr/share/i18n/locales/de_DE /usr/share/locale/de_DE.UTF-8 /usr/lib/locale/de_DE.utf8
need catch2 /usr/include/catch2 /usr/local/include/catch2 /opt/homebrew/include/catch2
if wanted clang || wanted asan || wanted fuzz; then need clang clang++; fi
if wanted docs; then need doxygen doxygen; fi
# Processors that lack instructions, for strata::compiled.
if wanted release && [[ $(uname -s)-$(uname -m) == Linux-x86_64 ]]; then
  need qemu-user qemu-x86_64
fi
# Training on several processes, with both MPIs of Debian.
if wanted release; then
  need libopenmpi-dev mpicxx.openmpi mpicxx
  need openmpi-bin mpirun.openmpi mpirun
  need libmpich-dev mpicxx.mpich mpicxx
  need mpich mpiexec.mpich mpiexec
fi
if wanted aarch64; then need g++-aarch64-linux-gnu aarch64-linux-gnu-g++; fi
if wanted armv7; then need g++-arm-linux-gnueabihf arm-linux-gnueabihf-g++; fi
if wanted aarch64 || wanted armv7; then need qemu-user qemu-aarch64; fi
if wanted mingw; then
  need g++-mingw-w64-x86-64-posix x86_64-w64-mingw32-g++-posix
  need wine64 /usr/lib/wine/wine64
  need wine wine
fi
if wanted wasm || wanted wasm-simd; then
  need emscripten em++
  need node-acorn /usr/share/nodejs/acorn
fi
if wanted cortex-m; then
  need gcc-arm-none-eabi arm-none-eabi-g++
  need libstdc++-arm-none-eabi-newlib /usr/share/doc/libstdc++-arm-none-eabi-newlib
  need qemu-system-arm qemu-system-arm
fi
if wanted packages; then
  need python3-venv /usr/share/doc/python3-venv
  need pkg-config pkg-config
  need debootstrap debootstrap
fi
if { wanted clang || wanted avx2 || wanted tsan; } && [[ ! -e build/eigen5/include/Eigen/Core ]]; then
  need ca-certificates /etc/ssl/certs/ca-certificates.crt /etc/pki /etc/ssl/cert.pem
  need python3 python3
  if ! python3 -m pip --version >/dev/null 2>&1; then missing_packages+=(python3-pip); fi
fi
install_missing_packages "\
  GCC 12 and Clang 14 or later, CMake 3.22, Ninja, Eigen 3.4, Catch2, nlohmann/json,
  libzip, Python with pip, Doxygen:
  Fedora:    sudo dnf install gcc-c++ clang cmake ninja-build eigen3-devel catch-devel json-devel \\
               libzip-devel libasan libubsan python3-pip doxygen
  Arch:      sudo pacman -S gcc clang cmake ninja eigen catch2 nlohmann-json libzip \\
               python-pip doxygen
  openSUSE:  sudo zypper install gcc-c++ clang cmake ninja eigen3-devel Catch2-devel \\
               nlohmann_json-devel libzip-devel python3-pip doxygen
  macOS:     xcode-select --install && brew install cmake ninja eigen catch2 nlohmann-json \\
               libzip python doxygen"

# Where Clang's runtime for fuzzers is a package of its own.
if wanted fuzz && [[ ! -e $(clang++ -print-file-name=libclang_rt.fuzzer-$(uname -m).a) ]] &&
  command -v apt-cache >/dev/null && apt-cache show libclang-rt-dev >/dev/null 2>&1; then
  need libclang-rt-dev libclang-rt-dev
  install_missing_packages ""
fi

# The layout of code differs between versions of clang-format, so it is this one or none.
clang_format=clang-format-14
if wanted format && ! command -v "$clang_format" >/dev/null; then
  if command -v clang-format >/dev/null && clang-format --version | grep -q 'version 14\.'; then
    clang_format=clang-format
  elif command -v apt-cache >/dev/null && apt-cache show "$clang_format" >/dev/null 2>&1; then
    need "$clang_format" "$clang_format"
    install_missing_packages ""
  fi
fi

jobs=$(parallel_jobs)
if command -v ccache >/dev/null && [[ -z ${CMAKE_CXX_COMPILER_LAUNCHER:-} ]]; then
  # Precompiled headers hold the times of the headers, which say nothing of what is in them.
  export CMAKE_CXX_COMPILER_LAUNCHER=ccache
  export CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
fi
mkdir -p build/logs
rows=()
failed=0

row() { # <configuration> <what> <seconds> <tests> <result>
  rows+=("$(printf '%-12s %-44s %6s %-22s %s' "$@")")
}

fail() { # <configuration> <what> <start> <tests> <result> <log>
  grep -E -m 20 '(error|warning):|\*\*\*Failed' "$6" || true
  echo "--- the end of $6:"
  tail -n 60 "$6"
  row "$1" "$2" "$((SECONDS - $3))" "$4" "FAILED: $5"
  failed=1
}

# preset <name> <what> [target] [configuration]: configure, build, test.
preset() {
  local name=$1 what=$2 target=${3:-all} configuration=${4:-$1} start=$SECONDS log=build/logs/$1 summary
  echo
  echo "=== $name: $what"
  if ! cmake --preset "$configuration" >"$log-configure.log" 2>&1; then
    fail "$name" "$what" "$start" - configure "$log-configure.log"
    return
  fi
  if ! cmake --build --preset "$name" --target "$target" -- -j "$jobs" -k 0 \
    >"$log-build.log" 2>&1; then
    fail "$name" "$what" "$start" - build "$log-build.log"
    return
  fi
  echo "built in $((SECONDS - start)) s"
  if ! ctest --preset "$name" -j "$jobs" >"$log-test.log" 2>&1; then
    summary=$(sed -n 's/.* \([0-9]*\) tests failed out of \([0-9]*\)/\1 of \2 failed/p' \
      "$log-test.log")
    fail "$name" "$what" "$start" "${summary:--}" test "$log-test.log"
    return
  fi
  sed -n '/tests passed,/,$p' "$log-test.log"
  summary=$(sed -n 's/.*tests failed out of \([0-9]*\)/\1 of \1 passed/p' "$log-test.log")
  row "$name" "$what" "$((SECONDS - start))" "$summary" ok
}

# Eigen 5 is in no Debian yet; the wheel eigency carries its headers. Its hash is pinned.
fetch_eigen5() {
  [[ -e build/eigen5/include/Eigen/Core ]] && return
  rm -rf build/eigen5
  mkdir -p build/eigen5
  echo "eigency==5.0.1.1 --hash=sha256:5a34a04a6039e067b7fe5ed4b876522fdbab81383b2f9286e94e45e15ae50676" \
    >build/eigen5/requirements.txt
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
    --implementation cp --python-version 3.11 --platform manylinux2014_x86_64 \
    --require-hashes -r build/eigen5/requirements.txt -d build/eigen5 &&
    python3 -m zipfile -e build/eigen5/eigency-*.whl build/eigen5/wheel &&
    mv build/eigen5/wheel/eigency/eigen build/eigen5/include
}

# preset_eigen5 <name> <what> <target>
preset_eigen5() {
  if fetch_eigen5 >build/logs/eigen5-fetch.log 2>&1; then
    preset "$@"
  else
    fail "$1" "$2" "$SECONDS" - "download of Eigen 5" build/logs/eigen5-fetch.log
  fi
}

run_avx2() {
  local what="GCC, Eigen 5.0.1, AVX2: kernels"
  if grep -qw avx512f /proc/cpuinfo 2>/dev/null; then
    preset_eigen5 avx2 "$what" strata_kernel_tests
  else
    # Where AVX2 is the best there is, the configuration clang has its kernels.
    row avx2 "$what" 0 - "skipped: for processors with AVX-512"
  fi
}

# cross <name> <what> [Debian's architecture]: the tests of the kernels and of files for another machine.
cross() {
  local log=build/logs/$1-packages.log
  if ! tools/cross_packages.sh "${@:3}" >"$log" 2>&1; then
    fail "$1" "$2" "$SECONDS" - "header-only packages" "$log"
    return
  fi
  # Where Debian's modules for Node lie; and no window of wine.
  NODE_PATH=/usr/share/nodejs WINEDEBUG=-all DISPLAY='' preset "$1" "$2" strata_cross_tests
  echo "largest difference from Keras, PyTorch and ONNX Runtime: $(largest_difference "$1" float) in float," \
    "$(largest_difference "$1" double) in double"
}

largest_difference() { # <configuration> <type of numbers>
  sed -n "s/.*largest difference, $2: \([-+.e0-9]*\).*/\1/p" \
    "build/$1/Testing/Temporary/LastTest.log" 2>/dev/null | sort -g | tail -n 1
}

# script <name> <what> <script>: what the script prints of what has passed or was skipped is shown.
script() {
  local start=$SECONDS log=build/logs/$1.log count
  echo
  echo "=== $1: $2"
  if "$3" >"$log" 2>&1; then
    grep -E '^(passed|skipped): ' "$log" || true
    count=$(grep -c '^passed: ' "$log" || true)
    row "$1" "$2" "$((SECONDS - start))" "$count passed" ok
  else
    fail "$1" "$2" "$start" - test "$log"
  fi
}

run_format() {
  local start=$SECONDS what="clang-format 14" log=build/logs/format.log
  echo
  echo "=== format: $what"
  if ! command -v "$clang_format" >/dev/null; then
    row format "$what" 0 - "skipped: no clang-format 14 here"
  elif find include src tests examples benchmarks tools packaging \( -name '*.hpp' -o -name '*.cpp' \) -print0 |
    xargs -0 "$clang_format" --dry-run -Werror >"$log" 2>&1; then
    row format "$what" "$((SECONDS - start))" - ok
  else
    fail format "$what" "$start" - "format (repair: $clang_format -i)" "$log"
  fi
}

fuzz_one() { # <name> <seconds> <folder of findings> <log>
  mkdir -p "build/fuzz/corpus/$1"
  "build/fuzz/tests/fuzz/fuzz_$1" "build/fuzz/corpus/$1" "tests/fuzz/corpus/$1" \
    -dict="tests/fuzz/$1.dict" -max_total_time="$2" -timeout=20 -rss_limit_mb=2048 \
    -max_len=20480 -artifact_prefix="$3/$1-" -print_final_stats=1 >"$4" 2>&1 &&
    echo "no finding" >>"$4"
}

# Each fuzzer begins with its committed seeds. What it finds is left in build/fuzz/findings.
run_fuzz() {
  local start=$SECONDS what="Clang, libFuzzer: the readers of files" log=build/logs/fuzz name count
  local seconds=${STRATA_FUZZ_SECONDS:-20} findings=build/fuzz/findings
  echo
  echo "=== fuzz: $what, $seconds s each"
  if ! cmake --preset fuzz >"$log-configure.log" 2>&1; then
    fail fuzz "$what" "$start" - configure "$log-configure.log"
    return
  fi
  if ! cmake --build --preset fuzz --target strata_fuzzers -- -j "$jobs" >"$log-build.log" 2>&1; then
    fail fuzz "$what" "$start" - build "$log-build.log"
    return
  fi
  if ! build/fuzz/tests/fuzz/strata_pointers >"$log-pointers.log" 2>&1; then
    fail fuzz "$what" "$start" - pointers "$log-pointers.log"
    return
  fi
  mkdir -p "$findings"
  local names=()
  for seeds in tests/fuzz/corpus/*; do
    name=$(basename "$seeds")
    [[ ! -x build/fuzz/tests/fuzz/fuzz_$name ]] || names+=("$name")
  done
  export -f fuzz_one
  printf '%s\n' "${names[@]}" |
    xargs -P "$jobs" -I{} bash -c "fuzz_one {} $seconds $findings $log-{}.log" || true
  for name in "${names[@]}"; do
    count=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log-$name.log")
    if ! tail -n 1 "$log-$name.log" | grep -qx "no finding"; then
      fail fuzz "$what" "$start" - "$name, see $findings" "$log-$name.log"
      return
    fi
    echo "$name: $count executions without a finding"
  done
  row fuzz "$what" "$((SECONDS - start))" - ok
}

run_shared() {
  local start=$SECONDS what="GCC: strata::compiled as a shared library" log=build/logs/shared
  echo
  echo "=== shared: $what"
  if ! { cmake -S tests/packaging/shared -B build/shared -G Ninja &&
    cmake --build build/shared -- -j "$jobs"; } >"$log-build.log" 2>&1; then
    fail shared "$what" "$start" - build "$log-build.log"
  elif ! ctest --test-dir build/shared --output-on-failure >"$log-test.log" 2>&1; then
    fail shared "$what" "$start" - test "$log-test.log"
  else
    row shared "$what" "$((SECONDS - start))" \
      "$(sed -n 's/.*tests failed out of \([0-9]*\)/\1 of \1 passed/p' "$log-test.log")" ok
  fi
}

run_docs() {
  local start=$SECONDS what="Doxygen without warnings" log=build/logs/docs.log
  echo
  echo "=== docs: $what"
  if cmake --preset release >"$log" 2>&1 &&
    cmake --build --preset release --target docs >>"$log" 2>&1; then
    row docs "$what" "$((SECONDS - start))" - ok
  else
    fail docs "$what" "$start" - docs "$log"
  fi
}

run_instructions() {
  local start=$SECONDS what="callgrind: how instruction counts moved" log=build/logs/instructions.log
  echo
  echo "=== instructions: $what"
  if ! { cmake --preset release && cmake --build --preset release --target strata_benchmarks; } \
    >"$log" 2>&1; then
    fail instructions "$what" "$start" - "build of the benchmarks" "$log"
    return
  fi
  if ! benchmarks/instructions.sh >"$log" 2>&1; then
    fail instructions "$what" "$start" - count "$log"
    return
  fi
  cat "$log"
  row instructions "$what" "$((SECONDS - start))" - \
    "$(grep '^skipped' "$log" || echo "ok (printed above)")"
}

for configuration in "${configurations[@]}"; do
  case $configuration in
    release) preset release "GCC: strata::compiled and all that links it" ;;
    targets)
      preset targets "GCC: several instruction sets in a program" strata_targets release
      ;;
    dev) preset dev "GCC, Eigen's assertions, header-only: everything" ;;
    shared) run_shared ;;
    clang)
      preset_eigen5 clang "Clang, Eigen 5.0.1, header-only: kernels, headers" strata_kernel_tests
      ;;
    avx2) run_avx2 ;;
    asan) preset asan "Clang, address and undefined sanitizers" strata_unit_tests ;;
    tsan) preset_eigen5 tsan "GCC, Eigen 5.0.1, thread sanitizer: threads" strata_kernel_tests ;;
    aarch64) cross aarch64 "64-bit ARM under qemu: kernels, files" arm64 ;;
    armv7) cross armv7 "32-bit ARM with NEON under qemu: kernels, files" armhf ;;
    mingw) cross mingw "Windows, MinGW, AVX2, under wine: kernels, files" ;;
    wasm) cross wasm "WebAssembly by Node: kernels, files" ;;
    wasm-simd) cross wasm-simd "WebAssembly with SIMD by Node: kernels, files" ;;
    cortex-m) script cortex-m "Cortex-M7 under qemu: examples/embedded" examples/embedded/run.sh ;;
    browser) script browser "examples/browser in Chromium" examples/browser/test.sh ;;
    packages) script packages "Conan, Meson, libstrata-dev in a clean Debian" packaging/test.sh ;;
    fuzz) run_fuzz ;;
    format) run_format ;;
    docs) run_docs ;;
    instructions) run_instructions ;;
  esac
done

echo
printf '%-12s %-44s %6s %-22s %s\n' configuration "" s tests result
printf '%s\n' "${rows[@]}"
echo
if [[ $failed -ne 0 ]]; then
  echo "FAILED after $SECONDS s"
  exit 1
fi
echo "All passed in $SECONDS s"
