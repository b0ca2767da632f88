"""strata against itself, built by two compilers at two levels of optimisation."""

from __future__ import annotations

import shutil

from cases import COMPILERS
from contenders import Contender, Times
from run import Run, note
from tables import markdown, three_digits


def compilers(run: Run) -> list[str]:
    kinds = [("g++", "-O3"), ("g++", "-O2"), ("clang++", "-O3"), ("clang++", "-O2")]
    sets, work = run.sets, COMPILERS
    if run.quick:
        kinds, sets, work = [kinds[0], kinds[3]], ["native"], COMPILERS[::2]
    absent = {compiler for compiler, _ in kinds if not shutil.which(compiler)}
    kinds = [kind for kind in kinds if kind[0] not in absent]
    out = [
        "### Compilers",
        "",
        "Milliseconds, or nanoseconds of a stream's step with sizes in the type; minimum, and in "
        "brackets the time by that of the first column. Goal: within 10 %.",
        "",
    ]
    for compiler in sorted(absent):
        out += [f"Without {compiler}, which is not here.", ""]
    if not kinds:
        return out
    for isa in sets:
        sides = {kind: start(run, isa, *kind) for kind in kinds}
        times = Times()
        for turn in range(run.rounds):
            note(f"compilers, {isa}, round {turn + 1} of {run.rounds}")
            for what, case in work:
                request = ("stream", "fixed") if what == "stream" else (what,)
                for kind, side in sides.items():
                    got = side.numbers(*request, case, run.seconds / 2)
                    times.add((what, case, kind), got)
        rows = []
        for what, case in work:
            row = [f"{what} {case}"]
            for kind in kinds:
                least = times.least((what, case, kind))
                ratio = least / times.least((what, case, kinds[0]))
                row.append(
                    f"{three_digits(least / (1 if what == 'stream' else 1e6))} ({ratio:.2f})"
                )
            rows.append(row)
        header = ["work"] + [f"{compiler} {level}" for compiler, level in kinds]
        infos = {side.info.split("; ")[1] for side in sides.values()}
        out += [f"{isa}, {' and '.join(sorted(infos, reverse=True))}:", ""]
        out += markdown(header, rows)
        for side in sides.values():
            side.stop()
    return out


def start(run: Run, isa: str, compiler: str, level: str) -> Contender:
    program = run.build(isa, compiler, level).program
    side = Contender(f"strata {compiler} {level}", [program], isa, run.core)
    side.start()
    return side
