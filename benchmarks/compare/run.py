"""What the sections of a run share: its settings, and the contenders, started when first needed."""

from __future__ import annotations

import argparse
import os
import sys

from builds import Build, build, default_compiler
from cases import Case
from contenders import HERE, SCRIPTS, Contender, Failed, largest_difference
from machine import has_avx2

PEERS = list(SCRIPTS)
# ONNX Runtime with DynamicQuantizeLSTM: weights of 8 bits, one of the peers for 16-bit weights.
QUANTIZED = "ONNX Runtime, 8 bits"
# Keras is slow, and so are the compilations of XLA: fewer rounds show it as well.
KERAS_ROUNDS = 2


def note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


class Run:
    def __init__(self, options: argparse.Namespace):
        self.quick: bool = options.quick
        self.rounds: int = options.rounds or (1 if options.quick else 6)
        self.seconds: float = 0.1 if options.quick else 0.4
        self.core: str = options.core
        self.cores: str = options.cores
        self.torch_compile: bool = options.torch_compile
        self.sets = ["native", "AVX2"] if has_avx2() else ["native"]
        self.missing: set[str] = set()
        self.peaks: dict[str, list[float]] = {isa: [] for isa in self.sets}
        self._builds: dict[tuple[str, str, str], Build] = {}
        self._contenders: dict[tuple[str, ...], Contender] = {}

    def build(self, isa: str, compiler: str = "", level: str = "-O3") -> Build:
        key = isa, compiler or default_compiler(), level
        if key not in self._builds:
            self._builds[key] = build(*key)
        return self._builds[key]

    def command(self, name: str, isa: str) -> list[str]:
        if name == "strata":
            return [self.build(isa).program]
        if name == QUANTIZED:
            return [*self.command("ONNX Runtime", isa), "--quantize"]
        command = [sys.executable, os.path.join(HERE, SCRIPTS[name])]
        return command + ["--torch-compile"] * (self.torch_compile and name == "PyTorch")

    def contender(self, name: str, isa: str, cores: str = "", clock: str = "") -> Contender | None:
        """On one core without `cores`. None where the peer is missing, which is said once."""
        if name in self.missing:
            return None
        key = name, isa, cores or self.core, clock
        if key not in self._contenders:
            contender = Contender(name, self.command(name, isa), isa, cores or self.core, clock)
            try:
                contender.start()
            except Failed:
                if name == "strata":
                    sys.exit(f"strata's side does not start; its log is {contender.log}")
                note(f"{name} does not start here and is left out; its log is {contender.log}")
                self.missing.add(name)
                return None
            self._contenders[key] = contender
        return self._contenders[key]

    def contenders(self, names: list[str], isa: str, **how: str) -> list[Contender]:
        found = [self.contender(name, isa, **how) for name in names]
        return [contender for contender in found if contender]

    def peak(self, isa: str) -> float:
        """Flop/s of one core, the best that was measured so far; measures it once more."""
        got = float(self.contender("strata", isa).ask("peak", 0.05))
        self.peaks[isa].append(got)
        return max(self.peaks[isa])

    def infos(self) -> dict[tuple[str, str], str]:
        return {key[:2]: contender.info for key, contender in self._contenders.items()}

    def stop(self) -> None:
        for contender in self._contenders.values():
            contender.stop()
        self._contenders.clear()


def check_same_work(ours: Contender, theirs: Contender, what: str, case: Case) -> float:
    """Ends the run unless both sides compute the same; returns the largest difference."""
    if what == "train":
        request, tolerance = ["losses", case, 10 if case.units <= 128 else 3], 1e-4
    else:
        request, tolerance = ["outputs", case], 1e-3
    difference = largest_difference(ours.numbers(*request), theirs.numbers(*request))
    if not difference <= tolerance:
        sys.exit(
            f"{what} {case}: {theirs.name} and strata differ by {difference:.1e} of the largest "
            "number: not the same work"
        )
    return difference
