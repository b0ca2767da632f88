"""epoch_metrics.txt: Keras' metrics that are no mean over rows, after one batch and after two, with
weights and without."""

import keras
import numpy as np

from golden_file import GoldenFile, draw, rng


def epoch_metrics():
    file = GoldenFile("metrics of an epoch, float32")
    m = keras.metrics

    def one(case, metric, y, p, split, weights=None):
        y, p = np.asarray(y, np.float32), np.asarray(p, np.float32)
        results = []
        for part in (slice(0, split), slice(split, None)):
            weight = None if weights is None else weights[part]
            metric.update_state(y[part], p[part], sample_weight=weight)
            results.append(float(metric.result()))
        file.add_all(case, {"y": y, "prediction": p, "split": split, "results": results})
        if weights is not None:
            file.add(f"{case}.weights", np.asarray(weights, np.float64)[:, None])

    for name, shape in {"one": (12, 1), "several": (9, 3)}.items():
        random = rng(f"epoch_metrics.{name}")
        y = random.integers(0, 2, shape)
        p = random.integers(0, 17, shape) / 16  # exact hits of the thresholds among them
        weights = random.integers(0, 5, shape[0]) / 4
        for suffix, w in {"": None, ".weighted": weights}.items():
            one(f"precision.{name}{suffix}", m.Precision(), y, p, 5, w)
            one(f"recall.{name}{suffix}", m.Recall(), y, p, 5, w)
            one(f"auc.{name}{suffix}", m.AUC(), y, p, 5, w)
            one(f"auc_pr.{name}{suffix}", m.AUC(curve="PR"), y, p, 5, w)
            one(f"auc_10.{name}{suffix}", m.AUC(num_thresholds=10), y, p, 5, w)
        one(f"precision_0.75.{name}", m.Precision(thresholds=0.75), y, p, 5)
        one(f"recall_0.75.{name}", m.Recall(thresholds=0.75), y, p, 5)
        one(f"f1_threshold_macro.{name}", m.F1Score(average="macro", threshold=0.5), y, p, 5)
        one(f"f1_threshold_micro.{name}", m.F1Score(average="micro", threshold=0.5), y, p, 5)
    one("precision_class_1.several", m.Precision(class_id=1), y, p, 5)
    one("recall_class_1.several", m.Recall(class_id=1), y, p, 5)

    random = rng("epoch_metrics.classes")
    labels = random.integers(0, 4, 13)
    p = random.permuted(np.tile(np.arange(4) / 4, (13, 1)), axis=1)
    hot = np.eye(4)[labels]
    weights = random.integers(0, 5, 13) / 4
    for average in ("macro", "micro", "weighted"):
        one(f"f1_{average}.classes", m.F1Score(average=average), hot, p, 6)
    one("f1_macro.classes.weighted", m.F1Score(average="macro"), hot, p, 6, weights)
    for k in (1, 2, 3):
        one(f"top_{k}.classes", m.TopKCategoricalAccuracy(k=k), hot, p, 6)
        sparse = m.SparseTopKCategoricalAccuracy(k=k)
        one(f"top_{k}.labels", sparse, labels[:, None], p, 6)

    for name, shape in {"one": (9, 1), "several": (9, 3)}.items():
        random = rng(f"epoch_metrics.values.{name}")
        y = draw(random, *shape)
        p = y + 0.25 * draw(random, *shape)
        one(f"r2.{name}", m.R2Score(), y, p, 5)
        one(f"r2.{name}.weighted", m.R2Score(), y, p, 5, random.integers(1, 5, 9) / 4)
    return file
