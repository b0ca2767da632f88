"""gru.txt, simple_rnn.txt, bidirectional.txt and states.txt."""

import itertools

import keras
import numpy as np
import tensorflow as tf

from golden_file import GoldenFile, draw, rng
from keras_cases import keras_case, RECURRENT, randomize, recurrent, variables, variables_of_all

LAST_OR_SEQUENCES = {"last": False, "sequences": True}


def gru():
    file = GoldenFile("keras.layers.GRU, float64")
    pairs = [
        ("relu", "sigmoid"),
        ("softsign", "hard_sigmoid"),
        ("hard_sigmoid", "tanh"),
        ("softplus", "softsign"),
    ]
    for reset, reset_after in {"reset_after": True, "reset_before": False}.items():
        options = {"reset_after": reset_after}
        add_options(file, "gru", f"{reset}.", **options)
        options["return_sequences"] = True
        for a, r in pairs:
            case = f"{reset}.activation.{a}_{r}"
            functions = {"activation": a, "recurrent_activation": r}
            add_layer(file, "gru", case, (2, 3, 1, 3), 0.5, **functions, **options)
        for size in [(1, 1, 1, 1), (2, 5, 3, 1), (2, 3, 1, 5), (2, 2, 1, 20 if reset_after else 9)]:
            add_layer(file, "gru", f"{reset}.{size_name(size)}", size, **options)
    return file


def simple_rnn():
    file = GoldenFile("keras.layers.SimpleRNN, float64")
    add_options(file, "simple_rnn")
    options = {"return_sequences": True}
    for activation in ("relu", "sigmoid", "softsign", "hard_sigmoid", "linear"):
        case = f"activation.{activation}"
        add_layer(file, "simple_rnn", case, (2, 4, 2, 3), 0.5, activation=activation, **options)
    for size in [(1, 1, 1, 1), (2, 5, 3, 1), (3, 4, 4, 7), (2, 6, 2, 20)]:
        add_layer(file, "simple_rnn", size_name(size), size, **options)
    return file


def add_options(file, kind, prefix="", **options):
    biases = {"bias": True, "no_bias": False}
    directions = {"forwards": False, "backwards": True}
    for last, bias, direction in itertools.product(LAST_OR_SEQUENCES, biases, directions):
        add_layer(
            file,
            kind,
            f"{prefix}{last}.{bias}.{direction}",
            (2, 3, 2, 3),
            return_sequences=LAST_OR_SEQUENCES[last],
            use_bias=biases[bias],
            go_backwards=directions[direction],
            **options,
        )


def add_layer(file, kind, case, size, scale=0.75, **options):
    b, t, f, u = size
    layer = recurrent(kind, u, **options)
    layer.build((b, t, f))
    random = rng(f"{kind}.{case}")
    keras_case(file, case, random, {"x": draw(random, b, t, f)}, variables(layer), layer, scale)


def size_name(size):
    return "size.b{}t{}f{}u{}".format(*size)


def bidirectional():
    file = GoldenFile("keras.layers.Bidirectional, float64")
    merges = ("concat", "sum", "mul", "ave", None)

    def one(case, size, layers):
        random = rng(f"bidirectional.{case}")

        def run(x):
            for layer in layers:
                x = layer(x)
            return dict(zip(("y_forward", "y_backward"), x)) if isinstance(x, tuple) else x

        x = draw(random, *size)
        run(x)  # builds the layers
        names = variables(layers[0]) if len(layers) == 1 else variables_of_all(layers)
        keras_case(file, case, random, {"x": x}, names, run)

    def layer(kind, units, merge="concat", **options):
        return keras.layers.Bidirectional(recurrent(kind, units, **options), merge_mode=merge)

    for kind, merge, last in itertools.product(RECURRENT, merges, LAST_OR_SEQUENCES):
        sequences = LAST_OR_SEQUENCES[last]
        case = f"{kind}.{str(merge).lower()}.{last}"
        units = 3 if (kind, merge) == ("lstm", "concat") else 2
        one(case, (2, 3, 2), [layer(kind, units, merge, return_sequences=sequences)])
    one("lstm.wide", (2, 2, 1), [layer("lstm", 9, return_sequences=True)])
    one("simple_rnn.wide", (2, 2, 1), [layer("simple_rnn", 9, return_sequences=True)])
    one("stack", (2, 4, 2), [layer("lstm", 3, return_sequences=True), layer("lstm", 2)])
    return file


def states():
    file = GoldenFile("initial and final states of Keras' recurrent layers, float64")
    mask = np.array([[0, 1, 1, 0], [0, 0, 0, 0], [1, 1, 0, 1]])
    for kind, last in itertools.product(RECURRENT, LAST_OR_SEQUENCES):
        sequences = LAST_OR_SEQUENCES[last]
        add_states(file, f"{kind}.{last}", (2, 4, 2, 3), kind, return_sequences=sequences)
        options = {"return_sequences": sequences, "go_backwards": True}
        add_states(file, f"{kind}.{last}.backwards", (2, 3, 2, 3), kind, **options)
        masked = {"mask": mask, "return_sequences": sequences}
        add_states(file, f"{kind}.{last}.masked", (3, 4, 1, 3), kind, **masked)
    for last, sequences in LAST_OR_SEQUENCES.items():
        options = {"merge": "concat", "return_sequences": sequences}
        add_states(file, f"bidirectional.{last}", (2, 3, 2, 3), "lstm", **options)
        options["mask"] = mask
        add_states(file, f"bidirectional.{last}.masked", (3, 4, 1, 3), "lstm", **options)
    add_stateful(file)
    return file


def add_states(file, case, size, kind, merge=None, mask=None, **options):
    b, t, f, u = size
    layer = recurrent(kind, u, return_state=True, **options)
    count = 2 if kind == "lstm" else 1
    if merge:
        layer = keras.layers.Bidirectional(layer, merge_mode=merge)
        count *= 2
    layer.build((b, t, f))

    def run(x, initial):
        y, *final = layer(x, initial_state=tf.split(initial, count, axis=1), mask=mask)
        return {"y": y, "final": tf.concat(final, axis=1)}

    random = rng(f"states.{case}")
    inputs = {"x": draw(random, b, t, f), "initial": draw(random, b, count * u)}
    records = {} if mask is None else {"mask": mask}
    keras_case(file, case, random, inputs, variables(layer), run, records=records)


def add_stateful(file):
    """Two layers over three batches, each of which goes on where the one before it ended."""
    random = rng("states.stateful")
    layers = [recurrent("lstm", u, stateful=True, return_sequences=True) for u in (4, 3)]
    model = keras.Sequential([keras.Input(batch_shape=(2, 3, 2)), *layers])
    randomize(random, variables_of_all(layers))
    file.add_all("stateful.weight", {k: v.numpy() for k, v in variables_of_all(layers).items()})
    for batch in range(3):
        x = draw(random, 2, 3, 2)
        file.add_all("stateful", {f"x{batch}": x, f"y{batch}": model(x).numpy()})
