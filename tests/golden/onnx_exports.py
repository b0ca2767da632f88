"""ONNX files as users of PyTorch export them: weights in files of their own, states as inputs and
outputs, constants around the layers, activations that exporters write as formulas, sums around
layers. Written to tests/golden/onnx, with their outputs by ONNX Runtime in onnx_exports.txt.

Each model is exported by both exporters, as script_NAME and dynamo_NAME.
"""

import os

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn

from golden_file import GoldenFile, draw, rng

PACKAGES = ("numpy", "onnx", "onnxruntime", "onnxscript", "torch")


# Models of the older exporter alone: the newer one takes seconds for each, and cannot write `clamped`.
SCRIPT_ONLY = {
    "celu",
    "clamped",
    "elu",
    "gelu_by_hand",
    "halved",
    "leaky_relu_default",
    "mean_kept",
    "relu6",
    "residual_dense",
    "reshaped_column",
    "reshaped_twice",
    "scaled",
    "shifted",
    "softsign",
    "standardized_by_number",
    "turned",
    "univariate_conv",
}


def numbers(name, module):
    """The module with weights that depend on the name alone."""
    random = rng(f"onnx_exports.{name}")
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.tensor(draw(random, *parameter.shape)))
    return module.eval()


def sequence(name, b=2, t=5, f=3, scale=2.0):
    return draw(rng(f"onnx_exports.{name}.x"), b, t, f, scale=scale).astype(np.float32)


class Forecaster(nn.Module):
    """front(x), an LSTM, back(its steps)."""

    def __init__(self, name, front=None, back=None, f=3, u=4, layers=1, kind="LSTM"):
        super().__init__()
        self.front, self.back = front, back
        self.recurrent = getattr(nn, kind)(f, u, layers, batch_first=True)
        numbers(name, self)

    def forward(self, x):
        if self.front:
            x = self.front(x)
        y = self.recurrent(x)[0]
        return self.back(y) if self.back else y


