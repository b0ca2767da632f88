#!/usr/bin/env bash
# What strata costs a build: compile time (user seconds, the least of some runs) and size of the
# program (as linked, and stripped) at -O2, of four programs, with GCC and with Clang. Writes
# build/benchmarks/compile_time.md. Takes about five minutes.
#
#   benchmarks/compile_time.sh [--runs N] [compilers...]    5 runs, g++ clang++ without arguments
#   EIGEN_DIR=/a/folder/with/Eigen/Core benchmarks/compile_time.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

runs=5
compilers=()
while [[ $# -gt 0 ]]; do
  case $1 in
    --runs) runs=$2 && shift 2 ;;
    --help | -h) sed -n '2,/^set/ { /^#/ s/^# \{0,1\}//p }' "${BASH_SOURCE[0]}" && exit 0 ;;
    -*) echo "unknown argument: $1" >&2 && exit 2 ;;
    *) compilers+=("$1") && shift ;;
  esac
done
if [[ ${#compilers[@]} -eq 0 ]]; then compilers=(g++ clang++); fi

eigen=${EIGEN_DIR:-}
if [[ -z $eigen ]]; then
  eigen=$(pkg-config --variable=includedir eigen3 2>/dev/null || true)/eigen3
  for folder in "$eigen" /usr/include/eigen3 /usr/local/include/eigen3 \
    /opt/homebrew/include/eigen3; do
    if [[ -e $folder/Eigen/Core ]]; then eigen=$folder && break; fi
  done
fi
if [[ ! -e $eigen/Eigen/Core ]]; then
  echo "no Eigen found; set EIGEN_DIR to the folder that contains Eigen/Core" >&2
  exit 1
fi

folder=build/benchmarks/compile_time
mkdir -p "$folder"

cat >"$folder/eigen.cpp" <<'EOF'
#include <Eigen/Core>
int main() {}
EOF
cat >"$folder/empty.cpp" <<'EOF'
#include <strata/strata.hpp>
int main() {}
EOF
cat >"$folder/predict.cpp" <<'EOF'
#include <strata/strata.hpp>

#include <iostream>
using namespace strata;

int main() {
  Tensor<float> data({1, 3, 1}, {0.1f, 0.2f, 0.3f});
  Sequential model{Input{3, 1}, LSTM{1}};
  std::cout << model.predict(data) << '\n';
}
EOF
cat >"$folder/train.cpp" <<'EOF'
#include <strata/strata.hpp>

#include <iostream>
using namespace strata;

int main() {
  Tensor<float> x({64, 20, 1});
  Tensor<float> y({64, 1});
  Sequential model{LSTM{32, return_sequences}, LSTM{32}, Dense{1}};
  model.compile(Adam{.learning_rate = 1e-3}, MeanSquaredError{});
  model.fit(x, y, {.epochs = 2});
  std::cout << model.predict(x) << model.summary();
}
EOF
declare -A what=(
  [eigen]='only `#include <Eigen/Core>`'
  [empty]='only `#include <strata/strata.hpp>`'
  [predict]='`Sequential{Input{3, 1}, LSTM{1}}` predicts and prints'
  [train]='two LSTM layers and Dense: compile, fit, predict, summary'
)

# The compiler itself, without a cache before it.
export CCACHE_DISABLE=1
size() { wc -c <"$1"; }
{
  echo "Date: $(date +%F). Machine: $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)." \
    "Eigen in \`$eigen\`. \`-std=c++20 -O2 -DNDEBUG\`, least of $runs runs; load average at the" \
    "start: $(cut -d ' ' -f 1 /proc/loadavg)."
  echo
  echo "| program | compiler | user seconds | program, KB | stripped, KB |"
  echo "|---|---|---|---|---|"
} | tee "$folder.md"
for compiler in "${compilers[@]}"; do
  if ! command -v "$compiler" >/dev/null; then
    echo "no $compiler here; left out" >&2
    continue
  fi
  version="$compiler $("$compiler" -dumpfullversion 2>/dev/null || "$compiler" -dumpversion)"
  for program in eigen empty predict train; do
    command=("$compiler" -std=c++20 -O2 -DNDEBUG -Iinclude -isystem "$eigen")
    object=$folder/$program.o
    least=""
    for ((run = 0; run < runs; ++run)); do
      TIMEFORMAT=%U
      seconds=$({ time "${command[@]}" -c "$folder/$program.cpp" -o "$object" 2>"$folder/log" ||
        { cat "$folder/log" >&2 && exit 1; }; } 2>&1)
      least=$(printf '%s\n' $least "$seconds" | sort -g | head -n 1)
    done
    "$compiler" "$object" -o "$folder/$program"
    strip -o "$folder/$program.stripped" "$folder/$program"
    printf '| %s | %s | %.1f | %.0f | %.0f |\n' "${what[$program]}" "$version" "$least" \
      "$(($(size "$folder/$program") / 1000))" "$(($(size "$folder/$program.stripped") / 1000))"
  done
done | tee -a "$folder.md"
