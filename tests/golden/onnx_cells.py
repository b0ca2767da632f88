"""lstm_onnx.txt: ONNX's LSTM, GRU and RNN, run by ONNX Runtime.

Weights are in Keras' layout, of two directions as of keras.layers.Bidirectional; y has the steps in
the order of x, whatever the direction.
"""

import numpy as np
import onnxruntime
from onnx import helper, TensorProto

from golden_file import draw, GoldenFile, rng

PACKAGES = ("numpy", "onnx", "onnxruntime")
OPERATORS = {"lstm": "LSTM", "gru": "GRU", "simple_rnn": "RNN"}
# The blocks of Keras' kernels in ONNX's order: i, o, f, c and z, r, h.
BLOCKS = {"lstm": (0, 3, 1, 2), "gru": (0, 1, 2), "simple_rnn": (0,)}
PEEPHOLES = ("peephole_input", "peephole_output", "peephole_forget")
# Name, and what Keras has for alpha and beta.
ACTIVATIONS = {
    "sigmoid": ("Sigmoid", None, None),
    "tanh": ("Tanh", None, None),
    "relu": ("Relu", None, None),
    "hard_sigmoid": ("HardSigmoid", 1 / 6, 0.5),
    "softsign": ("Softsign", None, None),
    "softplus": ("Softplus", None, None),
    "elu": ("Elu", 1.0, None),
    "linear": ("Affine", 1.0, 0.0),
}


def lstm_onnx():
    file = GoldenFile("LSTM, GRU and RNN of ONNX, float32", 9, PACKAGES)
    for kind in (
        "lstm",
        "lstm.peephole",
        "lstm.coupled",
        "lstm.peephole.coupled",
        "gru.reset_after",
        "gru.reset_before",
        "simple_rnn",
    ):
        one(file, f"{kind}.forward")
        # ONNX Runtime does not clip the c that enters h (its issue 27224), as ONNX says it should.
        # Two steps from 0 with this clip cannot bring c to where it would matter.
        one(file, f"{kind}.forward.clip", (4, 2, 2, 3), clip=0.5)
        one(file, f"{kind}.bidirectional.initial.lengths")
        if kind in ("lstm", "gru.reset_after", "simple_rnn"):
            one(file, f"{kind}.forward.wide", (2, 3, 1, 17))
            for direction in ("forward", "reverse", "bidirectional"):
                for option in ("no_bias", "initial", "lengths"):
                    one(file, f"{kind}.{direction}.{option}")
    for names in (
        ("hard_sigmoid", "tanh", "tanh"),
        ("sigmoid", "softsign", "softsign"),
        ("softsign", "relu", "relu"),
        ("hard_sigmoid", "elu", "elu"),
        ("sigmoid", "softplus", "linear"),
    ):
        with_activations(file, "lstm.forward", names)
        with_activations(file, "gru.reset_after.forward", names[:2])
        with_activations(file, "gru.reset_before.forward", names[:2])
    with_activations(file, "lstm.peephole.bidirectional", ("hard_sigmoid", "softsign", "tanh"))
    for name in ("relu", "softsign", "hard_sigmoid"):
        with_activations(file, "simple_rnn.forward", (name,))
    return file


def with_activations(file, start, names):
    """f, g and h of an LSTM, f and g of a GRU, f of an RNN."""
    one(file, f"{start}.activations.{'.'.join(names)}", activations=names)


