"""Streams step by step: strata's times, and the limits of the core they ran on."""

from __future__ import annotations

from cases import STREAMS, Net
from contenders import Times
from machine import cache_bytes
from run import Run, note
from tables import markdown, three_digits, time_pair


class Limits:
    """Of one core, for one instruction set: the best of what was measured over the rounds."""

    def __init__(self):
        self.peak = self.l1 = self.l2 = 0.0  # per nanosecond: flop, bytes, bytes
        self.chain = float("inf")  # nanoseconds

    def measure(self, run: Run, isa: str, seconds: float) -> None:
        ours = run.contender("strata", isa)
        l1, l2 = cache_bytes(1) * 3 // 4, cache_bytes(2) // 2
        self.peak = max(self.peak, run.peak(isa) / 1e9)
        self.l1 = max(self.l1, float(ours.ask("bandwidth", l1, seconds)) / 1e9)
        self.l2 = max(self.l2, float(ours.ask("bandwidth", l2, seconds)) / 1e9)
        self.chain = min(self.chain, float(ours.ask("chain", seconds)))

    def of(self, net: Net) -> tuple[float, str]:
        """The least nanoseconds of a step, and what bounds it. All weights are read once, at best as
        much of them from L1 as fits there; or multiplied; and then the last gates follow."""
        size, l1 = 4 * net.weights(), cache_bytes(1)
        read = min(size, l1) / self.l1 + max(0, size - l1) / self.l2
        multiply = net.flop() / self.peak
        chain = net.layers * self.chain
        if chain > max(read, multiply):
            regime = "latency"
        elif multiply > read:
            regime = "FMA"
        else:
            regime = "L1" if size <= l1 else "L1 and L2"
        return chain + max(read, multiply), regime


def streams(run: Run) -> list[str]:
    nets = list(STREAMS)[::4] if run.quick else list(STREAMS)
    times = Times()
    limits = {isa: Limits() for isa in run.sets}
    for turn in range(run.rounds):
        note(f"streams, round {turn + 1} of {run.rounds}")
        for net in nets:
            for isa in run.sets:
                limits[isa].measure(run, isa, run.seconds / 40)
                for kind in ("fixed", "dynamic", "prototype"):
                    ours = run.contender("strata", isa)
                    got = ours.numbers("stream", kind, net, run.seconds / 4)
                    times.add((isa, net, kind), got)
    out = [
        "### Streams",
        "",
        "One step of LSTM layers, the first of one input, and Dense 1: nanoseconds, minimum / median. "
        "The goal is the time of a prototype in the same run, which can do nothing else and where "
        "the units fill whole registers (`benchmarks/compare/prototype.hpp`). The last columns are "
        "of another machine, an AVX-512 Xeon: prototypes, and the best small C++ library for real "
        "time.",
        "",
    ]
    for isa in run.sets:
        limit = limits[isa]
        out += [
            f"{isa}: {limit.peak:.0f} GFLOP/s, {limit.l1:.0f} GB/s from L1, {limit.l2:.0f} GB/s from "
            f"L2, {limit.chain:.1f} ns for the chain of one step's gates.",
            "",
        ]
        rows = []
        for net in nets:
            fixed, dynamic = (isa, net, "fixed"), (isa, net, "dynamic")
            least, regime = limit.of(net)
            best_other, other_prototype = STREAMS[net]
            prototypes = (isa, net, "prototype")
            prototype = times.least(prototypes) if times.taken[prototypes] else 0
            rows.append(
                [
                    str(net),
                    time_pair(times.least(fixed), times.median(fixed), 1),
                    time_pair(times.least(dynamic), times.median(dynamic), 1),
                    three_digits(least),
                    regime,
                    f"**{times.least(fixed) / least:.2f}**",
                    three_digits(prototype) if prototype else "",
                    f"**{times.least(fixed) / prototype:.2f}**" if prototype else "",
                    str(other_prototype),
                    str(best_other),
                ]
            )
        header = ["layers x U", "sizes in the type", "sizes at run time", "limit", "bound by"]
        header += ["times of limit", "prototype", "times of prototype"]
        header += ["prototypes there", "another library there"]
        out += markdown(header, rows)
    return out
