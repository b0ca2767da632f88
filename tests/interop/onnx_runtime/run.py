"""Runs what save_onnx wrote in ONNX Runtime, and compares with strata's outputs.

    run.py <strata_onnx_writer>
"""

import glob
import json
import os
import struct
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import onnx
    import onnxruntime
except ImportError as error:
    print(f"skipped: {error}; pip install numpy onnx onnxruntime")
    sys.exit(77)

TOLERANCE = 1e-5


def tensors(path):
    """Those of a safetensors file, all of them float32."""
    with open(path, "rb") as file:
        size = struct.unpack("<Q", file.read(8))[0]
        header = json.loads(file.read(size))
        values = file.read()
    header.pop("__metadata__", None)
    return {
        name: np.frombuffer(values[slice(*one["data_offsets"])], np.float32).reshape(one["shape"])
        for name, one in header.items()
    }


def difference(path):
    onnx.checker.check_model(path, full_check=True)
    values = tensors(path.removesuffix(".onnx") + ".safetensors")
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    x = session.get_inputs()[0]
    kind = np.int64 if x.type == "tensor(int64)" else np.float32
    y = session.run(None, {x.name: values["input"].astype(kind)})[0]
    if y.shape != values["output"].shape:
        return np.inf
    return np.abs(y - values["output"]).max()


failed = 0
with tempfile.TemporaryDirectory() as folder:
    subprocess.run([os.path.abspath(sys.argv[1]), folder], check=True)
    paths = sorted(glob.glob(os.path.join(folder, "*.onnx")))
    for path in paths:
        found = difference(path)
        print(f"{os.path.basename(path)}: largest difference {found:.3g}")
        failed += not found < TOLERANCE
print(f"{len(paths) - failed} of {len(paths)} models compute the same in ONNX Runtime")
sys.exit(1 if failed or not paths else 0)
