"""Folder pytorch: state_dicts as safetensors and JSON, and what PyTorch computes, in float64."""

import json
import os

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn.utils import parametrizations, weight_norm

from golden_file import draw, rng
from reference import write_reference

BATCH, STEPS = 2, 4


class Chain(nn.Module):
    """Modules one after the other; of the recurrent ones, the outputs of all steps.

    between: functions by the modules after which they run. around: modules whose input is added to
    what they and the function after them return. causal: the nn.Conv1d that see as many zeros before
    the first step as they have weights for the past. left_out: modules that the output does not need.
    """

    def __init__(self, between=(), around=(), causal=(), left_out=(), **modules):
        super().__init__()
        self.causal = set(causal)
        self.left_out = set(left_out)
        self.between = dict(between)
        self.around = set(around)
        for name, module in modules.items():
            self.add_module(name, module)

    def forward(self, x, output="sequences"):
        modules = [(n, m) for n, m in self.named_children() if n not in self.left_out]
        last = max((i for i, (_, m) in enumerate(modules) if isinstance(m, nn.RNNBase)), default=-1)
        for i, (name, module) in enumerate(modules):
            given = x
            if isinstance(module, nn.RNNCellBase):
                x = over_steps(module, x)
            elif isinstance(module, (nn.BatchNorm1d, nn.PReLU)) and x.dim() == 3:
                x = module(x.transpose(1, 2)).transpose(1, 2)
            elif isinstance(module, nn.Conv1d):
                before = (module.kernel_size[0] - 1) * module.dilation[0] if name in self.causal else 0
                x = module(nn.functional.pad(x.transpose(1, 2), (before, 0))).transpose(1, 2)
            elif not isinstance(module, nn.RNNBase):
                x = module(x)
            else:
                x, state = module(x)
                if i == last and output == "last_step":
                    x = x[:, -1]
                elif i == last and output == "last_state":
                    h = state[0] if isinstance(state, tuple) else state
                    directions = 2 if module.bidirectional else 1
                    x = torch.cat(list(h[-directions:]), 1)
            x = self.between.get(name, lambda v: v)(x)
            x = given + x if name in self.around else x
        return x


def over_steps(cell, x):
    """The outputs of an nn.LSTMCell, nn.GRUCell or nn.RNNCell for all steps."""
    state, outputs = None, []
    for t in range(x.shape[1]):
        state = cell(x[:, t], state)
        outputs.append(state[0] if isinstance(state, tuple) else state)
    return torch.stack(outputs, 1)


def draw_buffers(random, model):
    """Moving statistics of a training."""
    for name, buffer in model.named_buffers():
        if name.endswith("running_mean"):
            buffer.data = torch.from_numpy(draw(random, *buffer.shape).astype(np.float32))
        elif name.endswith("running_var"):
            buffer.data = torch.from_numpy(0.25 + draw(random, *buffer.shape).astype(np.float32) ** 2)
        elif name.endswith("num_batches_tracked"):
            buffer.fill_(3)


def lstm(*sizes, **options):
    return nn.LSTM(*sizes, batch_first=True, **options)


def gru(*sizes, **options):
    return nn.GRU(*sizes, batch_first=True, **options)


def rnn(*sizes, **options):
    return nn.RNN(*sizes, batch_first=True, **options)


