"""Model files as Keras saves them, with their outputs: tests/golden/keras and keras_files.txt.

The weights are drawn by rng, so that they do not depend on Keras' generators. Most archives are
compressed anew: Keras stores what HDF5 pads with zeros.
"""

import io
import json
import os
import re
import zipfile

import h5py
import keras
import numpy as np
from keras import layers

from golden_file import GoldenFile, draw, rng, write_text

PACKAGES = ("numpy", "keras", "tensorflow-cpu", "h5py")
ACTIVATIONS = (
    "linear relu sigmoid tanh hard_sigmoid softsign softplus elu exponential".split()
)


def sequential(shape, *stack, policy="float32"):
    keras.backend.clear_session()
    keras.config.set_dtype_policy(policy)
    return keras.Sequential([keras.Input(shape), *[make() for make in stack]])


def lstm(units, sequences=True, **options):
    return lambda: layers.LSTM(units, return_sequences=sequences, **options)


def gru(units, sequences=True, **options):
    return lambda: layers.GRU(units, return_sequences=sequences, **options)


def rnn(units, sequences=True, **options):
    return lambda: layers.SimpleRNN(units, return_sequences=sequences, **options)


def both(inner, merge):
    return lambda: layers.Bidirectional(inner(), merge_mode=merge)


def of(layer, *values, **options):
    return lambda: layer(*values, **options)


def dense(units, **options):
    return of(layers.Dense, units, **options)


def stacks():
    yield "lstm", sequential((5, 2), lstm(3, False))
    yield "lstm_sequences", sequential((None, 2), lstm(3))
    yield "stack_2", sequential((None, 1), lstm(4), lstm(3, False), dense(2))
    yield "stack_3", sequential((6, 2), lstm(3), lstm(4), lstm(2), dense(1))
    yield "stack_4", sequential((None, 2), lstm(3), lstm(3), lstm(3), lstm(2, False), dense(2))
    yield "gru_after", sequential((None, 2), gru(3), gru(2, False))
    yield "gru_before", sequential(
        (None, 2), gru(3, reset_after=False), gru(2, False, reset_after=False)
    )
    yield "backwards", sequential(
        (None, 2),
        lstm(3, go_backwards=True),
        gru(2, go_backwards=True),
        rnn(2, False, go_backwards=True),
    )
    yield "no_bias", sequential(
        (None, 2),
        lstm(2, use_bias=False),
        gru(2, use_bias=False),
        gru(2, use_bias=False, reset_after=False),
        rnn(2, False, use_bias=False),
        dense(2, use_bias=False),
    )


def bidirectional():
    yield "both_concat", sequential((None, 2), both(lstm(3), "concat"), both(lstm(2, False), "concat"))
    yield "both_sum", sequential((None, 2), both(gru(3), "sum"), both(gru(2, False), "sum"))
    yield "both_mul", sequential((None, 2), both(rnn(3), "mul"), both(lstm(2, False), "mul"))
    yield "both_ave", sequential(
        (None, 2), both(gru(3, reset_after=False), "ave"), both(rnn(2, False), "ave")
    )


def masks():
    masking = of(layers.Masking, mask_value=0.5)
    yield "masking", sequential((5, 2), masking, lstm(3), lstm(2, False), dense(2))
    yield "masking_both", sequential((5, 2), masking, both(lstm(2), "concat"), gru(2))
    yield "masking_zeros", sequential((5, 2), masking, gru(2, zero_output_for_mask=True), dense(2))
    yield "masking_mean", sequential((5, 2), masking, rnn(2), of(layers.GlobalAveragePooling1D))
    embedding = of(layers.Embedding, 7, 3, mask_zero=True)
    yield "embedding", sequential((None,), embedding, lstm(3, False), dense(2, activation="softmax"))
    yield "embedding_plain", sequential((4,), of(layers.Embedding, 7, 2), gru(2))


