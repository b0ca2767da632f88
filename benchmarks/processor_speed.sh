#!/usr/bin/env bash
# What strata::compiled costs or gains in speed: a program that is built without any flag for the
# processor and linked with the library, against the same program from headers alone with
# -march=native. Both take turns on one core; each figure is the least of all turns. Writes
# build/benchmarks/processor_speed.md. Takes about three minutes, and the library's build before.
#
#   benchmarks/processor_speed.sh [--rounds N] [--seconds S] [--core C] [--library FILE]
#
# --library takes a libstrata_compiled.a of this source tree that exists already.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

rounds=6
seconds=0.3
core=1
library=
while [[ $# -gt 0 ]]; do
  case $1 in
    --rounds) rounds=$2 && shift 2 ;;
    --seconds) seconds=$2 && shift 2 ;;
    --core) core=$2 && shift 2 ;;
    --library) library=$(realpath "$2") && shift 2 ;;
    *)
      sed -n '2,/^set/ { /^#/ s/^# \{0,1\}//p }' "${BASH_SOURCE[0]}"
      [[ $1 == --help || $1 == -h ]] && exit 0
      exit 2
      ;;
  esac
done

folder=build/benchmarks/processor_speed
result=build/benchmarks/processor_speed.md
mkdir -p "$folder"
{
  if [[ -z $library ]]; then
    cmake -S . -B "$folder/library" -DCMAKE_BUILD_TYPE=Release -DSTRATA_COMPILED=ON \
      -DSTRATA_COMPONENTS= -DSTRATA_NATIVE=OFF -DSTRATA_BUILD_TESTS=OFF -DSTRATA_BUILD_EXAMPLES=OFF
    cmake --build "$folder/library" --target strata_compiled
    library=$folder/library/libstrata_compiled.a
  fi
  eigen=$(pkg-config --cflags-only-I eigen3 | sed 's/-I/-isystem /g')
  build() { # <program> <further arguments>...
    "${CXX:-g++}" -std=c++20 -O2 -DNDEBUG -Iinclude $eigen benchmarks/processor_speed.cpp \
      -o "$folder/$1" "${@:2}" -pthread
  }
  libraries=("$library")
  # A library that reads Keras' archives needs libzip.
  if nm -u "$library" 2>/dev/null | grep -q zip_open; then libraries+=(-lzip); fi
  build compiled -DSTRATA_COMPILED "${libraries[@]}"
  build native -march=native
} >"$folder/build.log" 2>&1 || { cat "$folder/build.log" && exit 1; }

load=$(cut -d ' ' -f 1 /proc/loadavg)
for program in compiled native; do : >"$folder/$program.txt"; done
for ((round = 0; round < rounds; ++round)); do
  for program in compiled native; do
    taskset -c "$core" "$folder/$program" "$seconds" >>"$folder/$program.txt"
  done
done

{
  echo "Date: $(date +%F). Machine: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)," \
    "core $core. Command: \`benchmarks/processor_speed.sh\`, $rounds rounds of $seconds s for each" \
    "case; load average at the start $load, at the end $(cut -d ' ' -f 1 /proc/loadavg)."
  echo
  echo "- compiled: $("$folder/compiled" versions); the program with \`-O2\`"
  echo "- native: $("$folder/native" versions); \`-O2 -march=native\`"
  echo
  echo "Microseconds, the least of all turns; of a stream one step. Names: batch, steps, features," \
    "units; \`fit\` is an epoch of four batches."
  echo
  echo "| case | compiled | native | compiled / native |"
  echo "|---|---|---|---|"
  awk '{ side = FILENAME ~ /native.txt$/
         if (!(($1, side) in least)) { if (!side) order[++count] = $1; least[$1, side] = $2 }
         if ($2 < least[$1, side]) least[$1, side] = $2 }
       END { for (i = 1; i <= count; ++i) { name = order[i]
               printf "| %s | %s | %s | %.3f |\n", name, micro(least[name, 0]),
                      micro(least[name, 1]), least[name, 0] / least[name, 1] } }
       function micro(ns) { return sprintf(ns < 1e6 ? "%.4g" : "%.0f", ns / 1000) }' \
    "$folder/compiled.txt" "$folder/native.txt"
} | tee "$result"
