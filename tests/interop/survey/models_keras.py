"""Models of Keras as its users write them, for the survey of files."""

import os

import keras
from keras import layers

NAMES = (
    "one_lstm two_lstms four_lstms sequences bidirectional bidirectional_sum gru gru_reset_before "
    "simple_rnn classifier sentiment masking conv_causal conv_valid conv_pooling encoder_decoder "
    "batch_norm layer_norm normalization rescaling leaky_relu gelu swish functional residual nested "
    "return_state global_max global_average hard_sigmoid backwards names_in_japanese legacy_h5 "
    "legacy_weighted compiled prelu flatten regularized noise mixed_precision relu6 "
    "attention two_inputs"
).split()
# Not a chain of layers.
NOT_A_CHAIN = {"attention", "two_inputs"}


def save_all(folder, add):
    """add(name, file, x, y, **more) takes each model with an input and its output."""
    import numpy as np

    for name in NAMES:
        keras.utils.set_random_seed(len(name))
        random = np.random.default_rng(len(name))
        model, ids = build(name)
        randomize(model, random)
        ending = "h5" if name.startswith("legacy") else "keras"
        path = os.path.join(folder, f"keras_{name}.{ending}")
        inputs = model.inputs if isinstance(model.inputs, list) else [model.inputs]
        shapes = [[2, *(size or 7 for size in one.shape[1:])] for one in inputs]
        if ids:
            xs = [random.integers(1, ids, shape).astype("float32") for shape in shapes]
        else:
            xs = [random.normal(size=shape).astype("float32") for shape in shapes]
        if name == "masking":
            xs[0][:, 4:] = 0
        if name == "normalization":
            model.layers[0].adapt(3 * xs[0] + 1)
        y = model(xs[0] if len(xs) == 1 else xs, training=False)
        model.save(path)
        more = {"chain": name not in NOT_A_CHAIN}
        if name == "mixed_precision":
            more["tolerance"] = 1e-2  # Keras rounds to bfloat16 within the layer, strata does not.
        add(name, path, xs[0], keras.ops.convert_to_numpy(y), **more)


def randomize(model, random):
    """Weights without zeros, behind which mistakes would hide."""
    for variable in model.variables:
        if variable.path.startswith(("seed", "optimizer")) or "int" in variable.dtype:
            continue
        positive = "variance" in variable.path
        values = random.uniform(0.5, 1.5, variable.shape) if positive else None
        variable.assign(random.normal(scale=0.4, size=variable.shape) if values is None else values)


def sequential(*stack, features=3, steps=None):
    return keras.Sequential([keras.Input((steps, features)), *stack])


