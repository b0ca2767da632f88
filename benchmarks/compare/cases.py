"""What is measured: sizes, the numbers that all sides begin with, and how much work a case is."""

from __future__ import annotations

import math
from typing import NamedTuple


class Case(NamedTuple):
    """LSTM layers and Dense 1; only the last step's output goes to Dense."""

    batch: int
    steps: int
    features: int
    units: int
    layers: int = 2

    def __str__(self) -> str:
        sizes = f"B={self.batch} T={self.steps} F={self.features} U={self.units}"
        return sizes if self.layers == 2 else f"{sizes}, {self.layers} layers"

    @staticmethod
    def read(words: list[str]) -> Case:
        return Case(*map(int, words[: len(Case._fields)]))

    def flop(self, what: str) -> float:
        """A multiplication and an addition each count. Backward needs twice the work of forward,
        but no derivative by the model's input."""
        columns = self.features + self.units + (self.layers - 1) * 2 * self.units
        predict = 8 * self.units * columns * self.batch * self.steps
        if what == "predict":
            return predict
        return 3 * predict - 8 * self.units * self.features * self.batch * self.steps


class Net(NamedTuple):
    """A stream: LSTM layers of which the first has one input, and Dense 1."""

    layers: int
    units: int

    def weights(self) -> int:
        return 4 * self.units * (2 + self.units + (self.layers - 1) * (2 * self.units + 1))

    def flop(self) -> float:
        return 2 * self.weights()

    def __str__(self) -> str:
        return f"{self.layers}x{self.units}"


# With the goals: how many times as fast as the best peer.
TRAINING = {
    Case(32, 50, 1, 50): 2.0,
    Case(32, 100, 32, 128): 2.0,
    Case(64, 50, 128, 256): 1.5,
    Case(32, 50, 512, 512): 1.25,
}
INFERENCE = {
    Case(32, 100, 64, 128): 1.15,
    Case(32, 100, 128, 256): 1.15,
    Case(32, 100, 512, 512): 1.15,
    Case(128, 100, 64, 128): 1.15,
    Case(24, 100, 64, 128): 1.15,
    Case(24, 80, 48, 96, 3): 1.05,
    Case(48, 100, 160, 320): 1.05,
    Case(96, 50, 400, 400): 1.05,
    Case(1, 100, 64, 16): 1.5,
    Case(1, 100, 64, 32): 1.5,
    Case(1, 100, 64, 64): 1.5,
    Case(1, 100, 64, 128): 1.2,
    Case(1, 100, 64, 256): 1.2,
}

# With the nanoseconds, on an AVX-512 Xeon, of the best small C++ library for real time that was
# found, and of prototypes, whose times are the goals.
STREAMS = {
    Net(1, 8): (38.8, 30.3),
    Net(1, 16): (57, 43),
    Net(1, 20): (127, 63),
    Net(1, 24): (127, 69),
    Net(1, 32): (122, 82),
    Net(1, 40): (223, 128),
    Net(1, 64): (472, 315),
    Net(1, 96): (1036, 800),
    Net(1, 128): (1845, 1455),
    Net(2, 16): (114, 74),
    Net(2, 32): (385, 238),
    Net(2, 64): (1385, 1190),
}

# Streams and predictions whose weights may have 16 bits.
PRECISION_STREAMS = [Net(1, 32), Net(1, 64), Net(1, 128), Net(1, 256), Net(2, 64), Net(2, 128)]
PRECISION_PREDICTIONS = [Case(1, 100, 64, units) for units in (64, 128, 256, 512)]
PRECISION_BATCHES = [Case(batch, 100, 64, units) for batch in (8, 32) for units in (64, 128, 256)]
PRECISION_STREAM_BATCHES = [(Net(2, units), 32) for units in (64, 128, 256)]
# So many sequences, or steps of a stream, tell how far outputs are from those in float.
PRECISION_SEQUENCES = 64
PRECISION_STEPS = 10000

THREADS = [
    ("train", Case(32, 100, 32, 128)),
    ("train", Case(64, 50, 128, 256)),
    ("train", Case(32, 50, 512, 512)),
    ("predict", Case(32, 100, 64, 128)),
    ("predict", Case(32, 100, 128, 256)),
    ("predict", Case(128, 100, 64, 128)),
]
THREADS_GOAL = 1.8

MEMORY = [Case(32, 50, 1, 50), Case(32, 100, 32, 128), Case(64, 50, 128, 256)]

GROWTH_FROM = Case(32, 50, 64, 128)
GROWTH = {
    "units": [16, 32, 64, 128, 256, 512, 1024],
    "batch": [1, 2, 4, 8, 16, 32, 64, 128, 256],
    "steps": [10, 20, 50, 100, 200, 500, 1000],
    "layers": [1, 2, 3, 4],
}

COMPILERS = [
    ("train", Case(32, 50, 1, 50)),
    ("train", Case(32, 100, 32, 128)),
    ("predict", Case(32, 100, 64, 128)),
    ("predict", Case(1, 100, 64, 64)),
    ("stream", Net(1, 8)),
    ("stream", Net(1, 32)),
    ("stream", Net(1, 64)),
    ("stream", Net(2, 32)),
]


def noise(seed: int, shape: tuple[int, ...]):
    """Numbers in [-1, 1) that shared.hpp computes alike."""
    import numpy

    h = numpy.arange(math.prod(shape), dtype=numpy.uint32)
    h += numpy.uint32(seed * 0x9E3779B9 & 0xFFFFFFFF)
    h = (h ^ (h >> numpy.uint32(16))) * numpy.uint32(0x85EBCA6B)
    h = (h ^ (h >> numpy.uint32(13))) * numpy.uint32(0xC2B2AE35)
    h ^= h >> numpy.uint32(16)
    return (h.astype(numpy.float64) / 2147483648.0 - 1.0).astype(numpy.float32).reshape(shape)


def noise_data(case: Case):
    """x (B, T, F) and y (B, 1)."""
    return noise(1, (case.batch, case.steps, case.features)), noise(2, (case.batch, 1))


def noise_weights(case: Case) -> list:
    """Kernel (F, 4U), recurrent kernel (U, 4U) and bias (4U) of each layer, gates in the order
    i, f, g, o, then kernel and bias of Dense: what shared.hpp gives strata's model."""
    import numpy

    shapes: list[tuple[int, ...]] = []
    inputs, units = case.features, case.units
    for _ in range(case.layers):
        shapes += [(inputs, 4 * units), (units, 4 * units), (4 * units,)]
        inputs = units
    shapes += [(units, 1), (1,)]
    scale = numpy.float32(1) / numpy.sqrt(numpy.float32(units))
    return [scale * noise(100 + i, shape) for i, shape in enumerate(shapes)]