def one(file, case, size=(3, 4, 2, 3), activations=(), clip=None):
    """Kind and options are words of the case's name."""
    b, t, f, u = size
    random = rng(f"lstm_onnx.{case}")
    words = case.split(".")
    kind = words[0]
    bidirectional = "bidirectional" in words
    direction = next(w for w in words if w in ("forward", "reverse", "bidirectional"))
    prefixes = ("forward.", "backward.") if bidirectional else ("",)
    parts = len(prefixes) * (2 if kind == "lstm" else 1)  # of a state

    weights = [draw_weights(random, words, f, u) for _ in prefixes]
    records = {"x": draw(random, b, t, f)}
    if "initial" in words:
        records["initial"] = draw(random, b, parts * u)
    if "lengths" in words:
        records["lengths"] = np.array([t, 1, t - 1])
    attributes = {"hidden_size": u, "direction": direction}
    if clip is not None:
        records["clip"] = attributes["clip"] = clip
    if kind == "gru":
        attributes["linear_before_reset"] = int("reset_after" in words)
    if "coupled" in words:
        attributes["input_forget"] = 1
    if activations:
        attributes |= activation_attributes(activations * len(prefixes))

    inputs = {"X": records["x"].transpose(1, 0, 2)}
    by_direction = [onnx_weights(kind, values, "coupled" in words) for values in weights]
    inputs |= {name: np.stack([d[name] for d in by_direction]) for name in by_direction[0]}
    if "initial" in words:
        states = records["initial"].reshape(b, len(prefixes), -1, u).transpose(2, 1, 0, 3)
        inputs |= dict(zip(("initial_h", "initial_c"), states))
    inputs = {name: value.astype(np.float32) for name, value in inputs.items()}
    if "lengths" in words:
        inputs["sequence_lens"] = records["lengths"].astype(np.int32)
    y, *final = run_operator(kind, inputs, attributes)

    file.add_all(case, records)
    for prefix, values in zip(prefixes, weights):
        file.add_all(f"{case}.weight", {f"{prefix}{k}": v for k, v in values.items()})
    file.add(f"{case}.y", y.transpose(2, 0, 1, 3).reshape(b, t, -1))
    file.add(f"{case}.final", np.stack(final, 1).transpose(2, 0, 1, 3).reshape(b, -1))


def draw_weights(random, words, f, u):
    """Of one direction. A coupled forget gate has none."""
    gates = len(BLOCKS[words[0]]) - ("coupled" in words)
    shapes = {"kernel": (f, gates * u), "recurrent_kernel": (u, gates * u)}
    if "no_bias" not in words:
        shapes["bias"] = (2, gates * u) if "reset_after" in words else (gates * u,)
    if "peephole" in words:
        shapes |= {name: (u,) for name in PEEPHOLES[: 2 if "coupled" in words else 3]}
    return {name: draw(random, *shape, scale=0.75) for name, shape in shapes.items()}


def onnx_weights(kind, weights, coupled):
    """Of one direction."""

    def order(values):
        parts = np.split(values, len(BLOCKS[kind]) - coupled, -1)
        if coupled:  # ONNX asks for the forget gate's weights and ignores them.
            parts.insert(1, np.ones_like(parts[0]))
        return np.concatenate([parts[block] for block in BLOCKS[kind]], -1)

    found = {"W": order(weights["kernel"]).T, "R": order(weights["recurrent_kernel"]).T}
    if "bias" in weights:
        bias = weights["bias"]
        # Where Keras has one bias, ONNX's two share it unequally.
        both = bias if bias.ndim == 2 else (0.25 * bias, 0.75 * bias)
        found["B"] = np.concatenate([order(both[0]), order(both[1])])
    if PEEPHOLES[0] in weights:
        ones = np.ones_like(weights[PEEPHOLES[0]])
        found["P"] = np.concatenate([weights.get(name, ones) for name in PEEPHOLES])
    return found


def activation_attributes(activations):
    names, alphas, betas = zip(*[ACTIVATIONS[name] for name in activations])
    given = lambda values: [value for value in values if value is not None]
    return {
        "activations": names,
        "activation_alpha": given(alphas),
        "activation_beta": given(betas),
    }


def run_operator(kind, inputs, attributes):
    """Y (T, directions, B, U), Y_h and, of an LSTM, Y_c (directions, B, U)."""
    order = ["X", "W", "R", "B", "sequence_lens", "initial_h"]
    outputs = ["Y", "Y_h"]
    if kind == "lstm":
        order += ["initial_c", "P"]
        outputs.append("Y_c")
    node = helper.make_node(
        OPERATORS[kind],
        [name if name in inputs else "" for name in order],
        outputs,
        **{name: value for name, value in attributes.items() if value != []},
    )
    types = {np.dtype("float32"): TensorProto.FLOAT, np.dtype("int32"): TensorProto.INT32}
    describe = helper.make_tensor_value_info
    graph = helper.make_graph(
        [node],
        "one",
        [describe(name, types[value.dtype], value.shape) for name, value in inputs.items()],
        [describe(name, TensorProto.FLOAT, None) for name in outputs],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)], ir_version=10)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return session.run(outputs, inputs)
