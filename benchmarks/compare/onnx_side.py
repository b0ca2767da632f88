"""ONNX Runtime's side of the comparison: predictions only."""

from __future__ import annotations

import argparse
import os
import platform
import tempfile

import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import quantize_dynamic

from cases import Case, noise_data, noise_weights
from serving import serve


def lstm_weight(values: numpy.ndarray) -> numpy.ndarray:
    """(columns, 4U) in the order i, f, g, o to ONNX's (1, 4U, columns) in the order i, o, f, g."""
    i, f, g, o = numpy.split(values, 4, axis=-1)
    return numpy.concatenate([i, o, f, g], axis=-1).T[numpy.newaxis]


def make_model(case: Case) -> onnx.ModelProto:
    """Steps first, the order in which ONNX Runtime has an LSTM."""
    values = noise_weights(case)
    nodes, weights = [], []

    def weight(name: str, value: numpy.ndarray) -> str:
        weights.append(numpy_helper.from_array(numpy.ascontiguousarray(value), name))
        return name

    axis = weight("axis", numpy.array([1 if case.layers > 1 else 0], numpy.int64))
    first = weight("first", numpy.array([0], numpy.int64))
    x = "x"
    for layer in range(case.layers):
        kernel, recurrent, bias = (values.pop(0) for _ in range(3))
        bias = lstm_weight(bias[numpy.newaxis]).reshape(1, -1)
        inputs = [
            x,
            weight(f"W{layer}", lstm_weight(kernel)),
            weight(f"R{layer}", lstm_weight(recurrent)),
            weight(f"B{layer}", numpy.concatenate([bias, numpy.zeros_like(bias)], axis=1)),
        ]
        last = layer == case.layers - 1
        outputs = ["", f"h{layer}"] if last else [f"y{layer}"]
        nodes.append(helper.make_node("LSTM", inputs, outputs, hidden_size=case.units))
        x = f"z{layer}"
        nodes.append(helper.make_node("Squeeze", [outputs[-1], first if last else axis], [x]))
    inputs = [x, weight("dense", values.pop(0)), weight("dense bias", values.pop(0))]
    nodes.append(helper.make_node("Gemm", inputs, ["y"]))
    graph = helper.make_graph(
        nodes,
        "stack",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, noise_shape(case))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [case.batch, 1])],
        weights,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def noise_shape(case: Case) -> list[int]:
    return [case.steps, case.batch, case.features]


def quantized(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with its LSTM layers as DynamicQuantizeLSTM: weights of 8 bits, a scale a column."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.onnx")
        quantize_dynamic(model, path, op_types_to_quantize=["LSTM"], per_channel=True)
        result = onnx.load(path)
    kinds = [node.op_type for node in result.graph.node]
    if "DynamicQuantizeLSTM" not in kinds:
        raise RuntimeError(f"nothing was quantized: {kinds}")
    return result


class Onnx:
    def __init__(self, options: argparse.Namespace):
        self.make = (lambda case: quantized(make_model(case))) if options.quantize else make_model
        self.settings = onnxruntime.SessionOptions()
        self.settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        self.settings.intra_op_num_threads = options.threads
        self.settings.inter_op_num_threads = 1
        self.settings.log_severity_level = 3

    def info(self) -> str:
        return f"ONNX Runtime {onnxruntime.__version__}; Python {platform.python_version()}"

    def ways(self, what: str) -> list[str]:
        return ["steps first"] if what == "predict" else []

    def prepare(self, case: Case, what: str, way: str, check: bool):
        session = onnxruntime.InferenceSession(
            self.make(case).SerializeToString(), self.settings, ["CPUExecutionProvider"]
        )
        x = numpy.ascontiguousarray(noise_data(case)[0].transpose(1, 0, 2))
        y = onnxruntime.OrtValue.ortvalue_from_numpy(numpy.zeros((case.batch, 1), numpy.float32))
        binding = session.io_binding()
        binding.bind_ortvalue_input("x", onnxruntime.OrtValue.ortvalue_from_numpy(x))
        binding.bind_ortvalue_output("y", y)

        def predict() -> onnxruntime.OrtValue:
            session.run_with_iobinding(binding)
            return y

        return predict

    def numbers(self, result: onnxruntime.OrtValue) -> list[float]:
        return result.numpy().ravel().tolist()

    def forget(self) -> None:
        pass


if __name__ == "__main__":
    serve(Onnx)
