"""Writes the models of the survey: files as users of Keras, PyTorch and ONNX have them, each with an
input and its output, and a list of them, survey.json.

    python models.py FOLDER
"""

import json
import os
import sys

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import numpy as np  # noqa: E402

folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)
entries = []


def adder(framework):
    def add(name, path, x, y, **more):
        entry = {"framework": framework, "name": name, "file": os.path.basename(path)}
        for key, values in {"x": x, "y": y}.items():
            values = np.asarray(values, np.float32)
            file = f"{framework}_{name}.{key}.f32"
            values.astype("<f4").tofile(os.path.join(folder, file))
            entry[key] = {"file": file, "shape": list(values.shape)}
        entries.append(entry | more)

    return add


def versions(*packages):
    return {package.__name__: package.__version__ for package in packages}


import models_torch  # noqa: E402

models_torch.save_all(folder, adder("pytorch"))
models_torch.export_all(folder, adder("onnx"))

import models_keras  # noqa: E402

models_keras.save_all(folder, adder("keras"))

import keras  # noqa: E402
import onnx  # noqa: E402
import torch  # noqa: E402

with open(os.path.join(folder, "survey.json"), "w") as file:
    json.dump({"versions": versions(keras, torch, onnx), "models": entries}, file, indent=1)
print(f"{len(entries)} models")
