"""Folder nam: .nam files of architecture LSTM, and their outputs by NumPy, in float64.

    nam.py [lstm.nam]

writes a small file of its own and its outputs, and the outputs of a lstm.nam from elsewhere.
"""

import json
import os
import sys

import numpy as np

from golden_file import draw, rng
from reference import write_reference

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "nam")


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def outputs(model, x):
    """x (T, F) to (T, 1), from the initial state of the file."""
    config = model["config"]
    rest = list(model["weights"])

    def take(*shape):
        count = int(np.prod(shape))
        values = np.array(rest[:count], dtype=np.float64).reshape(shape)
        del rest[:count]
        return values

    u = config["hidden_size"]
    y = x
    for layer in range(config["num_layers"]):
        w, b, h, c = take(4 * u, y.shape[1] + u), take(4 * u), take(u), take(u)
        steps = []
        for x_t in y:
            i, f, g, o = np.split(w @ np.concatenate([x_t, h]) + b, 4)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
            steps.append(h)
        y = np.array(steps)
    head, bias = take(u), take(1)
    assert not rest
    return (y @ head + bias)[:, None]


def write(name, model, random):
    x = draw(random, 24, model["config"]["input_size"], scale=2.0)
    y = outputs(model, x)
    write_reference(os.path.join(FOLDER, name + ".reference"), x[None], y[None])


def write_all():
    os.makedirs(FOLDER, exist_ok=True)
    random = rng("nam.two_layers")
    f, u = 2, 3
    count = 4 * u * (f + u + 1) + 4 * u * (2 * u + 1) + 4 * u + u + 1
    model = {
        "version": "0.5.4",
        "metadata": {"name": "two layers", "training": {"checks": None}},
        "architecture": "LSTM",
        "config": {"input_size": f, "hidden_size": u, "num_layers": 2},
        "weights": draw(random, count).tolist(),
        "sample_rate": 44100,
    }
    with open(os.path.join(FOLDER, "two_layers.nam"), "w", encoding="utf-8") as file:
        json.dump(model, file)
    write("two_layers", model, random)


if __name__ == "__main__":
    write_all()
    for path in sys.argv[1:]:
        with open(path, encoding="utf-8") as file:
            write(os.path.splitext(os.path.basename(path))[0], json.load(file), rng("nam." + os.path.basename(path)))
