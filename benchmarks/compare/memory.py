"""Peak memory of processes that train."""

from __future__ import annotations

from cases import MEMORY, Case
from run import Run, note
from tables import SIZES, markdown, sizes

STEPS = 20
MANY = 1000


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
    ]


def values_per_step(run: Run) -> float:
    ours = run.contender("strata", "native")
    short = Case(32, 200, 32, 128)
    long = short._replace(steps=2 * short.steps)
    (_, less), (_, more) = (ours.alone("memory", case, 3) for case in (short, long))
    samples = short.batch * (long.steps - short.steps)
    data = 4 * samples * short.features
    return ((more - less) * 1024 - data) / (4 * samples * short.layers * short.units)
