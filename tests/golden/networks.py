"""Layers and stacks with weights in strata's layout, whichever framework runs them.

Weights are dictionaries of strata's parameter names ("lstm.kernel", "lstm_1.bias", "dense.kernel")
and Keras' shapes: kernel (F, 4U), recurrent_kernel (U, 4U), bias (4U). Keras calls the four gates
i, f, c, o, which are strata's and PyTorch's i, f, g, o in the same order.
"""

import numpy as np

from golden_file import draw

RS = {"return_sequences": True}
STACKS = {
    # two LSTMs of different width, one of equal width (one nn.LSTM of two layers in PyTorch)
    "two": [
        ("lstm", {"units": 6, **RS}),
        ("lstm", {"units": 5}),
        ("dense", {"units": 2}),
    ],
    "two_equal": [
        ("lstm", {"units": 5, **RS}),
        ("lstm", {"units": 5}),
        ("dense", {"units": 1}),
    ],
    "four": [
        ("lstm", {"units": 4, **RS}),
        ("lstm", {"units": 4, **RS}),
        ("lstm", {"units": 3, **RS}),
        ("lstm", {"units": 5}),
        ("dense", {"units": 1}),
    ],
    "per_step": [("lstm", {"units": 7, **RS}), ("dense", {"units": 3})],
    "softmax": [
        ("lstm", {"units": 5, **RS}),
        ("dense", {"units": 4, "activation": "softmax"}),
    ],
}


def parameter_names(layers):
    """[(parameter name, index of the layer)] of a list of ("lstm" or "dense", options)."""
    seen = {}
    names = []
    for index, (kind, options) in enumerate(layers):
        number = seen.get(kind, 0)
        seen[kind] = number + 1
        layer = kind if number == 0 else f"{kind}_{number}"
        parts = ["kernel", "recurrent_kernel", "bias"] if kind == "lstm" else ["kernel", "bias"]
        if not options.get("use_bias", True):
            parts.remove("bias")
        names += [(f"{layer}.{part}", index) for part in parts]
    return names


def draw_weights(random, layers, features, scale=0.75):
    """Random weights, biases included, for a list of ("lstm" or "dense", options)."""
    weights = {}
    inputs = features
    sizes = []
    for kind, options in layers:
        sizes.append((inputs, options["units"], 4 if kind == "lstm" else 1))
        inputs = options["units"]
    for name, index in parameter_names(layers):
        f, u, gates = sizes[index]
        part = name.split(".")[1]
        shape = {"kernel": (f, gates * u), "recurrent_kernel": (u, gates * u), "bias": (gates * u,)}
        weights[name] = draw(random, *shape[part], scale=scale)
    return weights


def add_network(file, case, layers, x, weights, random, run):
    """Writes x, weights, the weighting, y and the gradients of one network."""
    probe, _ = run(layers, x, weights, np.zeros(1))
    weighting = draw(random, *probe.shape)
    y, gradients = run(layers, x, weights, weighting)
    file.add(f"{case}.x", x)
    file.add_all(f"{case}.weight", weights)
    file.add(f"{case}.weighting", weighting)
    file.add(f"{case}.y", y)
    file.add_all(f"{case}.grad", gradients)
