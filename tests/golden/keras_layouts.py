"""Layouts of files that only other versions of Keras write, made by h5py and zipfile alone:
tests/golden/keras/layouts and keras_layouts.txt. NumPy computes the outputs, and for each layout
there is a file of the same weights in the usual one."""

import io
import json
import os
import zipfile

import h5py
import numpy as np

from golden_file import GoldenFile, draw, rng

FEATURES, UNITS = 2, 3


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm(x, kernel, recurrent_kernel, bias, sequences=True):
    h = c = np.zeros((len(x), len(recurrent_kernel)))
    steps = []
    for t in range(x.shape[1]):
        i, f, g, o = np.split(x[:, t] @ kernel + h @ recurrent_kernel + bias, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        steps.append(h)
    return np.stack(steps, axis=1) if sequences else h


def lstm_weights(random, features):
    return [draw(random, *shape, scale=0.75) for shape in ((features, 12), (3, 12), (12,))]


def dense_weights(random):
    return [draw(random, UNITS, 1), draw(random, 1)]


def lstm_config(name, sequences, shape=None):
    config = {
        "name": name,
        "trainable": True,
        "return_sequences": sequences,
        "return_state": False,
        "go_backwards": False,
        "stateful": False,
        "unroll": False,
        "units": UNITS,
        "activation": "tanh",
        "recurrent_activation": "sigmoid",
        "use_bias": True,
        "unit_forget_bias": True,
        "dropout": 0.0,
        "recurrent_dropout": 0.0,
        "implementation": 1,
    }
    if shape:
        config |= {"batch_input_shape": shape, "dtype": "float32"}
    return {"class_name": "LSTM", "config": config}


def dense_config(name):
    config = {"name": name, "trainable": True, "units": 1, "activation": "linear", "use_bias": True}
    return {"class_name": "Dense", "config": config}


def write_legacy(path, stack, weights, as_list):
    """An .h5 of Keras 2: before 2.2.3 the config of a Sequential is the list of its layers."""
    with h5py.File(path, "w") as file:
        config = stack if as_list else {"name": "sequential_1", "layers": stack}
        model = {"class_name": "Sequential", "config": config}
        file.attrs["model_config"] = json.dumps(model).encode()
        file.attrs["keras_version"] = b"2.1.5" if as_list else b"2.2.4"
        file.attrs["backend"] = b"tensorflow"
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = [name.encode() for name in weights]
        for name, arrays in weights.items():
            own = group.create_group(name)
            names = [f"{name}/{one}:0" for one in ("kernel", "recurrent_kernel", "bias")]
            if len(arrays) == 2:
                del names[1]
            own.attrs["weight_names"] = [one.encode() for one in names]
            for one, values in zip(names, arrays):
                own.create_dataset(one, data=values.astype(np.float32))


def write_archive(path, stack, groups, separator="/"):
    """A .keras of Keras 2.13. On Windows it joins names of groups with backslashes, which HDF5
    does not take for groups in groups."""
    weights = io.BytesIO()
    with h5py.File(weights, "w") as file:
        for group, arrays in groups.items():
            name = "_layer_checkpoint_dependencies/" + group
            own = file.require_group(name.replace("/", separator)).create_group("vars")
            for i, values in enumerate(arrays):
                own.create_dataset(str(i), data=values.astype(np.float32))
        metric = file.require_group("metrics/mean".replace("/", separator)).create_group("vars")
        metric.create_dataset("0", data=np.float32(1))
    model = {
        "module": "keras",
        "class_name": "Sequential",
        "config": {"name": "sequential", "layers": stack},
        "registered_name": None,
    }
    content = {
        "metadata.json": json.dumps({"keras_version": "2.13.1", "date_saved": "2024-02-29@00:00:00"}),
        "config.json": json.dumps(model),
        "model.weights.h5": weights.getvalue(),
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)


def keras_layouts(folder):
    file = GoldenFile("layouts of Keras files", digits=9, packages=("numpy", "h5py"))
    layouts = os.path.join(folder, "keras", "layouts")
    os.makedirs(layouts, exist_ok=True)
    path = lambda name: os.path.join(layouts, name)
    shape = [None, 5, FEATURES]

    def add(name, compute):
        random = rng(f"keras_layouts.{name}")
        x = draw(random, 2, 5, FEATURES)
        file.add(f"{name}.x", x)
        file.add(f"{name}.y", compute(random, x))

    def one_layer(sequences):
        stack = [lstm_config("lstm_1", sequences, shape), dense_config("dense_1")]

        def compute(random, x):
            first, out = lstm_weights(random, FEATURES), dense_weights(random)
            if sequences:
                groups = {"lstm/cell": first, "dense": out}
                write_archive(path("backslash.keras"), stack, groups, "\\")
                write_archive(path("slash.keras"), stack, groups)
            else:
                weights = {"lstm_1": first, "dense_1": out}
                write_legacy(path("list.h5"), stack, weights, as_list=True)
                write_legacy(path("object.h5"), stack, weights, as_list=False)
            return lstm(x, *first, sequences) @ out[0] + out[1]

        return compute

    def two_layers(random, x):
        stack = [lstm_config("first", True, shape), lstm_config("second", True), dense_config("out")]
        first, second = lstm_weights(random, FEATURES), lstm_weights(random, UNITS)
        out = dense_weights(random)
        # Keras 2.13 lists a layer with weights twice, so that the second of a class is number 2.
        for name, number in (("counted_twice", 2), ("counted_once", 1)):
            groups = {"lstm/cell": first, f"lstm_{number}/cell": second, "dense": out}
            write_archive(path(f"{name}.keras"), stack, groups)
        return lstm(lstm(x, *first), *second) @ out[0] + out[1]

    add("windows", one_layer(sequences=True))
    add("list", one_layer(sequences=False))
    add("counted", two_layers)
    return file
