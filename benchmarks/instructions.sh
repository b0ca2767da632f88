#!/usr/bin/env bash
# Counts the instructions of a few fixed cases with valgrind's callgrind, and prints how each count
# moved against benchmarks/instructions.txt. A count that moved is no failure. Built with -mavx2
# -mfma, since valgrind knows no AVX-512. Another compiler or Eigen counts differently: compare with
# the same ones, which the file names.
#
#   benchmarks/instructions.sh             prints
#   benchmarks/instructions.sh --record    rewrites the file
#   CXX=clang++ benchmarks/instructions.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

record=false
case ${1:-} in
  "") ;;
  --record) record=true ;;
  *)
    sed -n '2,/^set/ { /^#/ s/^# \{0,1\}//p }' "${BASH_SOURCE[0]}"
    [[ $1 == --help || $1 == -h ]] && exit 0
    exit 2
    ;;
esac
if ! command -v valgrind >/dev/null; then
  echo "skipped: no valgrind here (Debian's package: valgrind)"
  exit 0
fi
if ! grep -qw avx2 /proc/cpuinfo || ! grep -qw fma /proc/cpuinfo; then
  echo "skipped: this processor has no AVX2 and FMA"
  exit 0
fi

compiler=${CXX:-$(command -v g++ >/dev/null && echo g++ || echo c++)}
folder=build/benchmarks/instructions-$(basename "$compiler")
file=benchmarks/instructions.txt
mkdir -p "$folder"
{ cmake -S . -B "$folder" -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_COMPILER="$compiler" \
  -DSTRATA_BUILD_TESTS=OFF -DSTRATA_BUILD_EXAMPLES=OFF -DSTRATA_NATIVE=OFF \
  -DCMAKE_CXX_FLAGS="-mavx2 -mfma" &&
  cmake --build "$folder" --target benchmark_instructions; } >"$folder.log" 2>&1 ||
  { cat "$folder.log" && exit 1; }
program=$folder/benchmarks/instructions

# Without strata's own version, which is what is compared.
version=$("$program" versions | sed 's/^strata [^;]*; //')
version+="; -O3 -mavx2 -mfma; $(valgrind --version)"
recorded_version=$(sed -n 's/^# built with //p' "$file" 2>/dev/null || true)
counts="# Instructions of fixed cases; written by benchmarks/instructions.sh --record"$'\n'
counts+="# built with $version"$'\n'
if ! $record && [[ $version != "$recorded_version" ]]; then
  echo "here:     $version"
  echo "recorded: $recorded_version; expect other counts"
fi
for name in $("$program"); do
  valgrind --tool=callgrind --callgrind-out-file="$folder/$name.out" --collect-atstart=no \
    --toggle-collect=counted "$program" "$name" >"$folder/$name.log" 2>&1 ||
    { cat "$folder/$name.log" && exit 1; }
  count=$(sed -nE 's/^(summary|totals): //p' "$folder/$name.out" | head -n 1)
  counts+="$name $count"$'\n'
  before=$(sed -n "s/^$name //p" "$file" 2>/dev/null || true)
  if [[ -n $before ]]; then
    moved=$(awk -v a="$before" -v b="$count" 'BEGIN { printf "%+.2f %%", 100 * (b / a - 1) }')
  else
    moved="new"
  fi
  printf '%-22s %12s %12s  %s\n' "$name" "${before:--}" "$count" "$moved"
done
if $record; then
  printf '%s' "$counts" >"$file"
  echo "recorded in $file"
fi
