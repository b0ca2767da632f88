"""What 16-bit weights gain and cost, in streams and in predictions."""

from __future__ import annotations

from batch import marked, unlimited
from cases import (
    PRECISION_BATCHES,
    PRECISION_PREDICTIONS,
    PRECISION_SEQUENCES,
    PRECISION_STEPS,
    PRECISION_STREAM_BATCHES,
    PRECISION_STREAMS,
)
from contenders import Times, decibels
from run import QUANTIZED, Run, check_same_work, note
from tables import markdown, time_pair

REDUCED = ("int16", "half")


def precision(run: Run) -> list[str]:
    return streams(run) + stream_batches(run) + predictions(run) + batches(run)


def streams(run: Run) -> list[str]:
    nets = PRECISION_STREAMS[1:2] if run.quick else PRECISION_STREAMS
    kinds = ("dynamic", *REDUCED)
    times = Times()
    for turn in range(run.rounds):
        note(f"streams of 16-bit weights, round {turn + 1} of {run.rounds}")
        for net in nets:
            for isa in run.sets:
                for kind in kinds:
                    ours = run.contender("strata", isa)
                    times.add((isa, net, kind), ours.numbers("stream", kind, net, run.seconds / 4))
    out = [
        "### Streams with 16-bit weights",
        "",
        "One step of LSTM layers, the first of one input, and Dense 1, sizes at run time: "
        "nanoseconds, minimum / median; the time in float by that in a precision; and the error of "
        f"{PRECISION_STEPS} steps on noise against float, in decibels of the output.",
        "",
    ]
    for isa in run.sets:
        ours = run.contender("strata", isa)
        rows = []
        for net in nets:
            right = ours.numbers("stream_outputs", "full", net, PRECISION_STEPS)
            row = [str(net), time_of(times, (isa, net, "dynamic"), 1)]
            for kind in REDUCED:
                found = ours.numbers("stream_outputs", kind, net, PRECISION_STEPS)
                gain = times.least((isa, net, "dynamic")) / times.least((isa, net, kind))
                row += [time_of(times, (isa, net, kind), 1), f"**{gain:.2f}**"]
                row.append(f"{decibels(right, found):.0f}")
            rows.append(row)
        header = ["layers x U", "float"]
        for kind in REDUCED:
            header += [kind, "gain", "dB"]
        out += [f"{isa}:", "", *markdown(header, rows)]
    return out


def stream_batches(run: Run) -> list[str]:
    work = PRECISION_STREAM_BATCHES[:1] if run.quick else PRECISION_STREAM_BATCHES
    times = Times()
    for turn in range(run.rounds):
        note(f"many streams, round {turn + 1} of {run.rounds}")
        for net, count in work:
            for isa in run.sets:
                for kind in ("full", "int16"):
                    ours = run.contender("strata", isa)
                    got = ours.numbers("stream_batch", kind, net, count, run.seconds / 4)
                    times.add((isa, net, kind), got)
    out = [
        "### Many streams with 16-bit weights",
        "",
        "One step of a StreamBatch: microseconds, minimum / median, and the time in float by that in "
        "int16.",
        "",
    ]
    for isa in run.sets:
        rows = []
        for net, count in work:
            gain = times.least((isa, net, "full")) / times.least((isa, net, "int16"))
            row = [str(net), str(count), time_of(times, (isa, net, "full"), 1e3)]
            rows.append([*row, time_of(times, (isa, net, "int16"), 1e3), f"**{gain:.2f}**"])
        header = ["layers x U", "streams", "float", "int16", "gain"]
        out += [f"{isa}:", "", *markdown(header, rows)]
    return out


def time_of(times: Times, key: object, unit: float = 1e6) -> str:
    return time_pair(times.least(key), times.median(key), unit)


