"""Layers and stacks in Keras."""

import keras
import tensorflow as tf

from networks import parameter_names


def keras_model(layers, input_shape, weights):
    kinds = {"lstm": keras.layers.LSTM, "dense": keras.layers.Dense}
    model = keras.Sequential(
        [keras.Input(input_shape)] + [kinds[kind](**options) for kind, options in layers]
    )
    model.set_weights([weights[name] for name, _ in parameter_names(layers)])
    return model


def keras_weights(layers, model):
    return {name: value for (name, _), value in zip(parameter_names(layers), model.get_weights())}


def keras_case(layers, x, weights, weighting):
    """Output, and gradients of sum(weighting * output)."""
    model = keras_model(layers, x.shape[1:], weights)
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = model(x, training=True)
        scalar = tf.reduce_sum(y * weighting)
    gradients = tape.gradient(scalar, [x] + [v.value for v in model.trainable_variables])
    values = [g.numpy() for g in gradients]
    names = [name for name, _ in parameter_names(layers)]
    return y.numpy(), {"x": values[0], **dict(zip(names, values[1:]))}
