"""training.txt and training_float32.txt: short runs of Keras' fit, and its history and weights."""

import keras
import numpy as np

from golden_file import GoldenFile, draw, rng
from keras_networks import keras_model, keras_weights
from networks import RS, draw_weights
from optimizers import exact


class Run:
    """One case: a network, its data and how it is trained."""

    def __init__(self, name, layers, input_shape, optimizer, loss, metrics=()):
        self.name = name
        self.layers = layers
        self.input_shape = input_shape
        self.random = rng(f"training.{name}")
        self.weights = draw_weights(self.random, layers, input_shape[-1], 0.5)
        keras.backend.clear_session()
        self.model = keras_model(layers, input_shape, self.weights)
        # Without XLA and shuffling: one order of the sums.
        self.model.compile(exact(optimizer), loss, metrics=list(metrics), jit_compile=False)

    def inputs(self, count):
        return draw(self.random, count, *self.input_shape)

    def fit(self, file, x, y, **options):
        file.add_all(self.name, {"x": x, "y": y})
        file.add_all(f"{self.name}.initial", self.weights)
        if "validation_data" in options:
            file.add_all(self.name, dict(zip(("val_x", "val_y"), options["validation_data"])))
        history = self.model.fit(x, y, shuffle=False, verbose=0, **options).history
        history.pop("learning_rate", None)
        file.add_all(f"{self.name}.history", history)
        self.finish(file, x, y, options.get("batch_size", 32))

    def finish(self, file, x, y, batch_size):
        file.add_all(f"{self.name}.final", keras_weights(self.layers, self.model))
        results = self.model.evaluate(x, y, batch_size=batch_size, verbose=0, return_dict=True)
        file.add_all(f"{self.name}.evaluate", results)
        file.add(f"{self.name}.predict", self.model.predict(x, batch_size=batch_size, verbose=0))


def training():
    floatx = keras.config.floatx()
    file = GoldenFile(f"training runs, {floatx}", 17 if floatx == "float64" else 9)
    o = keras.optimizers

    # A sequence to two numbers. 11 = 4 + 4 + 3 samples.
    layers = [("lstm", {"units": 5, **RS}), ("lstm", {"units": 4}), ("dense", {"units": 2})]
    run = Run("regression", layers, (4, 2), o.Adam(0.01), "mse", ["mae"])
    x, x_val = run.inputs(11), run.inputs(5)
    targets = lambda v: np.stack([v.mean((1, 2)) * 2, v[:, -1, 0] - v[:, 0, 1] / 2], 1)
    run.fit(
        file,
        x,
        targets(x),
        epochs=10,
        batch_size=4,
        validation_data=(x_val, targets(x_val)),
    )

    # A sequence to one of three classes. 13 = 5 + 5 + 3.
    layers = [("lstm", {"units": 6}), ("dense", {"units": 3, "activation": "softmax"})]
    loss = keras.losses.SparseCategoricalCrossentropy()
    run = Run("classes", layers, (5, 1), o.RMSprop(0.03), loss, ["accuracy"])
    x, x_val = run.inputs(13), run.inputs(6)
    classes = lambda v: np.digitize(v.mean((1, 2)), [-0.15, 0.15])[:, None]
    run.fit(
        file,
        x,
        classes(x),
        epochs=10,
        batch_size=5,
        validation_data=(x_val, classes(x_val)),
    )

    # A probability for each step; the learning rate falls; the last quarter is for validation.
    layers = [("lstm", {"units": 4, **RS}), ("dense", {"units": 1, "activation": "sigmoid"})]
    optimizer = o.SGD(2.0, momentum=0.5, nesterov=True)
    loss = keras.losses.BinaryCrossentropy()
    run = Run("per_step", layers, (3, 2), optimizer, loss, [keras.metrics.BinaryAccuracy()])
    x = run.inputs(10)
    fall = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * (0.75 if epoch else 1))
    y = (x.sum(-1, keepdims=True) > 0).astype(np.float64)
    run.fit(file, x, y, epochs=8, batch_size=3, validation_split=0.25, callbacks=[fall])

    # Four layers deep, clipped, decaying weights, smoothed labels.
    layers = [("lstm", {"units": 3, **RS})] * 3
    layers += [("lstm", {"units": 3}), ("dense", {"units": 3, "activation": "softmax"})]
    optimizer = o.AdamW(0.02, weight_decay=0.05, global_clipnorm=0.25)
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=0.1)
    run = Run("deep", layers, (3, 2), optimizer, loss, ["accuracy"])
    x = run.inputs(9)
    run.fit(file, x, np.eye(3)[classes(x)[:, 0]], epochs=6, batch_size=4)

    # Huber's loss, RMSE, a layer that reads backwards, batches of 32 by default.
    layers = [("lstm", {"units": 4, "go_backwards": True}), ("dense", {"units": 1})]
    optimizer = o.RMSprop(0.01, momentum=0.5, centered=True)
    loss = keras.losses.Huber(0.25)
    run = Run("huber", layers, (4, 1), optimizer, loss, [keras.metrics.RootMeanSquaredError()])
    x = run.inputs(35)
    run.fit(file, x, x[:, 1] * 2, epochs=5)

    on_batch(file)
    saturated(file)
    return file


def on_batch(file):
    """train_on_batch and test_on_batch with batches of different sizes."""
    layers = [("lstm", {"units": 4}), ("dense", {"units": 2})]
    run = Run("on_batch", layers, (3, 2), keras.optimizers.Adam(0.05), "mse", ["mae"])
    file.add_all("on_batch.initial", run.weights)
    for batch, count in enumerate((3, 5, 1, 4)):
        x = run.inputs(count)
        y = draw(run.random, count, 2)
        logs = run.model.train_on_batch(x, y, return_dict=True)
        test = run.model.test_on_batch(x, y, return_dict=True)
        file.add_all(f"on_batch.{batch}", {"x": x, "y": y})
        file.add_all(f"on_batch.{batch}.train", logs)
        file.add_all(f"on_batch.{batch}.test", test)
    run.finish(file, x, y, 32)


def saturated(file):
    """Softmax and sigmoid so sure of the wrong answer that their probabilities are 0 and 1: Keras
    trains such a network by the logits, so that its gradient does not vanish."""
    for name, units, activation, loss in (
        ("saturated_softmax", 3, "softmax", keras.losses.SparseCategoricalCrossentropy()),
        ("saturated_one_hot", 3, "softmax", keras.losses.CategoricalCrossentropy()),
        ("saturated_sigmoid", 1, "sigmoid", keras.losses.BinaryCrossentropy()),
    ):
        layers = [("lstm", {"units": 3}), ("dense", {"units": units, "activation": activation})]
        run = Run(name, layers, (3, 1), keras.optimizers.SGD(0.5), loss)
        run.weights["dense.bias"] = np.array([800.0, 0.0, -800.0])[:units]
        run.model.set_weights(list(run.weights.values()))
        x = run.inputs(4)
        y = np.array([[0], [1], [2], [1]]) if units == 3 else np.array([[0], [1], [0], [0]])
        if name == "saturated_one_hot":
            y = np.eye(3)[y[:, 0]]
        run.fit(file, x, y, epochs=3, batch_size=4)
