"""around.txt: what stands before, between and after recurrent layers; padding.txt: sequences of
different lengths in one array."""

import itertools

import keras
import numpy as np
import tensorflow as tf

from golden_file import GoldenFile, draw, rng
from keras_cases import keras_case, numpy_values, randomize, recurrent, variables, variables_of_all

SHAPES = {"rank2": (4, 3), "rank3": (2, 4, 3)}


def around():
    file = GoldenFile("layers around recurrent ones, float64")
    embedding(file)
    for name, shape in SHAPES.items():
        one(file, f"layer_norm.{name}", shape, keras.layers.LayerNormalization())
    for name, options in {
        "no_center": {"center": False},
        "no_scale": {"scale": False},
        "neither": {"center": False, "scale": False},
    }.items():
        layer = keras.layers.LayerNormalization(**options)
        one(file, f"layer_norm.{name}", SHAPES["rank3"], layer)
    one(file, "layer_norm.wide", (3, 20), keras.layers.LayerNormalization(epsilon=0.25))
    file.add("layer_norm.wide.epsilon", 0.25)
    for name, shape in SHAPES.items():
        batch_norm(file, f"batch_norm.{name}", shape)
    batch_norm(file, "batch_norm.no_center", SHAPES["rank2"], center=False)
    batch_norm(file, "batch_norm.no_scale", SHAPES["rank2"], scale=False)
    batch_norm(file, "batch_norm.wide", (3, 20), momentum=0.75, epsilon=0.25)
    batch_norm(file, "batch_norm.masked", (3, 4, 2), [[1, 1, 0, 0], [0, 0, 0, 0], [1, 0, 1, 1]])
    dense = keras.layers.Dense(4, activation="tanh")
    one(file, "time_distributed.dense", (2, 3, 2), keras.layers.TimeDistributed(dense))
    one(file, "repeat_vector", (2, 4), keras.layers.RepeatVector(3))
    one(file, "flatten", (2, 3, 4), keras.layers.Flatten())
    one(file, "reshape.rank2_to_3", (2, 12), keras.layers.Reshape((3, 4)))
    one(file, "reshape.rank3_to_2", (2, 3, 4), keras.layers.Reshape((12,)))
    one(file, "reshape.rank3_to_3", (2, 3, 4), keras.layers.Reshape((6, 2)))
    for activation, rank in itertools.product(("softmax", "relu"), SHAPES):
        layer = keras.layers.Activation(activation)
        one(file, f"activation.{activation}.{rank}", SHAPES[rank], layer)
    lstm = recurrent("lstm", 3, return_sequences=True)
    one(file, "residual", (2, 4, 3), lstm, lambda x: x + lstm(x))
    skip_stack(file)
    attention(file, "attention.plain")
    attention(file, "attention.masked", [[1, 1, 0, 0], [0, 1, 0, 1], [0, 0, 0, 1]])
    mean_over_steps(file, "mean_over_steps.plain")
    mean_over_steps(file, "mean_over_steps.masked", [[1, 1, 0, 0], [0, 1, 0, 1], [0, 0, 0, 1]])
    regularizers(file)
    constraints(file)
    return file


def one(file, case, shape, layer, run=None):
    random = rng(f"around.{case}")
    layer.build(shape)
    keras_case(file, case, random, {"x": draw(random, *shape)}, variables(layer), run or layer)


def embedding(file):
    ids = np.array([[3, 1, 0, 0], [4, 3, 3, 0], [0, 2, 0, 1]])
    for name, mask_zero in {"plain": False, "mask_zero": True}.items():
        layer = keras.layers.Embedding(5, 3, mask_zero=mask_zero)
        layer.build()
        records = {"ids": ids}
        if mask_zero:
            records["mask"] = layer.compute_mask(tf.constant(ids)).numpy()
        case = f"embedding.{name}"
        random = rng(f"around.{case}")
        run = lambda: layer(ids)
        keras_case(file, case, random, {}, variables(layer), run, records=records)
    layers = [keras.layers.Embedding(5, 2, mask_zero=True), recurrent("lstm", 3)]
    model = keras.Sequential([keras.Input((4,), dtype="int32"), *layers])
    case = "embedding.then_lstm"
    random = rng(f"around.{case}")
    run = lambda: model(ids)
    keras_case(file, case, random, {}, variables_of_all(layers), run, records={"ids": ids})


def batch_norm(file, case, shape, mask=None, **options):
    """y and the gradients are those of training; inference uses the updated moving statistics."""
    random = rng(f"around.{case}")
    layer = keras.layers.BatchNormalization(**options)
    layer.build(shape)
    moving = {"moving_mean": layer.moving_mean, "moving_variance": layer.moving_variance}
    randomize(random, moving)
    layer.moving_variance.assign(np.abs(layer.moving_variance.numpy()) + 0.25)
    records = {f"weight.{name}": variable.numpy().copy() for name, variable in moving.items()}
    records |= options if "momentum" in options else {}
    keywords = {}
    if mask is not None:
        records["mask"] = np.array(mask)
        keywords["mask"] = np.array(mask, dtype=bool)
    x = draw(random, *shape, scale=2)
    run = lambda x: layer(x, training=True, **keywords)
    keras_case(file, case, random, {"x": x}, variables(layer), run, records=records)
    file.add_all(f"{case}.updated", numpy_values({k: v.value for k, v in moving.items()}))
    file.add(f"{case}.inference.y", layer(tf.constant(x), training=False, **keywords).numpy())


