"""ONNX files as PyTorch, tf2onnx and onnx.helper write them, with their outputs: tests/golden/onnx
and onnx_files.txt.

Inputs are (B, T, F) and outputs (B, T, U) or (B, U), as strata has them, whatever the files' order.
Outputs are ONNX Runtime's; of the cases of ONNX' own backend tests, those that these bring.
"""

import os

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from golden_file import GoldenFile, draw, rng

PACKAGES = (
    "numpy",
    "onnx",
    "onnxruntime",
    "onnxscript",
    "torch",
    "tf2onnx",
    "keras",
    "tensorflow-cpu",
)


class Files:
    def __init__(self, folder, file):
        self.folder = os.path.join(folder, "onnx")
        self.file = file
        os.makedirs(self.folder, exist_ok=True)

    def path(self, name):
        return os.path.join(self.folder, f"{name}.onnx")

    def add(self, name, x, steps_first=False):
        """A file that is written already, run on x."""
        session = onnxruntime.InferenceSession(self.path(name), providers=["CPUExecutionProvider"])
        feed = x.transpose(1, 0, 2) if steps_first else x
        y = session.run(None, {session.get_inputs()[0].name: feed})[0]
        self.add_values(name, x, y.transpose(1, 0, 2) if steps_first and y.ndim == 3 else y)

    def add_values(self, name, x, y):
        self.file.add(f"{name}.x", x)
        self.file.add(f"{name}.y", y)

    def save(self, name, model):
        onnx.checker.check_model(model)
        with open(self.path(name), "wb") as file:
            file.write(model.SerializeToString(deterministic=True))


def sequence(name, b=2, t=5, f=2):
    return draw(rng(f"onnx_files.{name}.x"), b, t, f).astype(np.float32)


# PyTorch, by both of its exporters.


def torch_models():
    import torch

    def numbers(name, module):
        random = rng(f"onnx_files.{name}")
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.copy_(torch.tensor(draw(random, *parameter.shape)))
        return module.eval()

    class Recurrent(torch.nn.Module):
        def __init__(self, name, kind, head=2, pick="all", after=None, **options):
            super().__init__()
            self.recurrent = getattr(torch.nn, kind)(**options)
            width = options.get("proj_size") or options["hidden_size"]
            width *= 2 if options.get("bidirectional") else 1
            self.head = torch.nn.Linear(width, head) if head else None
            self.pick, self.after = pick, after
            numbers(name, self)

        def forward(self, x):
            y, state = self.recurrent(x)
            h = state[0] if isinstance(state, tuple) else state
            if self.pick == "last":
                y = y[:, -1]
            elif self.pick == "h_n":
                y = h[-1]
            elif self.pick == "both":
                y = torch.cat([h[-2], h[-1]], 1)
            if self.head:
                y = self.head(y)
            return self.after(y) if self.after else y

    def recurrent(name, kind, layers=1, **options):
        return name, Recurrent(
            name, kind, input_size=2, hidden_size=3, num_layers=layers, **{"batch_first": True, **options}
        )

    yield recurrent("lstm", "LSTM", head=None)
    yield recurrent("stack_2", "LSTM", 2, pick="last", after=torch.relu)
    yield recurrent("stack_3", "LSTM", 3, pick="h_n", dropout=0.5)
    yield recurrent("stack_4", "LSTM", 4)
    yield recurrent("both", "LSTM", bidirectional=True, after=torch.tanh)
    yield recurrent("both_2", "LSTM", 2, bidirectional=True, pick="last")
    yield recurrent("both_states", "GRU", 2, bidirectional=True, pick="both")
    yield recurrent("gru_2", "GRU", 2, pick="h_n", after=lambda y: torch.softmax(y, -1))
    yield recurrent("no_bias", "LSTM", 2, bias=False, pick="last")
    yield recurrent("rnn", "RNN", nonlinearity="relu")
    yield recurrent("rnn_tanh", "RNN", 2, pick="h_n")
    yield recurrent("projection", "LSTM", proj_size=2)
    yield recurrent("steps_first", "LSTM", 2, batch_first=False, head=None)
    around = torch.nn.Sequential(
        torch.nn.Linear(2, 4), torch.nn.ELU(), torch.nn.LayerNorm(4), torch.nn.Dropout(0.5), torch.nn.Linear(4, 3)
    )
    yield "linear", numbers("linear", around)


