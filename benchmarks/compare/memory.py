"""Peak memory of processes that train."""

from __future__ import annotations

from cases import MEMORY, Case
from contenders import Times
from run import Run, note
from tables import SIZES, markdown, sizes, three_digits

STEPS = 20
MANY = 1000
LONG = Case(32, 1000, 32, 128)


def memory(run: Run) -> list[str]:
    cases = MEMORY[:1] if run.quick else MEMORY
    names = [n for n in ("strata", "PyTorch", "Keras") if run.contender(n, "native")]
    rows = []
    for case in cases:
        row = sizes(case)
        for name in names:
            note(f"memory: {name} trains {case}")
            before, most = run.contender(name, "native").alone("memory", case, STEPS)
            row.append(f"{most / 1000:.1f} ({(most - before) / 1000:.1f})")
            if name == "strata":
                ours = most
            if name == "PyTorch":
                row.append(f"{most / ours:.0f}")
        # The many steps take too long for the largest model, and would tell nothing more.
        if case.units <= 128:
            note(f"memory: strata, {MANY} steps")
            _, after = run.contender("strata", "native").alone("memory", case, MANY)
            row.append(f"{after / 1000:.1f}")
        else:
            row.append("")
        rows.append(row)
    header = [*SIZES, "strata"]
    for name in names[1:]:
        header += [name] + ["PyTorch by strata"] * (name == "PyTorch")
    header.append(f"strata, {MANY} steps")
    return [
        "### Memory of training",
        "",
        f"The most that a fresh process has used, in MB, after {STEPS} training steps, and in brackets "
        "how much of it came after its libraries were loaded. Goal: a tenth of PyTorch's process, and "
        "no growth.",
        "",
        *markdown(header, rows),
        f"Twice the steps cost strata {values_per_step(run):.1f} values per unit, step and sample: "
        "the tape and everything else that grows with T, less the data. Goal: 7 at most.",
        "",
        *recompute(run),
    ]


def values_per_step(run: Run) -> float:
    ours = run.contender("strata", "native")
    short = Case(32, 200, 32, 128)
    long = short._replace(steps=2 * short.steps)
    (_, less), (_, more) = (ours.alone("memory", case, 3) for case in (short, long))
    samples = short.batch * (long.steps - short.steps)
    data = 4 * samples * short.features
    return ((more - less) * 1024 - data) / (4 * samples * short.layers * short.units)


def recompute(run: Run) -> list[str]:
    """The layers' option that computes a part of the tape again."""
    ours = run.contender("strata", "native")
    cases = MEMORY[:1] if run.quick else [*MEMORY, LONG]
    ways = {"all of the tape": (), "`.recompute`": ("recompute",)}
    times = Times()
    for turn in range(run.rounds):
        note(f"memory: recompute, round {turn + 1} of {run.rounds}")
        for case in cases:
            for way, words in ways.items():
                times.add((case, way), ours.numbers("train", case, run.seconds, *words))
    ours.ask("forget")
    rows = []
    for case in cases:
        used, least = [], []
        for way, words in ways.items():
            before, most = ours.alone("memory", case, 3, *words)
            used.append(most - before)
            least.append(times.least((case, way)))
        rows.append(
            [
                *sizes(case),
                *(f"{kb / 1000:.1f}" for kb in used),
                f"{used[1] / used[0]:.2f}",
                *(three_digits(ns / 1e6) for ns in least),
                f"{least[1] / least[0]:.2f}",
            ]
        )
    header = [*SIZES]
    for what in ("MB", "ms"):
        header += [f"{what}, {way}" for way in ways] + ["ratio"]
    return [
        "With the option `.recompute` of the layers, a part of the tape is computed again on the way "
        "back: MB that came after the libraries were loaded, and milliseconds of a training step, "
        "the minimum.",
        "",
        *markdown(header, rows),
    ]
