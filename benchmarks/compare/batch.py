"""Training steps and predictions against the peers, on one core and on several."""

from __future__ import annotations

import os

from cases import INFERENCE, THREADS, THREADS_GOAL, TRAINING, Case
from contenders import Times, count_cores
from run import KERAS_ROUNDS, PEERS, Run, check_same_work, note
from tables import SIZES, markdown, sizes, three_digits, time_pair

NO_SWITCH = "ONNX Runtime"
TITLES = {"train": "Training step", "predict": "Prediction"}


def peers_of(what: str) -> list[str]:
    return [peer for peer in PEERS if what == "predict" or peer != "ONNX Runtime"]


def unlimited(isa: str, what: str, names: list[str], cases, times: Times, peak: float) -> list[str]:
    """The peers that do not keep to AVX2 where they are asked to: one has no switch, and whoever is
    faster than the multiply-adds of AVX2 can be has used others."""
    if isa != "AVX2":
        return []

    def is_beyond(name: str) -> bool:
        return any(case.flop(what) * 1e9 / times.least((isa, case, name)) > peak for case in cases)

    return [name for name in names if name == NO_SWITCH or is_beyond(name)]


def prepare(run: Run, isa: str, work: list[tuple[str, Case]], **how: str):
    """Lets each peer find its best way for each case, and checks that it computes the same. Returns
    the ways by peer, what and case, and the largest difference."""
    ways, worst = {}, 0.0
    ours = run.contender("strata", isa, **how)
    for what, case in work:
        for peer in run.contenders(peers_of(what), isa, **how):
            note(f"{isa}: {peer.name}'s best way to {what} {case}")
            ways[peer.name, what, case] = peer.ask("choose", what, case, run.seconds / 4)
            worst = max(worst, check_same_work(ours, peer, what, case))
    return ways, worst


def one_core(run: Run, what: str) -> list[str]:
    goals = TRAINING if what == "train" else INFERENCE
    if run.quick:
        kept = [0] if what == "train" else [0, 7]
        goals = {case: goal for i, (case, goal) in enumerate(goals.items()) if i in kept}
    times, ways, worst = Times(), {}, 0.0
    for isa in run.sets:
        found, difference = prepare(run, isa, [(what, case) for case in goals])
        ways |= {(isa, *key): way for key, way in found.items()}
        worst = max(worst, difference)
    for turn in range(run.rounds):
        note(f"{what}, round {turn + 1} of {run.rounds}")
        for case in goals:
            for isa in run.sets:
                run.peak(isa)
                for contender in run.contenders(["strata", *peers_of(what)], isa):
                    if contender.name != "Keras" or turn < KERAS_ROUNDS:
                        got = contender.numbers(what, case, run.seconds)
                        times.add((isa, case, contender.name), got)
    out = [
        f"### {TITLES[what]}",
        "",
        f"Milliseconds, minimum / median; ratio: the fastest peer's time by strata's. Both compute "
        f"the same: {'losses' if what == 'train' else 'outputs'} differ by {worst:.0e} at most.",
        "",
    ]
    for isa in run.sets:
        out += table(run, what, isa, goals, times, ways)
    return out


def table(run: Run, what: str, isa: str, goals: dict, times: Times, ways: dict) -> list[str]:
    names = [name for name in peers_of(what) if name not in run.missing]
    peak = run.peak(isa)
    free = unlimited(isa, what, names, goals, times, peak)
    rows = []
    for case, goal in goals.items():
        ours = times.least((isa, case, "strata"))
        rivals = [name for name in names if name not in free]
        best = min(rivals, key=lambda n: times.least((isa, case, n)), default=None)
        rate = case.flop(what) / ours
        row = sizes(case)
        for name in ["strata", *names]:
            key = isa, case, name
            row.append(time_pair(times.least(key), times.median(key)))
        ratio, rate_of_best, way = "", "", ""
        if best:
            theirs = times.least((isa, case, best))
            median = times.median((isa, case, best)) / times.median((isa, case, "strata"))
            ratio = f"**{theirs / ours:.2f}** / {median:.2f}"
            rate_of_best = three_digits(case.flop(what) / theirs)
            way = f"{best}: {ways[isa, best, what, case]}"
        row += [ratio, str(goal)]
        if free:
            row.append(f"{min(times.least((isa, case, name)) for name in free) / ours:.2f}")
        row += [three_digits(rate), rate_of_best, f"{100 * rate * 1e9 / peak:.0f} %", way]
        rows.append(row)
    header = [*SIZES, "strata", *marked(names, free), "ratio", "goal"]
    if free:
        header.append("ratio to those not limited")
    header += ["strata GFLOP/s", "fastest peer's", "strata of peak", "fastest peer"]
    return [f"{isa}:", "", *markdown(header, rows)]


