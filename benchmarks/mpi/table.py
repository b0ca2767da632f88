#!/usr/bin/env python3
"""Runs steps on one and two processes in turns, for strata and PyTorch, and prints tables:

    table.py <mpi_step> [--python <one with torch>] [--rounds 5] [--network]

--network: also with slower messages, beside what the model of docs/mpi.md says.
"""

import argparse
import os
import pathlib
import platform
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
UNITS = (128, 256)


def run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}:\n{done.stderr}")
    return [float(word) for word in done.stdout.split()]


def strata(program, ranks, units, *options):
    root = ["--allow-run-as-root"] if os.geteuid() == 0 else []
    return run(["mpirun", *root, "--bind-to", "core", "-n", str(ranks), program, str(units), *options])


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return platform.processor()


def ways(options):
    """Least times of a step in ms, of all rounds, by (program, U, processes)."""
    times = {}
    for _ in range(options.rounds):
        for units in UNITS:
            for ranks in (1, 2):
                key = ("strata", units, ranks)
                times.setdefault(key, []).append(strata(options.program, ranks, units))
                if options.python:
                    key = ("PyTorch, DDP with gloo", units, ranks)
                    times.setdefault(key, []).append(
                        run([options.python, str(HERE / "ddp.py"), str(ranks), str(units)])
                    )
    return times


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--python")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--network", action="store_true")
    options = parser.parse_args()
    version = subprocess.run(["mpirun", "--version"], capture_output=True, text=True).stdout
    print(f"{processor()}, {os.cpu_count()} cores, {version.splitlines()[0]}, {options.rounds} rounds\n")
    times = ways(options)
    print("| | U | one process | two processes | ratio | in each round |\n|---|---|---|---|---|---|")
    for name in dict.fromkeys(key[0] for key in times):
        for units in UNITS:
            one = [row[3] for row in times[name, units, 1]]
            two = [row[3] for row in times[name, units, 2]]
            ratios = " ".join(f"{a / b:.2f}" for a, b in zip(one, two))
            print(
                f"| {name} | {units} | {min(one):.1f} ms | {min(two):.1f} ms | "
                f"{statistics.median(a / b for a, b in zip(one, two)):.2f} | {ratios} |"
            )
    if options.network:
        network(options, times)


def network(options, times):
    print("\n| U | latency | bandwidth | step | model |\n|---|---|---|---|---|")
    for units in UNITS:
        alone = min(row[3] for row in times["strata", units, 1])
        weights = times["strata", units, 1][0][5]
        for latency, bandwidth in ((5e-5, 1.25e9), (5e-5, 1.25e8), (1e-3, 1.25e9), (1e-3, 1.25e8)):
            found = min(
                strata(options.program, 2, units, "--latency", str(latency), "--bandwidth", str(bandwidth))[3]
                for _ in range(max(2, options.rounds // 2))
            )
            said = step_time(alone / 1000, weights, 2, latency, bandwidth)
            print(
                f"| {units} | {1e6 * latency:.0f} us | {bandwidth / 1e9:.3f} GB/s | {found:.1f} ms | "
                f"{1000 * said:.1f} ms |"
            )


def step_time(alone, weights, ranks, latency, bandwidth, share=0.45):
    """The model: computing, divided; the exchange of the gradients, of which all but the last layer's
    travels while the layers before it are computed; and the small messages of a step.

    alone: seconds of the step in one process. weights: bytes. share: of the step that is left for the
    backward pass when the last layer has its gradients.
    """
    computing = alone / ranks
    moved = 2 * weights * (ranks - 1) / ranks / bandwidth
    messages = 2 * latency
    hidden = min(moved * 0.6, share * computing)
    small = 3 * latency * (ranks - 1).bit_length()
    return computing + moved - hidden + messages + small


if __name__ == "__main__":
    main()
