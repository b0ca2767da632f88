"""Builds strata's side with CMake, for an instruction set, a compiler and a level of optimisation."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import NamedTuple

from machine import text_of

FOLDER = os.path.join("build", "benchmarks")


class Build(NamedTuple):
    folder: str
    program: str

    def flags(self) -> str:
        """The options that matter for speed, as CMake passed them."""
        commands = os.path.join(self.folder, "compile_commands.json")
        for entry in json.loads(text_of(commands) or "[]"):
            if entry["file"].endswith("worker.cpp"):
                words = entry["command"].split()
                return " ".join(w for w in words if w.startswith(("-O", "-m", "-std", "-DNDEBUG")))
        return "flags unknown"


def default_compiler() -> str:
    return os.environ.get("CXX") or ("g++" if shutil.which("g++") else "c++")


def build(isa: str, compiler: str, level: str = "-O3") -> Build:
    name = f"{isa}-{os.path.basename(compiler)}{level}"
    folder = os.path.join(FOLDER, name)
    os.makedirs(folder, exist_ok=True)
    configure = ["cmake", "-S", ".", "-B", folder, "-DCMAKE_BUILD_TYPE=Release"]
    configure += [f"-DCMAKE_CXX_COMPILER={compiler}", "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON"]
    configure += [f"-DCMAKE_CXX_FLAGS_RELEASE={level} -DNDEBUG"]
    configure += ["-DSTRATA_BUILD_TESTS=OFF", "-DSTRATA_BUILD_EXAMPLES=OFF"]
    if isa == "native":
        configure += ["-DSTRATA_NATIVE=ON"]
    else:
        configure += ["-DSTRATA_NATIVE=OFF", "-DCMAKE_CXX_FLAGS=-mavx2 -mfma -mf16c"]
    make = ["cmake", "--build", folder, "--target", "benchmark_compare_worker"]
    if "CMAKE_BUILD_PARALLEL_LEVEL" not in os.environ:
        make += ["--parallel", "2"]
    print(f"building {name}", file=sys.stderr, flush=True)
    log = folder + ".log"
    with open(log, "w") as out:
        for command in (configure, make):
            if subprocess.run(command, stdout=out, stderr=subprocess.STDOUT).returncode != 0:
                sys.exit(f"{text_of(log)}\nthe build failed; the log is {log}")
    return Build(folder, os.path.join(folder, "benchmarks", "compare_worker"))