def models():
    for layers in (1, 2, 3, 4):
        yield f"lstm_{layers}", 2, Chain(lstm=lstm(2, 3, layers), linear=nn.Linear(3, 2))
    yield "bidirectional", 2, Chain(lstm=lstm(2, 3, 2, bidirectional=True), fc=nn.Linear(6, 1))
    yield "projection", 2, Chain(lstm=lstm(2, 5, 2, proj_size=3), fc=nn.Linear(3, 1))
    both = {"proj_size": 2, "bidirectional": True, "bias": False}
    yield "projection_bidirectional", 2, Chain(lstm=lstm(2, 3, 2, **both))
    yield "no_bias", 2, Chain(lstm=lstm(2, 3, 2, bias=False), fc=nn.Linear(3, 1, bias=False))
    yield "gru", 2, Chain(gru=gru(2, 3, 2), fc=nn.Linear(3, 1))
    yield "gru_bidirectional", 2, Chain(gru=gru(2, 3, bidirectional=True, bias=False))
    yield "rnn", 2, Chain(rnn=rnn(2, 3, 2), fc=nn.Linear(3, 1))
    yield "rnn_relu", 2, Chain(rnn=rnn(2, 3, bidirectional=True, nonlinearity="relu"))
    text = {"embedding": nn.Embedding(7, 2), "lstm": lstm(2, 3), "fc": nn.Linear(3, 7)}
    yield "embedding", None, Chain(**text)
    apart = {"lstm": lstm(2, 3), "lstm2": lstm(3, 3, 2), "dense": nn.Linear(3, 1)}
    yield "two_modules", 2, Chain(**apart)
    between = {"first": torch.tanh, "middle": torch.relu}
    middle = {"first": nn.Linear(3, 3), "lstm": lstm(3, 3), "middle": nn.Linear(3, 3)}
    yield "between", 3, Chain(between, **middle, end=nn.Linear(3, 3))
    same = {"fc_in": nn.Linear(3, 3), "lstm": lstm(3, 3), "fc_out": nn.Linear(3, 1)}
    yield "same_sizes", 3, Chain(**same)
    one = {"fc_in": nn.Linear(1, 3), "lstm": lstm(3, 3), "fc_out": nn.Linear(3, 1)}
    yield "one_in_one_out", 1, Chain(**one)
    other = {"proj": nn.Linear(2, 4), "lstm": lstm(4, 3), "head": nn.Linear(3, 1)}
    yield "input_projection", 2, Chain(**other)
    text = {"emb": nn.Embedding(7, 2), "fc_in": nn.Linear(2, 4), "lstm": lstm(4, 3)}
    yield "embedding_projection", None, Chain(**text, fc_out=nn.Linear(3, 7))
    apart = {"rnn_b": gru(2, 3), "a": nn.Linear(3, 4), "rnn_a": lstm(4, 5)}
    yield "linear_between", 2, Chain(**apart)
    head = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    yield "head", 2, Chain(lstm=lstm(2, 3), head=head)
    last = {"lstm": lambda v: v[:, -1], "fc": nn.functional.elu}
    yield "last_step", 2, Chain(last, lstm=lstm(2, 3), fc=nn.Linear(3, 4), out=nn.Linear(4, 1))
    functions = {"proj": torch.relu, "fc": torch.sigmoid, "gru": lambda v: v.mean(1)}
    layers = {"proj": nn.Linear(2, 3), "lstm": lstm(3, 3), "fc": nn.Linear(3, 3), "gru": gru(3, 4)}
    end = nn.Sequential(nn.Dropout(0.5), nn.Linear(4, 2), nn.Softmax(-1))
    yield "functions", 2, Chain(functions, ("lstm", "fc"), **layers, end=end)
    yield "linear_alone", 3, nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 4), nn.Linear(4, 1))
    yield "lstm_alone", 2, lstm(2, 3)
    cells = {"a": nn.LSTMCell(1, 4), "b": nn.GRUCell(4, 3), "c": nn.RNNCell(3, 3, bias=False)}
    yield "cells", 1, Chain(**cells, out=nn.Linear(3, 1))
    norms = {"norm_in": nn.LayerNorm(2), "lstm": lstm(2, 3), "bn": nn.BatchNorm1d(3)}
    yield "normalizations", 2, Chain(**norms, fc=nn.Linear(3, 1))
    norms = {"fc": nn.Linear(2, 4), "norm": nn.LayerNorm(4, eps=0.125), "lstm": lstm(4, 3)}
    yield "epsilon", 2, Chain(**norms, bn=nn.BatchNorm1d(3, eps=0.125, affine=False))
    head = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 1))
    yield "batch_norm_head", 2, Chain({"lstm": lambda v: v[:, -1]}, lstm=lstm(2, 3), head=head)
    norms = {"proj": weight_norm(nn.Linear(2, 4)), "lstm": weight_norm(lstm(4, 3), "weight_hh_l0")}
    norms |= {"columns": weight_norm(nn.Linear(3, 2), dim=1)}
    yield "weight_norm", 2, Chain({"columns": torch.tanh}, **norms, out=weight_norm(nn.Linear(2, 1), dim=None))
    norms = {"proj": parametrizations.weight_norm(nn.Linear(2, 4, bias=False)), "lstm": lstm(4, 3)}
    norms["lstm"] = parametrizations.weight_norm(norms["lstm"], "weight_ih_l0", dim=1)
    yield "parametrizations", 2, Chain(**norms, out=nn.Linear(3, 1))
    functions = [nn.LeakyReLU(0.125), nn.ELU(0.5), nn.GELU(), nn.GELU("tanh"), nn.SiLU(), nn.SELU(), nn.Mish()]
    functions += [nn.Hardsigmoid(), nn.Softplus(), nn.ReLU6(), nn.Softsign(), nn.LeakyReLU(), nn.Softmax(-1)]
    yield "activations", 3, nn.Sequential(*(m for f in functions for m in (nn.Linear(3, 3), f)), nn.Linear(3, 2))
    layers = {"conv": nn.Conv1d(2, 4, 3, dilation=2), "lstm": lstm(4, 3), "fc": nn.Linear(3, 1)}
    yield "convolution", 2, Chain({"conv": torch.relu}, causal={"conv"}, **layers)
    layers = {"one": nn.Conv1d(2, 3, 1, bias=False), "lstm": lstm(3, 3), "valid": nn.Conv1d(3, 2, 2)}
    yield "convolution_valid", 2, Chain(**layers)
    layers = {"fc": nn.Linear(2, 4), "act": nn.PReLU(), "lstm": lstm(4, 3), "prelu": nn.PReLU(3)}
    yield "prelu", 2, Chain(**layers, out=nn.Linear(3, 1))
    pool = {"lstm": lambda v: v.max(1).values}
    yield "max_over_steps", 2, Chain(pool, lstm=lstm(2, 3), fc=nn.Linear(3, 1))
    heads = {"lstm": lstm(2, 3), "fc": nn.Linear(3, 1), "second": nn.Sequential(nn.Conv2d(1, 2, 3), nn.Linear(3, 5))}
    yield "two_heads", 2, Chain(left_out={"second"}, **heads)
    plain = {"input_embed": nn.Linear(2, 3, bias=False), "lstm": lstm(3, 3), "out_emb": nn.Linear(3, 1, bias=False)}
    yield "linear_named_embedding", 2, Chain(**plain)
    text = {"encoder": nn.Embedding(7, 2), "lstm": lstm(2, 3), "decoder": nn.Linear(3, 7)}
    yield "embedding_named_encoder", None, Chain(**text)
    norms = {"bn": nn.LayerNorm(2), "lstm": lstm(2, 3), "ln": nn.LayerNorm(3, bias=False)}
    yield "norm_without_bias", 2, Chain(**norms, fc=nn.Linear(3, 1))
    layers = {"proj": nn.Linear(2, 4), "lstm": lstm(4, 4, 2), "both": gru(4, 2, 2, bidirectional=True)}
    yield "residual_layers", 2, Chain(around=("lstm", "both"), **layers, fc=nn.Linear(4, 1))