def torch_files(files):
    import torch

    torch.set_num_threads(1)
    for name, module in torch_models():
        x = sequence(name)
        steps_first = name == "steps_first"
        example = torch.tensor(x.transpose(1, 0, 2) if steps_first else x)
        axes = {1: "batch", 0: "steps"} if steps_first else {0: "batch", 1: "steps"}
        for exporter, options in (
            ("script", {"dynamic_axes": {"x": axes}, "input_names": ["x"], "output_names": ["y"]}),
            ("dynamo", {"dynamic_shapes": ({axis: torch.export.Dim.DYNAMIC for axis in axes},)}),
            ("fixed", {"input_names": ["x"], "output_names": ["y"]}),
        ):
            if exporter == "fixed" and name not in ("stack_2", "both_states"):
                continue
            # The exporter writes these as steps in a row, and as no operator at all.
            if exporter == "dynamo" and name in ("rnn", "rnn_tanh"):
                continue
            if name == "projection":
                continue
            case = f"torch_{exporter}_{name}"
            torch.onnx.export(
                module,
                (example,),
                files.path(case),
                dynamo=exporter == "dynamo",
                external_data=False,
                verbose=False,
                **options,
            )
            strip(files, case)
            files.add(case, x, steps_first)


def strip(files, case):
    """Without what says where the exporter ran: paths of sources."""
    model = onnx.load(files.path(case))
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for value in [*model.graph.input, *model.graph.output, *model.graph.value_info]:
        del value.metadata_props[:]
    del model.graph.value_info[:]
    del model.graph.metadata_props[:]
    del model.metadata_props[:]
    files.save(case, model)


# Keras, by tf2onnx.


def keras_files(files):
    import keras
    import tensorflow as tf
    import tf2onnx
    from keras import layers

    def both(layer, **options):
        return layers.Bidirectional(layer, **options)

    lstm = layers.LSTM
    stacks = {
        "lstm": [lstm(3)],
        "stack_2": [lstm(4, return_sequences=True), lstm(3), layers.Dense(2, activation="relu")],
        "stack_3": [
            lstm(2, return_sequences=True),
            layers.Dropout(0.5),
            lstm(2, return_sequences=True),
            lstm(2, return_sequences=True),
            layers.Dense(2, activation="softmax"),
        ],
        "both": [both(lstm(3, return_sequences=True)), both(lstm(2)), layers.Dense(1)],
        "both_ave": [both(lstm(3, return_sequences=True), merge_mode="ave")],
        "both_sum": [both(lstm(3), merge_mode="sum")],
        "both_mul": [both(lstm(3, return_sequences=True), merge_mode="mul")],
        "backwards": [lstm(3, go_backwards=True, return_sequences=True), lstm(2, go_backwards=True)],
        "repeat": [lstm(3), layers.RepeatVector(4), lstm(2, return_sequences=True), layers.Dense(2)],
    }
    for name, stack in stacks.items():
        keras.backend.clear_session()
        model = keras.Sequential([keras.Input((None, 2)), *stack])
        random = rng(f"onnx_files.keras.{name}")
        model.set_weights([draw(random, *one.shape) for one in model.get_weights()])
        signature = [tf.TensorSpec((None, None, 2), tf.float32, name="x")]
        function = tf.function(lambda x: model(x, training=False), input_signature=signature)
        case = f"keras_{name}"
        tf2onnx.convert.from_function(function, signature, opset=17, output_path=files.path(case))
        strip(files, case)
        files.add(case, sequence(case))


# Operators as such.


def node_model(nodes, initializers, x_shape, y_rank, opset=17, x_type=TensorProto.FLOAT, ir_version=8):
    x = helper.make_tensor_value_info("x", x_type, x_shape)
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [None] * y_rank)
    tensors = [
        one if isinstance(one, onnx.TensorProto) else numpy_helper.from_array(one, name)
        for name, one in initializers.items()
    ]
    graph = helper.make_graph(nodes, "g", [x], [y], tensors)
    opsets = [helper.make_opsetid("", opset)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=ir_version, producer_name="onnx")