def marked(names: list[str], free: list[str]) -> list[str]:
    return [name + ", not limited" * (name in free) for name in names]


def threads(run: Run) -> list[str]:
    several = count_cores(run.cores)
    if several < 2 or several > (os.cpu_count() or 1):
        return [f"### Threads\n\nNot measured: cores {run.cores} of {os.cpu_count()}.", ""]
    work = THREADS[:1] + THREADS[3:4] if run.quick else THREADS
    load = os.getloadavg()[0]
    isa, peers = "native", ["PyTorch", "ONNX Runtime"]
    peers = [peer for peer in peers if run.contender(peer, isa)]
    teams = {1: run.core, several: run.cores}
    times = Times()
    for cores in teams.values():
        for what, case in work:
            ours = run.contender("strata", isa, cores=cores, clock="wall")
            for peer in run.contenders(peers, isa, cores=cores, clock="wall"):
                if peer.name in peers_of(what):
                    note(f"{cores}: {peer.name}'s best way to {what} {case}")
                    peer.ask("choose", what, case, run.seconds / 4)
                    check_same_work(ours, peer, what, case)
    for turn in range(run.rounds):
        note(f"threads, round {turn + 1} of {run.rounds}")
        for what, case in work:
            for count, cores in teams.items():
                team = run.contenders(["strata", *peers], isa, cores=cores, clock="wall")
                for contender in team:
                    if contender.name == "strata" or contender.name in peers_of(what):
                        got = contender.numbers(what, case, run.seconds)
                        times.add((what, case, contender.name, count), got)
    peak = several * run.peak(isa)
    rows = []
    for what, case in work:
        row = [TITLES[what], *sizes(case)]
        for name in ["strata", *peers]:
            one, both = (what, case, name, 1), (what, case, name, several)
            if one not in times:
                row += ["", ""]
                continue
            row.append(f"{time_pair(times.least(one), times.median(one))}")
            row[-1] += f" → {time_pair(times.least(both), times.median(both))}"
            row.append(f"**{times.least(one) / times.least(both):.2f}**")
        ours = times.least((what, case, "strata", several))
        rivals = [times.least(k) for n in peers if (k := (what, case, n, several)) in times]
        row += [f"{min(rivals) / ours:.2f}" if rivals else ""]
        row += [f"{100 * case.flop(what) * 1e9 / ours / peak:.0f} %"]
        rows.append(row)
    header = ["work", *SIZES]
    for name in ["strata", *peers]:
        header += [f"{name}, 1 → {several} threads", "gain"]
    header += ["fastest peer by strata", f"of {several} peaks"]
    out = [
        f"### {several} threads",
        "",
        f"Milliseconds on the wall, minimum / median; one thread on core {run.core}, {several} on "
        f"cores {run.cores}. Goal: {THREADS_GOAL} times as fast as one.",
        "",
        *markdown(header, rows),
    ]
    if load > 1.5:  # This run itself is 1.
        out += [
            f"The load average was {load:.1f}: others had a part of the cores, and threads that wait "
            "for each other suffer most.",
            "",
        ]
    ours = run.contender("strata", isa, cores=run.cores, clock="wall")
    if ours.ask("threads") != str(several):
        out += ["This strata has no threads: its second figure is one thread's.", ""]
    return out