class Amplifier(nn.Module):
    """Like CoreAudioML's SimpleRNN: `skip` channels of the input are added to the output."""

    def __init__(self, unit_type, inputs, units, outputs, skip, bias=True, layers=1):
        super().__init__()
        self.rec = getattr(nn, unit_type)(inputs, units, layers, batch_first=True)
        self.lin = nn.Linear(units, outputs, bias=bias)
        self.skip = skip
        self.data = {"model": "SimpleRNN", "input_size": inputs, "skip": skip, "output_size": outputs,
                     "unit_type": unit_type, "num_layers": layers, "hidden_size": units, "bias_fl": bias}

    def forward(self, x):
        y = self.lin(self.rec(x)[0])
        return y + x[:, :, : self.skip] if self.skip else y


def write_amplifiers(folder):
    amplifiers = {"amplifier_lstm": Amplifier("LSTM", 1, 4, 1, 1), "amplifier_gru": Amplifier("GRU", 2, 3, 1, 1),
                  "amplifier_rnn": Amplifier("RNN", 2, 3, 2, 2, bias=False),
                  "amplifier_without_skip": Amplifier("LSTM", 2, 3, 1, 0, layers=2),
                  "amplifier_layers": Amplifier("LSTM", 2, 3, 1, 1, layers=2)}
    for name, model in amplifiers.items():
        random = rng(f"pytorch.{name}")
        for parameter in model.parameters():
            parameter.data = torch.from_numpy(draw(random, *parameter.shape).astype(np.float32))
        state = {key: value.tolist() for key, value in model.state_dict().items()}
        path = os.path.join(folder, name)
        with open(path + ".json", "w", encoding="utf-8") as file:
            json.dump({"model_data": model.data, "state_dict": state}, file)
        x = draw(random, BATCH, STEPS, model.rec.input_size, scale=2.0)
        y = model.double()(torch.from_numpy(x)).detach().numpy()
        write_reference(f"{path}.sequences.reference", x, y, "torch")


def write_all(folder):
    os.makedirs(folder, exist_ok=True)
    write_amplifiers(folder)
    for name, features, model in models():
        random = rng(f"pytorch.{name}")
        for parameter in model.parameters():
            numbers = np.asarray(draw(random, *parameter.shape), np.float32)
            parameter.data = torch.from_numpy(numbers)
        draw_buffers(random, model)
        path = os.path.join(folder, name)
        state = model.state_dict()
        if name == "gru":
            state = {key: value.to(torch.float16) for key, value in state.items()}
        if name == "rnn":
            state = {key: value.to(torch.bfloat16) for key, value in state.items()}
        save_file(state, path + ".safetensors")
        if name in ("lstm_2", "between", "normalizations"):
            with open(path + ".json", "w", encoding="utf-8") as file:
                json.dump({key: value.tolist() for key, value in state.items()}, file)
        model.load_state_dict(state)
        model = model.double().eval()
        if features is None:
            x = random.integers(0, 7, size=(BATCH, STEPS)).astype(np.float64)
            given = torch.from_numpy(x.astype(np.int64))
        else:
            shape = (BATCH, features) if isinstance(model, nn.Sequential) else (BATCH, STEPS, features)
            x = draw(random, *shape, scale=2.0)
            given = torch.from_numpy(x)
        outputs = ["sequences"]
        takes_steps = name in ("last_step", "functions", "batch_norm_head", "max_over_steps", "convolution_valid", "residual_layers")
        if not takes_steps and isinstance(model, Chain) and any(isinstance(m, nn.RNNBase) for m in model.children()):
            outputs += ["last_step", "last_state"]
        for output in outputs:
            y = model(given, output) if isinstance(model, Chain) else model(given)
            y = y[0] if isinstance(y, tuple) else y
            write_reference(f"{path}.{output}.reference", x, y.detach().numpy(), "torch")
