#!/usr/bin/env python3
"""Trainings on 1 to 4 processes must end with the bits of one process with 1 to 3 threads, and errors of
one process must reach all, but for a full disk, which stops nothing.

    run.py bits|errors|full_disk <mpiexec> <strata_mpi_training>
"""

import os
import pathlib
import subprocess
import sys
import tempfile

from launch import command

DIFFERS = "the processes do not have the same"
# What each process must print, by the argument of "error".
ERRORS = {
    "weights": f"{DIFFERS} weights: rank 1 differs from rank 0",
    "options": f"{DIFFERS} options of fit: rank 2 differs from rank 0",
    "processor": f"{DIFFERS} instruction set: rank 1 differs from rank 0",
    "options_of_predict": f"{DIFFERS} options: rank 1 differs from rank 0",
    "samples": f"{DIFFERS} samples: rank 1 differs from rank 0",
    "optimizer": f"{DIFFERS} optimizer, loss and metrics: rank 1 differs from rank 0",
    "source": "rank 1: the disk is gone",
    "not_finite": "a gradient is not finite",
    "callback": "rank 0: the log cannot be written",
}


def output(arguments):
    run = subprocess.run(arguments, capture_output=True, text=True, timeout=300)
    if run.returncode != 0:
        sys.exit(f"{' '.join(arguments)}: {run.returncode}\n{run.stdout}{run.stderr}")
    return run.stdout.splitlines()


def bits(mpiexec, program):
    """Lines are "<case> <rank> <number>"."""

    def numbers(lines):
        return {line.split()[0]: line.split()[2] for line in lines}

    expected = numbers(output([program, "cases", "1", "alone"]))
    for threads in (2, 3):
        if numbers(output([program, "cases", str(threads), "alone"])) != expected:
            sys.exit(f"{threads} threads end with other bits")
    for ranks, threads in [(1, 1), (2, 1), (3, 1), (4, 1), (2, 2), (7, 1)]:
        lines = output(command(mpiexec, ranks, program, "cases", threads))
        # Each case twice: the optimizer's moments whole, and divided among the processes.
        if len(lines) != 2 * ranks * len(expected):
            sys.exit(f"{ranks} processes print {lines}, not {2 * ranks * len(expected)} lines")
        for line in lines:
            case, rank, number = line.split()
            if number != expected[case]:
                sys.exit(f"{case}: rank {rank} of {ranks}, {threads} threads, ends with other bits")
        print(f"{ranks} processes of {threads} threads: the bits of {len(expected)} cases")


def errors(mpiexec, program):
    for which, text in ERRORS.items():
        lines = output(command(mpiexec, 3, program, "error", which))
        skipped = [line for line in lines if line.startswith("skipped: ")]
        if skipped:
            print(f"{which}: {skipped[0]}")
            continue
        # MPICH may print warnings of messages that nobody received.
        said = [line[6:] for line in lines if line.startswith("error ")]
        if len(said) != 3 or len(set(said)) != 1 or not said[0].startswith(text):
            sys.exit(f"{which}: {lines}")
        if which != "processor" and len({line.split()[2] for line in lines if line.startswith("afterwards ")}) != 1:
            sys.exit(f"{which}: the processes cannot go on: {lines}")
        print(f"{which}: {said[0]}")


def full_disk(mpiexec, program):
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = pathlib.Path(folder) / "run.safetensors"
        lines = output(command(mpiexec, 3, program, "full_disk", checkpoint))
        numbers = {line.split()[2] for line in lines if line.startswith(("full ", "with_room "))}
        if len(numbers) != 1 or len(lines) != 7 or "warnings 2" not in lines:
            sys.exit(f"a training whose disk is full for two of five epochs: {lines}")
        if os.listdir(folder) != [checkpoint.name]:
            sys.exit(f"left behind: {os.listdir(folder)}")
    print("a full disk: two warnings, the bits of a training with room")


{"bits": bits, "errors": errors, "full_disk": full_disk}[sys.argv[1]](*sys.argv[2:])