def activations():
    yield "activations", sequential(
        (3,), *[dense(3, activation=one) for one in ACTIVATIONS], dense(3, activation="softmax")
    )
    rotated = ACTIVATIONS[2:] + ACTIVATIONS[:2]
    pairs = list(zip(ACTIVATIONS, rotated))
    yield "recurrent_activations", sequential(
        (None, 2),
        *[
            (lstm, gru)[i % 2](2, activation=one, recurrent_activation=gate)
            for i, (one, gate) in enumerate(pairs)
        ],
        *[rnn(2, activation=one) for one in ACTIVATIONS],
    )
    yield "activation_layers", sequential(
        (3, 2),
        of(layers.Activation, "tanh"),
        of(layers.ELU),
        of(layers.ReLU),
        dense(3),
        of(layers.Softmax),
    )


def around():
    yield "time_distributed", sequential(
        (None, 2),
        of(layers.TimeDistributed, layers.Dense(3, activation="relu")),
        of(layers.TimeDistributed, layers.BatchNormalization()),
        of(layers.TimeDistributed, layers.Dropout(0.5)),
    )
    yield "repeat_vector", sequential(
        (4, 2), lstm(3, False), of(layers.RepeatVector, 3), lstm(2), dense(1)
    )
    yield "normalization", sequential(
        (4, 3),
        of(layers.LayerNormalization),
        of(layers.BatchNormalization),
        of(layers.LayerNormalization, epsilon=0.01, center=False),
        of(layers.BatchNormalization, axis=2, scale=False),
        of(layers.LayerNormalization, scale=False),
        of(layers.BatchNormalization, center=False),
    )
    adapted = of(layers.Normalization)
    given = of(layers.Normalization, mean=[0.5, -1, 2], variance=[4, 0.25, 1])
    one_for_all = of(layers.Normalization, mean=0.5, variance=4.0, invert=True)
    yield "adapted", sequential(
        (4, 3), given, adapted, lstm(2), one_for_all, of(layers.Normalization, invert=True)
    )
    yield "shapes", sequential(
        (4, 3), of(layers.Reshape, (6, 2)), rnn(2), of(layers.Flatten), dense(2)
    )


def functional():
    keras.backend.clear_session()
    x = keras.Input((None,), name="ids", dtype="int32")
    y = layers.Embedding(7, 3, mask_zero=True, name="words")(x)
    y = layers.Bidirectional(layers.LSTM(2, return_sequences=True), name="read")(y)
    y = layers.Dropout(0.5)(y)
    y = layers.GRU(2, name="sum.up")(y)
    yield "functional_masked", keras.Model(x, layers.Dense(2, name="out")(y))
    keras.backend.clear_session()
    x = keras.Input(batch_shape=(3, 4, 2))
    y = layers.LSTM(3, return_sequences=True)(x)
    y = layers.LSTM(2)(y)
    yield "functional", keras.Model(x, layers.Dense(1)(y))
    keras.backend.clear_session()
    model = keras.Sequential([layers.LSTM(2), layers.Dense(1)])
    model.build((None, 4, 2))
    yield "without_input", model


def typed(policy):
    # TensorFlow has no orthogonal matrices of bfloat16.
    stack = (lstm(2, recurrent_initializer="zeros"), dense(1))
    return sequential((None, 2), *stack, policy=policy)


def in_float32(model):
    """The same weights, computed in float32, as strata does."""
    weights = [keras.ops.convert_to_numpy(one).astype(np.float32) for one in model.weights]
    twin = typed("float32")
    twin.set_weights(weights)
    return twin


def types():
    for policy in ("float16", "bfloat16", "float64", "mixed_float16"):
        yield f"weights_{policy}", typed(policy)
    keras.config.set_dtype_policy("float32")


def trained():
    """Optimizer, metrics and generators of dropout are in the file too."""
    keras.utils.set_random_seed(1)
    model = sequential(
        (4, 2),
        of(layers.GaussianNoise, 0.1),
        lstm(3, dropout=0.2, recurrent_dropout=0.1, kernel_regularizer="l2"),
        of(layers.Dropout, 0.3),
        of(layers.SpatialDropout1D, 0.25),
        of(layers.Dropout, 0.3, noise_shape=(None, 1, 3)),
        gru(2, False, recurrent_dropout=0.1),
        dense(1, kernel_constraint="max_norm"),
    )
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(np.zeros((2, 4, 2)), np.zeros((2, 1)), verbose=0)
    return model


