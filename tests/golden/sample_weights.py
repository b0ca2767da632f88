"""sample_weights.txt: short runs of Keras' fit with weights of samples, of steps and of classes."""

import keras
import numpy as np

from golden_file import GoldenFile, draw, rng
from networks import RS
from optimizers import exact

EPOCHS = 3
BATCH_SIZE = 4
SAMPLES = 11


def sample_weights():
    file = GoldenFile("weights of samples, float64")
    layers = keras.layers
    accuracy = lambda: keras.metrics.BinaryAccuracy()
    sigmoid = lambda: [layers.LSTM(3), layers.Dense(1, "sigmoid")]
    softmax = lambda: [layers.LSTM(4), layers.Dense(3, "softmax")]
    sequences = lambda: [layers.LSTM(3, **RS), layers.Dense(2)]
    masked = lambda: [layers.Masking(), *sequences()]

    run = Run(file, "samples", sigmoid(), "binary_crossentropy", accuracy)
    run.fit(run.ones_and_zeros(), run.weights(SAMPLES), validation_weights=run.weights(5))

    run = Run(file, "classes", softmax(), "sparse_categorical_crossentropy")
    run.fit(run.classes()[:, None], class_weight={0: 0.5, 2: 3.0}, validation_split=0.25)
    run = Run(file, "one_hot", softmax(), "categorical_crossentropy")
    run.fit(np.eye(3)[run.classes()], class_weight={0: 0.5, 1: 2.0, 2: 3.0})
    run = Run(file, "zero_or_one", sigmoid(), "binary_crossentropy", accuracy)
    run.fit(run.ones_and_zeros(), class_weight={1: 9.0})

    mae = lambda: keras.metrics.MeanAbsoluteError()
    run = Run(file, "steps", sequences(), "mse", mae)
    run.fit(draw(run.random, SAMPLES, 4, 2), run.weights(SAMPLES, 4))
    run = Run(file, "masked_steps", masked(), "mse", mae)
    run.fit(draw(run.random, SAMPLES, 4, 2), run.weights(SAMPLES, 4))
    return file


class Run:
    """A compiled network, and data for it."""

    def __init__(self, file, name, layers, loss, metric=None):
        self.file, self.name = file, name
        self.random = rng(f"sample_weights.{name}")
        keras.backend.clear_session()
        self.model = keras.Sequential([keras.Input((4, 2)), *layers])
        self.model.compile(
            exact(keras.optimizers.Adam(0.05)),
            loss,
            metrics=[metric()] if metric else None,
            weighted_metrics=[metric()] if metric else None,
            jit_compile=False,
        )
        self.model.set_weights([draw(self.random, *w.shape) / 2 for w in self.model.get_weights()])
        self.x = self.inputs(SAMPLES)
        self.record("initial", self.parameters())

    def inputs(self, count):
        x = draw(self.random, count, 4, 2)
        if any(isinstance(layer, keras.layers.Masking) for layer in self.model.layers):
            for b in range(count):
                x[b, 4 - b % 4 :] = 0
        return x

    def weights(self, *shape):
        weights = self.random.integers(0, 9, shape) / 4
        return weights

    def classes(self):
        return np.digitize(self.x.mean((1, 2)), [-0.15, 0.15])

    def ones_and_zeros(self):
        return (self.x.mean((1, 2)) > 0).astype(np.float64)[:, None]

    def parameters(self):
        names = {}
        for layer in self.model.layers:
            for variable in layer.weights:
                names[f"{layer.__class__.__name__.lower()}.{variable.name}"] = variable.numpy()
        return names

    def record(self, part, values):
        self.file.add_all(f"{self.name}.{part}", values)

    def fit(self, y, sample_weight=None, validation_weights=None, class_weight=None, **options):
        self.file.add_all(self.name, {"x": self.x, "y": y})
        if sample_weight is not None:
            rank2 = sample_weight.reshape(len(self.x), -1)
            self.file.add(f"{self.name}.weights", rank2)
        if class_weight:
            self.record("class_weight", {str(k): v for k, v in class_weight.items()})
        if validation_weights is not None:
            x = self.inputs(len(validation_weights))
            targets = (x.mean((1, 2)) > 0).astype(np.float64)[:, None]
            options["validation_data"] = (x, targets, validation_weights)
            validation = {"x": x, "y": targets, "weights": validation_weights[:, None]}
            self.record("validation", validation)
        history = self.model.fit(
            self.x,
            y,
            BATCH_SIZE,
            EPOCHS,
            verbose=0,
            shuffle=False,
            sample_weight=sample_weight,
            class_weight=class_weight,
            **options,
        ).history
        self.record("history", history)
        self.record("final", self.parameters())
        for function in ("evaluate", "train_on_batch", "test_on_batch"):
            arguments = {"batch_size": BATCH_SIZE, "verbose": 0} if function == "evaluate" else {}
            if function == "train_on_batch":
                arguments["class_weight"] = class_weight
                if class_weight:
                    self.model.reset_metrics()
            figures = getattr(self.model, function)(
                self.x, y, sample_weight=sample_weight, return_dict=True, **arguments
            )
            self.record(function, figures)
        self.record("last", self.parameters())
