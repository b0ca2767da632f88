"""normalization.txt: Normalization, adapted to data and with mean and variance that are given."""

import keras
import numpy as np

from golden_file import GoldenFile, draw, rng
from keras_cases import keras_case

PACKAGES = ("numpy", "keras", "tensorflow-cpu")


def normalization():
    file = GoldenFile("keras.layers.Normalization, float64", packages=PACKAGES)
    shapes = {"rank2": (4, 3), "rank3": (2, 4, 3), "wide": (3, 20), "one_row": (1, 3)}
    for name, shape in shapes.items():
        adapted(file, f"adapted.{name}", shape)
    adapted(file, "adapted.inverse", (2, 4, 3), invert=True)
    adapted(file, "adapted.constant", (4, 3), constant=True)
    adapted(file, "adapted.constant_inverse", (4, 3), constant=True, invert=True)
    for name, invert in {"plain": False, "inverse": True}.items():
        given(file, f"given.{name}", [1.5, -0.25, 3], [4, 0.5, 0], invert)
    given(file, "given.one", 1.5, 2.25, False)
    return file


def adapted(file, case, shape, constant=False, **options):
    """mean and variance are those of `data`, which is not x."""
    random = rng(f"normalization.{case}")
    data = draw(random, *shape, scale=2) + np.arange(shape[-1])
    if constant:
        data[..., 0] = 0.25
    layer = keras.layers.Normalization(**options)
    layer.adapt(data)
    records = {"data": data} | {
        name: keras.ops.convert_to_numpy(value).reshape(shape[-1])
        for name, value in {"mean": layer.mean, "variance": layer.variance}.items()
    }
    keras_case(file, case, random, {"x": draw(random, *shape)}, {}, layer, records=records)


def given(file, case, mean, variance, invert):
    random = rng(f"normalization.{case}")
    layer = keras.layers.Normalization(mean=mean, variance=variance, invert=invert)
    records = {"mean": np.atleast_1d(mean), "variance": np.atleast_1d(variance)}
    keras_case(file, case, random, {"x": draw(random, 2, 2, 3)}, {}, layer, records=records)
