#!/usr/bin/env python3
"""Puts an input and its output into a safetensors file, which strata then checks at every load.

    add_self_test.py model.safetensors reference.safetensors [--tolerance 1e-5]

The reference holds the tensors "input", (B, F) or (B, T, F), and "output". From Python:

    from add_self_test import add_self_test
    add_self_test("model.safetensors", x, model.predict(x))      # NumPy arrays

strata refuses the file when a number differs from the output by more than
tolerance (1 + |output|). Needs nothing but Python's own library.
"""

import argparse
import json
import os
import struct
import sys
import tempfile

INPUT = "self_test.input"
OUTPUT = "self_test.output"
TYPES = {"float16": "F16", "float32": "F32", "float64": "F64"}


def read(path):
    """The header and the data of a safetensors file."""
    with open(path, "rb") as file:
        content = file.read()
    (length,) = struct.unpack_from("<Q", content)
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def tensors(path):
    """The tensors of a file as name -> (dtype, shape, bytes)."""
    header, data = read(path)
    header.pop("__metadata__", None)
    return {
        name: (entry["dtype"], entry["shape"], data[slice(*entry["data_offsets"])])
        for name, entry in header.items()
    }


def write(path, metadata, entries):
    """A safetensors file, put in its place when it is complete. Wider numbers come first."""
    width = {"F64": 8, "I64": 8, "U64": 8, "F32": 4, "I32": 4, "U32": 4}
    header = {"__metadata__": metadata} if metadata else {}
    parts = []
    at = 0
    for name in sorted(entries, key=lambda one: -width.get(entries[one][0], 2)):
        dtype, shape, data = entries[name]
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [at, at + len(data)]}
        parts.append(data)
        at += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path = os.path.realpath(path)
    # A short name, however long the file's own is, which no other program takes for its leftover.
    descriptor, temporary = tempfile.mkstemp(prefix=".self-test-", dir=os.path.dirname(path))
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(struct.pack("<Q", len(text)) + text)
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        if os.path.exists(path):
            os.chmod(temporary, os.stat(path).st_mode & 0o777)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def put(path, x, y, tolerance=None):
    """Puts an input and an output, each (dtype, shape, bytes), into a file."""
    header, _ = read(path)
    metadata = header.get("__metadata__", {})
    if tolerance is not None:
        metadata["strata.self_test_tolerance"] = repr(float(tolerance))
    write(path, metadata, {**tensors(path), INPUT: x, OUTPUT: y})


def add_self_test(path, x, y, tolerance=None):
    """The same for NumPy arrays of float16, float32 or float64."""

    def entry(array):
        name = str(array.dtype)
        if name not in TYPES:
            raise TypeError(f"expected float16, float32 or float64, found {name}")
        little = array.astype(array.dtype.newbyteorder("<"))
        return TYPES[name], array.shape, little.tobytes()

    put(path, entry(x), entry(y), tolerance)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model")
    parser.add_argument("reference")
    parser.add_argument("--tolerance", type=float)
    arguments = parser.parse_args()
    reference = tensors(arguments.reference)
    if set(reference) != {"input", "output"}:
        sys.exit(f"{arguments.reference}: expected the tensors input and output")
    put(arguments.model, reference["input"], reference["output"], arguments.tolerance)


if __name__ == "__main__":
    main()