def set_weights(model, case):
    """Near Keras' own; variances above zero."""
    random = rng(f"keras_files.{case}")
    for layer in model.layers:
        new = []
        for variable in layer.weights:
            values = draw(random, *variable.shape, scale=0.75)
            new.append(np.abs(values) + 0.25 if "variance" in variable.name else values)
        layer.set_weights(new)
        if isinstance(layer, layers.Normalization):
            layer.finalize_state()


def inputs(model, case):
    shape = model.input_shape
    random = rng(f"keras_files.{case}.x")
    sizes = (3, *[4 if size is None else size for size in shape[1:]])
    if "embedding" in case or "masked" in case:
        ids = random.integers(1, 7, size=sizes)
        ids[1, 2:] = 0
        ids[2, 0] = 0
        return ids
    x = draw(random, *sizes)
    if "masking" in case:
        x[0, 3:] = 0.5
        x[2, 1] = 0.5
    return x


def add_outputs(file, model, case):
    x = inputs(model, case)
    y = np.array(keras.ops.convert_to_numpy(model(x, training=False)), dtype=np.float64)
    file.add(f"{case}.x", x)
    file.add(f"{case}.y", y)


def rewrite(path, method=zipfile.ZIP_DEFLATED):
    """The same archive, packed otherwise, without the time of day."""
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    metadata = json.loads(content["metadata.json"])
    metadata["date_saved"] = "2024-02-29@00:00:00"
    content["metadata.json"] = json.dumps(metadata).encode()
    # Addresses of objects, which differ from run to run.
    content["config.json"] = re.sub(
        rb', "shared_object_id": \d+', b"", content["config.json"]
    )
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in content.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)


def keras_2(model, path):
    """The layout of Keras 2, from its source: names with ":0", texts of fixed length, the settings
    and the shape of the input in the layers, time_major, implementation."""

    def old_config(layer):
        config = layer.get_config()
        for key in ("seed", "zero_output_for_mask", "quantization_config"):
            config.pop(key, None)
        config["dtype"] = "float32"
        for key, value in config.items():
            if isinstance(value, dict) and "registered_name" in value:
                config[key] = {"class_name": value["class_name"], "config": value["config"]}
        if isinstance(layer, layers.RNN):
            config |= {"time_major": False, "implementation": 2}
        return config

    stack = [{"class_name": type(one).__name__, "config": old_config(one)} for one in model.layers]
    shape = [None, *model.input_shape[1:]]
    stack[0]["config"]["batch_input_shape"] = shape
    first = {"batch_input_shape": shape, "dtype": "float32", "sparse": False, "ragged": False}
    stack.insert(0, {"class_name": "InputLayer", "config": first | {"name": "lstm_input"}})
    config = {"class_name": "Sequential", "config": {"name": "sequential", "layers": stack}}
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = np.bytes_(b"2.15.0")
        file.attrs["backend"] = np.bytes_(b"tensorflow")
        file.attrs["model_config"] = np.bytes_(json.dumps(config).encode())
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = np.array([one.name.encode() for one in model.layers])
        group.attrs["backend"] = np.bytes_(b"tensorflow")
        group.attrs["keras_version"] = np.bytes_(b"2.15.0")
        for layer in model.layers:
            own = group.create_group(layer.name)
            within = [one.path.split(f"{layer.name}/", 1)[1] for one in layer.weights]
            names = [f"{layer.name}/{name}:0" for name in within]
            for name, variable in zip(names, layer.weights):
                own.create_dataset(name, data=variable.numpy())
            own.attrs["weight_names"] = np.array([name.encode() for name in names], dtype="S")
        top = group.create_group("top_level_model_weights")
        top.attrs["weight_names"] = np.array([], dtype="S1")


