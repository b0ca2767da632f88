"""Models of PyTorch as its users write them, for the survey of files: state_dicts with the modules
that the user of load_pytorch names, and exports to ONNX."""

import os

import torch
from torch import nn

# A module list is what a user of load_pytorch writes: names of modules, with their kind where the
# tensors do not tell it ("prelu:head.1"), "+" before a residual one; and functions with (): "relu()",
# "last()" for x[:, -1], "mean()" for x.mean(1), "max()" for x.amax(1).


class Recurrent(nn.Module):
    """A recurrent network with a head, the form of most."""

    def __init__(self, rnn, head, pool="last", front=None):
        super().__init__()
        self.front = front or nn.Identity()
        self.rnn = rnn
        self.head = head
        self.pool = pool

    def forward(self, x):
        h = self.rnn(self.front(x))[0]
        if self.pool == "last":
            h = h[:, -1]
        elif self.pool == "mean":
            h = h.mean(1)
        elif self.pool == "max":
            h = h.amax(1)
        return self.head(h)


class LastHidden(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 6, batch_first=True)
        self.fc = nn.Linear(6, 1)

    def forward(self, x):
        return self.fc(self.lstm(x)[1][0][-1])


class Cell(nn.Module):
    def __init__(self, cell, units):
        super().__init__()
        self.cell = cell
        self.units = units
        self.fc = nn.Linear(units, 1)

    def forward(self, x):
        h = x.new_zeros(x.shape[0], self.units)
        c = h
        for t in range(x.shape[1]):
            if isinstance(self.cell, nn.LSTMCell):
                h, c = self.cell(x[:, t], (h, c))
            else:
                h = self.cell(x[:, t], h)
        return self.fc(h)


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(4, 4, batch_first=True)
        self.fc = nn.Linear(4, 2)

    def forward(self, x):
        return self.fc(x + self.lstm(x)[0])


class TwoHeads(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 6, batch_first=True)
        self.mean = nn.Linear(6, 1)
        self.scale = nn.Linear(6, 1)

    def forward(self, x):
        return self.mean(self.lstm(x)[0][:, -1])


