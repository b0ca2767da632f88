"""strata against PyTorch, ONNX Runtime and Keras, interleaved in one run on this machine.

benchmarks/compare.sh starts this with a Python that has them.
"""

from __future__ import annotations

import argparse
import datetime
import os
import shutil
import sys
import time

import batch
import compilers
import growth
import memory
import precision
import stream
from builds import FOLDER
from contenders import Failed, count_cores
from machine import describe, text_of
from run import Run, note

IMAGES = os.path.join(FOLDER, "images")
README = os.path.join("benchmarks", "README.md")
BEGIN = "<!-- results: written by benchmarks/compare.sh --update-readme -->"
END = "<!-- end of results -->"

SECTIONS = {
    "training": lambda run: batch.one_core(run, "train"),
    "inference": lambda run: batch.one_core(run, "predict"),
    "stream": stream.streams,
    "precision": precision.precision,
    "threads": batch.threads,
    "memory": memory.memory,
    "growth": lambda run: growth.growth(run, IMAGES),
    "compilers": compilers.compilers,
}


def last_cores(count: int) -> str:
    """The last `count` cores that this process may use."""
    allowed = sorted(os.sched_getaffinity(0))
    return ",".join(map(str, allowed[-count:]))


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks/compare.sh", description=__doc__)
    parser.add_argument("--python", help="a Python that has the peers; own venv without it")
    parser.add_argument("--quick", action="store_true", help="a short run: does everything work?")
    parser.add_argument("--only", default="", help=f"some of {','.join(SECTIONS)}")
    parser.add_argument("--core", default=last_cores(1), help="for one thread; the last without it")
    parser.add_argument("--cores", default=last_cores(2), help="for several, e.g. 0,1 or 0-3")
    parser.add_argument("--rounds", type=int, help="of measurements; 6 without it")
    parser.add_argument("--torch-compile", action="store_true", help="PyTorch may try it; slow")
    parser.add_argument("--update-readme", action="store_true", help="put the results there")
    options = parser.parse_args()
    options.only = [part for part in options.only.split(",") if part] or list(SECTIONS)
    for part in options.only:
        if part not in SECTIONS:
            parser.error(f"--only: {part} is none of {','.join(SECTIONS)}")
    if count_cores(options.core) != 1:
        parser.error("--core is one core; --cores are those for several threads")
    return options


def command_line() -> str:
    """As typed, without the path of a Python."""
    words = sys.argv[1:]
    if "--python" in words:
        at = words.index("--python")
        del words[at : at + 2]
    return " ".join(["benchmarks/compare.sh", *words])


def head(run: Run, load: float, minutes: float) -> list[str]:
    out = [
        f"Date: {datetime.date.today()}. Machine: {describe()}. Command: `{command_line()}`, "
        f"{minutes:.0f} minutes, {run.rounds} round{'s' * (run.rounds > 1)}. One thread on core "
        f"{run.core}. Load average at the start {load:.1f}, at the end {os.getloadavg()[0]:.1f}.",
        "",
    ]
    for (name, isa), info in sorted(run.infos().items(), key=lambda item: item[0][1] != "native"):
        flags = f"; `{run.build(isa).flags()}`" if name == "strata" else ""
        out.append(f"- {isa}: {info}{flags}")
    for isa, peaks in run.peaks.items():
        if peaks:
            out.append(
                f"- {isa}: FMA peak of one core, {len(peaks)} times in this run: best "
                f"{max(peaks) / 1e9:.0f} GFLOP/s, lowest {min(peaks) / 1e9:.0f}"
            )
    out += [f"- {name} is missing: it did not start" for name in sorted(run.missing)]
    return out + [""]


def update_readme(results: list[str]) -> None:
    text = text_of(README)
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        sys.exit(f"{README} lacks the two lines between which results go:\n{BEGIN}\n{END}")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    with open(README, "w") as file:
        file.write("\n".join([before + BEGIN, "", *results]).rstrip() + f"\n\n{END}{after}")
    if os.path.isdir(IMAGES):
        shutil.copytree(IMAGES, os.path.join("benchmarks", "images"), dirs_exist_ok=True)


def main() -> None:
    options = parse_options()
    run = Run(options)
    load, begin = os.getloadavg()[0], time.time()
    if load > 0.5:
        note(f"the load average is {load:.1f}: others are at work here, and figures will suffer")
    shutil.rmtree(IMAGES, ignore_errors=True)
    sections: list[str] = []
    try:
        for name, section in SECTIONS.items():
            if name in options.only:
                started = time.time()
                sections += section(run)
                note(f"{name} took {time.time() - started:.0f} s")
        results = head(run, load, (time.time() - begin) / 60) + sections
    except Failed as failure:
        sys.exit(str(failure))
    finally:
        run.stop()
    path = os.path.join(FOLDER, "compare.md")
    with open(path, "w") as file:
        file.write("\n".join(results))
    print("\n".join(results))
    note(f"written to {path}")
    if options.update_readme:
        update_readme(results)
        note(f"{README} has these results now")


if __name__ == "__main__":
    main()
