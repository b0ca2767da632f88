"""Functional models of Keras with functions, and what only Keras 2 writes of them:
tests/golden/keras/graphs and keras_graphs.txt. keras_kinds.py has the other kinds of models."""

import json
import os

import h5py
import keras
import numpy as np
from keras import layers, ops

import keras_files as files
from golden_file import GoldenFile, write_text
from keras_files import dense, lstm, of, sequential
from keras_kinds import count, functional, inputs, predict, randomize


def many(units, **options):
    return layers.LSTM(units, return_sequences=True, **options)


def residuals():
    def endings(x):
        for ending in (
            layers.Dropout(0.25),
            layers.SpatialDropout1D(0.25),
            layers.GaussianNoise(0.5),
            layers.ReLU(),
            layers.Activation("tanh"),
            layers.Rescaling(0.5, 0.125),
            layers.Identity(),
        ):
            x = layers.Add()([x, ending(layers.Dense(2)(x))])
        x = x + layers.Dropout(0.25)(many(2)(x))
        return layers.LSTM(2)(x)

    yield "residual_endings", functional((4, 2), endings)


def functions():
    def activations(x):
        for one in (
            ops.relu,
            ops.tanh,
            ops.sigmoid,
            ops.silu,
            ops.gelu,
            keras.activations.gelu,
            keras.activations.selu,
            keras.activations.softplus,
            keras.activations.softsign,
            keras.activations.relu6,
            keras.activations.hard_sigmoid,
            keras.activations.exponential,
            lambda y: keras.activations.elu(y, alpha=0.3),
            lambda y: keras.activations.leaky_relu(y, negative_slope=0.05),
            lambda y: keras.activations.relu(y, max_value=0.5, negative_slope=0.1),
        ):
            x = one(layers.Dense(3)(x))
        return ops.softmax(layers.Dense(2)(x))

    yield "functions", functional((3,), activations)

    def constants(x):
        y = many(2)((x - 0.5) / 2)
        y = 1 - y * np.array([0.5, 2], "float32") + np.array([0.25, -1], "float32")
        return layers.LSTM(2)(y) * 3 + 1

    yield "constants", functional((4, 2), constants)
    yield "last_step", functional((4, 2), lambda x: layers.Dense(1)(many(3)(many(3)(x))[:, -1, :]))
    yield "last_step_of_two", functional((4, 2), lambda x: many(3)(x)[:, -1])


def masks():
    def unused(x):
        x = layers.Masking(mask_value=0.5)(x)
        return layers.Dense(2)(ops.tanh(layers.Dense(3)(x)))

    yield "mask_unused", functional((5, 2), unused)


def shapes():
    yield "reshape_open", sequential(
        (24,),
        of(layers.Reshape, (-1, 1)),
        lstm(2),
        of(layers.Conv1D, 3, 3),
        of(layers.TimeDistributed, layers.Dense(3)),
        of(layers.Reshape, (11, -1)),
        lstm(4),
        of(layers.GlobalAveragePooling1D),
        of(layers.RepeatVector, 3),
        of(layers.Reshape, (-1, 2)),
        lstm(2, False),
    )
    yield "nothing", sequential(
        (4, 2),
        of(layers.Identity),
        lstm(2),
        of(layers.GaussianDropout, 0.25),
        of(layers.ActivityRegularization, l2=0.125),
        of(layers.AlphaDropout, 0.25),
        lstm(2, False),
        dense(1),
    )


def fine_tuned():
    model = sequential((5,), of(layers.Embedding, 7, 3), of(layers.Conv1D, 2, 2), lstm(2, False), dense(2))
    for layer in (model.layers[0], model.layers[1], model.layers[3]):
        layer.enable_lora(1)
    yield "lora_embedding", model


def models_of_keras_2():
    def add(x):
        y = layers.Dense(3)(x)
        return layers.LSTM(2)(y + many(3)(y))

    yield "keras_2_sum", functional((4, 2), add)

    # In Keras 2 the mask ends behind Rescaling, and Add passes on that of the other branch.
    def branch(x):
        x = layers.Masking(mask_value=0.5)(x)
        x = layers.Add()([x, layers.Rescaling(0.5)(x)])
        return layers.LSTM(2)(x)

    yield "keras_2_mask_branch", functional((5, 2), branch)

    def unused(x):
        x = layers.Masking(mask_value=0.5)(x)
        return layers.Dense(3)(layers.Rescaling(0.5)(x))

    yield "keras_2_mask_unused", functional((5, 2), unused)

    def calls(x):
        y = ops.tanh(many(3)((x - 0.5) / 2))
        y = ops.gelu(layers.Dense(2)(y[:, -1, :]), approximate=False)
        return 1 - ops.leaky_relu(layers.Dense(2)(y), 0.1)

    yield "keras_2_functions", functional((4, 2), calls)


TENSORFLOW = {
    "Add": "__operators__.add",
    "Subtract": "math.subtract",
    "TrueDivide": "math.truediv",
    "Tanh": "math.tanh",
    "Gelu": "nn.gelu",
    "LeakyRelu": "nn.leaky_relu",
    "GetItem": "__operators__.getitem",
}


