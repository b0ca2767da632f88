#!/usr/bin/env python3
"""Writes expected.json: what Keras and ONNX Runtime compute with two golden models on the signal of the
page. With the packages of tests/golden/requirements.txt:

    examples/browser/test/expected.py
"""

import importlib.metadata
import json
import os
import pathlib

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import numpy as np
import onnxruntime

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
WINDOW = 40


def signal():
    lines = (ROOT / "examples/data/santafe_laser.txt").read_text().splitlines()
    series = np.array(" ".join(line for line in lines if line[:1] != "#").split(), float)
    trained = series[: int(0.7 * len(series))]
    return ((series - trained.mean()) / trained.std())[9258:9498].astype(np.float32)


def windows(x, features):
    """A window up to each value, (B, 40, F): feature f is the value f steps ago. Before its first value
    the signal stands still."""
    padded = np.concatenate([np.full(WINDOW + features - 2, x[0]), x])
    list_of = [padded[features - 1 - f : len(padded) - f] for f in range(features)]
    views = [np.lib.stride_tricks.sliding_window_view(one, WINDOW) for one in list_of]
    return np.stack(views, axis=-1)


def main():
    x = signal()
    of_keras = keras.saving.load_model(ROOT / "tests/golden/keras/stack_2.keras").predict(
        windows(x, 1), verbose=0
    )
    session = onnxruntime.InferenceSession(ROOT / "tests/golden/onnx/torch_script_stack_2.onnx")
    of_onnx = session.run(None, {"x": windows(x, 2)})[0]
    text = json.dumps(
        {
            "versions": {name: importlib.metadata.version(name) for name in ("keras", "onnxruntime")},
            "stack_2.keras": [round(float(v), 7) for v in of_keras.ravel()],
            "torch_script_stack_2.onnx": [round(float(v), 7) for v in of_onnx.ravel()],
        }
    )
    (HERE / "expected.json").write_text(text + "\n")


main()
