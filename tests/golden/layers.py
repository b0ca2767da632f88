"""cell.txt, lstm.txt, dense.txt, stacks.txt, parameter_counts.txt and keras_summary.txt."""

import keras
import numpy as np
import tensorflow as tf

from golden_file import GoldenFile, draw, header, rng, write_text
from keras_networks import keras_case, keras_model
from networks import add_network, draw_weights, STACKS

# (activation, recurrent activation): each of the list in both places.
ACTIVATION_PAIRS = [
    ("relu", "sigmoid"),
    ("sigmoid", "tanh"),
    ("tanh", "hard_sigmoid"),
    ("hard_sigmoid", "relu"),
    ("softsign", "hard_sigmoid"),
    ("softplus", "sigmoid"),
    ("elu", "hard_sigmoid"),
    ("exponential", "sigmoid"),
    ("linear", "linear"),
    ("tanh", "softsign"),
    ("softsign", "softplus"),
    ("tanh", "elu"),
    ("hard_sigmoid", "exponential"),
]
ACTIVATIONS = [
    "linear",
    "relu",
    "sigmoid",
    "tanh",
    "hard_sigmoid",
    "softsign",
    "softplus",
    "elu",
    "exponential",
    "softmax",
]


def cell():
    file = GoldenFile("one step of keras.layers.LSTMCell from a given state, float64")
    sizes = [(1, 1, 1), (3, 1, 8), (3, 2, 5), (2, 4, 9), (2, 5, 20), (1, 3, 33)]
    cases = [("tanh_sigmoid", "tanh", "sigmoid", *size) for size in sizes]
    cases += [(f"{a}_{r}", a, r, 2, 2, 3) for a, r in ACTIVATION_PAIRS]
    for name, activation, recurrent, b, f, u in cases:
        case = f"{name}.b{b}f{f}u{u}"
        random = rng(f"cell.{case}")
        layer = keras.layers.LSTMCell(u, activation=activation, recurrent_activation=recurrent)
        layer.build((None, f))
        weights = draw_weights(random, [("lstm", {"units": u})], f)
        layer.set_weights(list(weights.values()))
        inputs = {"x": draw(random, b, f), "h": draw(random, b, u), "c": draw(random, b, u)}
        weighting = {"h_weighting": draw(random, b, u), "c_weighting": draw(random, b, u)}
        x, h, c = map(tf.constant, inputs.values())
        with tf.GradientTape() as tape:
            tape.watch([x, h, c])
            _, (h_next, c_next) = layer(x, [h, c])
            scalar = tf.reduce_sum(h_next * weighting["h_weighting"])
            scalar += tf.reduce_sum(c_next * weighting["c_weighting"])
        gradients = tape.gradient(scalar, [x, h, c] + [v.value for v in layer.weights])
        file.add_all(case, inputs)
        file.add_all(case, {name.split(".")[1]: value for name, value in weights.items()})
        file.add_all(case, {"h_next": h_next.numpy(), "c_next": c_next.numpy()})
        # Wide cells would fill the file with gradients that the narrow ones show as well.
        if u < 16:
            names = ("x", "h", "c", "kernel", "recurrent_kernel", "bias")
            file.add_all(case, weighting)
            file.add_all(f"{case}.grad", dict(zip(names, (g.numpy() for g in gradients))))
    return file


def one_lstm(file, case, b, t, f, u, x_scale=1.0, weight_scale=0.75, **options):
    random = rng(f"lstm.{case}")
    layers = [("lstm", {"units": u, **options})]
    weights = draw_weights(random, layers, f, weight_scale)
    x = draw(random, b, t, f, scale=x_scale)
    add_network(file, case, layers, x, weights, random, keras_case)


def lstm():
    file = GoldenFile("keras.layers.LSTM, float64")
    for sequences in (False, True):
        for bias in (True, False):
            for backwards in (False, True):
                case = ".".join(
                    [
                        "sequences" if sequences else "last",
                        "bias" if bias else "no_bias",
                        "backwards" if backwards else "forwards",
                    ]
                )
                one_lstm(
                    file,
                    case,
                    *(3, 4, 3, 5),
                    return_sequences=sequences,
                    use_bias=bias,
                    go_backwards=backwards,
                )
    for activation, recurrent in ACTIVATION_PAIRS:
        # Exponentials of exponentials magnify every rounding, unless they start small.
        one_lstm(
            file,
            f"activation.{activation}_{recurrent}",
            *(2, 3, 2, 4),
            weight_scale=0.125 if "exponential" in (activation, recurrent) else 0.5,
            return_sequences=True,
            activation=activation,
            recurrent_activation=recurrent,
        )
    sizes = [(1, 1, 1, 1), (2, 7, 1, 9), (4, 3, 5, 7), (2, 4, 2, 16), (2, 3, 3, 20), (2, 3, 2, 33)]
    for b, t, f, u in sizes:
        one_lstm(file, f"size.b{b}t{t}f{f}u{u}", b, t, f, u, return_sequences=True)
    one_lstm(file, "long", 2, 40, 2, 3, return_sequences=False)
    one_lstm(file, "saturated", 2, 4, 2, 5, x_scale=64.0, weight_scale=4.0, return_sequences=True)
    return file


def dense():
    file = GoldenFile("keras.layers.Dense, float64")

    def one(case, x_shape, units, scale=1.0, **options):
        random = rng(f"dense.{case}")
        layers = [("dense", {"units": units, **options})]
        weights = draw_weights(random, layers, x_shape[-1])
        x = draw(random, *x_shape, scale=scale)
        add_network(file, case, layers, x, weights, random, keras_case)

    for activation in ACTIVATIONS:
        one(f"{activation}.rank2", (3, 4), 5, activation=activation)
        one(f"{activation}.rank3", (2, 3, 2), 9, activation=activation)
        if activation != "exponential":
            # Far beyond where exp overflows, in float and in double.
            one(f"{activation}.far", (4, 3), 5, scale=2048.0, activation=activation)
    one("no_bias", (3, 4), 5, use_bias=False)
    one("one_to_one", (2, 1), 1)
    one("wide", (3, 5), 33, activation="tanh")
    return file


def stacks():
    file = GoldenFile("stacks of Keras layers, float64")
    for kind in STACKS:
        random = rng(f"stacks.{kind}")
        weights = draw_weights(random, STACKS[kind], 2)
        x = draw(random, 3, 5, 2)
        add_network(file, kind, STACKS[kind], x, weights, random, keras_case)
    return file


def summary(path):
    """model.summary() of the four-layer stack, and its numbers of parameters."""
    rs = {"return_sequences": True}
    layers = [("lstm", {"units": 50, **rs})] * 3
    layers += [("lstm", {"units": 50}), ("dense", {"units": 1})]
    random = rng("summary")
    keras.backend.clear_session()
    model = keras_model(layers, (60, 1), draw_weights(random, layers, 1))
    text = []
    model.summary(line_length=80, print_fn=lambda line: text.append(line))
    lines = [line.rstrip() for part in text for line in part.split("\n")]
    write_text(path, [f"# {line}" for line in header("keras' model.summary()")] + lines)
    file = GoldenFile("numbers of parameters of the stack of keras_summary.txt")
    file.add("layers", np.array([layer.count_params() for layer in model.layers]))
    file.add("total", model.count_params())
    return file
