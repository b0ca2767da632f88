"""An input of a model and its output, as a safetensors file that names the versions."""

from importlib.metadata import version

import numpy as np
from safetensors.numpy import save_file


def write_reference(path, x, y, *packages):
    tensors = {"input": np.ascontiguousarray(x), "output": np.ascontiguousarray(y)}
    # One text: safetensors writes several in an order that changes.
    names = ("numpy", "safetensors", *packages)
    versions = ", ".join(f"{package} {version(package)}" for package in names)
    save_file(tensors, path, metadata={"versions": versions})
