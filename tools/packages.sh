# shellcheck shell=bash
# Sourced by the scripts beside it: installs what is missing, on Debian and Ubuntu.

missing_packages=()

# need <package> <command or file>...: the package is missing unless one of these exists.
need() {
  local package=$1 sign
  shift
  for sign in "$@"; do
    if [[ $sign == /* ]]; then
      [[ -e $sign ]] && return
    elif command -v "$sign" >/dev/null; then
      return
    fi
  done
  missing_packages+=("$package")
}

need_eigen() {
  local root
  # An Eigen that CMake is told of, or one where CMake and the packagers put it.
  [[ -n ${Eigen3_DIR:-}${CMAKE_PREFIX_PATH:-} ]] && return
  for root in /usr /usr/local /opt/homebrew; do
    [[ -e $root/include/eigen3/Eigen/Core ]] && return
  done
  missing_packages+=(libeigen3-dev)
}

as_root() {
  if [[ $(id -u) -eq 0 ]]; then "$@"; else sudo "$@"; fi
}

# install_missing_packages <what to install on other systems, a line for each>
install_missing_packages() {
  [[ ${#missing_packages[@]} -eq 0 ]] && return
  local debian="apt-get install --no-install-recommends ${missing_packages[*]}"
  if ! command -v apt-get >/dev/null; then
    printf 'This script installs packages on Debian and Ubuntu only. Please install:\n%s\n' "$1"
    printf '(Debian and Ubuntu: %s)\nand run it again.\n' "$debian"
    exit 1
  fi
  if [[ $(id -u) -ne 0 ]] && ! command -v sudo >/dev/null; then
    printf 'Neither root nor sudo here. As root, please run:\n  %s\nand this script again.\n' \
      "$debian"
    exit 1
  fi
  echo "Installing ${missing_packages[*]}"
  export DEBIAN_FRONTEND=noninteractive
  local log
  log=$(mktemp)
  if ! { as_root apt-get update && as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends "${missing_packages[@]}"; } >"$log" 2>&1; then
    cat "$log"
    rm -f "$log"
    echo "Installing failed; the command was: $debian"
    exit 1
  fi
  rm -f "$log"
  missing_packages=()
}

# One compiler for each processor, but no more than the memory carries (3 GB for each).
parallel_jobs() {
  local processors carried=1000
  processors=$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
  if [[ -r /proc/meminfo ]]; then
    carried=$(awk '/^MemTotal:/ { print int($2 / 3000000) }' /proc/meminfo)
  fi
  local jobs=$((processors < carried ? processors : carried))
  echo $((jobs < 1 ? 1 : jobs))
}
