"""One network of a golden file: inputs, weights, outputs, and the gradients of one scalar.

The scalar is the sum of every output times its weighting. Weights have Keras' names and shapes,
whichever framework runs them; a state is [h, c] side by side.
"""

from golden_file import draw


def weighting_name(output):
    """y: weighting, y_forward: weighting_forward, final: final_weighting."""
    return f"{output}_weighting" if output[0] != "y" else f"weighting{output[1:]}"


def draw_weightings(random, outputs):
    return {name: draw(random, *output.shape) for name, output in outputs.items()}


def write_case(file, case, inputs, weights, weightings, outputs, gradients):
    file.add_all(case, inputs)
    file.add_all(f"{case}.weight", weights)
    file.add_all(case, {weighting_name(name): value for name, value in weightings.items()})
    file.add_all(case, outputs)
    file.add_all(f"{case}.grad", gradients)
