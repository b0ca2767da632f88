"""Cases of golden files in Keras, layer by layer."""

import keras
import tensorflow as tf

from cases import draw_weightings, write_case
from golden_file import draw

RECURRENT = {
    "lstm": keras.layers.LSTM,
    "gru": keras.layers.GRU,
    "simple_rnn": keras.layers.SimpleRNN,
}


def recurrent(kind, units, **options):
    """A recurrent layer by the generic loop, which every option has."""
    if kind != "simple_rnn":
        options["use_cudnn"] = False
    return RECURRENT[kind](units, **options)


def variables(layer, prefix=""):
    """The trainable variables of a built layer, by the names of their records."""
    if isinstance(layer, keras.layers.Bidirectional):
        forward = variables(layer.forward_layer, f"{prefix}forward.")
        return forward | variables(layer.backward_layer, f"{prefix}backward.")
    return {f"{prefix}{v.name}": v for v in layer.trainable_weights}


def variables_of_all(layers):
    return {k: v for i, layer in enumerate(layers) for k, v in variables(layer, f"{i}.").items()}


def randomize(random, variables, scale=0.75):
    for variable in variables.values():
        variable.assign(draw(random, *variable.shape, scale=scale))


def numpy_values(tensors):
    return {name: tf.convert_to_tensor(tensor).numpy() for name, tensor in tensors.items()}


def keras_case(file, case, random, inputs, variables, run, scale=0.75, records={}):
    """Draws the variables and writes what run(*inputs) returns, y or a dictionary, and gradients.

    records: further inputs, of which there are no gradients.
    """
    randomize(random, variables, scale)
    tensors = {name: tf.constant(value) for name, value in inputs.items()}
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        outputs = run(*tensors.values())
        if not isinstance(outputs, dict):
            outputs = {"y": outputs}
        weightings = draw_weightings(random, outputs)
        scalar = sum(tf.reduce_sum(outputs[name] * weightings[name]) for name in outputs)
    weights = {name: variable.value for name, variable in variables.items()}
    gradients = tape.gradient(scalar, tensors | weights)
    write_case(
        file,
        case,
        inputs | records,
        numpy_values(weights),
        weightings,
        numpy_values(outputs),
        numpy_values(gradients),
    )
