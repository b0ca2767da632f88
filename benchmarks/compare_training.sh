#!/usr/bin/env bash
# Training steps and predictions, strata against PyTorch on one core; writes
# build/benchmarks/training.md. Needs CMake, a C++20 compiler, Eigen and Python; what is missing is
# named. Takes three to five minutes, and the first time an installation of PyTorch (some GB).
#
#   benchmarks/compare_training.sh [options]
#     --python PATH   a Python that has torch and numpy, instead of an own virtual environment
#     --core N        the core to run on; the last one without it
#     --rounds N      rounds of measurements; 6 without it
#     --torch-compile PyTorch may use torch.compile too; takes some minutes longer
#     --quick         a short run, to see that everything works
#   CXX=clang++ benchmarks/compare_training.sh    another compiler
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

python=""
core=$(($(nproc --all) - 1))
run_options=()
while [[ $# -gt 0 ]]; do
  case $1 in
    --python) python=$2 && shift 2 ;;
    --core) core=$2 && shift 2 ;;
    --rounds) run_options+=(--rounds "$2") && shift 2 ;;
    --torch-compile) run_options+=("$1") && shift ;;
    --quick) run_options+=(--rounds 1 --seconds 0.1) && shift ;;
    *)
      sed -n '2,/^set/ { /^#/ s/^# \{0,1\}//p }' "${BASH_SOURCE[0]}"
      [[ $1 == --help || $1 == -h ]] && exit 0
      echo "unknown argument: $1"
      exit 2
      ;;
  esac
done

for tool in cmake python3 taskset; do
  if ! command -v "$tool" >/dev/null; then
    echo "compare_training.sh needs $tool; tools/test.sh installs the C++ side, and Debian's" \
      "packages are cmake, python3-venv and util-linux" >&2
    exit 1
  fi
done

folder=build/benchmarks
compiler=$(basename "${CXX:-c++}")
mkdir -p "$folder"
if [[ -z $python ]]; then
  python=$folder/venv/bin/python
  if [[ ! -x $python ]]; then python3 -m venv "$folder/venv"; fi
  "$python" -m pip install --quiet --requirement benchmarks/requirements.txt
fi

configure_and_build() { # <folder> <CMake options>
  cmake -S . -B "$1" -DCMAKE_BUILD_TYPE=Release -DCMAKE_EXPORT_COMPILE_COMMANDS=ON \
    -DSTRATA_BUILD_TESTS=OFF -DSTRATA_BUILD_EXAMPLES=OFF "${@:2}" >"$1.log" 2>&1 &&
    cmake --build "$1" --target benchmark_training_step >>"$1.log" 2>&1 ||
    { cat "$1.log" >&2 && exit 1; }
}
echo "building" >&2
configure_and_build "$folder/native-$compiler" -DSTRATA_NATIVE=ON
run_options+=(--native "$folder/native-$compiler")
if grep -qw avx2 /proc/cpuinfo && grep -qw fma /proc/cpuinfo; then
  configure_and_build "$folder/avx2-$compiler" -DSTRATA_NATIVE=OFF \
    -DCMAKE_CXX_FLAGS="-mavx2 -mfma"
  run_options+=(--avx2 "$folder/avx2-$compiler")
fi

exec taskset --cpu-list "$core" "$python" benchmarks/training_step.py "${run_options[@]}" \
  --output "$folder/training.md"
