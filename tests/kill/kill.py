"""Kills a training at random moments, lets it go on, and compares the bits of the weights.

    kill.py <program: training> [--kills 20] [--seed 1]

Each kill is a training of its own: it is killed (SIGKILL) at a random moment of the time that it
takes undisturbed, started again, and must end with the weights of the training that nobody killed.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
)
parser.add_argument("program")
parser.add_argument("--kills", type=int, default=20)
parser.add_argument("--seed", type=int, default=1)
arguments = parser.parse_args()
program = os.path.abspath(arguments.program)
moments = random.Random(arguments.seed)


def start(name):
    return subprocess.Popen(
        [program, f"{name}.checkpoint", f"{name}.weights"], stdout=subprocess.PIPE, text=True
    )


def steps(output):
    """How far it came: the number of lines, of batches and epochs, and the last one."""
    lines = output.splitlines()
    return len(lines), lines[-1] if lines else "-"


def content(name):
    with open(f"{name}.weights", "rb") as file:
        return file.read()


def leftovers():
    return [name for name in os.listdir(".") if ".tmp" in name]


with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    began = time.monotonic()
    undisturbed = start("undisturbed")
    total, _ = steps(undisturbed.communicate()[0])
    duration = time.monotonic() - began
    assert undisturbed.returncode == 0
    expected = content("undisturbed")
    print(f"undisturbed: {duration:.2f} s, {total} batches and epochs")
    print("kill  after [s]  at epoch, batch  repeated  the same bits")

    same = 0
    killed = 0
    partial = 0
    while killed < arguments.kills:
        name = f"training_{killed}"
        moment = moments.uniform(0.02, 1) * duration
        first = start(name)
        time.sleep(moment)
        first.send_signal(signal.SIGKILL)
        done, last = steps(first.communicate()[0])
        if first.returncode != -signal.SIGKILL:
            os.remove(f"{name}.checkpoint")
            continue  # it was through before
        killed += 1
        partial += len(leftovers())
        second = start(name)
        rest, _ = steps(second.communicate()[0])
        equal = second.returncode == 0 and content(name) == expected and not leftovers()
        same += equal
        repeated = done + rest - total
        print(f"{killed:4}  {moment:9.3f}  {last:>15}  {repeated:8}  {'yes' if equal else 'NO'}")
    print(f"{same} of {killed} ended with the bits of the undisturbed training; "
          f"{partial} kills came while a file was being written")
    sys.exit(0 if same == killed else 1)
