#!/usr/bin/env bash
# The losses of sequences and distributions, and the window over a text, against PyTorch's: value and
# gradient, on one thread of one core, in turns. Writes build/benchmarks/losses.md. Takes a minute, and
# the first time an installation of PyTorch (some GB).
#
#   benchmarks/losses.sh [--python PATH] [--rounds N] [--seconds S] [--core C]
#
# --python takes a Python that has PyTorch; nothing is fetched then.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

python=""
rounds=5
seconds=0.3
core=1
while [[ $# -gt 0 ]]; do
  case $1 in
    --python) python=$2 && shift 2 ;;
    --rounds) rounds=$2 && shift 2 ;;
    --seconds) seconds=$2 && shift 2 ;;
    --core) core=$2 && shift 2 ;;
    *)
      sed -n '2,/^set/ { /^#/ s/^# \{0,1\}//p }' "${BASH_SOURCE[0]}"
      [[ $1 == --help || $1 == -h ]] && exit 0
      exit 2
      ;;
  esac
done
[[ -n $python ]] || python=$(benchmarks/python_with_torch.sh)

folder=build/benchmarks/losses
mkdir -p "$folder"
eigen=$(pkg-config --cflags-only-I eigen3 | sed 's/-I/-isystem /g')
"${CXX:-g++}" -std=c++20 -O3 -DNDEBUG -march=native -w -Iinclude $eigen benchmarks/losses.cpp \
  -o "$folder/losses" -pthread
{
  echo "Date: $(date +%F). Machine: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)," \
    "core $core; load average $(cut -d ' ' -f 1 /proc/loadavg). strata: $("$folder/losses" versions);" \
    "\`-O3 -march=native\`. PyTorch: $("$python" -c 'import torch; print(torch.__version__)')." \
    "$rounds rounds of $seconds s for each case and side. Names: ctc-B-T-L-C, pen-B-T-K, window-B-T-U-L."
  echo
  "$python" benchmarks/losses.py "$folder/losses" "$rounds" "$seconds" "$core"
} | tee build/benchmarks/losses.md
