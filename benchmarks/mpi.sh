#!/usr/bin/env bash
# A training step on two processes against one, beside PyTorch's DistributedDataParallel; with slower
# messages, beside the model of benchmarks/mpi/model.py; and what the model says of 1 to 1000 processes.
# Writes build/benchmarks/mpi.md. Takes twelve minutes, and the first time an installation of PyTorch
# (some GB).
#
#   benchmarks/mpi.sh [--python PATH] [--rounds N]
#
# --python takes a Python that has PyTorch; nothing is fetched then.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

python=""
rounds=5
while [[ $# -gt 0 ]]; do
  case $1 in
    --python) python=$2 && shift 2 ;;
    --rounds) rounds=$2 && shift 2 ;;
    *)
      sed -n '2,/^set/ { /^#/ s/^# \{0,1\}//p }' "${BASH_SOURCE[0]}"
      [[ $1 == --help || $1 == -h ]] && exit 0
      exit 2
      ;;
  esac
done
[[ -n $python ]] || python=$(benchmarks/python_with_torch.sh)

folder=build/benchmarks/mpi
mkdir -p "$folder"
eigen=$(pkg-config --cflags-only-I eigen3 | sed 's/-I/-isystem /g')
mpicxx -std=c++20 -O3 -DNDEBUG -march=native -w -Iinclude $eigen benchmarks/mpi/step.cpp \
  -o "$folder/step" -pthread
{
  echo "Date: $(date +%F). Machine: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)," \
    "$(nproc) cores; load average $(cut -d ' ' -f 1 /proc/loadavg)." \
    "$(mpirun --version | head -n 1); $("${CXX:-g++}" --version | head -n 1); \`-O3 -march=native\`." \
    "$rounds rounds."
  echo
  python3 benchmarks/mpi/table.py "$folder/step" --python "$python" --rounds "$rounds"
} | tee build/benchmarks/mpi.md
