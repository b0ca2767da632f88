"""masks.txt: recurrent layers with masks, the masking layer, and training with masked steps."""

import itertools

import keras
import numpy as np
import tensorflow as tf

from golden_file import GoldenFile, draw, rng
from keras_cases import keras_case, numpy_values, RECURRENT, randomize, recurrent, variables
from networks import parameter_names, RS
from recurrent import LAST_OR_SEQUENCES

MASKS = {
    "right": [[1, 1, 1, 1], [1, 1, 1, 0], [1, 0, 0, 0]],
    "left": [[0, 0, 0, 1], [1, 1, 1, 1], [0, 1, 1, 1]],
    "holes": [[1, 0, 1, 0], [0, 1, 0, 1], [1, 0, 0, 1]],
    "empty": [[1, 1, 1, 0], [0, 0, 0, 0], [0, 1, 1, 1]],
}


def masks():
    file = GoldenFile("masks in Keras, float64")
    for kind, name, last in itertools.product(RECURRENT, MASKS, LAST_OR_SEQUENCES):
        one(file, f"{kind}.{name}.{last}", kind, name, return_sequences=LAST_OR_SEQUENCES[last])
    backwards = {"go_backwards": True}
    zero_output = {"return_sequences": True, "zero_output_for_mask": True}
    for kind in RECURRENT:
        for name in ("holes", "left", "empty"):
            one(file, f"{kind}.{name}.sequences.zero_output", kind, name, **zero_output)
        for name in ("right", "left", "holes"):
            one(file, f"{kind}.{name}.last.backwards", kind, name, **backwards)
        one(file, f"{kind}.holes.sequences.backwards", kind, "holes", **RS, **backwards)
        case = f"{kind}.right.sequences.zero_output.backwards"
        one(file, case, kind, "right", **zero_output, **backwards)
    for name, last in itertools.product(MASKS, LAST_OR_SEQUENCES):
        case = f"bidirectional.{name}.{last}"
        one(file, case, "lstm", name, True, return_sequences=LAST_OR_SEQUENCES[last])
    masking(file, "masking.zero", 0.0)
    masking(file, "masking.half", 0.5)
    lstm, rs_lstm = ("lstm", {"units": 3}), ("lstm", {"units": 3, **RS})
    dense = ("dense", {"units": 2})
    softmax = ("dense", {"units": 3, "activation": "softmax"})
    stack(file, "stack.masking", [rs_lstm, lstm, dense], (5, 2), "mse", "mae")
    stack(file, "stack.masking_sequences", [rs_lstm, dense], (5, 4, 2), "mse", "mae")
    classes = ("sparse_categorical_crossentropy", "accuracy")
    stack(file, "stack.masking_classes", [rs_lstm, softmax], (5, 4), *classes)
    return file


def one(file, case, kind, name, in_both_directions=False, **options):
    layer = recurrent(kind, 2, **options)
    if in_both_directions:
        layer = keras.layers.Bidirectional(layer, merge_mode="concat")
    layer.build((3, 4, 1))
    mask = np.array(MASKS[name])
    random = rng(f"masks.{case}")
    run = lambda x: layer(x, mask=tf.constant(mask, dtype=bool))
    inputs = {"x": draw(random, 3, 4, 1)}
    keras_case(file, case, random, inputs, variables(layer), run, records={"mask": mask})


def masked_inputs(random, shape, value):
    """Some steps are the value throughout, the whole fourth sample too, others in one feature."""
    x = draw(random, *shape)
    x[random.random(shape) < 0.25] = value
    x[0, 1:] = value
    x[1, :3] = value
    x[2, 1] = value
    x[3] = value
    return x


def masking(file, case, value):
    layer = keras.layers.Masking(value)
    random = rng(f"masks.{case}")
    x = masked_inputs(random, (4, 4, 2), value)
    mask = layer.compute_mask(tf.constant(x)).numpy()
    records = {"mask_value": value, "mask": mask}
    keras_case(file, case, random, {"x": x}, {}, layer, records=records)


def stack(file, case, layers, y_shape, loss, metric):
    """The loss, its gradients and the metric, of one batch and as evaluate joins two."""
    kinds = {"lstm": keras.layers.LSTM, "dense": keras.layers.Dense}
    model = keras.Sequential(
        [keras.Input((4, 2)), keras.layers.Masking()]
        + [kinds[kind](**options) for kind, options in layers]
    )
    model.compile(loss=loss, metrics=[metric], jit_compile=False)
    names = [name for name, _ in parameter_names(layers)]
    weights = dict(zip(names, model.trainable_variables))
    random = rng(f"masks.{case}")
    randomize(random, weights)
    x = masked_inputs(random, (5, 4, 2), 0.0)
    y_true = draw(random, *y_shape) if loss == "mse" else random.integers(0, 3, y_shape)
    with tf.GradientTape() as tape:
        inputs = tf.constant(x)
        tape.watch(inputs)
        y = model(inputs, training=True)
        value = model.compute_loss(inputs, y_true, y)
    weights = {name: variable.value for name, variable in weights.items()}
    gradients = tape.gradient(value, {"x": inputs} | weights)
    file.add_all(case, {"x": x, "y_true": y_true})
    file.add_all(f"{case}.weight", numpy_values(weights))
    file.add_all(case, numpy_values({"y": y, "loss": value}))
    file.add_all(f"{case}.grad", numpy_values(gradients))
    whole = model.test_on_batch(x, y_true, return_dict=True)
    batches = model.evaluate(x, y_true, batch_size=3, verbose=0, return_dict=True)
    file.add(f"{case}.metric.{metric}", whole[metric])
    file.add(f"{case}.batches_of_3.loss", batches["loss"])
    file.add(f"{case}.batches_of_3.metric.{metric}", batches[metric])
    np.testing.assert_allclose(whole["loss"], value, rtol=1e-6)
