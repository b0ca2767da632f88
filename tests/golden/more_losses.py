"""more_losses.txt: value, and gradient by the prediction, of Keras' losses beside those of losses.py.

All predictions are numbers that float32 holds exactly: next to 0 and 1, where Keras clips
probabilities, a rounded prediction would have another loss.
"""

import keras
import numpy as np
import tensorflow as tf

from golden_file import GoldenFile, draw, rng

RANKS = {"rank2": (4, 3), "rank3": (2, 3, 4)}


def more_losses():
    file = GoldenFile("more losses, float64")

    def one(case, loss, y, p):
        y, p = (np.asarray(v, np.float32).astype(np.float64) for v in (y, p))
        prediction = tf.constant(p)
        with tf.GradientTape() as tape:
            tape.watch(prediction)
            value = loss(y, prediction)
        gradient = tape.gradient(value, prediction)
        file.add_all(case, {"y": y, "prediction": p, "value": value.numpy()})
        file.add(f"{case}.grad", gradient.numpy())

    l = keras.losses
    for rank, shape in RANKS.items():
        random = rng(f"more_losses.values.{rank}")
        y, p = draw(random, *shape, scale=2), draw(random, *shape, scale=2)
        p.flat[0] = y.flat[0]  # no error
        one(f"log_cosh.{rank}", l.LogCosh(), y, p)
        one(f"log_cosh.far_{rank}", l.LogCosh(), y, 500 * p)
        y.flat[2] = 0
        one(f"mape.{rank}", l.MeanAbsolutePercentageError(), y, p)
        one(f"msle.{rank}", l.MeanSquaredLogarithmicError(), np.abs(y), p)
        one(f"cosine_similarity.{rank}", l.CosineSimilarity(), y, p)
        counts = random.integers(0, 5, shape)
        one(f"poisson.{rank}", l.Poisson(), counts, np.abs(p) + 0.0625)
        signs = 2 * random.integers(0, 2, shape) - 1
        p.flat[3] = signs.flat[3]  # on the edge
        for name, loss in {"hinge": l.Hinge(), "squared_hinge": l.SquaredHinge()}.items():
            one(f"{name}.{rank}", loss, signs, p)
            one(f"{name}.zeros_{rank}", loss, (signs + 1) / 2, p)
        hot = np.eye(shape[-1])[random.integers(0, shape[-1], shape[:-1])]
        one(f"categorical_hinge.{rank}", l.CategoricalHinge(), hot, p)
    one("cosine_similarity.zeros", l.CosineSimilarity(), [[0, 0], [1, 2]], [[1, 2], [2e-8, 0]])

    for rank, shape in RANKS.items():
        random = rng(f"more_losses.shares.{rank}")
        logits = draw(random, *shape, scale=4)
        p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
        p = np.maximum(np.round(p * 1024), 1) / 1024
        soft = random.integers(0, 9, shape) / 8
        hot = np.eye(shape[-1])[random.integers(0, shape[-1], shape[:-1])]
        one(f"kl_divergence.{rank}", l.KLDivergence(), soft, p)
        for from_logits, prediction in ((False, p), (True, logits)):
            end = "_logits" if from_logits else ""
            binary = lambda **options: l.BinaryFocalCrossentropy(from_logits=from_logits, **options)
            one(f"binary_focal{end}.{rank}", binary(), (soft > 0.5), prediction)
            balanced = binary(apply_class_balancing=True, alpha=0.75, gamma=1.5)
            one(f"binary_focal_balanced{end}.{rank}", balanced, (soft > 0.5), prediction)
            smooth = binary(gamma=0.0, label_smoothing=0.125)
            one(f"binary_focal_smoothed{end}.{rank}", smooth, soft, prediction)
            many = lambda **options: l.CategoricalFocalCrossentropy(
                from_logits=from_logits, **options
            )
            one(f"categorical_focal{end}.{rank}", many(), hot, prediction)
            smooth = many(alpha=0.5, gamma=1.5, label_smoothing=0.125)
            one(f"categorical_focal_smoothed{end}.{rank}", smooth, hot, prediction)
    edges = [[0, 1, 0.5], [1, 0, 1], [1e-8, 1 - 1e-6, 1e-6]]
    hot = np.eye(3)[[0, 0, 2]]
    one("kl_divergence.extreme", l.KLDivergence(), hot, edges)
    one("binary_focal.extreme", l.BinaryFocalCrossentropy(), hot, edges)
    one("categorical_focal.extreme", l.CategoricalFocalCrossentropy(), hot, edges)
    return file
