"""Runs the Python of docs/files.md that reads a model of strata's, and compares the outputs.

    python_snippets.py <docs/files.md> <model: LSTM with return_sequences, Dense, a self-test>

Needs safetensors, NumPy, and PyTorch or Keras. A piece whose framework is missing is left out, which
is said.
"""

import importlib.util
import os
import re
import shutil
import sys
import tempfile

import numpy
from safetensors.numpy import load_file

document, model = (os.path.abspath(path) for path in sys.argv[1:])
blocks = re.findall(r"```python\n(.*?)```", open(document).read(), re.DOTALL)
pieces = [block for block in blocks if "\ny = " in block]
assert len(pieces) == 2, f"found {len(pieces)} pieces"
os.environ.setdefault("KERAS_BACKEND", "torch")

with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    shutil.copy(model, "model.safetensors")
    reference = load_file("model.safetensors")
    x, expected = reference["self_test.input"], reference["self_test.output"]
    assert numpy.abs(x).min() > 0 and numpy.abs(expected).min() > 0
    for piece in pieces:
        framework = re.search(r"import (torch|keras)", piece).group(1)
        if importlib.util.find_spec(framework) is None:
            print(f"{framework}: left out, it is not installed")
            continue
        if framework == "torch":
            import torch

            scope = {"x": torch.from_numpy(x)}
            exec(piece, scope)
            y = scope["y"].detach().numpy()
        else:
            scope = {"x": x}
            exec(piece, scope)
            y = numpy.asarray(scope["y"])
        assert y.shape == expected.shape, (y.shape, expected.shape)
        error = numpy.abs(y - expected).max()
        print(f"{framework}: largest difference {error:.2g}")
        assert error < 1e-5