class OneInput(nn.Module):
    """A module of one input, whose axes the newer exporter can be told."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, x):
        return self.module(x)


class Function(nn.Module):
    """A function and the parts that it calls."""

    def __init__(self, function, *parts):
        super().__init__()
        self.parts = nn.ModuleList(parts)
        self.function = function

    def forward(self, *x):
        return self.function(*self.parts, *x)


# Models of one input (B, T, F) and one output.


class Constants(nn.Module):
    """A function of x and of two constants (F)."""

    def __init__(self, function, mean=(1.0, -2.0, 30.0), std=(0.5, 2.0, 8.0)):
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("std", torch.tensor(std))
        self.function = function

    def forward(self, x):
        return self.function(x, self.mean, self.std)


def constants():
    functions = {
        "standardized": lambda x, mean, std: (x - mean) / std,
        "standardized_by_number": lambda x, mean, std: (x - mean) / 2,
        "standardized_by_factor": lambda x, mean, std: (x - mean) * std,
        "shifted": lambda x, mean, std: x + mean,
        "scaled": lambda x, mean, std: 0.25 * x,
        "halved": lambda x, mean, std: x / 2,
        "turned": lambda x, mean, std: 1 - x,
        "minmax": lambda x, mean, std: (x - mean) / (std - mean) * 2 - 1,
    }
    for name, function in functions.items():
        yield name, Forecaster(name, Constants(function))
    back = Constants(lambda y, mean, std: y[:, -1] * std + mean, [21.5], [0.5])
    yield "denormalized", Forecaster("denormalized", back=back)
    stack = [
        Constants(lambda x, mean, std: (x - mean) / std),
        nn.LSTM(3, 4, batch_first=True),
        nn.Linear(4, 3),
        Constants(lambda y, mean, std: y * std + mean),
    ]
    both = Function(lambda front, lstm, fc, back, x: back(fc(lstm(front(x))[0])), *stack)
    yield "both_ways", numbers("both_ways", both)


def activations():
    modules = {
        "leaky_relu": nn.LeakyReLU(0.2),
        "leaky_relu_default": nn.LeakyReLU(),
        "prelu": nn.PReLU(),
        "elu": nn.ELU(0.5),
        "gelu": nn.GELU(),
        "gelu_tanh": nn.GELU("tanh"),
        "silu": nn.SiLU(),
        "selu": nn.SELU(),
        "mish": nn.Mish(),
        "relu6": nn.ReLU6(),
        "hard_sigmoid": nn.Hardsigmoid(),
        "softsign": nn.Softsign(),
        "celu": nn.CELU(),
    }
    for name, module in modules.items():
        stack = nn.Sequential(nn.Linear(3, 4), module, nn.Linear(4, 2))
        yield name, numbers(name, Function(lambda *all: stack(all[-1]), *stack))
    yield "silu_by_hand", Forecaster("silu_by_hand", lambda x: x * torch.sigmoid(x))
    yield "mish_by_hand", Forecaster("mish_by_hand", lambda x: x * torch.tanh(nn.functional.softplus(x)))
    yield (
        "gelu_by_hand",
        Forecaster("gelu_by_hand", lambda x: 0.5 * x * (1 + torch.erf(x / 2**0.5))),
    )
    yield (
        "gelu_tanh_by_hand",
        Forecaster("gelu_tanh_by_hand", lambda x: 0.5 * x * (
            1 + torch.tanh((2 / torch.pi) ** 0.5 * (x + 0.044715 * x**3)))),
    )
    yield "clamped", Forecaster("clamped", lambda x: torch.clamp(x, 0, 1.5))


def steps():
    lstm = lambda f=3, u=4: nn.LSTM(f, u, batch_first=True)

    def of(name, function, *parts):
        return name, numbers(name, Function(function, *parts))

    yield of("mean", lambda a, fc, x: fc(a(x)[0].mean(1)), lstm(), nn.Linear(4, 2))
    yield of("mean_kept", lambda a, fc, x: fc(a(x)[0].mean(dim=1, keepdim=True))[:, 0], lstm(), nn.Linear(4, 2))
    yield of("max", lambda a, fc, x: fc(a(x)[0].amax(1)), lstm(), nn.Linear(4, 2))
    yield of("max_values", lambda a, fc, x: fc(a(x)[0].max(1).values), lstm(), nn.Linear(4, 2))
    yield of("pooled_mean", lambda a, p, fc, x: fc(p(a(x)[0].transpose(1, 2)).squeeze(-1)), lstm(), nn.AdaptiveAvgPool1d(1), nn.Linear(4, 2))
    yield of("pooled_max", lambda a, p, fc, x: fc(p(a(x)[0].transpose(1, 2)).squeeze(-1)), lstm(), nn.AdaptiveMaxPool1d(1), nn.Linear(4, 2))
    yield of("residual", lambda a, b, fc, x: fc(b(h := a(x)[0])[0] + h), lstm(), lstm(4, 4), nn.Linear(4, 2))
    yield of("residual_input", lambda a, fc, x: fc(x + a(x)[0]), lstm(3, 3), nn.Linear(3, 2))
    yield of("residual_dense", lambda a, d, fc, x: fc((h := a(x)[0]) + torch.relu(d(h))), lstm(), nn.Linear(4, 4), nn.Linear(4, 2))
    yield of("residual_chain", lambda a, d, e, fc, x: fc((h := a(x)[0]) + e(torch.tanh(d(h)))), lstm(), nn.Linear(4, 5), nn.Linear(5, 4), nn.Linear(4, 2))
    yield of("residual_gru_2", lambda a, b, x: (h := x + a(x)[0]) + b(h)[0], nn.GRU(3, 3, batch_first=True), nn.GRU(3, 3, batch_first=True))
    yield of("repeated", lambda a, b, fc, x: fc(b(a(x)[1][0][-1].unsqueeze(1).repeat(1, 4, 1))[0]), lstm(), lstm(4, 3), nn.Linear(3, 2))
    yield of("expanded", lambda a, b, fc, x: fc(b(a(x)[0][:, -1:].expand(-1, 4, -1))[0]), lstm(), lstm(4, 3), nn.Linear(3, 2))


def causal(k, d=1):
    return lambda conv, x: conv(nn.functional.pad(x.transpose(1, 2), ((k - 1) * d, 0))).transpose(1, 2)


def convolutions():
    lstm = lambda f=4, u=3: nn.LSTM(f, u, batch_first=True)

    def of(name, function, *parts):
        return name, numbers(name, Function(function, *parts))

    yield of("conv", lambda c, a, x: a(c(x.transpose(1, 2)).transpose(1, 2))[0], nn.Conv1d(3, 4, 3), lstm())
    yield of("conv_causal", lambda c, a, x: a(torch.relu(causal(3)(c, x)))[0], nn.Conv1d(3, 4, 3), lstm())
    yield of("conv_dilated", lambda c, e, a, x: a(causal(2, 2)(e, torch.tanh(causal(3)(c, x))))[0], nn.Conv1d(3, 4, 3), nn.Conv1d(4, 4, 2, dilation=2, bias=False), lstm())
    yield of("conv_chomped", lambda c, a, x: a(c(x.transpose(1, 2))[:, :, :-2].transpose(1, 2))[0], nn.Conv1d(3, 4, 3, padding=2), lstm())


class Exports:
    def __init__(self, folder):
        self.folder = os.path.join(folder, "onnx")
        self.file = GoldenFile("ONNX files as PyTorch exports them, float32", 9, PACKAGES)

    def path(self, name):
        return os.path.join(self.folder, f"{name}.onnx")

    def export(self, name, module, x, dynamo, **options):
        path = self.path(name)
        torch.onnx.export(module, x, path, dynamo=dynamo, external_data=False, verbose=False, **options)
        strip(path)

    def session(self, name):
        return onnxruntime.InferenceSession(self.path(name), providers=["CPUExecutionProvider"])

    def chain(self, name, module, x, open_axes=(0, 1), taken=lambda x: x, opset=None):
        """A model of one input and one output, by both exporters, with any batch and steps, or with
        any sizes of other axes. Of an opset, by the older exporter alone."""
        example = (torch.tensor(x),)
        axes = {"x": {axis: f"size_{axis}" if axis > 1 else ("batch", "steps")[axis] for axis in open_axes}}
        dynamic = torch.export.Dim.DYNAMIC
        version = {"opset_version": opset} if opset else {}
        for exporter, options in (
            ("script", {"dynamic_axes": axes, "input_names": ["x"], "output_names": ["y"], **version}),
            ("dynamo", {"dynamic_shapes": ({axis: dynamic for axis in open_axes},)}),
        ):
            if exporter == "dynamo" and (name in SCRIPT_ONLY or opset):
                continue
            case = f"{exporter}_{name}"
            self.export(case, OneInput(module), example, exporter == "dynamo", **options)
            self.add(case, x, taken)

    def add(self, case, x, taken=lambda x: x):
        """`taken(x)`: the input with its axes as the model of strata's takes them."""
        session = self.session(case)
        self.file.add(f"{case}.x", taken(x))
        self.file.add(f"{case}.y", session.run(None, {session.get_inputs()[0].name: x})[0])

    def stream(self, case, x, b):
        """A model that is called step by step, or with all steps, from states that are not zero."""
        session = self.session(case)
        names = [one.name for one in session.get_inputs()]
        self.file.add(f"{case}.x", x)
        rows = []
        random = rng(f"onnx_exports.{case}")
        states = [
            draw(random, *[b if not isinstance(size, int) else size for size in one.shape]).astype(np.float32)
            for one in session.get_inputs()[1:]
        ]
        for name, state in zip(names[1:], states):
            self.file.add(f"{case}.{name}", state)
        for step in range(x.shape[1]):
            y, *states = session.run(None, dict(zip(names, [x[:, step : step + 1], *states])))
            rows.append(y.reshape(b, 1, -1))
        self.file.add(f"{case}.y", np.concatenate(rows, 1))
        for one, state in zip(session.get_outputs()[1:], states):
            self.file.add(f"{case}.{one.name}", state)


