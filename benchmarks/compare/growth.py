"""How cost grows along each axis, as pictures and as a table."""

from __future__ import annotations

import os

import plots
from cases import GROWTH, GROWTH_FROM, Case
from contenders import Times
from run import Run, note
from tables import markdown, three_digits

WHO = [
    ("train", "strata"),
    ("train", "PyTorch"),
    ("predict", "strata"),
    ("predict", "PyTorch"),
    ("predict", "ONNX Runtime"),
]
WORDS = {"units": "U", "batch": "B", "steps": "T", "layers": "layers"}


def growth(run: Run, images: str) -> list[str]:
    os.makedirs(images, exist_ok=True)
    who = [(what, name) for what, name in WHO if run.contender(name, "native")]
    at = GROWTH_FROM
    out = [
        "### Growth",
        "",
        f"From B={at.batch}, T={at.steps}, F={at.features}, U={at.units} and {at.layers} layers along "
        "each axis: milliseconds, the least of a few, native, one thread. The numbers beside the "
        "names are slopes of the upper half: 1 where twice the size takes twice the time.",
        "",
    ]
    table: list[str] = []
    for axis, values in GROWTH.items():
        if run.quick:
            values = [value for value in values if value <= 128][::2]
        times = Times()
        for value in values:
            case = at._replace(**{axis: value})
            note(f"growth: {case}")
            measure_point(run, case, value, who, times)
        curves = {
            key: [(value, times.least((*key, value)) / 1e6) for value in values] for key in who
        }
        picture = f"growth_{axis}.svg"
        try:
            plots.growth(os.path.join(images, picture), WORDS[axis], curves)
            out += [f"![Time over {WORDS[axis]}, training and prediction](images/{picture})", ""]
        except ImportError:
            note("without matplotlib there are no pictures")
        header = [WORDS[axis]] + [f"{what}, {name}" for what, name in who]
        rows = [
            [str(value)] + [three_digits(curves[key][i][1]) for key in who]
            for i, value in enumerate(values)
        ]
        table += markdown(header, rows)
    return out + ["<details><summary>The numbers</summary>", "", *table, "</details>", ""]


def measure_point(run: Run, case: Case, value: int, who: list, times: Times) -> None:
    sides = {name: run.contender(name, "native") for _, name in who}
    for what, name in who:
        if name != "strata":
            sides[name].ask("choose", what, case, 0.0)
    for _ in range(1 if run.quick else 2):
        for what, name in who:
            times.add((what, name, value), sides[name].numbers(what, case, run.seconds / 4))
    for side in sides.values():
        side.ask("forget")
