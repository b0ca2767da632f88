#!/usr/bin/env python3
"""Measures steps on one and two processes in turns, of strata and PyTorch, and prints tables; see
benchmarks/mpi.sh.

    table.py <mpi_step> [--python <one with torch>] [--rounds 5]

The first table: two processes on two cores. The second: what a process computes. The third: two
processes by shared memory, by TCP and with slower messages, beside the model of model.py. Then: what the
model says of 2 to 1000 processes.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

import model

HERE = pathlib.Path(__file__).resolve().parent
LENGTH = 100
UNITS = (128, 256)
MODEL_UNITS = (64, 128, 256, 512)
PROCESSES = (2, 4, 8, 16, 32, 64, 125, 250, 500, 1000)
NETWORKS = (
    model.Network("1 Gb/s Ethernet", 50e-6, 5e-6, 0.125e9),
    model.Network("10 Gb/s Ethernet", 30e-6, 5e-6, 1.25e9),
    model.Network("100 Gb/s InfiniBand", 2e-6, 0.5e-6, 12.5e9),
)
SLOWED = ((50e-6, 1.25e9), (50e-6, 0.125e9), (1e-3, 1.25e9), (1e-3, 0.125e9), (50e-6, 0.0125e9))


def run(command, **environment):
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment})
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}:\n{done.stderr}")
    return json.loads(done.stdout)


def strata(program, processes, units, transport="vader", **options):
    """transport: of Open MPI, vader is shared memory."""
    root = ["--allow-run-as-root"] if os.geteuid() == 0 else []
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    return run(
        ["mpirun", *root, "--bind-to", "core", "-n", str(processes), program, str(units), *words],
        OMPI_MCA_btl=f"self,{transport}",
    )


def two_processes(options):
    """Prints the table of two processes. Returns what strata's runs found, by (U, processes)."""
    found = {}
    peer = None
    for _ in range(options.rounds):
        for units in UNITS:
            for processes in (1, 2):
                row = strata(options.program, processes, units)
                found.setdefault(("strata", units, processes), []).append(row)
                if not options.python:
                    continue
                row = run([options.python, str(HERE / "ddp.py"), str(processes), str(units)])
                peer = f"PyTorch {row['version']}, DDP with gloo"
                found.setdefault((peer, units, processes), []).append(row)
    print("| | U | one process | two processes | ratio | in each round |")
    print("|---|---|---|---|---|---|")
    for name in filter(None, ("strata", peer)):
        for units in UNITS:
            one, two = ([row["median"] for row in found[name, units, n]] for n in (1, 2))
            ratios = [a / b for a, b in zip(one, two)]
            all_ratios = " ".join(f"{ratio:.2f}" for ratio in ratios)
            print(
                f"| {name} | {units} | {1000 * statistics.median(one):.1f} ms | "
                f"{1000 * statistics.median(two):.1f} ms | {statistics.median(ratios):.2f} | {all_ratios} |"
            )
    print()


def computing_of(options, units):
    """From steps on one process with sequences of two lengths: what grows with the length is
    divided among processes, and the rest is not."""
    short, long = (
        min(
            strata(options.program, 1, units, length=length, steps=40)["least"]
            for _ in range(options.rounds)
        )
        for length in (LENGTH // 10, LENGTH // 5)
    )
    whole = min(strata(options.program, 1, units, steps=20)["least"] for _ in range(options.rounds))
    undivided = max(0.0, 2 * short - long)
    return model.Computing((whole - undivided) / 2, undivided, model.two_layers(units))


def beside_model(options, computing):
    ways = [("shared memory", {"transport": "vader"}), ("TCP, loopback", {"transport": "tcp"})]
    for latency, bandwidth in SLOWED:
        ways.append(("shared memory, slowed", {"latency": latency, "bandwidth": bandwidth}))
    print("| messages | latency | for each | bandwidth | U | measured | model | difference |")
    print("|---|---|---|---|---|---|---|---|")
    for name, settings in ways:
        for units in UNITS:
            rows = [strata(options.program, 2, units, **settings) for _ in range(options.rounds)]
            found = min(row["least"] for row in rows)
            latency, overhead, bandwidth = (
                statistics.median(row[key] for row in rows) for key in ("latency", "overhead", "bandwidth")
            )
            network = model.Network(name, latency, overhead, bandwidth)
            said = model.step_time(computing[units], network, 2, 2)
            print(
                f"| {name} | {1e6 * latency:.1f} us | {1e6 * overhead:.2f} us | {bandwidth / 1e9:.3g} GB/s | "
                f"{units} | {1000 * found:.1f} ms | {1000 * said:.1f} ms | {100 * (said / found - 1):+.0f} % |"
            )


def many_processes(computing):
    for own, what in ((1, "32 sequences for each process"), (8, "256 sequences for each process")):
        print(f"\nTimes as fast as one process with the same batch, {what}:\n")
        print("| network | U | weights | " + " | ".join(map(str, PROCESSES)) + " |")
        print("|---" * (3 + len(PROCESSES)) + "|")
        for network in NETWORKS:
            for units in MODEL_UNITS:
                row = []
                for processes in PROCESSES:
                    one = model.step_time(computing[units], network, own * processes, 1)
                    row.append(one / model.step_time(computing[units], network, own * processes, processes))
                size = sum(model.work_of(computing[units].layers)[2])
                cells = " | ".join(f"{ratio:.3g}" for ratio in row)
                print(f"| {network.name} | {units} | {size / 1e6:.2f} MB | {cells} |")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--python")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    two_processes(options)
    computing = {units: computing_of(options, units) for units in MODEL_UNITS}
    print("| U | a shard of 32 sequences | not divided |\n|---|---|---|")
    for units, of in computing.items():
        print(f"| {units} | {1000 * of.shard:.2f} ms | {1000 * of.undivided:.2f} ms |")
    print()
    beside_model(options, computing)
    many_processes(computing)


if __name__ == "__main__":
    main()