def strip(path):
    """Without what says where the exporter ran: paths of sources."""
    model = onnx.load(path)
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for value in [*model.graph.input, *model.graph.output]:
        del value.metadata_props[:]
    del model.graph.value_info[:]
    del model.graph.metadata_props[:]
    del model.metadata_props[:]
    onnx.checker.check_model(model)
    with open(path, "wb") as file:
        file.write(model.SerializeToString(deterministic=True))


def streams(exports):
    def lstm_2(a, fc, x, h0, c0):
        y, (h, c) = a(x, (h0, c0))
        return fc(y), h, c

    def gru(a, fc, x, h0):
        y, h = a(x, h0)
        return fc(y[:, -1]), h

    def apart(a, b, fc, x, h1, c1, h2):
        y, (h, c) = a(x, (h1.unsqueeze(0), c1.unsqueeze(0)))
        y, g = b(y, h2)
        return fc(y), h.squeeze(0), c.squeeze(0), g

    def batch_first(a, fc, x, h0, c0):
        y, (h, c) = a(x, (h0.transpose(0, 1), c0.transpose(0, 1)))
        return fc(y), h.transpose(0, 1), c.transpose(0, 1)

    lstm = lambda f, u, n=1: nn.LSTM(f, u, n, batch_first=True)
    models = {
        "stream": (lstm_2, [lstm(2, 4, 2), nn.Linear(4, 1)], [(2, 1, 4), (2, 1, 4)]),
        "stream_gru": (gru, [nn.GRU(2, 3, 2, batch_first=True), nn.Linear(3, 1)], [(2, 1, 3)]),
        "stream_apart": (
            apart,
            [lstm(2, 3), nn.GRU(3, 2, batch_first=True), nn.Linear(2, 1)],
            [(1, 3), (1, 3), (1, 1, 2)],
        ),
        "stream_batch_first": (batch_first, [lstm(2, 3, 2), nn.Linear(3, 1)], [(1, 2, 3), (1, 2, 3)]),
    }
    outputs = {"stream": ["hn", "cn"], "stream_gru": ["hn"], "stream_apart": ["h1n", "c1n", "h2n"]}
    for name, (function, parts, shapes) in models.items():
        module = numbers(name, Function(function, *parts))
        inputs = {"stream_apart": ["h1", "c1", "h2"], "stream_gru": ["h0"]}.get(name, ["h0", "c0"])
        states = [torch.zeros(*shape) for shape in shapes]
        for exporter in ("script", "dynamo"):
            case = f"{exporter}_{name}"
            names = {"input_names": ["x", *inputs], "output_names": ["y", *outputs.get(name, ["hn", "cn"])]}
            exports.export(case, module, (torch.zeros(1, 1, 2), *states), exporter == "dynamo", **names)
            exports.stream(case, sequence(name, 1, 5, 2), 1)
    # Any batch and steps.
    function, parts, _ = models["stream"]
    module = numbers("stream_dynamic", Function(function, *[lstm(2, 4, 2), nn.Linear(4, 1)]))
    axes = {"x": {0: "batch", 1: "steps"}, "h0": {1: "batch"}, "c0": {1: "batch"}}
    exports.export(
        "script_stream_dynamic", module, (torch.zeros(2, 5, 2), torch.zeros(2, 2, 4), torch.zeros(2, 2, 4)), False,
        dynamic_axes=axes, input_names=["x", "h0", "c0"], output_names=["y", "hn", "cn"])
    exports.stream("script_stream_dynamic", sequence("stream_dynamic", 2, 5, 2), 2)