class Causal(nn.Module):
    """A causal convolution in front, on (B, F, T) as PyTorch has it."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(3, 5, 3)
        self.lstm = nn.LSTM(5, 6, batch_first=True)
        self.fc = nn.Linear(6, 1)

    def forward(self, x):
        x = nn.functional.pad(x.transpose(1, 2), (2, 0))
        x = torch.relu(self.conv(x)).transpose(1, 2)
        return self.fc(self.lstm(x)[0][:, -1])


class Stateful(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 6, batch_first=True)
        self.fc = nn.Linear(6, 1)

    def forward(self, x, h0, c0):
        y, (h, c) = self.lstm(x, (h0, c0))
        return self.fc(y), h, c


class Normalized(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.tensor([0.5, -1.0, 2.0]))
        self.register_buffer("std", torch.tensor([2.0, 0.5, 3.0]))
        self.rnn = nn.LSTM(3, 6, batch_first=True)
        self.fc = nn.Linear(6, 1)

    def forward(self, x):
        return self.fc(self.rnn((x - self.mean) / self.std)[0][:, -1])


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 6, batch_first=True)
        self.attention = nn.MultiheadAttention(6, 2, batch_first=True)
        self.fc = nn.Linear(6, 1)

    def forward(self, x):
        h = self.lstm(x)[0]
        return self.fc(self.attention(h, h, h)[0][:, -1])


def lstm(features=3, units=6, **options):
    return nn.LSTM(features, units, batch_first=True, **options)


def gru(features=3, units=6, **options):
    return nn.GRU(features, units, batch_first=True, **options)


def sequential(*modules):
    return nn.Sequential(*modules)


def networks():
    """(name, module, modules of load_pytorch, more)"""
    head = lambda units=6: nn.Linear(units, 1)
    plain = ["rnn", "last()", "head"]
    yield "lstm_last", Recurrent(lstm(), head()), plain, {}
    yield "last_hidden", LastHidden(), ["lstm", "last()", "fc"], {}
    yield "lstm_all_steps", Recurrent(lstm(), head(), "all"), ["rnn", "head"], {}
    yield "two_layers", Recurrent(lstm(num_layers=2, dropout=0.2), head()), plain, {}
    yield "three_layers_gru", Recurrent(gru(num_layers=3), head()), plain, {}
    yield "bidirectional", Recurrent(lstm(bidirectional=True), head(12), "mean"), \
        ["rnn", "mean()", "head"], {}
    yield "bidirectional_two", Recurrent(gru(num_layers=2, bidirectional=True), head(12), "all"), \
        ["rnn", "head"], {}
    yield "projection", Recurrent(lstm(proj_size=4), head(4)), plain, {}
    yield "rnn_tanh", Recurrent(nn.RNN(3, 6, batch_first=True), head()), plain, {}
    yield "rnn_relu", Recurrent(nn.RNN(3, 6, nonlinearity="relu", batch_first=True), head()), \
        plain, {"relu": True}
    yield "no_bias", Recurrent(lstm(bias=False), head()), plain, {}
    yield "mean_pool", Recurrent(lstm(), head(), "mean"), ["rnn", "mean()", "head"], {}
    yield "max_pool", Recurrent(lstm(), head(), "max"), ["rnn", "max()", "head"], {}
    mlp = sequential(nn.Linear(6, 8), nn.ReLU(), nn.Dropout(0.1), nn.Linear(8, 2))
    yield "mlp_head", Recurrent(lstm(), mlp), ["rnn", "last()", "head.0", "relu()", "head.3"], {}
    for name, activation in {
        "leaky": nn.LeakyReLU(0.2), "elu": nn.ELU(), "gelu": nn.GELU(), "silu": nn.SiLU(),
        "selu": nn.SELU(), "mish": nn.Mish(), "hardsigmoid": nn.Hardsigmoid(),
        "softplus": nn.Softplus(), "relu6": nn.ReLU6(), "softmax": nn.Softmax(-1),
    }.items():
        two = sequential(nn.Linear(6, 5), activation, nn.Linear(5, 1))
        yield f"head_{name}", Recurrent(lstm(), two), \
            ["rnn", "last()", "head.0", name + "()", "head.2"], {}
    prelu = sequential(nn.Linear(6, 5), nn.PReLU(5), nn.Linear(5, 1))
    yield "head_prelu", Recurrent(lstm(), prelu), \
        ["rnn", "last()", "head.0", "prelu:head.1", "head.2"], {}
    front = sequential(nn.Linear(3, 5), nn.Tanh())
    yield "front", Recurrent(lstm(5), head(), front=front), \
        ["front.0", "tanh()", "rnn", "last()", "head"], {}
    embedding = Recurrent(lstm(5), head(), front=nn.Embedding(20, 5))
    yield "embedding", embedding, ["embedding:front", "rnn", "last()", "head"], {"ids": 20}
    norm = sequential(nn.LayerNorm(6), head())
    yield "layer_norm", Recurrent(lstm(), norm), ["rnn", "last()", "head.0", "head.1"], {}
    batch = sequential(nn.BatchNorm1d(6), head())
    yield "batch_norm", Recurrent(lstm(), batch), ["rnn", "last()", "head.0", "head.1"], {}
    old = nn.utils.weight_norm(nn.Linear(6, 1))
    yield "weight_norm", Recurrent(lstm(), old), plain, {}
    new = nn.utils.parametrizations.weight_norm(nn.Linear(6, 1))
    yield "parametrized", Recurrent(lstm(), new), plain, {}
    yield "lstm_cell", Cell(nn.LSTMCell(3, 6), 6), ["cell", "last()", "fc"], {}
    yield "gru_cell", Cell(nn.GRUCell(3, 6), 6), ["cell", "last()", "fc"], {}
    yield "residual", Residual(), ["+lstm", "fc"], {"features": 4}
    yield "two_heads", TwoHeads(), ["lstm", "last()", "mean"], {"without": ["scale"]}
    yield "causal", Causal(), ["causal:conv", "relu()", "lstm", "last()", "fc"], {}
    yield "attention", Attention(), ["lstm", "attention", "last()", "fc"], {"chain": False}


def input_of(more):
    if "ids" in more:
        return torch.randint(0, more["ids"], (2, 7))
    return torch.randn(2, 7, more.get("features", 3))


def save_all(folder, add):
    for name, module, modules, more in networks():
        torch.manual_seed(len(name))
        for parameter in module.parameters():
            nn.init.normal_(parameter, std=0.4)
        for buffer in module.buffers():
            if buffer.is_floating_point():
                nn.init.uniform_(buffer, 0.5, 1.5)
        module.eval()
        x = input_of(more)
        path = os.path.join(folder, f"torch_{name}.pt")
        torch.save(module.state_dict(), path)
        y = module(x).detach().numpy()
        add(name, path, x.numpy(), y, chain=more.get("chain", True), modules=modules, **{
            key: more[key] for key in ("without", "relu") if key in more})
    whole = os.path.join(folder, "torch_whole_module.pt")
    torch.save(LastHidden(), whole)
    x = torch.randn(2, 7, 3)
    add("whole_module", whole, x.numpy(), x.numpy(), chain=False, modules=["lstm", "fc"])


def export_all(folder, add):
    """Exports to ONNX by both exporters of PyTorch, in turns of opsets."""
    opsets = [11, 13, 15, 17]
    extra = [("normalized", Normalized(), [], {}), ("stateful", Stateful(), [], {})]
    for number, (name, module, _, more) in enumerate([*networks(), *extra]):
        module.eval()
        x = input_of(more)
        path = os.path.join(folder, f"onnx_{name}.onnx")
        dynamic = number % 2 == 1
        arguments = (x,)
        if name == "stateful":
            arguments = (x, torch.zeros(1, 2, 6), torch.zeros(1, 2, 6))
        try:
            if dynamic:
                torch.onnx.export(module, arguments, path, dynamo=True, verbose=False)
            else:
                opset = opsets[number // 2 % len(opsets)]
                torch.onnx.export(module, arguments, path, dynamo=False, opset_version=opset,
                                  input_names=["x", "h0", "c0"][: len(arguments)],
                                  dynamic_axes={"x": {0: "batch", 1: "steps"}})
        except Exception as error:
            print(f"onnx_{name}: PyTorch does not export it: {str(error).splitlines()[0]}")
            continue
        y = module(*arguments)
        y = y[0] if isinstance(y, tuple) else y
        # A cell is a loop over steps, which an export unrolls.
        chain = more.get("chain", True) and not name.endswith("_cell")
        add(name, path, x.numpy(), y.detach().numpy(), chain=chain,
            exporter="new" if dynamic else f"old, opset {opset}")
