"""Training steps and predictions, strata against PyTorch, interleaved in one run on one core.

compare_training.sh builds what this needs and starts it. Every contender is a process of its own
that waits for requests: strata built for this machine and for AVX2, PyTorch as it is and limited to
AVX2. Round after round, each measures the same case for a moment, one after the other.
"""

import argparse
import datetime
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import time
import warnings

CASES = [(32, 50, 1, 50), (32, 100, 32, 128), (64, 50, 128, 256)]  # B, T, F, U
STREAMS = [8, 16, 20, 24, 32, 40, 64, 96, 128]
AVX2_LIMITS = {
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "ATEN_CPU_CAPABILITY": "avx2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
}
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


# --- the side of PyTorch: answers the requests that training_step.cpp answers too ----------------


def noise(seed, shape):
    """Numbers in [-1, 1) that shared.hpp computes alike."""
    import numpy

    h = numpy.arange(math.prod(shape), dtype=numpy.uint32)
    h += numpy.uint32(seed * 0x9E3779B9 & 0xFFFFFFFF)
    h = (h ^ (h >> numpy.uint32(16))) * numpy.uint32(0x85EBCA6B)
    h = (h ^ (h >> numpy.uint32(13))) * numpy.uint32(0xC2B2AE35)
    h ^= h >> numpy.uint32(16)
    return (h.astype(numpy.float64) / 2147483648.0 - 1.0).astype(numpy.float32).reshape(shape)


class TorchSubject:
    """One case in one of the ways in which PyTorch can run it."""

    def __init__(self, case, batch_first, onednn, compiled=False, one_bias=False, epsilon=1e-7):
        import torch

        batch, steps, features, units = case
        self.onednn = onednn
        self.lstm = torch.nn.LSTM(features, units, num_layers=2, batch_first=batch_first)
        self.dense = torch.nn.Linear(units, 1)
        self.last = (slice(None), -1) if batch_first else (-1,)
        self.set_noise_weights(units, one_bias)
        parameters = [p for m in (self.lstm, self.dense) for p in m.parameters() if p.requires_grad]
        self.optimizer = torch.optim.Adam(parameters, lr=1e-3, eps=epsilon, fused=True)
        self.loss = torch.nn.MSELoss()
        x = torch.from_numpy(noise(1, (batch, steps, features)))
        self.x = x if batch_first else x.transpose(0, 1).contiguous()
        self.y = torch.from_numpy(noise(2, (batch, 1)))
        if compiled:
            self.forward = torch.compile(self.forward)

    def set_noise_weights(self, units, one_bias):
        """The weights of shared.hpp. PyTorch has two biases; the second one is zero."""
        import numpy
        import torch

        scale = numpy.float32(1) / numpy.sqrt(numpy.float32(units))
        seed = 100
        with torch.no_grad():
            for layer in range(2):
                for name in ("weight_ih", "weight_hh", "bias_ih"):
                    p = getattr(self.lstm, f"{name}_l{layer}")
                    p.copy_(torch.from_numpy((scale * noise(seed, tuple(p.shape)[::-1])).T.copy()))
                    seed += 1
                second = getattr(self.lstm, f"bias_hh_l{layer}")
                second.zero_()
                second.requires_grad_(not one_bias)
            for p in (self.dense.weight, self.dense.bias):
                p.copy_(torch.from_numpy((scale * noise(seed, tuple(p.shape)[::-1])).T.copy()))
                seed += 1

    def forward(self):
        return self.dense(self.lstm(self.x)[0][self.last])

    def train(self):
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss(self.forward(), self.y)
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def predict(self):
        import torch

        with torch.inference_mode():
            return self.forward()

    def measure(self, what, seconds, fewest=3):
        import torch

        with torch.backends.mkldnn.flags(enabled=self.onednn):
            return measure(getattr(self, what), seconds, fewest)


def measure(call, seconds, fewest):
    """Nanoseconds of single calls for a while, in processor time, as shared.hpp takes it. The first
    is a warm-up and does not count."""
    call()
    times = []
    begin = time.process_time_ns()
    end = begin + seconds * 1e9
    while begin < end or len(times) < fewest:
        call()
        after = time.process_time_ns()
        times.append(after - begin)
        begin = after
    return times