def heads(exports):
    """Two heads, of which each has its nodes; and a head of operators that strata does not have."""

    def two(a, mu, sigma, x):
        y = a(x)[0][:, -1]
        return mu(y), torch.cumsum(sigma(y), -1)

    module = numbers("heads", Function(two, nn.LSTM(3, 4, batch_first=True), nn.Linear(4, 1), nn.Linear(4, 2)))
    x = sequence("heads")
    for exporter in ("script", "dynamo"):
        case = f"{exporter}_heads"
        exports.export(case, module, (torch.tensor(x),), exporter == "dynamo", input_names=["x"], output_names=["y1", "y2"])
        exports.file.add(f"{case}.x", x)
        exports.file.add(f"{case}.y1", exports.session(case).run(["y1"], {"x": x})[0])


def beside(exports):
    """Weights in a file beside the model, and each in one of its own."""
    module = numbers("external", Function(lambda a, fc, x: fc(a(x)[0]), nn.LSTM(2, 8, 2, batch_first=True), nn.Linear(8, 1)))
    x = sequence("external", f=2)
    path = exports.path("external")
    torch.onnx.export(module, (torch.tensor(x),), path, verbose=False)
    model = onnx.load(path, load_external_data=False)
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for value in [*model.graph.input, *model.graph.output]:
        del value.metadata_props[:]
    del model.graph.value_info[:]
    del model.graph.metadata_props[:]
    del model.metadata_props[:]
    with open(path, "wb") as file:
        file.write(model.SerializeToString(deterministic=True))
    exports.add("external", x)
    # Each tensor in a file of its own, as onnx.save writes them.
    whole = onnx.load(path)
    for number, tensor in enumerate(whole.graph.initializer):
        tensor.name, before = f"weight_{number}", tensor.name
        for node in whole.graph.node:
            node.input[:] = [tensor.name if name == before else name for name in node.input]
    onnx.external_data_helper.convert_model_to_external_data(whole, all_tensors_to_one_file=False, size_threshold=900)
    os.makedirs(os.path.join(exports.folder, "external_files"), exist_ok=True)
    onnx.save(whole, exports.path("external_files/model"))
    session = onnxruntime.InferenceSession(exports.path("external_files/model"), providers=["CPUExecutionProvider"])
    exports.file.add("external_files/model.x", x)
    exports.file.add("external_files/model.y", session.run(None, {session.get_inputs()[0].name: x})[0])


