#!/usr/bin/env python3
"""Writes the golden values of this folder, by Keras, PyTorch and ONNX Runtime.

Run by generate.sh, which installs the versions that the files name. The same versions on the same
kind of processor write the same bytes; another processor may change the last digits.
"""

import os
import subprocess
import sys

# Before TensorFlow is imported: its own kernels only, so that sums have one order.
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

FOLDER = os.path.dirname(os.path.abspath(__file__))


def keras_files():
    import keras
    import tensorflow as tf

    import activation_layers
    import around
    import freezing
    import layers
    import losses
    import masks
    import metrics
    import more_losses
    import normalization
    import optimizers
    import recurrent
    import rtneural
    import sample_weights
    import training

    tf.get_logger().setLevel("ERROR")
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(1)

    summary = lambda: layers.summary(os.path.join(FOLDER, "keras_summary.txt"))
    for floatx, name, make in (
        ("float64", "cell.txt", layers.cell),
        ("float64", "lstm.txt", layers.lstm),
        ("float64", "dense.txt", layers.dense),
        ("float64", "stacks.txt", layers.stacks),
        ("float32", "parameter_counts.txt", summary),
        ("float64", "losses.txt", losses.losses),
        ("float64", "more_losses.txt", more_losses.more_losses),
        ("float64", "metrics.txt", metrics.metrics),
        ("float64", "optimizers.txt", optimizers.optimizers),
        ("float64", "training.txt", training.training),
        ("float64", "sample_weights.txt", sample_weights.sample_weights),
        ("float64", "freezing.txt", freezing.freezing),
        ("float32", "training_float32.txt", training.training),
        ("float64", "activation_layers.txt", activation_layers.activation_layers),
        ("float64", "conv1d.txt", activation_layers.conv1d),
        ("float64", "gru.txt", recurrent.gru),
        ("float64", "simple_rnn.txt", recurrent.simple_rnn),
        ("float64", "bidirectional.txt", recurrent.bidirectional),
        ("float64", "masks.txt", masks.masks),
        ("float64", "states.txt", recurrent.states),
        ("float64", "around.txt", around.around),
        ("float64", "padding.txt", around.padding),
        ("float64", "normalization.txt", normalization.normalization),
    ):
        keras.config.set_floatx(floatx)
        keras.backend.clear_session()
        write(name, make())
    keras.config.set_floatx("float64")
    rtneural.write_all(os.path.join(FOLDER, "rtneural"))


def torch_files():
    import torch

    import sequence_losses
    import window
    import torch_archives
    import torch_cells
    import torch_modules
    import torch_networks
    import torch_state_dicts

    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    write("lstm_torch.txt", torch_networks.lstm_torch())
    write("stacks_torch.txt", torch_networks.stacks_torch())
    write("lstm_variants.txt", torch_cells.lstm_variants())
    write("deep_transition.txt", torch_cells.deep_transition())
    write("recurrent_torch.txt", torch_modules.recurrent_torch())
    write("sequence_losses.txt", sequence_losses.sequence_losses())
    write("window.txt", window.window())
    torch_state_dicts.write_all(os.path.join(FOLDER, "pytorch"))
    torch_archives.write_all(os.path.join(FOLDER, "pytorch"))


def keras_model_files():
    import hostile_hdf5
    import keras_files
    import keras_graphs
    import keras_kinds
    import keras_layouts

    hostile_hdf5.write_all(os.path.join(FOLDER, "keras", "hostile"))
    write("keras_files.txt", keras_files.keras_files(FOLDER))
    write("keras_kinds.txt", keras_kinds.keras_kinds(FOLDER))
    write("keras_graphs.txt", keras_graphs.keras_graphs(FOLDER))
    write("keras_layouts.txt", keras_layouts.keras_layouts(FOLDER))


def onnx_files():
    import onnx_cells

    write("lstm_onnx.txt", onnx_cells.lstm_onnx())


def numpy_files():
    import nam

    nam.write_all()


def onnx_export_files():
    import onnx_exports

    write("onnx_exports.txt", onnx_exports.onnx_exports(FOLDER))


def onnx_model_files(part):
    import onnx_files

    write(f"onnx_files_{part}.txt", onnx_files.onnx_files(FOLDER, part))


def write(name, golden_file):
    path = os.path.join(FOLDER, name)
    golden_file.write(path)
    print(f"{name}: {os.path.getsize(path)} bytes", flush=True)


if __name__ == "__main__":
    # TensorFlow and PyTorch each bring an LLVM and cannot share a process.
    frameworks = {
        "keras": keras_files,
        "keras_files": keras_model_files,
        "torch": torch_files,
        "onnx": onnx_files,
        "onnx_exports": onnx_export_files,
        "numpy": numpy_files,
    }
    for part in ("torch", "keras", "onnx"):
        frameworks[f"onnx_files_{part}"] = lambda part=part: onnx_model_files(part)
    if len(sys.argv) > 1:
        frameworks[sys.argv[1]]()
    else:
        for framework in frameworks:
            subprocess.run([sys.executable, os.path.abspath(__file__), framework], check=True)