class TorchWorker:
    """For each case and kind of work, PyTorch runs in the way that was fastest in a trial."""

    def __init__(self):
        import torch

        torch.set_num_threads(1)
        torch.set_num_interop_threads(1)
        self.chosen = {}

    def answer(self, request):
        import torch

        what, *rest = request.split()
        if what == "info":
            isa = torch.backends.cpu.get_cpu_capability()
            return f"PyTorch {torch.__version__}; ATen {isa}; Python {platform.python_version()}"
        case = tuple(int(number) for number in rest[:4])
        if what == "losses":
            # Keras and PyTorch add epsilon in different places: a tiny one makes them the same.
            subject = TorchSubject(case, True, True, one_bias=True, epsilon=1e-12)
            return " ".join(f"{float(subject.train()):.9g}" for _ in range(int(rest[4])))
        if what == "choose":
            return self.choose(rest[4], case, float(rest[5]), with_compiler=rest[6] == "True")
        subject = self.chosen[what, case]
        return " ".join(map(str, subject.measure(what, float(rest[4]))))

    def choose(self, what, case, seconds, with_compiler):
        best = math.inf
        ways = [(first, onednn, False) for onednn in (True, False) for first in (True, False)]
        if with_compiler:
            ways.append((False, True, True))
        for batch_first, onednn, compiled in ways:
            subject = TorchSubject(case, batch_first, onednn, compiled)
            took = min(subject.measure(what, seconds, fewest=2))
            if took < best:
                best = took
                self.chosen[what, case] = subject
                how = "oneDNN" if onednn else "ATen's own"
                how += ", batch first" if batch_first else ", steps first"
                how += ", compiled" if compiled else ""
        return how


def serve():
    warnings.simplefilter("ignore")
    worker = TorchWorker()
    for line in sys.stdin:
        print(worker.answer(line), flush=True)


# --- the run ------------------------------------------------------------------------------------


