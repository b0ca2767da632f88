"""lstm_torch.txt and stacks_torch.txt: the same layers and stacks in PyTorch."""

import torch

from golden_file import GoldenFile, draw, rng
from networks import add_network, draw_weights, parameter_names, STACKS


class TorchStack(torch.nn.Module):
    """LSTMs and dense layers; neighbouring LSTMs of equal width are one nn.LSTM of more layers."""

    def __init__(self, layers, features):
        super().__init__()
        self.rooms = torch.nn.ModuleList()
        self.plan = []  # (kind, returns sequences, indices of the layers)
        inputs = features
        for index, (kind, options) in enumerate(layers):
            units = options["units"]
            bias = options.get("use_bias", True)
            last = self.plan[-1] if self.plan else None
            if kind == "lstm" and last and last[0] == "lstm" and inputs == units:
                self.rooms[-1] = torch.nn.LSTM(
                    self.rooms[-1].input_size, units, len(last[2]) + 1, bias, batch_first=True
                )
                self.plan[-1] = ("lstm", options.get("return_sequences", False), last[2] + [index])
            elif kind == "lstm":
                self.rooms.append(torch.nn.LSTM(inputs, units, 1, bias, batch_first=True))
                self.plan.append(("lstm", options.get("return_sequences", False), [index]))
            else:
                self.rooms.append(torch.nn.Linear(inputs, units, bias))
                self.plan.append(("dense", options.get("activation", "linear"), [index]))
            inputs = units

    def forward(self, x):
        for room, (kind, option, _) in zip(self.rooms, self.plan):
            if kind == "lstm":
                x, _ = room(x)
                if not option:
                    x = x[:, -1]
            else:
                x = room(x)
                if option != "linear":
                    x = {"sigmoid": torch.sigmoid, "softmax": lambda v: torch.softmax(v, -1)}[
                        option
                    ](x)
        return x


def torch_case(layers, x, weights, weighting):
    """As keras_case. Where there is a bias, PyTorch's two biases share it unequally."""
    model = TorchStack(layers, x.shape[-1]).double()
    by_layer = {}
    for name, index in parameter_names(layers):
        by_layer.setdefault(index, {})[name.split(".")[1]] = name
    owners = {}  # strata's name -> the PyTorch parameter whose gradient is the same
    with torch.no_grad():
        for room, (kind, _, indices) in zip(model.rooms, model.plan):
            for level, index in enumerate(indices):
                names = by_layer[index]
                end = f"_l{level}" if kind == "lstm" else ""
                kernel = getattr(room, f"weight_ih{end}" if kind == "lstm" else "weight")
                kernel.copy_(torch.from_numpy(weights[names["kernel"]].T.copy()))
                owners[names["kernel"]] = kernel
                if kind == "lstm":
                    recurrent = getattr(room, f"weight_hh{end}")
                    recurrent.copy_(torch.from_numpy(weights[names["recurrent_kernel"]].T.copy()))
                    owners[names["recurrent_kernel"]] = recurrent
                if "bias" in names:
                    bias = torch.from_numpy(weights[names["bias"]])
                    if kind == "lstm":
                        getattr(room, f"bias_ih{end}").copy_(0.25 * bias)
                        getattr(room, f"bias_hh{end}").copy_(0.75 * bias)
                        owners[names["bias"]] = getattr(room, f"bias_hh{end}")
                    else:
                        room.bias.copy_(bias)
                        owners[names["bias"]] = room.bias
    x = torch.from_numpy(x).requires_grad_()
    y = model(x)
    (y * torch.from_numpy(weighting)).sum().backward()
    gradients = {"x": x.grad.numpy()}
    for name, _ in parameter_names(layers):
        gradients[name] = owners[name].grad.numpy().T
    return y.detach().numpy(), gradients


def lstm_torch():
    file = GoldenFile("torch.nn.LSTM, batch_first, its two biases summed, float64")
    cases = [
        ("one.last", (3, 5, 2, 6), 1, False, True),
        ("one.sequences", (2, 4, 3, 8), 1, True, True),
        ("one.no_bias", (2, 4, 3, 5), 1, True, False),
        ("one.wide", (2, 3, 2, 20), 1, False, True),
        ("two.last", (3, 4, 2, 5), 2, False, True),
        ("two.sequences", (2, 6, 1, 7), 2, True, True),
        ("two.no_bias", (2, 3, 4, 4), 2, True, False),
    ]
    for case, (b, t, f, u), count, sequences, bias in cases:
        random = rng(f"lstm_torch.{case}")
        layers = [
            ("lstm", {"units": u, "use_bias": bias, "return_sequences": k + 1 < count or sequences})
            for k in range(count)
        ]
        weights = draw_weights(random, layers, f)
        add_network(file, case, layers, draw(random, b, t, f), weights, random, torch_case)
    return file


def stacks_torch():
    file = GoldenFile("stacks of PyTorch layers, float64")
    for kind in STACKS:
        random = rng(f"stacks_torch.{kind}")
        weights = draw_weights(random, STACKS[kind], 2)
        x = draw(random, 3, 5, 2)
        add_network(file, kind, STACKS[kind], x, weights, random, torch_case)
    return file