def graph_of_keras_2(config, model):
    """The layers and functions of a functional model as Keras 2 writes them."""
    old = {one["config"]["name"]: one for one in config["config"]["layers"][1:]}
    for one in old.values():
        one["config"].pop("batch_shape", None)

    def output(argument):
        return argument["config"]["keras_history"]

    def is_output(argument):
        return isinstance(argument, dict) and argument.get("class_name") == "__keras_tensor__"

    def of_function(one):
        kind, first, *rest = one["class_name"], *one["inbound_nodes"][0]["args"]
        options = {key: value for key, value in one["config"].items() if key != "name"}
        if "negative_slope" in options:
            options = {"alpha": options["negative_slope"]}
        if kind == "GetItem":
            parts = [part["config"] if isinstance(part, dict) else part for part in rest[0]]
            options = {"slice_spec": parts}
        elif rest:
            options = {"y": output(rest[0]) if is_output(rest[0]) else rest[0], "name": None}
        entry = output(first) if is_output(first) else ["_CONSTANT_VALUE", -1, first]
        settings = {"name": one["name"], "trainable": True, "dtype": "float32"}
        return {
            "class_name": "SlicingOpLambda" if kind == "GetItem" else "TFOpLambda",
            "config": settings | {"function": TENSORFLOW[kind]},
            "name": one["name"],
            "inbound_nodes": [[*entry, options]],
        }

    graph = []
    for one in json.loads(model.to_json())["config"]["layers"]:
        if one["name"] in old:
            nodes = [argument for node in one["inbound_nodes"] for argument in node["args"]]
            flat = [each for node in nodes for each in (node if isinstance(node, list) else [node])]
            calls = [[[*output(each), {}] for each in flat]] if flat else []
            graph.append(old[one["name"]] | {"name": one["name"], "inbound_nodes": calls})
        elif one["class_name"] in TENSORFLOW:
            graph.append(of_function(one))
    ends = {"input_layers": [[graph[0]["name"], 0, 0]], "output_layers": [[graph[-1]["name"], 0, 0]]}
    return {"class_name": "Functional", "config": {"name": "model", "layers": graph} | ends}


def refused():
    """Configs of models that strata does not have, by what its message says."""
    masked = lambda x: layers.Masking(mask_value=0.5)(x)
    models = {
        "mean": functional((4, 2), lambda x: layers.Dense(1)(ops.mean(x, axis=1))),
        "first_step": functional((4, 2), lambda x: many(2)(x)[:, 0]),
        "masked_last_step": functional((4, 2), lambda x: many(2)(masked(x))[:, -1]),
        "mask_function": functional((4, 2), lambda x: layers.LSTM(2)(ops.tanh(masked(x)))),
        "mask_relu": functional((4, 2), lambda x: layers.LSTM(2)(keras.activations.relu(masked(x)))),
        "mask_steps": sequential(
            (4, 2), of(layers.Masking), of(layers.TimeDistributed, layers.Softmax())
        ),
        "mask_model": sequential(
            (4, 2),
            of(layers.Masking),
            lambda: layers.TimeDistributed(keras.Sequential([layers.Dense(3), layers.Softmax()])),
        ),
        "softmax_over_steps": functional((4, 2), lambda x: ops.softmax(x, axis=1)),
        "reciprocal": functional((4, 2), lambda x: 1 / x),
        "constants_of_steps": functional((2, 3), lambda x: x + np.array([[1.0], [2.0]])),
        "product": functional((4, 2), lambda x: x * layers.Dense(2)(x)),
        "open_steps": sequential((None, 2), of(layers.Reshape, (-1, 1)), lstm(2)),
        "quantized": quantized(),
    }
    return {name: json.loads(model.to_json()) for name, model in models.items()}


def quantized():
    model = sequential((4, 2), lstm(2, False), dense(2))
    model.quantize("int8")
    return model


def keras_graphs(folder):
    file = GoldenFile("functional Keras models, float32", digits=9, packages=files.PACKAGES)
    graphs = os.path.join(folder, "keras", "graphs")
    os.makedirs(graphs, exist_ok=True)

    def add(case, model):
        x = inputs(model, case)
        file.add(f"{case}.x", x)
        file.add(f"{case}.y", predict(model, x))
        file.add(f"{case}.trained", count(model.trainable_weights))

    for group in (residuals, functions, masks, shapes, fine_tuned):
        for case, model in group():
            randomize(model, case)
            path = os.path.join(graphs, f"{case}.keras")
            model.save(path)
            files.rewrite(path)
            if case in ("residual_endings", "constants", "lora_embedding"):
                model.save(os.path.join(graphs, f"{case}.h5"))
            add(case, model)
    for case, model in models_of_keras_2():
        randomize(model, case)
        path = os.path.join(graphs, f"{case}.h5")
        files.keras_2(model, path)
        with h5py.File(path, "a") as written:
            config = graph_of_keras_2(json.loads(written.attrs["model_config"]), model)
            written.attrs["model_config"] = np.bytes_(json.dumps(config).encode())
        add(case, model)
    inner = keras.Sequential([keras.Input((4, 2)), many(2)])
    sequential((4, 2), lambda: inner, dense(1)).save_weights(os.path.join(graphs, "nested.weights.h5"))
    lines = [f"{json.dumps(name)}: {json.dumps(one)}" for name, one in refused().items()]
    write_text(os.path.join(graphs, "refused.json"), ["{", ",\n".join(lines), "}"])
    return file
