#!/usr/bin/env python3
"""Kills a process of a training at random moments, again and again, lets the job end, and goes on from the
checkpoint, every other time with another number of processes. The result must be that of a training that
was left alone.

    kill.py <mpiexec> <strata_mpi_training> [--kills 10] [--epochs 30] [--seed 1]
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


def is_written_again(checkpoint, job):
    """Waits until the job has written its checkpoint. False where the job ends before."""
    def written():
        return checkpoint.stat().st_mtime_ns if checkpoint.exists() else None

    before = written()
    while written() == before:
        if job.poll() is not None:
            return False
        time.sleep(0.002)
    return True


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("mpiexec")
    parser.add_argument("program")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)

    def start(ranks, checkpoint):
        words = command(options.mpiexec, ranks, options.program, "long", checkpoint, options.epochs)
        return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        begin = time.monotonic()
        job = start(2, folder / "left_alone")
        expected = result_of(job.communicate()[0])
        seconds = time.monotonic() - begin
        if job.returncode != 0 or expected is None:
            sys.exit("a training that is left alone fails")
        print(f"left alone: {expected} in {seconds:.1f} s")
        checkpoint = folder / "killed"
        ranks, kills, others = 2, 0, 0
        for _ in range(20 * options.kills):
            job = start(ranks, checkpoint)
            killed = None
            if kills < options.kills and is_written_again(checkpoint, job):
                time.sleep(chance.uniform(0, 0.4) * seconds)
                alive = processes_of(options.program)
                if alive and job.poll() is None:
                    killed = time.monotonic()
                    os.kill(chance.choice(alive), signal.SIGKILL)
            try:
                out, errors = job.communicate(timeout=10 if killed else 10 + 20 * seconds)
            except subprocess.TimeoutExpired:
                job.kill()
                sys.exit(f"{ranks} processes did not end")
            result = result_of(out)
            if killed and result is None:
                took = time.monotonic() - killed
                # MPICH writes its message to the standard output.
                if job.returncode == 0 or not (out + errors).strip():
                    sys.exit("a killed job ended without a message")
                kills += 1
                # Every other time, another number of processes goes on.
                before = ranks
                if kills % 2 == 1:
                    ranks, others = chance.choice([n for n in (1, 2, 3, 4) if n != ranks]), others + 1
                print(
                    f"kill {kills} of {before} processes: the job ended after {took:.1f} s; "
                    f"{ranks} processes go on"
                )
                continue
            if result != expected or (job.returncode != 0 and not killed):
                sys.exit(f"{ranks} processes ended with {result}, not {expected}: {errors}")
            print(f"{ranks} processes end with the same result")
            if kills >= options.kills:
                print(f"{kills} kills, {others} of them with another number of processes afterwards")
                return
            checkpoint.unlink()
    sys.exit("the training ended before it could be killed")


main()
