"""The text format of the golden values, and the random numbers they are made from."""

import os
import platform
import zlib
from importlib.metadata import version

import numpy as np

SEED = 20240229
PACKAGES = ("numpy", "keras", "tensorflow-cpu", "torch")


def rng(case):
    """One generator for each case, so that a new case leaves the values of the others alone."""
    return np.random.default_rng([SEED, zlib.crc32(case.encode())])


def draw(random, *shape, scale=1.0):
    """Uniform in (-scale, scale), in multiples of scale / 128.

    float32 holds them exactly, so the float tests start from the same numbers as the double tests,
    and they are short to write.
    """
    return random.integers(-127, 128, size=shape).astype(np.float64) * (scale / 128)


class GoldenFile:
    """Records of a name, a shape and values: `name dims...`, then the values in C order."""

    def __init__(self, title, digits=17, packages=PACKAGES, script="generate.py"):
        self.title = title
        self.script = script
        self.digits = digits
        self.packages = packages
        self.records = {}

    def add(self, name, values):
        if name in self.records or not name or " " in name:
            raise ValueError(f"bad or repeated record name: {name!r}")
        values = np.array(values, dtype=np.float64)
        if not np.all(np.isfinite(values)):
            raise ValueError(f"{name}: not finite")
        self.records[name] = values

    def add_all(self, prefix, values):
        for name, value in values.items():
            self.add(f"{prefix}.{name}", value)

    def write(self, path):
        lines = [f"# {line}" for line in header(self.title, self.packages, self.script)]
        for name, values in self.records.items():
            lines.append(" ".join([name, *map(str, values.shape)]))
            # One line for each row, broken where it gets long.
            width = values.shape[-1] if values.ndim else 1
            for row in values.reshape(-1, width):
                numbers = [f"{value:.{self.digits}g}" for value in row]
                lines += [" ".join(numbers[i : i + 12]) for i in range(0, len(numbers), 12)]
        write_text(path, lines)


def header(title, packages=PACKAGES, script="generate.py"):
    versions = ", ".join(f"{package} {version(package)}" for package in packages)
    return [
        f"Golden values: {title}.",
        f"Written by tests/golden/{script}; do not edit.",
        f"python {platform.python_version()}, {versions}; seed {SEED}",
    ]


def write_text(path, lines):
    temporary = f"{path}.new"
    with open(temporary, "w", encoding="utf-8", newline="\n") as file:
        file.write("\n".join(lines) + "\n")
    os.replace(temporary, path)
