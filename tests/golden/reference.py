"""An input of a model and its output, as a safetensors file that names the versions."""

from importlib.metadata import version

import numpy as np
from safetensors.numpy import save_file


def write_reference(path, x, y, *packages):
    tensors = {"input": np.ascontiguousarray(x), "output": np.ascontiguousarray(y)}
    versions = {package: version(package) for package in ("numpy", "safetensors", *packages)}
    save_file(tensors, path, metadata=versions)