def skip_stack(file):
    """Graves 2013: the input enters every layer, and every layer the output."""
    layers = [recurrent("lstm", units, return_sequences=True) for units in (3, 2, 4)]
    widths = [2, 2 + 3, 2 + 2]
    for layer, width in zip(layers, widths):
        layer.build((2, 4, width))

    def run(x):
        outputs = [layers[0](x)]
        for layer in layers[1:]:
            outputs.append(layer(tf.concat([x, outputs[-1]], -1)))
        return tf.concat(outputs, -1)

    random = rng("around.skip_stack")
    x = draw(random, 2, 4, 2)
    keras_case(file, "skip_stack", random, {"x": x}, variables_of_all(layers), run)


def mean_over_steps(file, case, mask=None):
    random = rng(f"around.{case}")
    layer = keras.layers.GlobalAveragePooling1D()
    flags = None if mask is None else tf.constant(np.array(mask) == 1)
    records = {} if mask is None else {"mask": np.array(mask)}
    x = {"x": draw(random, 3, 4, 3)}
    keras_case(file, case, random, x, {}, lambda x: layer(x, mask=flags), records=records)


def attention(file, case, mask=None):
    """The mean of the steps, weighted by the softmax of their scores."""
    f, a = 3, 4
    shapes = {"kernel": (f, a), "bias": (a,), "context": (a,)}
    w = {name: keras.Variable(np.zeros(shape), name=name) for name, shape in shapes.items()}

    def run(x):
        scores = tf.linalg.matvec(tf.tanh(x @ w["kernel"].value + w["bias"]), w["context"].value)
        if mask is not None:
            scores = tf.where(np.array(mask, dtype=bool), scores, -np.inf)
        return tf.reduce_sum(x * tf.nn.softmax(scores)[..., None], 1)

    random = rng(f"around.{case}")
    records = {} if mask is None else {"mask": np.array(mask)}
    keras_case(file, case, random, {"x": draw(random, 3, 4, f)}, w, run, records=records)


def regularizers(file):
    random = rng("around.regularizer")
    x = draw(random, 3, 4)
    x[1, 2] = 0
    file.add("regularizer.x", x)
    for name, make, options in (
        ("l1", keras.regularizers.L1, {"l1": 0.125}),
        ("l2", keras.regularizers.L2, {"l2": 0.0625}),
        ("l1_l2", keras.regularizers.L1L2, {"l1": 0.125, "l2": 0.0625}),
    ):
        matrix = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(matrix)
            value = make(**options)(matrix)
        gradient = tape.gradient(value, matrix)
        case = f"regularizer.{name}"
        file.add_all(case, options | {"value": value.numpy(), "grad": gradient.numpy()})


def constraints(file):
    """One column is 0; of the others some norms are within the bounds and some are not."""
    random = rng("around.constraint")
    x = draw(random, 3, 5) * np.array([1, 0.25, 0, 2, 0.75])
    file.add("constraint.x", x)
    for name, make, options in (
        ("max_norm", keras.constraints.MaxNorm, {"max_value": 0.75}),
        ("unit_norm", keras.constraints.UnitNorm, {}),
        ("non_neg", keras.constraints.NonNeg, {}),
        ("min_max_norm", keras.constraints.MinMaxNorm, {"min_value": 0.5, "max_value": 1.0}),
        (
            "min_max_norm_rate",
            keras.constraints.MinMaxNorm,
            {"min_value": 0.5, "max_value": 1.0, "rate": 0.25},
        ),
    ):
        file.add_all(f"constraint.{name}", options | {"y": make(**options)(x).numpy()})


def padding():
    """Each set of sequences is the lengths and all values, one sequence after the other."""
    file = GoldenFile("keras.utils.pad_sequences")
    lengths = np.array([3, 0, 6, 1, 4])
    ends = ("pre", "post")
    for name, shape in {"steps": (), "features": (2,)}.items():
        random = rng(f"padding.{name}")
        values = draw(random, lengths.sum(), *shape)
        file.add_all(name, {"lengths": lengths, "values": values})
        sequences = np.split(values, np.cumsum(lengths)[:-1])
        for pad, truncate, maxlen in itertools.product(ends, ends, (None, 2, 4, 7)):
            case = f"{name}.{pad}_{truncate}.{f'maxlen_{maxlen}' if maxlen else 'longest'}"
            value = 0.0 if maxlen == 4 else -1.5
            options = {"padding": pad, "truncating": truncate, "maxlen": maxlen, "value": value}
            y = keras.utils.pad_sequences(sequences, dtype="float64", **options)
            records = {"maxlen": maxlen} if maxlen else {}
            file.add_all(case, records | {"value": value, "y": y})
    return file
