#!/usr/bin/env bash
# Installs PyTorch (some GB the first time) in build/benchmarks/venv, where compare.sh has its peers too, and
# prints the path of the Python there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

python=build/benchmarks/venv/bin/python
[[ -x $python ]] || python3 -m venv build/benchmarks/venv
"$python" -m pip install --quiet "$(grep '^torch' benchmarks/requirements.txt)" numpy
echo "$python"