def opsets(exports):
    """The older exporter, with the operators of older versions."""

    def network(front, a, b, fc, x):
        y = b(torch.nn.functional.relu6(a(front(x))[0]))[0]
        return fc(y.amax(1))

    parts = [
        Constants(lambda x, mean, std: (x - mean) / std),
        nn.LSTM(3, 4, batch_first=True),
        nn.GRU(4, 3, batch_first=True),
        nn.Linear(3, 2),
    ]
    module = OneInput(numbers("opsets", Function(network, *parts)))
    x = sequence("opsets")
    for opset in (9, 11, 13, 15, 18):
        case = f"script_opset_{opset}"
        options = {
            "opset_version": opset,
            "dynamic_axes": {"x": {0: "batch", 1: "steps"}},
            "input_names": ["x"],
            "output_names": ["y"],
        }
        exports.export(case, module, (torch.tensor(x),), False, **options)
        exports.add(case, x)


def given(exports):
    """Files that were there before this generator: case_*.onnx."""
    exports.stream("case_stateful_stream", sequence("case_stateful", 1, 5, 2), 1)
    x = sequence("case_normalization", 1, 20, 3)
    exports.add("case_normalization_message", x)
    x = sequence("case_chosen_output", 1, 20, 3)
    name = "case_chosen_output_heads"
    exports.file.add(f"{name}.x", x)
    exports.file.add(f"{name}.y1", exports.session(name).run(["y1"], {"x": x})[0])


