"""What the peers' sides have in common: each is a process that answers the requests that worker.cpp
answers too, one line by one line."""

from __future__ import annotations

import argparse
import math
import sys
import time
import traceback
from typing import Callable, Protocol

from cases import Case


class Side(Protocol):
    """A peer. It is made with the number of threads, and imports its library then."""

    def info(self) -> str: ...

    def ways(self, what: str) -> list[str]:
        """Its ways to "train" or to "predict"."""

    def prepare(self, case: Case, what: str, way: str, check: bool) -> Callable[[], object]:
        """One call is one training step, which returns the loss before it, or one prediction for
        all samples. With `check` a training step computes exactly what strata's does."""

    def numbers(self, result: object) -> list[float]:
        """What a call returned, as numbers."""

    def forget(self) -> None: ...


def measure(call: Callable[[], object], seconds: float, clock, fewest: int = 3) -> list[float]:
    """Nanoseconds of a call, as shared.hpp takes them."""
    shortest = 5e5
    call()
    begin = clock()
    call()
    together = math.ceil(shortest / max(clock() - begin, 100))
    times = []
    begin = clock()
    end = begin + seconds * 1e9
    while begin < end or len(times) < fewest:
        for _ in range(together):
            call()
        after = clock()
        times.append((after - begin) / together)
        begin = after
    return times


def status_kb(name: str) -> int:
    """A line of /proc/self/status."""
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith(name + ":"):
                return int(line.split()[1])
    return 0


class Server:
    def __init__(self, side: Side, clock):
        self.side = side
        self.clock = clock
        self.chosen: dict[tuple[str, Case], tuple[str, Callable[[], object]]] = {}

    def answer(self, request: str) -> str:
        what, *rest = request.split()
        if what == "info":
            return self.side.info()
        if what == "forget":
            self.chosen.clear()
            self.side.forget()
            return "forgotten"
        if what == "choose":
            return self.choose(rest[0], Case.read(rest[1:]), float(rest[6]))
        case = Case.read(rest)
        rest = rest[len(case) :]
        if what == "losses":
            way, _ = self.chosen["train", case]
            call = self.side.prepare(case, "train", way, check=True)
            losses = [self.side.numbers(call())[0] for _ in range(int(rest[0]))]
            return " ".join(map(str, losses))
        if what == "outputs":
            return " ".join(map(str, self.side.numbers(self.chosen["predict", case][1]())))
        if what == "memory":
            before = status_kb("VmRSS")
            call = self.side.prepare(case, "train", self.side.ways("train")[0], check=False)
            for _ in range(int(rest[0])):
                self.side.numbers(call())
            return f"{before} {status_kb('VmHWM')}"
        times = measure(self.chosen[what, case][1], float(rest[0]), self.clock)
        return " ".join(map(str, times))

    def choose(self, what: str, case: Case, seconds: float) -> str:
        """Tries all ways and keeps the fastest."""
        best = math.inf
        for way in self.side.ways(what):
            call = self.side.prepare(case, what, way, check=False)
            took = min(measure(call, seconds, self.clock, fewest=1))
            if took < best:
                best = took
                self.chosen[what, case] = way, call
        return self.chosen[what, case][0]


def serve(make_side: Callable[[argparse.Namespace], Side]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--clock", choices=("processor", "wall"), default="processor")
    parser.add_argument("--torch-compile", action="store_true")
    parser.add_argument("--quantize", action="store_true")
    parser.add_argument("request", nargs="*")
    options = parser.parse_args()
    # The libraries print what they like; the answers go where they cannot.
    answers = sys.stdout
    sys.stdout = sys.stderr
    clock = time.process_time_ns if options.clock == "processor" else time.perf_counter_ns
    try:
        server = Server(make_side(options), clock)
        for request in [" ".join(options.request)] if options.request else sys.stdin:
            print(server.answer(request), file=answers, flush=True)
    except Exception:
        traceback.print_exc()
        sys.exit(1)