def build(name):
    """The model, and the number of its ids, 0 for numbers."""
    lstm = lambda units, **options: layers.LSTM(units, **options)
    many = lambda units, **options: layers.LSTM(units, return_sequences=True, **options)
    dense = layers.Dense
    tokens = lambda size, mask: [
        keras.Input((7,), dtype="int32"),
        layers.Embedding(size, 5, mask_zero=mask),
    ]
    ids = 0
    if name == "one_lstm":
        model = sequential(lstm(8), dense(1), steps=7)
    elif name == "two_lstms":
        model = sequential(many(8), lstm(6), dense(1))
    elif name == "four_lstms":
        model = sequential(many(8), many(8), many(8), lstm(8), dense(10, activation="softmax"))
    elif name == "sequences":
        model = sequential(many(8), layers.TimeDistributed(dense(2)))
    elif name == "bidirectional":
        model = sequential(layers.Bidirectional(many(5)), layers.Bidirectional(lstm(4)), dense(1))
    elif name == "bidirectional_sum":
        model = sequential(layers.Bidirectional(many(5), merge_mode="sum"), lstm(4), dense(2))
    elif name == "gru":
        model = sequential(layers.GRU(6, return_sequences=True), layers.GRU(5), dense(1))
    elif name == "gru_reset_before":
        model = sequential(layers.GRU(6, reset_after=False), dense(1))
    elif name == "simple_rnn":
        model = sequential(layers.SimpleRNN(6, activation="relu"), dense(1))
    elif name == "classifier":
        model = sequential(
            many(8), layers.Dropout(0.2), lstm(8), layers.Dropout(0.2), dense(5, activation="softmax")
        )
    elif name == "sentiment":
        ids = 20
        model = keras.Sequential([*tokens(20, True), lstm(6), dense(1, activation="sigmoid")])
    elif name == "masking":
        model = sequential(layers.Masking(), lstm(6), dense(1), steps=7)
    elif name == "conv_causal":
        model = sequential(layers.Conv1D(6, 3, padding="causal", activation="relu"), lstm(5), dense(1))
    elif name == "conv_valid":
        model = sequential(layers.Conv1D(6, 3, activation="relu"), lstm(5), dense(1), steps=9)
    elif name == "conv_pooling":
        model = sequential(layers.Conv1D(6, 3), layers.MaxPooling1D(2), lstm(5), dense(1), steps=9)
    elif name == "encoder_decoder":
        model = sequential(
            lstm(6, activation="relu"),
            layers.RepeatVector(4),
            many(6, activation="relu"),
            layers.TimeDistributed(dense(1)),
        )
    elif name == "batch_norm":
        model = sequential(many(6), layers.BatchNormalization(), lstm(5), dense(1))
    elif name == "layer_norm":
        model = sequential(many(6), layers.LayerNormalization(), lstm(5), dense(1))
    elif name == "normalization":
        model = sequential(layers.Normalization(), lstm(6), dense(1), steps=7)
    elif name == "rescaling":
        model = sequential(layers.Rescaling(1 / 255, offset=-0.5), lstm(6), dense(1))
    elif name == "leaky_relu":
        model = sequential(lstm(6), dense(5), layers.LeakyReLU(negative_slope=0.1), dense(1))
    elif name == "gelu":
        model = sequential(lstm(6), dense(5, activation="gelu"), dense(1))
    elif name == "swish":
        model = sequential(lstm(6), dense(5, activation="swish"), dense(1))
    elif name == "functional":
        x = keras.Input((None, 3))
        model = keras.Model(x, dense(1)(lstm(5)(layers.Dropout(0.1)(many(6)(x)))))
    elif name == "residual":
        x = keras.Input((7, 6))
        model = keras.Model(x, dense(1)(lstm(5)(layers.Add()([x, many(6)(x)]))))
    elif name == "nested":
        encoder = sequential(many(6), lstm(5))
        head = keras.Sequential([keras.Input((5,)), dense(4, activation="relu"), dense(1)])
        x = keras.Input((7, 3))
        model = keras.Model(x, head(encoder(x)))
    elif name == "return_state":
        x = keras.Input((7, 3))
        y, _, _ = lstm(6, return_state=True)(x)
        model = keras.Model(x, dense(1)(y))
    elif name == "global_max":
        model = sequential(many(6), layers.GlobalMaxPooling1D(), dense(1))
    elif name == "global_average":
        model = sequential(many(6), layers.GlobalAveragePooling1D(), dense(1))
    elif name == "hard_sigmoid":
        model = sequential(lstm(6, recurrent_activation="hard_sigmoid"), dense(1))
    elif name == "backwards":
        model = sequential(lstm(6, go_backwards=True), dense(1))
    elif name == "names_in_japanese":
        model = sequential(lstm(6, name="記憶"), dense(1, name="出力"))
    elif name == "legacy_h5":
        model = sequential(many(8), lstm(6), dense(1), steps=7)
    elif name == "legacy_weighted":
        model = sequential(layers.Bidirectional(lstm(4)), dense(2, activation="softmax"), steps=7)
        model.compile("adam", "categorical_crossentropy", weighted_metrics=["accuracy"])
    elif name == "compiled":
        model = sequential(lstm(6), dense(1))
        model.compile("rmsprop", "mse", metrics=["mae"])
    elif name == "prelu":
        model = sequential(lstm(6), dense(5), layers.PReLU(), dense(1))
    elif name == "flatten":
        model = sequential(many(4), layers.Flatten(), dense(1), steps=7)
    elif name == "regularized":
        model = sequential(
            lstm(6, kernel_regularizer="l2", recurrent_constraint="max_norm"),
            dense(1, kernel_regularizer=keras.regularizers.L1L2(0.1, 0.1)),
        )
    elif name == "noise":
        model = sequential(
            layers.GaussianNoise(0.1), many(6), layers.SpatialDropout1D(0.2), lstm(4), dense(1)
        )
    elif name == "mixed_precision":
        model = sequential(lstm(6, dtype="mixed_bfloat16"), dense(1, dtype="float32"))
    elif name == "relu6":
        model = sequential(lstm(6), dense(5), layers.ReLU(max_value=6), dense(1))
    elif name == "attention":
        x = keras.Input((7, 3))
        h = many(6)(x)
        model = keras.Model(x, dense(1)(layers.Flatten()(layers.Attention()([h, h]))))
    elif name == "two_inputs":
        a, b = keras.Input((7, 3)), keras.Input((2,))
        model = keras.Model([a, b], dense(1)(layers.Concatenate()([lstm(6)(a), b])))
    return model, ids