def axes(exports):
    """Inputs, steps and directions whose axes are somewhere else than strata has them."""
    lstm = lambda f, u, **more: nn.LSTM(f, u, batch_first=True, **more)
    turned = lambda x: x.swapaxes(1, 2)
    column = lambda x: x[:, :, None]

    def chain(name, function, *parts, x=None, **more):
        x = sequence(name) if x is None else x
        exports.chain(name, numbers(name, Function(function, *parts)), x, **more)

    # Behind a Reshape, whose two axes nothing but their order tells apart.
    last = lambda a, fc, x: fc(a(x)[0][:, -1])
    chain("reshape_turned", lambda a, fc, x: last(a, fc, x).view(-1, 2, 4).transpose(1, 2), lstm(3, 4), nn.Linear(4, 8))
    chain("reshape_turned_dense", lambda a, b, fc, x: fc(torch.tanh(b(a(x)[0][:, -1])).view(-1, 2, 4).transpose(1, 2)), lstm(3, 4), nn.Linear(4, 8), nn.Linear(2, 3))
    chain("reshape_turned_lstm", lambda a, b, c, x: c(b(a(x)[0][:, -1]).view(-1, 2, 4).transpose(1, 2))[0], lstm(3, 4), nn.Linear(4, 8), lstm(2, 3))
    chain("reshape_turned_conv", lambda a, b, c, x: c(b(a(x)[0][:, -1]).view(-1, 2, 4)).transpose(1, 2), lstm(3, 4), nn.Linear(4, 8), nn.Conv1d(2, 3, 2))
    chain("reshape_turned_late", lambda a, b, fc, x: fc(b(a(x)[0][:, -1]).view(-1, 2, 4)).transpose(1, 2), lstm(3, 4), nn.Linear(4, 8), nn.Linear(4, 3))
    chain("reshaped_column", lambda a, fc, x: last(a, fc, x).reshape(-1, 5, 1), lstm(3, 4), nn.Linear(4, 5))
    chain("reshaped_twice", lambda a, fc, b, x: b(last(a, fc, x).view(-1, 5, 1))[0], lstm(3, 4), nn.Linear(4, 5), lstm(1, 3))
    chain("one_step_again", lambda a, b, x: b(a(x)[0][:, -1:])[0], lstm(3, 4), nn.GRU(4, 3, batch_first=True))
    # Sums of the halves of a bidirectional layer.
    both = lambda: lstm(3, 4, bidirectional=True)
    chain("halves_added", lambda a, fc, x: fc((y := a(x)[0])[:, :, :4] + y[:, :, 4:]), both(), nn.Linear(4, 2))
    chain("halves_averaged", lambda a, fc, x: fc(((y := a(x)[0])[..., 4:] + y[..., :4]) / 2), both(), nn.Linear(4, 2))
    chain("chunks_added", lambda a, fc, x: fc(sum(a(x)[0].chunk(2, -1))), nn.GRU(3, 4, batch_first=True, bidirectional=True), nn.Linear(4, 2))
    chain("last_of_halves", lambda a, fc, x: fc(torch.cat([(y := a(x)[0])[:, -1, :4], y[:, 0, 4:]], 1)), both(), nn.Linear(8, 2))
    # Channels first.
    x = turned(sequence("channels_first"))
    for name, sizes in (("any", (0, 2)), ("fixed", (0,))):
        more = {"x": x, "open_axes": sizes, "taken": turned}
        chain(f"channels_first_{name}", lambda a, fc, x: fc(a(x.transpose(1, 2))[0]), lstm(3, 4), nn.Linear(4, 2), **more)
        chain(f"conv_first_{name}", lambda c, a, x: a(torch.relu(c(x)).transpose(1, 2))[0], nn.Conv1d(3, 4, 2), lstm(4, 3), **more)
    chain("dense_first", lambda fc, a, x: a(fc(x.transpose(1, 2)))[0], nn.Linear(3, 4), lstm(4, 3), x=x, open_axes=(0,), taken=turned)
    chain("pad_first", lambda c, a, x: a(c(nn.functional.pad(x, (2, 0))).transpose(1, 2))[0], nn.Conv1d(3, 4, 3), lstm(4, 3), x=x, open_axes=(0,), taken=turned)
    x = turned(sequence("channels_square", t=3))
    chain("channels_square", lambda a, x: a(x.transpose(1, 2))[0], lstm(3, 4), x=x, open_axes=(0,), taken=turned)
    # One feature, without an axis.
    x = sequence("univariate")[:, :, 0]
    chain("univariate", lambda a, x: a(x.unsqueeze(-1))[0], lstm(1, 4), x=x, taken=column)
    chain("univariate_fixed", lambda a, x: a(x.view(x.shape[0], -1, 1))[0], lstm(1, 4), x=x, open_axes=(0,))
    chain("univariate_conv", lambda c, a, x: a(c(x.unsqueeze(1)).transpose(1, 2))[0], nn.Conv1d(1, 4, 2), lstm(4, 3), x=x, taken=column)


