#!/bin/sh
# Writes the golden values of this folder anew, with Keras and PyTorch from PyPI in a virtual
# environment of their own (default: build/golden-venv at the root of the repository; several
# gigabytes, most of them PyTorch's).
#
#   tests/golden/generate.sh [folder of the virtual environment]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
venv=${1:-$here/../../build/golden-venv}
if ! [ -x "$venv/bin/python" ]; then
  python3 -m venv "$venv"
fi
"$venv/bin/python" -m pip install --quiet --requirement "$here/requirements.txt"
PYTHONDONTWRITEBYTECODE=1 exec "$venv/bin/python" "$here/generate.py"
