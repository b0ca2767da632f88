"""freezing.txt: short runs of Keras' fit in which some layers are frozen."""

import keras
import numpy as np

from golden_file import GoldenFile, draw, rng
from networks import RS
from optimizers import exact

# The frozen layers of each case, by their place.
CASES = {"first": [0], "normalization": [1], "middle": [1, 2], "last": [3], "all_but_last": [0, 1, 2]}


def freezing():
    file = GoldenFile("frozen layers, float64")
    for name, frozen in CASES.items():
        run(file, name, frozen)
    return file


def run(file, name, frozen):
    keras.backend.clear_session()
    random = rng(f"freezing.{name}")
    decay = lambda: keras.regularizers.L2(1 / 128)
    layers = [
        keras.layers.LSTM(3, kernel_regularizer=decay(), **RS),
        keras.layers.BatchNormalization(momentum=0.75),
        keras.layers.LSTM(3, kernel_regularizer=decay()),
        keras.layers.Dense(2, kernel_constraint=keras.constraints.MaxNorm(0.5)),
    ]
    model = keras.Sequential([keras.Input((4, 2)), *layers])
    weights = [draw(random, *w.shape) / 2 for w in model.get_weights()]
    weights[6] = np.abs(weights[6]) + 0.5  # the moving variance
    model.set_weights(weights)
    for place in frozen:
        layers[place].trainable = False
    optimizer = exact(keras.optimizers.Adam(0.05, global_clipnorm=0.1))
    model.compile(optimizer, "mse", jit_compile=False)
    x, y = draw(random, 7, 4, 2), draw(random, 7, 2)
    file.add_all(name, {"x": x, "y": y})
    record = lambda part: file.add_all(
        f"{name}.{part}", dict(zip(NAMES, [w.numpy() for layer in layers for w in layer.weights]))
    )
    record("initial")
    history = model.fit(x, y, 3, 2, verbose=0, shuffle=False).history
    file.add(f"{name}.loss", np.array(history["loss"]))
    record("final")


LSTM = ("kernel", "recurrent_kernel", "bias")
NORMALIZATION = ("gamma", "beta", "moving_mean", "moving_variance")
NAMES = [
    *(f"lstm.{part}" for part in LSTM),
    *(f"batch_normalization.{part}" for part in NORMALIZATION),
    *(f"lstm_1.{part}" for part in LSTM),
    *(f"dense.{part}" for part in ("kernel", "bias")),
]