def recurrent_model(name, op, direction="forward", last=False, peepholes=False, **options):
    random = rng(f"onnx_files.node.{name}")
    gates = {"LSTM": 4, "GRU": 3, "RNN": 1}[op]
    d, f, u = 2 if direction == "bidirectional" else 1, 2, 3
    initializers = {
        "W": draw(random, d, gates * u, f).astype(np.float32),
        "R": draw(random, d, gates * u, u).astype(np.float32),
        "B": draw(random, d, 2 * gates * u).astype(np.float32),
    }
    inputs = ["t", "W", "R", "B"]
    if peepholes:
        initializers["P"] = draw(random, d, 3 * u).astype(np.float32)
        inputs += ["", "", "", "P"]
    outputs = ["", "h"] if last else ["s"]
    nodes = [
        helper.make_node("Transpose", ["x"], ["t"], perm=[1, 0, 2]),
        helper.make_node(op, inputs, outputs, hidden_size=u, direction=direction, **options),
    ]
    shape = lambda values: np.array(values, np.int64)
    if direction == "bidirectional":
        nodes.append(helper.make_node("Transpose", [outputs[-1]], ["a"], perm=[1, 0, 2] if last else [2, 0, 1, 3]))
        initializers["shape"] = shape([0, 2 * u] if last else [0, 0, 2 * u])
        nodes.append(helper.make_node("Reshape", ["a", "shape"], ["y"]))
    else:
        initializers["one"] = shape([0] if last else [1])
        nodes.append(helper.make_node("Squeeze", [outputs[-1], "one"], ["y" if last else "z"]))
        if not last:
            nodes.append(helper.make_node("Transpose", ["z"], ["y"], perm=[1, 0, 2]))
    return node_model(nodes, initializers, ["b", "t", f], 2 if last else 3)


def node_files(files):
    sixth = 1 / 6

    def recurrent(name, op, **options):
        model = recurrent_model(name, op, **options)
        files.save(f"node_{name}", model)
        files.add(f"node_{name}", sequence(name))

    recurrent("peepholes", "LSTM", peepholes=True)
    recurrent("peepholes_both", "LSTM", peepholes=True, direction="bidirectional", last=True)
    recurrent("coupled", "LSTM", input_forget=1)
    recurrent("coupled_peepholes", "LSTM", input_forget=1, peepholes=True)
    recurrent("clip", "GRU", clip=0.5, linear_before_reset=1)
    recurrent("reverse", "LSTM", direction="reverse", last=True)
    recurrent("gru_before", "GRU", last=True)
    recurrent("gru_before_both", "GRU", direction="bidirectional")
    recurrent("gru_after", "GRU", linear_before_reset=1, direction="reverse", last=True)
    recurrent("rnn_both", "RNN", direction="bidirectional", activations=["Relu", "Relu"])
    recurrent(
        "activations",
        "LSTM",
        activations=["HardSigmoid", "Softsign", "Affine"],
        activation_alpha=[sixth, 1.0],
        activation_beta=[0.5, 0.0],
    )
    recurrent("activations_gru", "GRU", activations=["Sigmoid", "Elu"], activation_alpha=[1.0])

    for name, model, x in other_models():
        files.save(f"node_{name}", model)
        files.add(f"node_{name}", x)


