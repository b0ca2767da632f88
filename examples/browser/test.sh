#!/usr/bin/env bash
# Builds the page and tries it in a headless Chromium: it trains, opens models, plays sound.
#
#   examples/browser/test.sh [folder for pictures of the page]
#
# Debian's packages, which it installs: those of build.sh, and chromium and nodejs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source tools/packages.sh
need chromium chromium
need nodejs node
install_missing_packages "Chromium and Node.js"
examples/browser/build.sh build/browser
[[ $# -eq 0 ]] || mkdir -p "$1"
node examples/browser/test/test.mjs build/browser/index.html tests/golden "$@"
