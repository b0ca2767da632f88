"""Runs strata-model and add_self_test.py on a model that is computed here by hand.

    test.py <strata-model> <folder of models of Keras>
"""

import json
import os
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import add_self_test

program = os.path.abspath(sys.argv[1])
keras_models = os.path.abspath(sys.argv[2])


def run(*words, code=0):
    result = subprocess.run([program, *words], capture_output=True, text=True)
    text = result.stdout + result.stderr
    assert result.returncode == code, (words, result.returncode, text)
    return text


def floats(*values):
    return struct.pack(f"<{len(values)}f", *values)


def contains(text, part):
    assert part in text, f"{part!r} is not in {text!r}"


with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    # y = relu(2 x - 1), one number at each of any number of steps.
    layers = [{"kind": "Dense", "options": {"units": 1, "activation": "relu"}}]
    add_self_test.write(
        "model.safetensors",
        {
            "strata.format_version": "1",
            "strata.version": "0.1.0",
            "strata.model": json.dumps({"input": [None, 1], "layers": layers}),
        },
        {"dense.kernel": ("F32", [1, 1], floats(2)), "dense.bias": ("F32", [1], floats(-1))},
    )
    right = {
        "input": ("F32", [1, 3, 1], floats(0, 1, 2)),
        "output": ("F32", [1, 3, 1], floats(0, 1, 3)),
    }
    add_self_test.write("right.safetensors", {}, right)
    wrong = {**right, "output": ("F32", [1, 3, 1], floats(0, 1, 3.5))}
    add_self_test.write("wrong.safetensors", {}, wrong)

    contains(run("--help"), ".safetensors")
    contains(run("summary", "model.safetensors"), "Total params: 2")
    check = ["check", "model.safetensors"]
    contains(run(*check, "right.safetensors"), "3 numbers, largest difference 0: ok")
    contains(run(*check, "wrong.safetensors", code=1), "0.5: DIFFERENT")
    contains(run(*check, "wrong.safetensors", "--tolerance", "0.2"), "ok")
    contains(run("time", "model.safetensors", "--steps", "100"), "ns per step")

    # No layer of this model has 16-bit weights; an LSTM has.
    contains(run(*check, "right.safetensors", "--precision", "int16", code=1), "no layer of the model can run in int16")
    contains(run(*check, "right.safetensors", "--precision", "int8", code=2), "full, half or int16")
    contains(run(*check, "right.safetensors", "--precision", code=2), "full, half or int16")

    run("convert", "model.safetensors", "again.safetensors")
    contains(run("check", "again.safetensors", "right.safetensors"), "ok")
    run("convert", "model.safetensors", "model.hpp")
    contains(open("model.hpp").read(), "strata::Sequential<strata::Dense<float, 1, 1>>")

    add_self_test.write(
        "torch.safetensors",
        {"format": "pt"},
        {"0.weight": ("F32", [1, 1], floats(2)), "0.bias": ("F32", [1], floats(-1))},
    )
    one = {"input": ("F32", [3, 1], floats(0, 1, 2)), "output": ("F32", [3, 1], floats(-1, 1, 3))}
    add_self_test.write("linear.safetensors", {}, one)
    contains(run("check", "torch.safetensors", "linear.safetensors"), "3 numbers, largest difference 0: ok")
    with open("torch.json", "w") as file:
        json.dump({"0.weight": [[2]], "0.bias": [-1]}, file)
    run("convert", "torch.json", "own.safetensors")
    contains(run("check", "own.safetensors", "linear.safetensors"), "ok")
    with open("effect.json", "w") as file:
        layer = {"type": "dense", "activation": "relu", "shape": [None, None, 1], "weights": [[[2]], [-1]]}
        json.dump({"in_shape": [None, None, 1], "layers": [layer]}, file)
    contains(run("check", "effect.json", "right.safetensors"), "ok")
    with open("amp.nam", "w") as file:
        config = {"input_size": 1, "hidden_size": 1, "num_layers": 1}
        amp = {"version": "0.5.4", "architecture": "LSTM", "config": config, "weights": [0.3] * 16}
        json.dump(amp, file)
    contains(run("summary", "amp.nam"), "Total params: 14")
    for precision in ("int16", "half"):
        reduced = ["--precision", precision]
        contains(run("check", "amp.nam", "right.safetensors", *reduced), f"streams in {precision}: error -")
        contains(run("check", "amp.nam", "right.safetensors", *reduced, "--at-least", "300", code=1), "TOO LARGE")
        contains(run("time", "amp.nam", "--steps", "100", *reduced), "times as fast")
    contains(run("convert", "model.safetensors", "amp.nam", code=2), "only read")

    helper = [sys.executable, add_self_test.__file__]
    subprocess.run([*helper, "again.safetensors", "right.safetensors"], check=True)
    contains(run("summary", "again.safetensors"), "Total params: 2")
    subprocess.run([*helper, "again.safetensors", "wrong.safetensors"], check=True)
    contains(run("summary", "again.safetensors", code=1), "self-test: the model computes other")
    helper += ["again.safetensors", "wrong.safetensors", "--tolerance", "1"]
    subprocess.run(helper, check=True)
    run("summary", "again.safetensors")

    # Where the program was built with ONNX' format.
    if ".onnx" in run("--help"):
        run("convert", "model.safetensors", "model.onnx")
        run("convert", "model.onnx", "from_onnx.safetensors")
        contains(run("check", "from_onnx.safetensors", "right.safetensors"), "ok")

    contains(run("summary", "none.safetensors", code=1), "cannot be opened")
    contains(run("summary", "model.hpp", code=2), "only written")
    contains(run("summary", "model.txt", code=2), "no format")
    contains(run("dance", code=2), "not understood")
    run(code=2)

    # Where the program was built with Keras' formats.
    if ".keras" in run("--help"):
        for name in ("stack_2.keras", "keras_2.h5"):
            contains(run("summary", os.path.join(keras_models, name)), "Total params: ")
        run("convert", os.path.join(keras_models, "stack_2.keras"), "from_keras.safetensors")
        contains(run("summary", "from_keras.safetensors"), "lstm_1 (LSTM)")
        contains(run("summary", os.path.join(keras_models, "parts.weights.h5"), code=1), "weights alone")
        contains(run("convert", "model.safetensors", "model.keras", code=2), "only read")
print("ok")