def measured(run: Run, what: str, cases: list, peers: list[str], kinds: tuple) -> Times:
    """The times of the peers, which predict in the best of their ways, of predict, and of a
    Predictor in each precision."""
    times = Times()
    for isa in run.sets:
        ours = run.contender("strata", isa)
        for case in cases:
            for peer in run.contenders(peers, isa):
                note(f"{isa}: {peer.name}'s best way to predict {case}")
                peer.ask("choose", "predict", case, run.seconds / 4)
                if peer.name != QUANTIZED:
                    check_same_work(ours, peer, "predict", case)
    for turn in range(run.rounds):
        note(f"{what}, round {turn + 1} of {run.rounds}")
        for case in cases:
            for isa in run.sets:
                ours = run.contender("strata", isa)
                times.add((isa, case, "predict"), ours.numbers("predict", case, run.seconds))
                for kind in kinds:
                    got = ours.numbers("predictor", kind, case, run.seconds)
                    times.add((isa, case, kind), got)
                for peer in run.contenders(peers, isa):
                    got = peer.numbers("predict", case, run.seconds)
                    times.add((isa, case, peer.name), got)
    return times


def predictions(run: Run) -> list[str]:
    cases = PRECISION_PREDICTIONS[:1] if run.quick else PRECISION_PREDICTIONS
    peers = ["PyTorch", "ONNX Runtime", QUANTIZED]
    times = measured(run, "one sequence", cases, peers, ("full", *REDUCED))
    out = [
        "### One sequence with 16-bit weights",
        "",
        "Predictions of one sequence, T=100 F=64, two LSTM layers and Dense 1: milliseconds, minimum "
        "/ median. A Predictor packs its weights once, as the peers do. Gain: the fastest float "
        f"peer's time by strata's. Errors of {PRECISION_SEQUENCES} sequences against float, in "
        "decibels of the outputs.",
        "",
    ]
    for isa in run.sets:
        out += table(run, isa, cases, peers, times, REDUCED)
    return out


def batches(run: Run) -> list[str]:
    cases = PRECISION_BATCHES[-1:] if run.quick else PRECISION_BATCHES
    peers = ["PyTorch", "ONNX Runtime", QUANTIZED]
    times = measured(run, "batches", cases, peers, ("full", "int16"))
    out = [
        "### Batches with 16-bit weights",
        "",
        "As the table before, for several sequences at once.",
        "",
    ]
    for isa in run.sets:
        out += table(run, isa, cases, peers, times, ("int16",))
    return out


def table(
    run: Run, isa: str, cases: list, peers: list[str], times: Times, reduced: tuple
) -> list[str]:
    ours = run.contender("strata", isa)
    present = [name for name in peers if run.contender(name, isa)]
    floats = [name for name in present if name != QUANTIZED]
    free = unlimited(isa, "predict", floats, cases, times, run.peak(isa))
    rows = []
    for case in cases:
        several = case._replace(batch=PRECISION_SEQUENCES)
        right = ours.numbers("outputs", several, "full")
        rivals = [times.least((isa, case, name)) for name in floats if name not in free]
        best = min(rivals, default=None)

        def gain(kind: str) -> str:
            return f"**{best / times.least((isa, case, kind)):.2f}**" if best else ""

        row = [str(case.batch), str(case.units), time_of(times, (isa, case, "predict"))]
        row += [time_of(times, (isa, case, "full")), gain("full")]
        for kind in reduced:
            found = ours.numbers("outputs", several, kind)
            row += [time_of(times, (isa, case, kind)), gain(kind), f"{decibels(right, found):.0f}"]
        for name in present:
            row.append(time_of(times, (isa, case, name)))
            if name == QUANTIZED:
                peer = run.contender(name, isa)
                peer.ask("choose", "predict", several, run.seconds / 40)
                row.append(f"{decibels(right, peer.numbers('outputs', several)):.0f}")
        rows.append(row)
    header = ["B", "U", "predict", "Predictor", "gain"]
    for kind in reduced:
        header += [f"Predictor, {kind}", "gain", "dB"]
    for name, shown in zip(present, marked(present, free), strict=True):
        header += [shown] + ["dB"] * (name == QUANTIZED)
    return [f"{isa}:", "", *markdown(header, rows)]