def decompositions(exports):
    """Layers and activations that exporters write as several nodes."""
    lstm = lambda f=3, u=4: nn.LSTM(f, u, batch_first=True)

    def chain(name, function, *parts, **more):
        exports.chain(name, numbers(name, Function(function, *parts)), sequence(name), **more)

    chain("softplus", lambda a, fc, x: nn.functional.softplus(fc(a(x)[0])), lstm(), nn.Linear(4, 2))
    chain("mish_dense", lambda a, b, fc, x: fc(nn.functional.mish(b(a(x)[0]))), lstm(), nn.Linear(4, 5), nn.Linear(5, 2))
    norm = lambda a, n, fc, x: fc(n(a(x)[0]))
    chain("layer_norm_14", norm, lstm(), nn.LayerNorm(4), nn.Linear(4, 2), opset=14)
    chain("layer_norm_plain_14", norm, lstm(), nn.LayerNorm(4, elementwise_affine=False), nn.Linear(4, 2), opset=14)
    chain("layer_norm_residual_14", lambda a, b, n, x: n((h := a(x)[0]) + b(h)[0]), lstm(), lstm(4, 4), nn.LayerNorm(4), opset=14)
    by_hand = lambda d: d * torch.rsqrt((d * d).mean(-1, keepdim=True) + 1e-3)
    chain("layer_norm_by_hand", lambda a, x: by_hand((y := a(x)[0]) - y.mean(-1, keepdim=True)), lstm(), opset=17)
    chain("repeated_as_input", lambda a, b, x: b(a(x)[0][:, -1].unsqueeze(1).repeat(1, x.shape[1], 1))[0], lstm(), lstm(4, 3), open_axes=(0,))
    chain("expanded_as_input", lambda a, b, x: b(a(x)[0][:, -1].unsqueeze(1).expand(-1, x.shape[1], -1))[0], lstm(), lstm(4, 3), open_axes=(0,))


def by_hand(exports):
    """Nodes as tf2onnx writes them."""
    helper = onnx.helper

    FLOAT, INT32 = onnx.TensorProto.FLOAT, onnx.TensorProto.INT32

    def save(name, nodes, constants, x_shape, y_shape, opset=15, x_type=FLOAT):
        value = helper.make_tensor_value_info
        graph = helper.make_graph(
            nodes, "graph", [value("x", x_type, x_shape)], [value("y", FLOAT, y_shape)],
            [onnx.numpy_helper.from_array(array, key) for key, array in constants.items()])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
        onnx.save(model, exports.path(name))
        strip(exports.path(name))

    def weights(name, *shape):
        return draw(rng(f"onnx_exports.{name}"), *shape).astype(np.float32)

    # The hard sigmoid of Keras 2, whose settings are those that ONNX has by default.
    for name, more in (
        ("hand_hard_sigmoid", {}),
        ("hand_hard_sigmoid_fifth", {"activation_alpha": [0.2], "activation_beta": [0.5]}),
    ):
        constants = {"W": weights(f"{name}.W", 1, 16, 3), "R": weights(f"{name}.R", 1, 16, 4), "B": weights(f"{name}.B", 1, 32)}
        nodes = [
            helper.make_node("Transpose", ["x"], ["t"], perm=[1, 0, 2]),
            helper.make_node("LSTM", ["t", "W", "R", "B"], ["", "h"], hidden_size=4, activations=["HardSigmoid", "Tanh", "Tanh"], **more),
            helper.make_node("Squeeze", ["h", "first"], ["y"]),
        ]
        save(name, nodes, constants | {"first": np.array([0])}, ["batch", "steps", 3], ["batch", 4])
        exports.add(name, sequence(name))
    # A batch of 1, with Reshapes in place of Transposes.
    name = "hand_batch_of_one"
    constants = {
        "W": weights(f"{name}.W", 1, 16, 3), "R": weights(f"{name}.R", 1, 16, 4), "B": weights(f"{name}.B", 1, 32),
        "K": weights(f"{name}.K", 4, 2), "b": weights(f"{name}.b", 2), "one": np.array([1]),
        "to": np.array([5, 1, 3]), "rows": np.array([5, 4]), "back": np.array([1, 5, 2]),
    }
    nodes = [
        helper.make_node("Reshape", ["x", "to"], ["t"]),
        helper.make_node("LSTM", ["t", "W", "R", "B"], ["s"], hidden_size=4),
        helper.make_node("Squeeze", ["s", "one"], ["u"]),
        helper.make_node("Reshape", ["u", "rows"], ["r"]),
        helper.make_node("MatMul", ["r", "K"], ["m"]),
        helper.make_node("Reshape", ["m", "back"], ["z"]),
        helper.make_node("Add", ["z", "b"], ["y"]),
    ]
    save(name, nodes, constants, [1, 5, 3], [1, 5, 2])
    exports.add(name, sequence(name, b=1))
    # Ids as floating-point numbers.
    name = "hand_float_ids"
    constants = {"E": weights(f"{name}.E", 7, 3), "W": weights(f"{name}.W", 1, 16, 3), "R": weights(f"{name}.R", 1, 16, 4), "first": np.array([0])}
    nodes = [
        helper.make_node("Cast", ["x"], ["i"], to=INT32),
        helper.make_node("Gather", ["E", "i"], ["e"]),
        helper.make_node("Transpose", ["e"], ["t"], perm=[1, 0, 2]),
        helper.make_node("LSTM", ["t", "W", "R"], ["", "h"], hidden_size=4),
        helper.make_node("Squeeze", ["h", "first"], ["y"]),
    ]
    save(name, nodes, constants, ["batch", "steps"], ["batch", 4])
    exports.add(name, rng(f"onnx_exports.{name}").integers(0, 7, size=(2, 5)).astype(np.float32))
    # Ids below 0 that count from the end, as Keras 3 has them.
    name = "hand_wrapped_ids"
    constants = {
        "E": weights(f"{name}.E", 7, 3), "W": weights(f"{name}.W", 1, 16, 3), "R": weights(f"{name}.R", 1, 16, 4),
        "V": np.array(7, np.int32), "zero": np.array(0, np.float32), "first": np.array([0]),
    }
    nodes = [
        helper.make_node("Add", ["x", "V"], ["added"]),
        helper.make_node("Cast", ["x"], ["number"], to=FLOAT),
        helper.make_node("Less", ["number", "zero"], ["below"]),
        helper.make_node("Not", ["below"], ["above"]),
        helper.make_node("Cast", ["above"], ["is_above"], to=INT32),
        helper.make_node("Mul", ["x", "is_above"], ["kept"]),
        helper.make_node("Cast", ["below"], ["is_below"], to=INT32),
        helper.make_node("Mul", ["is_below", "added"], ["wrapped"]),
        helper.make_node("Add", ["wrapped", "kept"], ["i"]),
        helper.make_node("Gather", ["E", "i"], ["e"]),
        helper.make_node("Transpose", ["e"], ["t"], perm=[1, 0, 2]),
        helper.make_node("LSTM", ["t", "W", "R"], ["", "h"], hidden_size=4),
        helper.make_node("Squeeze", ["h", "first"], ["y"]),
    ]
    save(name, nodes, constants, ["batch", "steps"], ["batch", 4], x_type=INT32)
    exports.add(name, rng(f"onnx_exports.{name}").integers(0, 7, size=(2, 5)).astype(np.int32))


