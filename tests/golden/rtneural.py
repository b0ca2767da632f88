"""Folder rtneural: models of Keras as RTNeural's JSON has them, and what Keras computes."""

import json
import os

import keras
import numpy as np
from keras import layers

from golden_file import draw, rng
from reference import write_reference

KINDS = {
    layers.LSTM: "lstm",
    layers.GRU: "gru",
    layers.Dense: "dense",
    layers.TimeDistributed: "time-distributed-dense",
    layers.Activation: "activation",
    layers.Conv1D: "conv1d",
}


def stacks():
    yield "lstm", [
        layers.TimeDistributed(layers.Dense(3, activation="tanh")),
        layers.LSTM(4, return_sequences=True),
        layers.LSTM(3, return_sequences=True),
        layers.Dense(2, activation="sigmoid"),
        layers.Activation("elu"),
        layers.Dense(3, activation="softmax"),
    ]
    yield "gru", [
        layers.GRU(4, return_sequences=True),
        layers.GRU(3, return_sequences=True, use_bias=False),
        layers.Dense(3, activation="relu"),
        layers.Dense(1, use_bias=False),
    ]
    yield "conv1d", [
        layers.Conv1D(5, 3, padding="causal", activation="tanh"),
        layers.Conv1D(4, 2, padding="causal", dilation_rate=3, use_bias=False),
        layers.LSTM(4, return_sequences=True),
        layers.Dense(1),
    ]
    yield "last_step", [layers.LSTM(4, return_sequences=True), layers.GRU(3), layers.Dense(1)]


def as_json(model):
    entries = []
    for layer in model.layers:
        function = getattr(getattr(layer, "layer", layer), "activation").__name__
        entry = {}
        if isinstance(layer, layers.Conv1D):
            entry = {"kernel_size": layer.kernel_size, "dilation": layer.dilation_rate}
        entries.append(
            entry
            | {
                "type": KINDS[type(layer)],
                "activation": "" if function == "linear" else function,
                "shape": list(layer.output.shape),
                "weights": [weights.tolist() for weights in layer.get_weights()],
            }
        )
    return {"in_shape": list(model.input_shape), "layers": entries}


def write_all(folder):
    os.makedirs(folder, exist_ok=True)
    for name, stack in stacks():
        random = rng(f"rtneural.{name}")
        model = keras.Sequential([keras.Input((None, 2)), *stack])
        model.set_weights([draw(random, *w.shape, scale=0.75) for w in model.get_weights()])
        with open(os.path.join(folder, f"{name}.json"), "w", encoding="utf-8") as file:
            json.dump(as_json(model), file)
        x = draw(random, 2, 5, 2, scale=2.0)
        y = np.asarray(model(x)).astype(np.float64)
        write_reference(os.path.join(folder, f"{name}.reference"), x, y, "keras", "tensorflow-cpu")
