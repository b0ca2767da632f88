"""Cases of golden files in PyTorch."""

import torch

from cases import draw_weightings, write_case
from golden_file import draw


def torch_case(file, case, random, inputs, shapes, run, scale=0.75, records={}):
    """Draws weights of the shapes and writes what run(weights, *inputs) returns, a dictionary, and
    gradients.

    records: further inputs, of which there are no gradients.
    """
    weights = {name: draw(random, *shape, scale=scale) for name, shape in shapes.items()}
    tensors = {k: torch.from_numpy(v).requires_grad_() for k, v in (inputs | weights).items()}
    outputs = run({name: tensors[name] for name in weights}, *(tensors[name] for name in inputs))
    weightings = draw_weightings(random, outputs)
    scalar = sum((y * torch.from_numpy(weightings[name])).sum() for name, y in outputs.items())
    scalar.backward()
    write_case(
        file,
        case,
        inputs | records,
        weights,
        weightings,
        {name: y.detach().numpy() for name, y in outputs.items()},
        {name: tensor.grad.numpy() for name, tensor in tensors.items()},
    )


def add_recurrent(file, case, random, size, widths, shapes, run, **options):
    """The cases whose names end in last, sequences, wide (both of which are sequences) and states
    of run(weights, x, initial) -> outputs of all steps, final state.

    widths: of the parts of the state. Only cases of states have an initial and a final state.
    """
    b, t, f = size
    inputs = {"x": draw(random, b, t, f)}
    if case.endswith(".states"):
        inputs["initial"] = draw(random, b, sum(widths))

    def outputs(weights, x, initial=torch.zeros(b, sum(widths), dtype=torch.float64)):
        y, final = run(weights, x, initial)
        y = y[:, -1] if case.endswith(".last") else y
        return {"y": y, "final": final} if "initial" in inputs else {"y": y}

    torch_case(file, case, random, inputs, shapes, outputs, **options)
