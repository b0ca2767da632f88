#!/usr/bin/env bash
# What strata costs a build: compile time (user seconds at -O2, the least of some runs, or of two where
# one takes ten seconds, in which the programs take turns), the most memory of the compiler, and the
# size of the program (as linked, and stripped), of programs in the header-only form and with
# strata::compiled. Writes
# build/benchmarks/compile_time.md. Without --library it builds the library first and prints how long
# that took.
#
#   benchmarks/compile_time.sh [--runs N] [--library FILE] [compilers...]   5 runs, g++ clang++
#   EIGEN_DIR=/a/folder/with/Eigen/Core benchmarks/compile_time.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

runs=5
library=""
compilers=()
while [[ $# -gt 0 ]]; do
  case $1 in
    --runs) runs=$2 && shift 2 ;;
    --library) library=$2 && shift 2 ;;
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
cat >"$folder/load.cpp" <<'EOF'
#include <strata/io/safetensors.hpp>
#include <strata/tensor_print.hpp>

#include <iostream>
using namespace strata;

int main(int, char** arguments) {
  const auto model = load(arguments[1]);
  std::cout << model.predict(Tensor<float>({1, 3, 1}));
}
EOF
sed -e 's/safetensors/keras/' -e 's/load(/load_keras(/' "$folder/load.cpp" >"$folder/load_keras.cpp"
sed -e 's/safetensors/onnx/' -e 's/load(/load_onnx(/' "$folder/load.cpp" >"$folder/load_onnx.cpp"
cat >"$folder/load_weights.cpp" <<'EOF'
#include <strata/io/safetensors.hpp>
#include <strata/strata.hpp>

#include <iostream>
using namespace strata;

int main(int, char** arguments) {
  Sequential<LSTM<float, 1, 16, return_sequences>, Dense<float, 16, 1>> model;
  load_weights(arguments[1], model);
  std::cout << model.predict(Tensor<float>({1, 3, 1}));
}
EOF
sed -e 's/safetensors/pytorch/' -e 's/load_weights(/load_pytorch(/' "$folder/load_weights.cpp" \
  >"$folder/load_pytorch.cpp"
programs=(eigen empty predict train load load_keras load_onnx load_weights load_pytorch)
declare -A what=(
  [eigen]='only `#include <Eigen/Core>`'
  [empty]='only `#include <strata/strata.hpp>`'
  [predict]='`Sequential{Input{3, 1}, LSTM{1}}` predicts and prints'
  [train]='two LSTM layers and Dense: compile, fit, predict, summary'
  [load]='`load` and predict'
  [load_keras]='`load_keras` and predict'
  [load_onnx]='`load_onnx` and predict'
  [load_weights]='a model of fixed sizes: `load_weights` and predict'
  [load_pytorch]='a model of fixed sizes: `load_pytorch` and predict'
)

# The compiler itself, without a cache before it.
export CCACHE_DISABLE=1
kilobytes() { wc -c <"$1" | awk '{ print $1 / 1000 }'; }
# measure <command>...: user seconds and the most memory in MB of the command's largest process.
measure() {
  python3 -c '
import resource, subprocess, sys
finished = subprocess.run(sys.argv[1:])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(f"{used.ru_utime:.2f} {used.ru_maxrss * 1.024 / 1000:.0f}")
sys.exit(finished.returncode)' "$@"
}

if [[ -z $library ]]; then
  rm -rf "$folder/library"
  cmake -S . -B "$folder/library" -DCMAKE_BUILD_TYPE=Release -DSTRATA_COMPILED=ON \
    -DSTRATA_BUILD_TESTS=OFF -DSTRATA_BUILD_EXAMPLES=OFF -DSTRATA_BUILD_BENCHMARKS=OFF \
    -DSTRATA_BUILD_TOOLS=OFF >"$folder/library.log"
  SECONDS=0
  figures=$(measure cmake --build "$folder/library" -j 2 2>&1 | tail -n 1)
  read -r _ memory <<<"$figures"
  built="The library was built from scratch in $SECONDS s by two jobs, with at most $memory MB for a"
  built+=" compiler."
  library=$folder/library/libstrata_compiled.a
fi

# choose_command <program> <form>: sets `command`, which compiles the program.
choose_command() {
  command=("$compiler" -std=c++20 -O2 -DNDEBUG -Iinclude -isystem "$eigen")
  if [[ $2 == compiled ]]; then command+=(-DSTRATA_COMPILED); fi
  command+=(-c "$folder/$1.cpp" -o "$folder/$1.$2.o")
}

{
  echo "Date: $(date +%F). Machine: $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)." \
    "Eigen in \`$eigen\`. \`-std=c++20 -O2 -DNDEBUG\`. The programs took turns, $runs times (two" \
    "times where one takes ten seconds); the least time of each counts. Load average at the start:" \
    "$(cut -d ' ' -f 1 /proc/loadavg). ${built:-}"
  echo
  echo "| program | form | compiler | user seconds | by Eigen/Core | memory, MB | program, KB | stripped, KB |"
  echo "|---|---|---|---|---|---|---|---|"
} | tee "$folder.md"
for compiler in "${compilers[@]}"; do
  if ! command -v "$compiler" >/dev/null; then
    echo "no $compiler here; left out" >&2
    continue
  fi
  version="$compiler $("$compiler" -dumpfullversion 2>/dev/null || "$compiler" -dumpversion)"
  declare -A least=()
  for ((run = 0; run < runs; ++run)); do
    for program in "${programs[@]}"; do
      for form in header-only compiled; do
        if [[ $program == eigen && $form == compiled ]]; then continue; fi
        known=${least[$program $form]:-}
        if [[ $run -ge 2 && ${known%%.*} -ge 10 ]]; then continue; fi
        choose_command "$program" "$form"
        figures=$(measure "${command[@]}")
        least[$program $form]=$(printf '%s\n' ${known:+"$known"} "$figures" | sort -g | head -n 1)
      done
    done
  done
  read -r unit _ <<<"${least[eigen header-only]}"
  for program in "${programs[@]}"; do
    for form in header-only compiled; do
      if [[ $program == eigen && $form == compiled ]]; then continue; fi
      linked=(-pthread)
      if [[ $form == compiled ]]; then linked=("$library" "${linked[@]}"); fi
      if [[ $program == load_keras || $form == compiled ]]; then linked+=(-lzip); fi
      "$compiler" "$folder/$program.$form.o" "${linked[@]}" -o "$folder/$program"
      strip -o "$folder/$program.stripped" "$folder/$program"
      read -r seconds memory <<<"${least[$program $form]}"
      printf '| %s | %s | %s | %.2f | %.2f | %s | %.1f | %.1f |\n' "${what[$program]}" "$form" \
        "$version" "$seconds" "$(echo "$seconds $unit" | awk '{ print $1 / $2 }')" "$memory" \
        "$(kilobytes "$folder/$program")" "$(kilobytes "$folder/$program.stripped")"
    done
  done | tee -a "$folder.md"
done
