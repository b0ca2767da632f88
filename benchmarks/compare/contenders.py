"""The processes that are compared. Each waits for requests and answers them, one at a time, so that
they can take turns."""

from __future__ import annotations

import math
import os
import statistics
import subprocess

from builds import FOLDER

HERE = os.path.dirname(os.path.abspath(__file__))

# What keeps a peer from instructions beyond AVX2. ONNX Runtime has nothing of the kind: its kernels
# are chosen by what the processor says it can do.
AVX2_LIMITS = {
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "ATEN_CPU_CAPABILITY": "avx2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "XLA_FLAGS": "--xla_cpu_max_isa=AVX2",
}
SCRIPTS = {"PyTorch": "torch_side.py", "ONNX Runtime": "onnx_side.py", "Keras": "keras_side.py"}


class Failed(Exception):
    """A contender that ended; says while doing what, and where its log is."""


class Contender:
    def __init__(self, name: str, command: list[str], isa: str, cores: str, clock: str = ""):
        """`cores` as for taskset, and as many threads. One thread is timed by the processor's clock,
        several by that on the wall; `clock` says otherwise."""
        self.name = name
        threads = count_cores(cores)
        clock = clock or ("processor" if threads == 1 else "wall")
        self.command = ["taskset", "--cpu-list", cores, *command]
        self.command += ["--threads", str(threads), "--clock", clock]
        self.environment = os.environ | {
            "OMP_NUM_THREADS": str(threads),
            "MKL_NUM_THREADS": str(threads),
            "CUDA_VISIBLE_DEVICES": "",
            "KERAS_BACKEND": "tensorflow",
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }
        if isa == "AVX2":
            self.environment |= AVX2_LIMITS
        os.makedirs(FOLDER, exist_ok=True)
        words = [name, isa, f"{threads} threads"]
        self.log = os.path.join(FOLDER, "-".join(words).replace(" ", "_").replace(",", "") + ".log")
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                self.command,
                env=self.environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.info = self.ask("info")

    def ask(self, *request: object) -> str:
        words = words_of(request)
        try:
            print(*words, file=self.process.stdin, flush=True)
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise self.failed(self.process.wait(), words)
        return answer.strip()

    def numbers(self, *request: object) -> list[float]:
        return [float(number) for number in self.ask(*request).split()]

    def alone(self, *request: object) -> list[float]:
        """The answer of a fresh process."""
        words = words_of(request)
        with open(self.log, "a") as log:
            done = subprocess.run(
                self.command + words,
                env=self.environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        if done.returncode != 0:
            raise self.failed(done.returncode, words)
        return [float(number) for number in done.stdout.split()]

    def failed(self, status: int, words: list[str]) -> Failed:
        what = " ".join(words)
        return Failed(f"{self.name} ended with {status} at: {what}; its log is {self.log}")

    def stop(self) -> None:
        if self.process:
            self.process.stdin.close()
            self.process.wait()
            self.process = None


def words_of(request: tuple[object, ...]) -> list[str]:
    words: list[str] = []
    for part in request:
        words += map(str, part) if isinstance(part, tuple) else [str(part)]
    return words


def count_cores(cores: str) -> int:
    """Of a list as taskset takes it."""
    count = 0
    for part in cores.split(","):
        first, _, last = part.partition("-")
        count += int(last or first) - int(first) + 1
    return count


class Times:
    """Nanoseconds, collected over the rounds."""

    def __init__(self):
        self.taken: dict[object, list[float]] = {}

    def add(self, key: object, times: list[float]) -> None:
        self.taken.setdefault(key, []).extend(times)

    def __contains__(self, key: object) -> bool:
        return key in self.taken

    def least(self, key: object) -> float:
        return min(self.taken[key])

    def median(self, key: object) -> float:
        return statistics.median(self.taken[key])


def decibels(right: list[float], found: list[float]) -> float:
    """The root of the mean square of the error, of that of the right numbers."""
    error = sum((a - b) ** 2 for a, b in zip(right, found, strict=True))
    return 10 * math.log10(max(error, 1e-300) / sum(a * a for a in right))


def largest_difference(ours: list[float], theirs: list[float]) -> float:
    """Relative to the largest number."""
    if len(ours) != len(theirs):
        return math.inf
    size = max(map(abs, ours))
    return max(abs(a - b) / size for a, b in zip(ours, theirs))