def constant_fill(exports):
    """Zeros as the older exporter writes them for operators before version 9. ONNX Runtime has not
    the operator; its outputs are those of the same graph without the states of zeros."""
    name = "script_constant_fill_8"
    module = numbers(name, Function(lambda a, fc, x: fc(a(x)[0][:, -1]), nn.GRU(3, 4, batch_first=True), nn.Linear(4, 2)))
    x = sequence(name)
    path = exports.path(name)
    torch.onnx.export(
        OneInput(module), (torch.tensor(x),), path, dynamo=False, opset_version=8, verbose=False,
        dynamic_axes={"x": {0: "batch", 1: "steps"}}, input_names=["x"], output_names=["y"])
    model = onnx.load(path)
    model.graph.doc_string = ""
    for node in model.graph.node:
        node.doc_string = ""
    with open(path, "wb") as file:
        file.write(model.SerializeToString(deterministic=True))
    (node,) = [node for node in model.graph.node if node.op_type == "GRU"]
    node.input[5] = ""
    needed, kept = {"y"}, []
    for node in reversed(model.graph.node):
        if needed & set(node.output):
            needed |= set(node.input)
            kept.insert(0, node)
    del model.graph.node[:]
    model.graph.node.extend(kept)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    exports.file.add(f"{name}.x", x)
    exports.file.add(f"{name}.y", session.run(None, {"x": x})[0])


def onnx_exports(folder):
    torch.set_num_threads(1)
    exports = Exports(folder)
    # In this order: behind the exports of several outputs, the newer exporter of PyTorch 2.15 takes
    # the steps of the next models for fixed.
    for models in (constants, activations, steps, convolutions):
        for name, module in models():
            exports.chain(name, module, sequence(name))
    for more in (axes, decompositions, by_hand, constant_fill, given, beside, streams, heads, opsets):
        more(exports)
    return exports.file