def refused():
    """Configs of models that strata does not have, by what its message says."""

    def config(model):
        return json.loads(model.to_json())

    def branched(join):
        keras.backend.clear_session()
        x = keras.Input((4, 2), name="x")
        a = layers.LSTM(2, name="a")(x)
        return keras.Model(x, join(x, a))

    models = {
        "pooling": sequential((4, 2), of(layers.MaxPooling1D, 2), lstm(2, False)),
        "mish_cell": sequential((4, 2), lstm(2, activation="mish")),
        "softmax_cell": sequential((4, 2), lstm(2, activation="softmax")),
        "add": branched(lambda x, a: layers.Add(name="add")([a, layers.LSTM(2, name="b")(x)])),
        "fork": branched(lambda x, a: [a, layers.LSTM(2, name="b")(x)]),
        "merge_none": branched(
            lambda x, a: layers.Bidirectional(layers.LSTM(2), merge_mode=None, name="b")(x)
        ),
        "axis": sequential((4, 2), of(layers.LayerNormalization, axis=1)),
        "axis_both": sequential((4, 2), of(layers.Normalization, axis=(1, 2))),
        "rms": sequential((4, 2), of(layers.RMSNormalization)),
        "rank_4": sequential((4, 2, 2), dense(2)),
        "cells": sequential((4, 2), of(layers.RNN, [layers.LSTMCell(2), layers.LSTMCell(2)])),
    }
    keras.backend.clear_session()
    stateful = keras.Input(batch_shape=(1, 4, 2))
    models["stateful"] = keras.Model(stateful, layers.LSTM(2, stateful=True)(stateful))
    keras.backend.clear_session()
    shared = layers.LSTM(2, return_sequences=True, name="shared")
    x = keras.Input((4, 2), name="x")
    models["twice"] = keras.Model(x, shared(shared(x)))
    x = keras.Input((4, 2), name="x")
    models["dropout_on"] = keras.Model(x, layers.Dropout(0.5, name="d")(x, training=True))
    return {name: config(model) for name, model in models.items()}


def fuzzer_seeds(folder):
    """Small files of each kind, for the fuzzer of the reader: archives as Keras stores them, and
    configs alone."""
    os.makedirs(folder, exist_ok=True)

    def path(name):
        return os.path.join(folder, name)

    model = sequential((3,), dense(1))
    model.save(path("dense.h5"))
    model.save_weights(path("dense.weights.h5"))
    model.save(path("dense.keras"))
    rewrite(path("dense.keras"), zipfile.ZIP_STORED)
    sequential((None, 2), lstm(3, False), dense(1)).save_weights(path("lstm.weights.h5"))
    for case, model in [*functional(), *bidirectional(), *around(), *masks()]:
        if case in ("functional_masked", "both_ave", "time_distributed", "shapes", "masking_mean"):
            write_text(path(case), [model.to_json()])
    for name in ("dense.h5", "dense.keras"):
        os.replace(path(name), path(name.replace(".", "_")))
    for name in ("dense", "lstm"):
        os.replace(path(f"{name}.weights.h5"), path(f"{name}_weights"))


def keras_files(folder):
    file = GoldenFile("files of Keras models, float32", digits=9, packages=PACKAGES)
    models = os.path.join(folder, "keras")
    os.makedirs(models, exist_ok=True)
    for group in (stacks, bidirectional, masks, activations, around, functional, types):
        for case, model in group():
            set_weights(model, case)
            path = os.path.join(models, f"{case}.keras")
            model.save(path)
            rewrite(path)
            add_outputs(file, in_float32(model) if group is types else model, case)
    model = trained()
    set_weights(model, "trained")
    for ending in (".keras", ".h5", ".weights.h5"):
        path = os.path.join(models, "trained" + ending)
        (model.save_weights if "weights" in ending else model.save)(path)
        if ending == ".keras":
            rewrite(path, zipfile.ZIP_STORED)
    add_outputs(file, model, "trained")
    for case, model in functional():
        if case == "functional_masked":
            set_weights(model, case)
            model.save(os.path.join(models, f"{case}.h5"))
    model = sequential((None, 2), lstm(3), gru(2, False), of(layers.BatchNormalization), dense(2))
    set_weights(model, "keras_2")
    keras_2(model, os.path.join(models, "keras_2.h5"))
    add_outputs(file, model, "keras_2")
    model = sequential((None, 2), both(lstm(2), "concat"), dense(1))
    set_weights(model, "parts")
    model.save_weights(os.path.join(models, "parts.weights.h5"))
    add_outputs(file, model, "parts")
    lines = [f"{json.dumps(name)}: {json.dumps(one)}" for name, one in refused().items()]
    write_text(os.path.join(models, "refused.json"), ["{", ",\n".join(lines), "}"])
    fuzzer_seeds(os.path.join(folder, "..", "fuzz", "corpus", "keras"))
    return file
