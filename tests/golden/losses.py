"""losses.txt: value, and gradient by the prediction, of each Keras loss.

All predictions are numbers that float32 holds exactly: next to 0 and 1, where Keras clips
probabilities, a rounded prediction would have another loss.
"""

import keras
import numpy as np
import tensorflow as tf

from golden_file import GoldenFile, draw, rng

RANKS = {"rank2": (4, 3), "rank3": (2, 3, 4)}


def losses():
    file = GoldenFile("losses, float64")

    def one(case, loss, y, p):
        y, p = (np.asarray(v, np.float32).astype(np.float64) for v in (y, p))
        prediction = tf.constant(p)
        with tf.GradientTape() as tape:
            tape.watch(prediction)
            value = loss(y, prediction)
        gradient = tape.gradient(value, prediction)
        file.add_all(case, {"y": y, "prediction": p, "value": value.numpy()})
        file.add(f"{case}.grad", gradient.numpy())

    regression = {
        "mse": keras.losses.MeanSquaredError(),
        "mae": keras.losses.MeanAbsoluteError(),
        "huber": keras.losses.Huber(),
        "huber_0.25": keras.losses.Huber(delta=0.25),
    }
    for name, loss in regression.items():
        for rank, shape in RANKS.items():
            random = rng(f"losses.regression.{rank}")
            y, p = draw(random, *shape, scale=2), draw(random, *shape, scale=2)
            p.flat[0] = y.flat[0]  # no error
            p.flat[1] = y.flat[1] + 0.25  # where Huber's halves meet
            p.flat[2] = y.flat[2] - 1
            one(f"{name}.{rank}", loss, y, p)
        random = rng("losses.regression.one")
        one(f"{name}.one_output", loss, draw(random, 5, 1), draw(random, 5, 1))
        one(f"{name}.far", loss, [[1e4, -1e4], [0, 3]], [[-1e4, 1e4], [1e-6, 3e3]])

    smoothings = {"": 0.0, "_smoothed": 0.125}
    far_logits = np.array([[-1000, 1000, 50], [-50, 0, 1000], [50, -1000, -50], [3, 50, 49]])
    edges = np.array([[0, 1, 0.5], [1, 0, 1], [1e-8, 1 - 1e-6, 1e-6], [0, 1, 1e-3]])

    for suffix, smoothing in smoothings.items():
        for from_logits in (False, True):
            name = "bce" + ("_logits" if from_logits else "") + suffix
            loss = keras.losses.BinaryCrossentropy(
                from_logits=from_logits, label_smoothing=smoothing
            )
            for rank, shape in RANKS.items():
                random = rng(f"losses.binary.{rank}")
                y = random.integers(0, 2, shape)
                p = draw(random, *shape, scale=4)
                p = p if from_logits else (p + 4) / 8
                one(f"{name}.{rank}", loss, y, p)
            random = rng("losses.binary.soft")
            y, p = random.integers(0, 9, (5, 1)) / 8, random.integers(1, 128, (5, 1)) / 128
            one(f"{name}.soft_labels", loss, y, p)
            extreme = far_logits if from_logits else edges
            labels = np.array([[0, 1, 1], [1, 0, 0], [1, 1, 0], [1, 1, 0]])
            one(f"{name}.extreme", loss, labels, extreme)
            one(f"{name}.extreme_opposite", loss, 1 - labels, extreme)

    for suffix, smoothing in smoothings.items():
        for from_logits in (False, True):
            name = "cce" + ("_logits" if from_logits else "") + suffix
            loss = keras.losses.CategoricalCrossentropy(
                from_logits=from_logits, label_smoothing=smoothing
            )
            for rank, shape in RANKS.items():
                labels, p = classes(rank, shape, from_logits)
                one(f"{name}.{rank}", loss, np.eye(shape[-1])[labels], p)
            extreme = far_logits if from_logits else edges
            for k in range(3):
                one(f"{name}.extreme_{k}", loss, np.eye(3)[[k, k, k, k]], extreme)
    for from_logits in (False, True):
        name = "scce" + ("_logits" if from_logits else "")
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=from_logits)
        for rank, shape in RANKS.items():
            labels, p = classes(rank, shape, from_logits)
            one(f"{name}.{rank}", loss, labels[..., None], p)
        # (B, T) labels of (B, T, classes)
        one(f"{name}.rank2_labels_of_steps", loss, labels, p)
        extreme = far_logits if from_logits else edges
        for k in range(3):
            one(f"{name}.extreme_{k}", loss, np.full((4, 1), k), extreme)
    return file


def classes(rank, shape, from_logits):
    """Class numbers and predictions; of probabilities, the last sample's do not sum to 1."""
    random = rng(f"losses.classes.{rank}")
    labels = random.integers(0, shape[-1], shape[:-1])
    logits = draw(random, *shape, scale=4)
    if from_logits:
        return labels, logits
    p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    p = np.maximum(np.round(p * 1024), 1) / 1024
    p[-1] *= 0.5
    return labels, p
