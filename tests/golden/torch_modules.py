"""recurrent_torch.txt, and the projected LSTM of lstm_variants.txt: PyTorch's own modules.

Their parameters are computed from weights in Keras' layout, so that the gradients are in it too.
"""

import torch

from golden_file import GoldenFile, rng
from torch_cases import add_recurrent

MODULES = {
    "gru": (torch.nn.GRU, {}),
    "simple_rnn_tanh": (torch.nn.RNN, {"nonlinearity": "tanh"}),
    "simple_rnn_relu": (torch.nn.RNN, {"nonlinearity": "relu"}),
    "bidirectional_lstm": (torch.nn.LSTM, {"bidirectional": True}),
    "bidirectional_gru": (torch.nn.GRU, {"bidirectional": True}),
}


def module_parameters(module, weights, prefix, end):
    """Of one direction of one layer."""
    weights = {k[len(prefix) :]: v for k, v in weights.items() if k.startswith(prefix)}

    def order(v):  # Keras' z, r, h are PyTorch's z, r, n, which it has as r, z, n.
        if not isinstance(module, torch.nn.GRU):
            return v
        z, r, h = v.chunk(3, -1)
        return torch.cat([r, z, h], -1)

    parameters = {
        f"weight_ih{end}": order(weights["kernel"]).T,
        f"weight_hh{end}": order(weights["recurrent_kernel"]).T,
    }
    if "projection" in weights:
        parameters[f"weight_hr{end}"] = weights["projection"].T
    if "bias" in weights:
        bias = weights["bias"]
        # Where Keras has one bias, PyTorch's two share it unequally.
        both = order(bias) if bias.ndim == 2 else (0.25 * bias, 0.75 * bias)
        parameters |= {f"bias_ih{end}": both[0], f"bias_hh{end}": both[1]}
    return parameters


def prefixes(module):
    """[(prefix of strata's names, end of PyTorch's)] of every direction of every layer."""
    found = []
    for k in range(module.num_layers):
        layer = f"{k}." if module.num_layers > 1 else ""
        if module.bidirectional:
            found += [(f"{layer}forward.", f"_l{k}"), (f"{layer}backward.", f"_l{k}_reverse")]
        else:
            found.append((layer, f"_l{k}"))
    return found


def module_shapes(module):
    u = module.hidden_size
    out = module.proj_size or u
    gates = {torch.nn.LSTM: 4, torch.nn.GRU: 3, torch.nn.RNN: 1}[type(module)]
    shapes = {}
    for prefix, end in prefixes(module):
        inputs = getattr(module, f"weight_ih{end}").shape[1]
        shapes[f"{prefix}kernel"] = (inputs, gates * u)
        shapes[f"{prefix}recurrent_kernel"] = (out, gates * u)
        if module.bias:
            two = isinstance(module, torch.nn.GRU)
            shapes[f"{prefix}bias"] = (2, gates * u) if two else (gates * u,)
        if module.proj_size:
            shapes[f"{prefix}projection"] = (u, out)
    return shapes


def add_module(file, case, make, size, units, **options):
    """States are side by side: of the first layer forward and backward, of the second, ..."""
    module = make(size[2], units, batch_first=True, **options).double()
    parts = prefixes(module)
    lstm = isinstance(module, torch.nn.LSTM)
    widths = [module.proj_size or units] + [units] * lstm

    def run(weights, x, initial):
        parameters = {}
        for prefix, end in parts:
            parameters |= module_parameters(module, weights, prefix, end)
        pieces = initial.split(widths * len(parts), 1)
        states = [torch.stack(pieces[k :: len(widths)]) for k in range(len(widths))]
        y, final = torch.func.functional_call(
            module, parameters, (x, tuple(states) if lstm else states[0])
        )
        final = final if lstm else [final]
        if module.bidirectional and case.endswith(".last"):
            y = torch.cat([final[0][-2], final[0][-1]], 1)[:, None]
        return y, torch.cat([state[k] for k in range(len(parts)) for state in final], 1)

    random = rng(f"torch_modules.{case}")
    state = widths * len(parts)
    add_recurrent(file, case, random, size, state, module_shapes(module), run)


def add_projection(file):
    size = (2, 4, 2)
    for kind in ("sequences", "states"):
        add_module(file, f"projection.{kind}", torch.nn.LSTM, size, 4, proj_size=2)
    add_module(file, "projection.wide", torch.nn.LSTM, (2, 2, 1), 9, proj_size=5)
    options = {"proj_size": 3, "num_layers": 2}
    add_module(file, "projection_two.states", torch.nn.LSTM, size, 4, **options)


def recurrent_torch():
    file = GoldenFile("recurrent modules of PyTorch, batch_first, in Keras' layout, float64")
    for name, (make, options) in MODULES.items():
        for kind in ("last", "sequences", "states"):
            add_module(file, f"{name}.one.{kind}", make, (2, 3, 2), 3, **options)
        two = {"num_layers": 2, **options}
        add_module(file, f"{name}.two.states", make, (2, 3, 2), 3, **two)
        add_module(file, f"{name}.two_no_bias.sequences", make, (2, 3, 1), 2, bias=False, **two)
    return file