def other_models():
    """What the exporters above do not write."""
    random = rng("onnx_files.others")
    number = lambda *shape: draw(random, *shape).astype(np.float32)
    whole = lambda *values: np.array(values, np.int64)
    node = helper.make_node

    lstm = {"W": number(1, 12, 2), "R": number(1, 12, 3), "B": number(1, 24)}
    yield (
        "embedding",
        node_model(
            [
                node("Gather", ["E", "x"], ["e"]),
                node("Transpose", ["e"], ["t"], perm=[1, 0, 2]),
                node("LSTM", ["t", "W", "R", "B"], ["", "h"], hidden_size=3),
                node("Squeeze", ["h", "zero"], ["y"]),
            ],
            {"E": number(7, 2), **lstm, "zero": whole(0)},
            ["b", "t"],
            2,
            x_type=TensorProto.INT64,
        ),
        random.integers(0, 7, (2, 5)),
    )
    norm = {name: number(2) for name in ("g", "b", "m")}
    yield (
        "batch_normalization",
        node_model(
            [
                node("Transpose", ["x"], ["c"], perm=[0, 2, 1]),
                node("BatchNormalization", ["c", "g", "b", "m", "v"], ["n"], epsilon=1e-3),
                node("Transpose", ["n"], ["t"], perm=[2, 0, 1]),
                node("LSTM", ["t", "W", "R", "B"], ["s"], hidden_size=3),
                node("Squeeze", ["s", "one"], ["q"]),
                node("ReduceMean", ["q"], ["y"], axes=[0], keepdims=0),
            ],
            {**norm, "v": np.abs(number(2)), **lstm, "one": whole(1)},
            ["b", "t", 2],
            2,
        ),
        sequence("batch_normalization"),
    )
    yield (
        "shapes",
        node_model(
            [
                node("Reshape", ["x", "to"], ["r"]),
                node("MatMul", ["r", "K"], ["k"]),
                node("Flatten", ["k"], ["f"]),
                node("Gemm", ["f", "G", "c"], ["m"], transB=1, alpha=0.5, beta=2.0),
                node("Softplus", ["m"], ["s"]),
                node("Softsign", ["s"], ["y"]),
            ],
            {"to": whole(-1, 5, 2), "K": number(2, 3), "G": number(4, 15), "c": number(4)},
            ["b", 10],
            2,
        ),
        number(3, 10),
    )
    # Before opset 10, sizes and places are attributes; before 13, axes are.
    yield (
        "opset_9",
        node_model(
            [
                node("Transpose", ["x"], ["t"], perm=[1, 0, 2]),
                node("LSTM", ["t", "W", "R", "B"], ["s"], hidden_size=3),
                node("Squeeze", ["s"], ["q"], axes=[1]),
                node("Slice", ["q"], ["l"], axes=[0], starts=[-1], ends=[2**31 - 1]),
                node("Squeeze", ["l"], ["z"], axes=[0]),
                node("Dropout", ["z"], ["d"], ratio=0.5),
                node("Softmax", ["d"], ["y"], axis=1),
            ],
            lstm,
            ["b", "t", 2],
            2,
            opset=9,
            ir_version=4,
        ),
        sequence("opset_9"),
    )
    # Every type of numbers, as bytes and one by one.
    stored = {
        "W_stored": numpy_helper.from_array(lstm["W"].astype(np.float16), "W_stored"),
        "R_stored": helper.make_tensor("R_stored", TensorProto.FLOAT16, [1, 12, 3], lstm["R"].ravel()),
        "B_stored": helper.make_tensor("B_stored", TensorProto.BFLOAT16, [1, 24], lstm["B"].ravel()),
        "K_stored": helper.make_tensor("K_stored", TensorProto.DOUBLE, [3, 1], number(3).ravel()),
        "b": helper.make_tensor("b", TensorProto.FLOAT, [1], number(1)),
    }
    cast = [node("Cast", [name + "_stored"], [name], to=TensorProto.FLOAT) for name in "WRBK"]
    yield (
        "types",
        node_model(
            [
                *cast,
                node("Transpose", ["x"], ["t"], perm=[1, 0, 2]),
                node("LSTM", ["t", "W", "R", "B"], ["s"], hidden_size=3),
                node("Squeeze", ["s", "one"], ["q"]),
                node("Transpose", ["q"], ["a"], perm=[1, 0, 2]),
                node("MatMul", ["a", "K"], ["k"]),
                node("Add", ["b", "k"], ["y"]),
            ],
            {**stored, "one": whole(1)},
            ["b", "t", 2],
            3,
        ),
        sequence("types"),
    )


# ONNX' own tests of its operators.


def backend_files(files):
    from onnx.backend.test.case.node import collect_testcases

    for case in collect_testcases(None):
        model = case.model
        graph = model.graph
        if graph.node[0].op_type not in ("LSTM", "GRU", "RNN"):
            continue
        inputs, outputs = case.data_sets[0]
        batch_first = any(a.name == "layout" and a.i == 1 for a in graph.node[0].attribute)
        for value, numbers in list(zip(graph.input, inputs))[1:]:
            graph.initializer.append(numpy_helper.from_array(numbers, value.name))
        del graph.input[1:]
        name = f"backend_{case.name.removeprefix('test_')}"
        files.save(name, model)
        files.file.add(f"{name}.x", inputs[0] if batch_first else inputs[0].transpose(1, 0, 2))
        for value, y in zip(graph.output, outputs):
            # (T, D, B, U), (B, T, D, U), (D, B, U) or (B, D, U), with the directions side by side.
            if not batch_first:
                y = y.transpose(2, 0, 1, 3) if value.name == "Y" else y.transpose(1, 0, 2)
            y = y.reshape(*y.shape[:-2], -1)
            files.file.add(f"{name}.{value.name}", y)


PARTS = {"torch": [torch_files], "keras": [keras_files], "onnx": [node_files, backend_files]}


def onnx_files(folder, part):
    """TensorFlow and PyTorch cannot share a process, so each part has a text file of its own."""
    file = GoldenFile(f"models of ONNX by {part}, float32", 9, PACKAGES)
    files = Files(folder, file)
    for write in PARTS[part]:
        write(files)
    return file
