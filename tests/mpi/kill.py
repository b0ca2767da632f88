#!/usr/bin/env python3
"""Kills a process of a training again and again, lets the job end, and goes on from the checkpoint, every
other time with another number of processes. The result must be that of a training that was left alone.

    kill.py <mpiexec> <strata_mpi_training> [--kills 10] [--seed 1]
"""

import argparse
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

from launch import command


def result_of(text):
    """The number that all processes print at the end, or None."""
    numbers = {line.split()[2] for line in text.splitlines() if line.startswith("long ")}
    if len(numbers) > 1:
        sys.exit(f"the processes end with different numbers: {numbers}")
    return numbers.pop() if numbers else None


def processes_of(program):
    """The processes that run the program."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if os.readlink(entry / "exe") == os.path.realpath(program):
                found.append(int(entry.name))
        except OSError:
            pass
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("mpiexec")
    parser.add_argument("program")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        start = time.monotonic()
        left_alone = subprocess.run(
            command(options.mpiexec, 2, options.program, "long", folder / "left_alone"), capture_output=True, text=True, check=True
        )
        seconds = time.monotonic() - start
        expected = result_of(left_alone.stdout)
        print(f"left alone: {expected} in {seconds:.1f} s")
        kills = 0
        for attempt in range(20 * options.kills):
            ranks = 2 + attempt % 2
            checkpoint = folder / "killed"
            job = subprocess.Popen(
                command(options.mpiexec, ranks, options.program, "long", checkpoint),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            killed = None
            if kills < options.kills:
                time.sleep(chance.uniform(0.3, 0.6) * max(seconds, 1))
                alive = processes_of(options.program)
                if alive and job.poll() is None:
                    killed = time.monotonic()
                    os.kill(chance.choice(alive), signal.SIGKILL)
            try:
                out, errors = job.communicate(timeout=10 if killed else 10 + 20 * seconds)
            except subprocess.TimeoutExpired:
                job.kill()
                sys.exit(f"{ranks} processes did not end")
            if killed:
                kills += 1
                took = time.monotonic() - killed
                result = result_of(out)
                # MPICH writes its message to the standard output.
                if result is None and (job.returncode == 0 or not (out + errors).strip()):
                    sys.exit("a killed job ended without a message")
                print(f"kill {kills} of {ranks} processes: the job ended after {took:.1f} s")
                if result is not None and result != expected:
                    sys.exit(f"ended with {result}")
                if result is not None and kills < options.kills:
                    checkpoint.unlink()
                continue
            if job.returncode != 0:
                sys.exit(f"failed: {errors}")
            if result_of(out) != expected:
                sys.exit(f"{ranks} processes ended with {result_of(out)}, not {expected}")
            if kills >= options.kills:
                print(f"{kills} kills, and the result is the same with {ranks} processes at the end")
                return
            checkpoint.unlink(missing_ok=True)
    sys.exit("the training ended before it could be killed")


main()
