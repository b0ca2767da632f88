#!/usr/bin/env bash
# A network on a Cortex-M7 without an operating system: trains it here, builds it for the device, runs
# it under qemu, compares each output with this computer's, and prints what it takes of flash and RAM.
#
#   examples/embedded/run.sh [folder for what it builds]
#
# Debian's packages: g++, libeigen3-dev, nlohmann-json3-dev, gcc-arm-none-eabi,
# libstdc++-arm-none-eabi-newlib, qemu-system-arm.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
include=$here/../../include
to=${1:-$here/../../build/embedded}
mkdir -p "$to"
to=$(cd "$to" && pwd)

host=(g++ -std=c++20 -O1 -I "$include" -isystem /usr/include/eigen3 -pthread)
device=(arm-none-eabi-g++ -mcpu=cortex-m7 -mfpu=fpv5-d16 -mfloat-abi=hard -mthumb -std=c++20 -Os
  -fno-exceptions -fno-rtti -fno-threadsafe-statics -ffunction-sections -fdata-sections -Wall -Wno-psabi
  -I "$include" -isystem /usr/include/eigen3
  --specs=rdimon.specs -nostartfiles -T "$here/mps2-an500.ld" -Wl,--gc-sections)

"${host[@]}" "$here/make_model.cpp" -o "$to/make_model"
"$to/make_model" "$to"
printf '%-8s %10s %10s %10s %10s   %s\n' weights flash data heap stack "largest difference of 1000 outputs"
for precision in full int16; do
  header="-DAMP_HEADER=\"$to/amp_$precision.hpp\""
  "${host[@]}" "$header" "$here/amp.cpp" -o "$to/amp_$precision"
  "${device[@]}" "$header" "$here/amp.cpp" "$here/startup.cpp" -o "$to/amp_$precision.elf"
  "$to/amp_$precision" >"$to/$precision.host"
  timeout 60 qemu-system-arm -machine mps2-an500 -nographic \
    -semihosting-config enable=on,target=native -kernel "$to/amp_$precision.elf" \
    >"$to/$precision.device" 2>"$to/$precision.memory"
  difference=$(paste "$to/$precision.host" "$to/$precision.device" |
    awk '{ d = $1 - $2; if (d < 0) d = -d; if (!(d <= most)) most = d }
         NF != 2 { bad = 1 } END { if (bad || NR != 1000) print "inf"; else print most + 0 }')
  size=$(arm-none-eabi-size "$to/amp_$precision.elf" | awk 'NR == 2 { print $1 + $2, $2 + $3 }')
  memory=$(sed -n 's/^heap \([0-9]*\) stack \([0-9]*\)$/\1 \2/p' "$to/$precision.memory")
  # shellcheck disable=SC2086
  printf '%-8s %10s %10s %10s %10s   %s\n' "$precision" $size $memory "$difference"
  if ! awk -v d="$difference" 'BEGIN { exit !(d != "inf" && d <= 1e-6) }'; then
    echo "the device and the computer differ by more than 1e-6" >&2
    exit 1
  fi
  echo "passed: weights as $precision, within $difference of this computer"
done
