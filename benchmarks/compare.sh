#!/usr/bin/env bash
# strata against PyTorch, ONNX Runtime and Keras on this machine; writes build/benchmarks/compare.md
# and build/benchmarks/images. Needs CMake, a C++20 compiler, Eigen, Python and taskset; what is
# missing is named. Takes about half an hour, and the first time an installation of the peers (some
# GB).
#
#   benchmarks/compare.sh [options]
#     --quick          a short run, to see that everything works
#     --only PARTS     some of training,inference,stream,precision,threads,memory,growth,compilers
#     --python PATH    a Python that has what requirements.txt lists, instead of an own virtual
#                      environment; nothing is fetched then
#     --core N         the core for one thread; the last one without it
#     --cores LIST     the cores for several threads, e.g. 0,1; the last two without it
#     --rounds N       rounds of measurements; 6 without it
#     --torch-compile  PyTorch may use torch.compile too; takes some minutes longer
#     --update-readme  replaces the results in benchmarks/README.md
#   CXX=clang++ benchmarks/compare.sh    another compiler
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

python=""
arguments=("$@")
while [[ $# -gt 0 ]]; do
  case $1 in
    --python) python=${2:?--python needs a path} && shift ;;
    --help | -h)
      sed -n '2,/^set/ { /^#/ s/^# \{0,1\}//p }' "${BASH_SOURCE[0]}"
      exit 0
      ;;
  esac
  shift
done

for tool in cmake python3 taskset; do
  if ! command -v "$tool" >/dev/null; then
    echo "compare.sh needs $tool; tools/test.sh installs the C++ side, and Debian's packages are" \
      "cmake, python3-venv and util-linux" >&2
    exit 1
  fi
done

if [[ -z $python ]]; then
  folder=build/benchmarks/venv
  python=$folder/bin/python
  if [[ ! -x $python ]]; then
    mkdir -p build/benchmarks
    python3 -m venv "$folder"
  fi
  "$python" -m pip install --quiet --disable-pip-version-check \
    --requirement benchmarks/requirements.txt
fi

exec "$python" benchmarks/compare ${arguments[@]+"${arguments[@]}"}