class Contender:
    def __init__(self, command, environment):
        self.process = subprocess.Popen(
            command,
            env=os.environ | ONE_THREAD | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, *request):
        print(*request, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit(f"{self.process.args[0]} ended while asked for: {request}")
        return answer.strip()

    def numbers(self, *request):
        return [float(number) for number in self.ask(*request).split()]


def predict_flop(case):
    batch, steps, features, units = case
    return 8 * units * (features + 3 * units) * batch * steps


def train_flop(case):
    """Backward needs twice the work of forward, but no derivative by the model's input."""
    batch, steps, features, units = case
    return 3 * predict_flop(case) - 8 * units * features * batch * steps


def milliseconds(times):
    return min(times) / 1e6, statistics.median(times) / 1e6


def text_of(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""


def machine():
    fields = {}
    for line in text_of("/proc/cpuinfo").splitlines():
        key, _, value = line.partition(":")
        fields.setdefault(key.strip(), value.strip())
    numbers = "family", fields.get("cpu family", "?"), "model", fields.get("model", "?")
    parts = [f"{fields.get('model name', platform.machine())} ({' '.join(numbers)})"]
    parts.append(f"{os.cpu_count()} cores")
    for index in range(8):
        cache = f"/sys/devices/system/cpu/cpu0/cache/index{index}/"
        kind = text_of(cache + "type").strip()
        if kind in ("Data", "Unified"):
            parts.append(f"L{text_of(cache + 'level').strip()} {text_of(cache + 'size').strip()}")
    flags = fields.get("flags", "").split()
    parts.append(" ".join(f for f in ("avx2", "fma", "avx512f", "avx512_bf16") if f in flags))
    return ", ".join(parts)


def compiler_flags(build):
    """The options that matter for speed, as CMake passed them."""
    for entry in json.loads(text_of(os.path.join(build, "compile_commands.json")) or "[]"):
        if entry["file"].endswith("training_step.cpp"):
            return " ".join(
                word
                for word in entry["command"].split()
                if word.startswith(("-O", "-m", "-std", "-DNDEBUG"))
            )
    return "flags unknown"


def markdown(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|---" * len(header) + "|"]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def run(options):
    program = os.path.join("benchmarks", "training_step")
    script = [sys.executable, os.path.abspath(__file__), "--serve"]
    strata = {"native": Contender([os.path.join(options.native, program)], {})}
    torch = {"native": Contender(script, {})}
    if options.avx2:
        strata["AVX2"] = Contender([os.path.join(options.avx2, program)], {})
        torch["AVX2"] = Contender(script, AVX2_LIMITS)
    sets = list(strata)

    load = os.getloadavg()[0]
    cores = sorted(os.sched_getaffinity(0))
    out = [
        f"Date: {datetime.date.today()}. Machine: {machine()}. Pinned to core "
        f"{', '.join(map(str, cores))}. Load average at the start: {load:.1f}.",
        "",
    ]
    for isa in sets:
        build = options.native if isa == "native" else options.avx2
        out.append(f"- {isa}: {strata[isa].ask('info')}; `{compiler_flags(build)}`")
        out.append(f"- {isa}: {torch[isa].ask('info')}")
    out.append("")

    worst = 0.0
    for isa in sets:
        ours = strata[isa].numbers("losses", *CASES[0], 10)
        theirs = torch[isa].numbers("losses", *CASES[0], 10)
        worst = max([worst] + [abs(a - b) / abs(b) for a, b in zip(ours, theirs)])
    if worst > 1e-4:
        sys.exit(f"the losses of ten training steps differ by {worst:.1e}: not the same work")
    out += [
        f"From the same weights, the losses of ten training steps agree to {worst:.0e}.",
        "",
    ]

    ways = {}
    for isa in sets:
        for what in ("train", "predict"):
            for case in CASES:
                note(f"PyTorch, {isa}: the best way to {what} {case}")
                ways[isa, what, case] = torch[isa].ask(
                    "choose", *case, what, options.seconds / 2, options.torch_compile
                )

    times = {}
    peaks = {isa: [] for isa in sets}
    for turn in range(options.rounds):
        note(f"round {turn + 1} of {options.rounds}")
        for isa in sets:
            peaks[isa].append(float(strata[isa].ask("peak", 0.1)) / 1e9)
        for what in ("train", "predict"):
            for case in CASES:
                for isa in sets:
                    for who, side in (("strata", strata), ("PyTorch", torch)):
                        key = isa, what, case, who
                        got = side[isa].numbers(what, *case, options.seconds)
                        times.setdefault(key, []).extend(got)
        for units in STREAMS:
            for isa in sets:
                got = strata[isa].numbers("stream", units, options.seconds / 8)
                times.setdefault((isa, units), []).extend(got)

    peak = {isa: max(peaks[isa]) for isa in sets}
    for isa in sets:
        out.append(
            f"- FMA peak of one core, {isa}, measured in each round: best {peak[isa]:.0f} GFLOP/s, "
            f"lowest {min(peaks[isa]):.0f}"
        )
    for what, title, flop in (
        ("train", "Training step", train_flop),
        ("predict", "Prediction", predict_flop),
    ):
        rows = []
        for isa in sets:
            for case in CASES:
                ours = milliseconds(times[isa, what, case, "strata"])
                theirs = milliseconds(times[isa, what, case, "PyTorch"])
                rate = flop(case) / ours[0] / 1e6
                rows.append(
                    [isa]
                    + [str(size) for size in case]
                    + [f"{ours[0]:.2f} / {ours[1]:.2f}", f"{theirs[0]:.2f} / {theirs[1]:.2f}"]
                    + [f"{theirs[0] / ours[0]:.2f} / {theirs[1] / ours[1]:.2f}"]
                    + [f"{rate:.0f}", f"{flop(case) / theirs[0] / 1e6:.0f}"]
                    + [f"{100 * rate / peak[isa]:.0f} %", ways[isa, what, case]]
                )
        header = ["ISA", "B", "T", "F", "U", "strata ms", "PyTorch ms", "ratio"]
        header += ["strata GFLOP/s", "PyTorch GFLOP/s", "strata of peak", "PyTorch's way"]
        out += ["", f"{title}, minimum / median; ratio: PyTorch's time by strata's", ""]
        out += markdown(header, rows)
    rows = [
        [isa]
        + [f"{min(times[isa, u]):.0f} / {statistics.median(times[isa, u]):.0f}" for u in STREAMS]
        for isa in sets
    ]
    out += ["", "Stream, one LSTM(1 to U) and Dense 1: ns per step, minimum / median", ""]
    out += markdown(["ISA"] + [f"U = {units}" for units in STREAMS], rows)

    table = "\n".join(out) + "\n"
    print(table)
    if options.output:
        with open(options.output, "w") as file:
            file.write(table)
        note(f"written to {options.output}")


def note(text):
    print(text, file=sys.stderr, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", action="store_true", help="be PyTorch's side (internal)")
    parser.add_argument("--native", help="build folder of strata for this machine")
    parser.add_argument("--avx2", help="build folder of strata with -mavx2 -mfma; omit to skip")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=0.5, help="of one measurement")
    parser.add_argument(
        "--torch-compile", action="store_true", help="let PyTorch try torch.compile too"
    )
    parser.add_argument("--output", help="file for the tables")
    options = parser.parse_args()
    if options.serve:
        serve()
    elif options.native:
        run(options)
    else:
        parser.error("--native is missing; start compare_training.sh instead")


if __name__ == "__main__":
    main()
