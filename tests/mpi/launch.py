"""How the tests start a program on several processes, with Open MPI and with MPICH."""

import os
import subprocess


def command(mpiexec, ranks, program, *arguments):
    """`mpiexec`: the launcher. More processes than processor cores are allowed."""
    version = subprocess.run([mpiexec, "--version"], capture_output=True, text=True).stdout
    options = ["-n", str(ranks)]
    if "Open MPI" in version or "OpenRTE" in version:
        options += ["--oversubscribe"]
        if os.geteuid() == 0:
            options += ["--allow-run-as-root"]
    return [mpiexec, *options, program, *map(str, arguments)]
