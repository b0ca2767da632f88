"""metrics.txt: the result of each Keras metric after one batch, and after a second, smaller one."""

import keras
import numpy as np

from golden_file import GoldenFile, draw, rng


def metrics():
    file = GoldenFile("metrics, float64")

    def one(case, metric, y, p, split):
        """metric: one of Keras', or "accuracy", which Keras chooses by the shapes in compile."""
        y, p = np.asarray(y, np.float64), np.asarray(p, np.float64)
        results = []
        if metric == "accuracy":
            model = keras.Sequential(
                [keras.Input(p.shape[1:]), keras.layers.Activation("linear")]
            )
            model.compile(loss="mse" if y.shape == p.shape else None, metrics=["accuracy"])
            if y.shape != p.shape:
                model.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
            for part in (slice(0, split), slice(None)):
                batches = model.evaluate(
                    p[part], y[part], batch_size=split, verbose=0, return_dict=True
                )
                results.append(batches["accuracy"])
        else:
            for part in (slice(0, split), slice(split, None)):
                metric.update_state(y[part], p[part])
                results.append(float(metric.result()))
        file.add_all(case, {"y": y, "prediction": p, "split": split, "results": results})

    for rank, shape in {"rank2": (5, 3), "rank3": (5, 3, 2), "one_output": (5, 1)}.items():
        for name, metric in {
            "mae": keras.metrics.MeanAbsoluteError(),
            "mse": keras.metrics.MeanSquaredError(),
            "root_mean_squared_error": keras.metrics.RootMeanSquaredError(),
        }.items():
            random = rng(f"metrics.regression.{rank}")
            one(f"{name}.{rank}", metric, draw(random, *shape), draw(random, *shape), 3)

    for rank, shape in {"rank2": (7, 3), "rank3": (7, 3, 2), "one_output": (9, 1)}.items():
        random = rng(f"metrics.binary.{rank}")
        y = random.integers(0, 2, shape)
        p = random.integers(0, 9, shape) / 8  # exact hits of the thresholds among them
        one(f"binary_accuracy.{rank}", keras.metrics.BinaryAccuracy(), y, p, 5)
        one(f"binary_accuracy_0.25.{rank}", keras.metrics.BinaryAccuracy(threshold=0.25), y, p, 5)
        if shape[-1] == 1:
            one(f"accuracy_binary.{rank}", "accuracy", y, p, 5)
    random = rng("metrics.binary.steps")
    y, p = random.integers(0, 2, (6, 4, 1)), random.integers(0, 9, (6, 4, 1)) / 8
    one("accuracy_binary.steps", "accuracy", y, p, 4)

    for rank, shape in {"rank2": (9, 4), "rank3": (5, 3, 3)}.items():
        random = rng(f"metrics.classes.{rank}")
        labels = random.integers(0, shape[-1], shape[:-1])
        p = random.integers(0, 5, shape) / 4  # ties among them
        hot = np.eye(shape[-1])[labels]
        one(f"categorical_accuracy.{rank}", keras.metrics.CategoricalAccuracy(), hot, p, 4)
        one(f"accuracy_categorical.{rank}", "accuracy", hot, p, 4)
        sparse = keras.metrics.SparseCategoricalAccuracy()
        one(f"sparse_categorical_accuracy.{rank}", sparse, labels[..., None], p, 4)
        one(f"accuracy_sparse.{rank}", "accuracy", labels[..., None], p, 4)
        if len(shape) == 3:
            steps = keras.metrics.SparseCategoricalAccuracy()
            one("sparse_categorical_accuracy.rank2_labels_of_steps", steps, labels, p, 4)
            one("accuracy_sparse.rank2_labels_of_steps", "accuracy", labels, p, 4)
    return file
