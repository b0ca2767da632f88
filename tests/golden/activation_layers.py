"""activation_layers.txt: activations, alone and of Dense, and layers without a recurrence that stand
in front of recurrent layers; conv1d.txt: convolutions over steps."""

import keras
import numpy as np
import tensorflow as tf

from golden_file import GoldenFile, draw, rng
from keras_cases import keras_case, variables

PACKAGES = ("numpy", "keras", "tensorflow-cpu")
SHAPES = {"rank2": (4, 3), "rank3": (2, 4, 3)}
NAMES = ("relu6", "selu", "silu", "mish")


def constant(value):
    return tf.constant(value, tf.float64)


def gelu_tanh(x):
    inner = x + constant(0.044715) * x * x * x
    return x / 2 * (1 + tf.tanh(constant(np.sqrt(2 / np.pi)) * inner))


# Keras rounds the constants of these to float32, or has no name for them.
FORMULAS = {
    "leaky_relu": lambda x: tf.maximum(x, x / 5),
    "hard_sigmoid_fifth": lambda x: tf.clip_by_value(x / 5 + 0.5, 0, 1),
    "gelu": lambda x: x / 2 * (1 + tf.math.erf(x * constant(np.sqrt(0.5)))),
    "gelu_tanh": gelu_tanh,
}


def activation_layers():
    file = GoldenFile("keras.layers: activations and their relatives, float64", packages=PACKAGES)
    functions = {name: keras.activations.get(name) for name in NAMES} | FORMULAS
    for name, function in functions.items():
        one(file, f"activation.{name}", SHAPES["rank3"], keras.layers.Activation(function))
        one(file, f"dense.{name}", SHAPES["rank2"], keras.layers.Dense(5, activation=function))
    one(file, "relu.plain", SHAPES["rank3"], keras.layers.ReLU())
    # No drawn number is at the threshold, a corner, where Keras' derivative is zero.
    settings = {"max_value": 1.5, "negative_slope": 0.125, "threshold": 0.25390625}
    one(file, "relu.settings", SHAPES["rank3"], keras.layers.ReLU(**settings))
    one(file, "relu.leaky", SHAPES["rank2"], keras.layers.LeakyReLU(negative_slope=0.125))
    one(file, "elu.plain", SHAPES["rank2"], keras.layers.ELU())
    one(file, "elu.half", SHAPES["rank3"], keras.layers.ELU(alpha=0.5))
    one(file, "prelu.rank2", SHAPES["rank2"], keras.layers.PReLU())
    shared = keras.layers.TimeDistributed(keras.layers.PReLU())
    one(file, "prelu.rank3", SHAPES["rank3"], shared)
    one(file, "rescaling.one", SHAPES["rank3"], keras.layers.Rescaling(0.25, offset=-1.5))
    both = keras.layers.Rescaling([0.25, -2, 0.5], offset=[1, 0, -0.75])
    one(file, "rescaling.each", SHAPES["rank3"], both)
    one(file, "max_over_steps", SHAPES["rank3"], keras.layers.GlobalMaxPooling1D())
    return file


def conv1d():
    file = GoldenFile("keras.layers.Conv1D, float64", packages=PACKAGES)
    for name, options in {
        "causal": {"padding": "causal"},
        "valid": {"padding": "valid"},
        "causal_dilated": {"padding": "causal", "dilation_rate": 2},
        "valid_dilated": {"padding": "valid", "dilation_rate": 3},
        "no_bias": {"padding": "causal", "use_bias": False},
        "tanh": {"padding": "causal", "activation": "tanh"},
        "silu": {"padding": "valid", "activation": "silu"},
    }.items():
        one(file, name, (2, 9, 3), keras.layers.Conv1D(5, 3, **options))
    one(file, "one_step", (2, 4, 3), keras.layers.Conv1D(2, 1))
    # Many filters, so that registers are full, and more taps than steps.
    one(file, "wide", (2, 4, 17), keras.layers.Conv1D(37, 6, padding="causal"))
    return file


def one(file, case, shape, layer):
    random = rng(f"activation_layers.{case}")
    layer.build(shape)
    keras_case(file, case, random, {"x": draw(random, *shape, scale=2)}, variables(layer), layer)
