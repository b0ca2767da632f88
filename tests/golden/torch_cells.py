"""lstm_variants.txt and deep_transition.txt: recurrences written out, differentiated by PyTorch."""

import torch

from golden_file import GoldenFile, rng
from torch_cases import add_recurrent
from torch_modules import add_projection

EPSILON = 1e-3  # of layer normalisation


def loop(step, count, **options):
    """step(weights, x_t, *states) -> states, which lie side by side; h is the first of them."""

    def run(weights, x, initial):
        states = initial.chunk(count, 1)
        outputs = []
        for t in range(x.shape[1]):
            states = step(weights, x[:, t], *states, **options)
            outputs.append(states[0])
        return torch.stack(outputs, 1), torch.cat(states, 1)

    return run


def lstm_step(w, x, h, c, coupled=False, clip=None, cell_clip=None, zoneout_h=0, zoneout_c=0):
    """clip: of whatever enters an activation, as in ONNX. cell_clip: of the cell itself.

    Zoneout as in prediction; the new h is of the new c before its zoneout (Krueger et al. 2017).
    """
    limit = lambda v: v if clip is None else torch.clamp(v, -clip, clip)
    seen = lambda gate, cell: w[f"peephole_{gate}"] * cell if f"peephole_{gate}" in w else 0
    z = x @ w["kernel"] + h @ w["recurrent_kernel"] + w["bias"]
    if coupled:
        i, g, o = z.chunk(3, 1)
    else:
        i, f, g, o = z.chunk(4, 1)
    i = torch.sigmoid(limit(i + seen("input", c)))
    f = 1 - i if coupled else torch.sigmoid(limit(f + seen("forget", c)))
    new_c = f * c + i * torch.tanh(limit(g))
    if cell_clip is not None:
        new_c = torch.clamp(new_c, -cell_clip, cell_clip)
    o = torch.sigmoid(limit(o + seen("output", new_c)))
    new_h = o * torch.tanh(limit(new_c))
    return (
        zoneout_h * h + (1 - zoneout_h) * new_h,
        zoneout_c * c + (1 - zoneout_c) * new_c,
    )


def layer_norm_lstm_step(w, x, h, c):
    """As LayerNormLSTMCell of TensorFlow Addons: the normalised cell is the next step's c."""

    def norm(v):
        variance, mean = torch.var_mean(v, 1, correction=0, keepdim=True)
        return (v - mean) / torch.sqrt(variance + EPSILON)

    z = norm(x @ w["kernel"]) * w["kernel_gamma"] + w["bias"]
    z = z + norm(h @ w["recurrent_kernel"]) * w["recurrent_gamma"]
    i, f, g, o = z.chunk(4, 1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    c = norm(c) * w["state_gamma"] + w["state_beta"]
    return torch.sigmoid(o) * torch.tanh(c), c


def lstm_shapes(f, u, peepholes=(), coupled=False):
    gates = 3 if coupled else 4
    shapes = {"kernel": (f, gates * u), "recurrent_kernel": (u, gates * u), "bias": (gates * u,)}
    return shapes | {f"peephole_{gate}": (u,) for gate in peepholes}


def lstm_variants():
    file = GoldenFile("variants of the LSTM, by PyTorch, float64")
    every = ("input", "forget", "output")
    narrow = {"sequences": 3, "states": 3}
    coupled = {"coupled": True}
    variants = {
        "peephole": (every, {}, {"last": 3, **narrow, "wide": 17}),
        "coupled": ((), coupled, {"last": 3, **narrow, "wide": 9}),
        "coupled_peephole": (("input", "output"), coupled, narrow),
        "cell_clip": ((), {"cell_clip": 0.25}, narrow),
        "activation_clip": ((), {"clip": 0.25}, narrow),
        "zoneout": ((), {"zoneout_h": 0.125, "zoneout_c": 0.5}, narrow),
        "peephole_cell_clip": (every, {"cell_clip": 0.25}, {"states": 3}),
        "peephole_activation_clip": (every, {"clip": 0.25}, {"states": 3}),
    }
    for variant, (peepholes, options, kinds) in variants.items():
        records = {k: v for k, v in options.items() if k != "coupled"}
        for kind, u in kinds.items():
            size = size_of(kind)
            shapes = lstm_shapes(size[2], u, peepholes, "coupled" in options)
            random = rng(f"lstm_variants.{variant}.{kind}")
            run = loop(lstm_step, 2, **options)
            case = f"{variant}.{kind}"
            add_recurrent(file, case, random, size, (u, u), shapes, run, records=records)
    for kind, u in {**narrow, "wide": 9}.items():
        size = size_of(kind)
        norms = {"kernel_gamma": (4 * u,), "recurrent_gamma": (4 * u,)}
        norms |= {"state_gamma": (u,), "state_beta": (u,)}
        shapes = lstm_shapes(size[2], u) | norms
        random = rng(f"lstm_variants.layer_norm.{kind}")
        run, records = loop(layer_norm_lstm_step, 2), {"epsilon": EPSILON}
        case = f"layer_norm.{kind}"
        add_recurrent(file, case, random, size, (u, u), shapes, run, records=records)
    add_projection(file)
    return file


def size_of(kind):
    return (2, 2, 1) if kind == "wide" else (2, 4, 2)


def deep_transition_step(w, x, h, depth):
    """Pascanu et al. 2013: DT-RNN, and DT(S)-RNN where there is a shortcut."""
    z = torch.tanh(x @ w["kernel"] + h @ w["recurrent_kernel"] + w["bias"])
    for k in range(1, depth + 1):
        z = z @ w[f"transition_{k}.kernel"] + w[f"transition_{k}.bias"]
        if k == depth and "shortcut_kernel" in w:
            z = z + h @ w["shortcut_kernel"]
        z = torch.tanh(z)
    return (z,)


def deep_transition():
    file = GoldenFile("deep-transition RNN, by PyTorch, float64")
    for depth, name in ((1, "one"), (2, "two"), (1, "shortcut_one"), (2, "shortcut_two")):
        kinds = {"last": 3, "sequences": 4, "states": 3}
        if name == "shortcut_one":
            kinds["wide"] = 17
        for kind, u in kinds.items():
            size = size_of(kind)
            shapes = {"kernel": (size[2], u), "recurrent_kernel": (u, u), "bias": (u,)}
            for k in range(1, depth + 1):
                shapes |= {f"transition_{k}.kernel": (u, u), f"transition_{k}.bias": (u,)}
            if "shortcut" in name:
                shapes["shortcut_kernel"] = (u, u)
            random = rng(f"deep_transition.{name}.{kind}")
            run = loop(deep_transition_step, 1, depth=depth)
            add_recurrent(file, f"{name}.{kind}", random, size, (u,), shapes, run)
    return file
