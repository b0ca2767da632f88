"""Kinds of layers and models that Keras saves, with their outputs: tests/golden/keras/kinds and
keras_kinds.txt. keras_files.py has the recurrent layers and the layouts of the files."""

import json
import os
import zipfile

import h5py
import keras
import numpy as np
from keras import layers

import keras_files as files
from golden_file import GoldenFile, draw, rng, write_text
from keras_files import both, dense, gru, lstm, of, rnn, sequential

ACTIVATIONS = "relu6 leaky_relu selu gelu silu mish".split()


def functional(shape, build, **names):
    keras.backend.clear_session()
    keras.config.set_dtype_policy("float32")
    x = keras.Input(shape, **names)
    return keras.Model(x, build(x))


def activations():
    yield "names", sequential(
        (3,),
        *[dense(3, activation=one) for one in ACTIVATIONS],
        of(layers.Activation, "swish"),
        dense(3),
        of(layers.Activation, "gelu"),
        dense(3, activation="relu6"),
    )
    yield "settings", sequential(
        (3,),
        dense(4, activation=layers.LeakyReLU(0.3)),
        of(layers.LeakyReLU),
        dense(4, activation=layers.ReLU(max_value=0.5)),
        of(layers.ReLU, max_value=1.5, negative_slope=0.25, threshold=0.125),
        dense(3, activation=layers.ELU(alpha=0.5)),
        of(layers.ELU, alpha=0.75),
        of(layers.ReLU, max_value=6.0),
        dense(3),
        of(layers.PReLU),
        of(layers.Activation, layers.LeakyReLU(negative_slope=0.2)),
        dense(3, activation=layers.Softmax()),
    )
    yield "recurrent_settings", sequential(
        (4, 2),
        lstm(2, activation=layers.ReLU(), recurrent_activation=layers.ELU()),
        gru(2, False, activation="relu6", recurrent_activation="leaky_relu"),
    )


def constants():
    yield "rescaling", sequential(
        (4, 2),
        of(layers.Rescaling, 0.5),
        of(layers.Rescaling, [2.0, 0.25], [0.5, -1.0]),
        of(layers.Rescaling, 2.0, offset=0.125),
        gru(2),
        of(layers.Rescaling, np.array([[3.0, 2.0]]), 1),
    )
    yield "normalization_of_all", sequential(
        (4, 3),
        of(layers.Normalization, axis=None),
        dense(2),
        of(layers.Normalization, axis=None, mean=0.5, variance=4.0),
        of(layers.Normalization, axis=None, invert=True),
        of(layers.Normalization, mean=np.array([1.0, 2.0]), variance=np.array([4.0, 9.0])),
    )


def steps():
    yield "prelu", sequential(
        (4, 3),
        of(layers.PReLU, shared_axes=[1]),
        rnn(3),
        of(layers.PReLU, shared_axes=[1, 2]),
        rnn(2),
        of(layers.PReLU),
    )
    yield "reshape", sequential(
        (4, 3),
        rnn(2),
        of(layers.Reshape, (8,)),
        dense(6),
        of(layers.Reshape, (3, 2)),
        gru(2),
        of(layers.Reshape, (-1,)),
    )
    yield "maximum", sequential((5, 2), lstm(3), of(layers.GlobalMaxPooling1D), dense(1))


def convolutions():
    conv = lambda *values, **options: of(layers.Conv1D, *values, **options)
    yield "conv_causal", sequential(
        (None, 2),
        conv(3, 2, padding="causal"),
        conv(2, 3, padding="causal", dilation_rate=2, activation="tanh", use_bias=False),
        lstm(2, False),
    )
    yield "conv_valid", sequential(
        (9, 2),
        conv(3, 3, activation="gelu"),
        conv(4, 1, padding="same", activation=layers.LeakyReLU(0.3)),
        conv(2, 2, dilation_rate=3),
        of(layers.Flatten),
        dense(1),
    )


def nested():
    def encoder():
        model = keras.Sequential(
            [
                keras.Input((4, 2)),
                layers.LSTM(3, return_sequences=True),
                layers.BatchNormalization(),
                layers.Dense(2, activation=layers.LeakyReLU(0.3)),
            ]
        )
        model.layers[0].trainable = False
        return model

    def each_step():
        return keras.Sequential([layers.Dense(3), layers.BatchNormalization(), layers.Dense(2)])

    yield "sequential_in_sequential", sequential(
        (4, 2),
        encoder,
        dense(2),
        of(keras.Sequential, [layers.Dense(2), keras.Sequential([layers.Dense(3)])]),
        encoder_of(3),
        lambda: layers.TimeDistributed(each_step()),
        dense(1),
    )
    yield "functional_in_functional", functional(
        (4, 2),
        lambda x: layers.Dense(1, name="Ausgang_ä")(
            functional_part("Kodierer_é")(functional_part("層")(x))
        ),
        name="entrée",
    )
    # HDF5 keeps more than eight names in another way, where one has letters beyond ASCII.
    yield "many_names", sequential((3,), *[dense(2, name=f"Schicht_{i}_ß") for i in range(9)])
    first = sequential((4, 2), encoder, lstm(2, False))
    yield "without_outer_input", keras.Sequential(first.layers)


def encoder_of(features):
    return lambda: keras.Sequential(
        [keras.Input((4, features)), layers.GRU(2, return_sequences=True)], name=f"encoder_{features}"
    )


def functional_part(name):
    x = keras.Input((4, 2))
    y = layers.SimpleRNN(3, return_sequences=True, name=f"{name}_in")(x)
    return keras.Model(x, layers.Dense(2)(y), name=name)


def sums():
    def residual(x):
        y = layers.LSTM(2, return_sequences=True)(x)
        y = layers.Add()([y, x])
        z = layers.GRU(2, return_sequences=True)(y) + y
        w = layers.Dense(2)(z)
        w = layers.Add()([layers.Activation("tanh")(w), w])
        return layers.LSTM(2)(w)

    yield "residual", functional((4, 2), residual)

    def branches(x):
        y = layers.Dense(5, activation="relu")(x)
        y = layers.Dense(2)(layers.Dropout(0.25)(y))
        x = layers.Add()([x, y])
        y = layers.LSTM(3, return_sequences=True)(layers.LayerNormalization()(x))
        y = layers.Dense(2, activation=layers.LeakyReLU(0.3))(y)
        z = layers.Dense(2, trainable=False)(y)
        return layers.GRU(2)(layers.Add()([x, layers.Add()([z, y])]))

    yield "residual_branches", functional((4, 2), branches)

    def masked(x):
        y = layers.Masking(mask_value=0.5)(x)
        y = layers.Add()([y, layers.LSTM(2, return_sequences=True)(y)])
        return layers.GRU(2)(y)

    yield "residual_masking", functional((4, 2), masked)

    def within(x):
        y = layers.Dense(3)(x)
        y = layers.Add()([y, layers.Bidirectional(layers.LSTM(3, return_sequences=True), "sum")(y)])
        return layers.Dense(2)(y)

    yield "residual_in_sequential", sequential(
        (4, 2), lambda: functional_of((4, 2), within), lstm(2, False)
    )


def functional_of(shape, build):
    x = keras.Input(shape)
    return keras.Model(x, build(x))


def states():
    def unused(x):
        y, h, c = layers.LSTM(3, return_sequences=True, return_state=True)(x)
        y, *_ = layers.Bidirectional(layers.GRU(2, return_state=True))(y)
        return layers.Dense(1)(y)

    yield "states_unused", functional((4, 2), unused)


def masks():
    masking = of(layers.Masking, mask_value=0.5)
    yield "masking_around", sequential(
        (5, 2),
        of(layers.Rescaling, 1.0),
        masking,
        of(layers.TimeDistributed, layers.Dense(3)),
        of(layers.LayerNormalization),
        of(layers.Rescaling, 0.5, 0.25),
        of(layers.LeakyReLU, 0.1),
        gru(2),
        of(layers.Flatten),
        dense(1),
    )
    yield "masking_in_model", sequential(
        (5, 2), of(keras.Sequential, [layers.Masking(mask_value=0.5), layers.Dense(2)]), lstm(2, False)
    )
    yield "embedding_flatten", sequential(
        (5,), of(layers.Embedding, 7, 2, mask_zero=True), of(layers.Flatten), dense(1)
    )
    yield "masking_reshape", sequential((4, 3), masking, rnn(3), of(layers.Reshape, (3, 4)), gru(2, False))


def frozen():
    def freeze(layer, **inner):
        layer.trainable = False
        return layer

    def half():
        layer = layers.Bidirectional(layers.LSTM(2))
        layer.forward_layer.trainable = False
        return layer

    yield "frozen_layers", sequential(
        (4, 2),
        lambda: freeze(layers.LSTM(3, return_sequences=True)),
        lstm(3),
        lambda: freeze(layers.TimeDistributed(layers.Dense(3))),
        lambda: freeze(layers.BatchNormalization()),
        lambda: freeze(layers.Bidirectional(layers.GRU(2))),
        dense(2),
    )
    yield "frozen_half", sequential((4, 2), half, dense(2))
    model = sequential((4, 2), encoder_of(2), lstm(2, False), dense(1))
    model.layers[0].trainable = False
    yield "frozen_part", model
    model = functional((4, 2), lambda x: layers.Add()([x, layers.LSTM(2, return_sequences=True)(x)]))
    model.trainable = False
    yield "frozen_model", model


def randomize(model, case):
    """Weights of their own, whose variances are above zero; steps share their alpha."""
    random = rng(f"keras_kinds.{case}")
    for variable in model.weights:
        if variable.name == "count":
            continue
        values = draw(random, *variable.shape, scale=0.75)
        if "variance" in variable.name:
            values = np.abs(values) + 0.25
        if variable.name == "alpha" and len(variable.shape) == 2:
            values[:] = values[0]
        variable.assign(values)
    finalize(model)


def finalize(model):
    for layer in model.layers:
        if isinstance(layer, layers.Normalization):
            layer.finalize_state()
        elif hasattr(layer, "layers"):
            finalize(layer)


def inputs(model, case):
    random = rng(f"keras_kinds.{case}.x")
    sizes = (3, *[4 if size is None else size for size in model.input_shape[1:]])
    if "embedding" in case:
        ids = random.integers(1, 7, size=sizes)
        ids[1, 2:] = 0
        ids[2, 0] = 0
        return ids
    x = draw(random, *sizes)
    if "mask" in case:
        x[0, 3:] = 0.5
        x[2, 1] = 0.5
    return x


def predict(model, x):
    return np.array(keras.ops.convert_to_numpy(model(x, training=False)), dtype=np.float64)


def stateful(file, folder):
    """Two calls, of which the second goes on from the states of the first."""
    keras.backend.clear_session()
    model = keras.Sequential(
        [
            keras.Input(batch_shape=(2, 3, 2)),
            layers.LSTM(3, return_sequences=True, stateful=True),
            layers.GRU(2, stateful=True),
            layers.Dense(1),
        ]
    )
    randomize(model, "stateful")
    path = os.path.join(folder, "stateful.keras")
    model.save(path)
    files.rewrite(path)
    random = rng("keras_kinds.stateful.x")
    for call in ("first", "second"):
        x = draw(random, 2, 3, 2)
        file.add(f"stateful.{call}.x", x)
        file.add(f"stateful.{call}.result", predict(model, x))


def fifth(x):
    """hard_sigmoid before Keras 3."""
    return keras.ops.clip(0.2 * x + 0.5, 0, 1)


def keras_2(file, folder):
    """Layouts and settings of Keras 2, written by h5py. Keras 3 computes the outputs."""
    def add(case, model, change):
        randomize(model, case)
        path = os.path.join(folder, f"{case}.h5")
        files.keras_2(model, path)
        with h5py.File(path, "a") as written:
            config = json.loads(written.attrs["model_config"])
            change(config)
            written.attrs["model_config"] = np.bytes_(json.dumps(config).encode())
        x = inputs(model, case)
        file.add(f"{case}.x", x)
        file.add(f"{case}.y", predict(model, x))
        file.add(f"{case}.trained", count(model.trainable_weights))

    def names(config):
        for layer in config["config"]["layers"]:
            inner = layer["config"].get("layer", layer)["config"]
            for key in ("activation", "recurrent_activation"):
                if isinstance(inner.get(key), dict):
                    inner[key] = "hard_sigmoid"

    model = sequential(
        (4, 2),
        lstm(3, recurrent_activation=fifth),
        gru(2, reset_after=False, recurrent_activation=fifth),
        lambda: layers.Dense(2, activation=fifth),
        of(layers.Activation, fifth),
    )
    add("keras_2_hard_sigmoid", model, names)

    def bidirectional(config):
        first, layer = config["config"]["layers"][:2]
        del config["config"]["layers"][0]
        shape = layer["config"].pop("batch_input_shape")
        layer["config"]["layer"]["config"]["batch_input_shape"] = shape
        layer["config"].pop("dtype", None)
        # Keras 2.0 to 2.2.2 writes a list.
        config["config"] = config["config"]["layers"]

    model = sequential((4, 2), both(lstm(3, False), "concat"), dense(2))
    add("keras_2_bidirectional", model, bidirectional)

    def alpha(config):
        for layer in config["config"]["layers"]:
            if layer["class_name"] == "LeakyReLU":
                layer["config"]["alpha"] = float(np.float32(layer["config"].pop("negative_slope")))
            if layer["class_name"] == "ReLU":
                layer["config"]["max_value"] = {"type": "ndarray", "value": 1.5}

    model = sequential((3,), dense(4), of(layers.LeakyReLU, 0.3), of(layers.ReLU, max_value=1.5), dense(2))
    add("keras_2_alpha", model, alpha)


def count(weights):
    return np.array([sum(int(np.prod(one.shape)) for one in weights)])


def refused():
    """Configs of models that strata does not have, by what its message says."""

    def config(model):
        return json.loads(model.to_json())

    masking = of(layers.Masking, mask_value=0.5)
    lstm_with = lambda **options: of(layers.LSTM, 2, **options)

    def used(x):
        y, h, c = layers.LSTM(2, return_state=True, name="a")(x)
        return layers.Dense(1)(h)

    def both_branches(x):
        return layers.Add(name="sum")([layers.Dense(2, name="a")(x), layers.Dense(2, name="b")(x)])

    def operator(x):
        y = layers.Masking()(x)
        return layers.GRU(2)(y + layers.LSTM(2, return_sequences=True)(y))

    def encoder_decoder(x):
        y, *state = layers.LSTM(2, return_sequences=True, return_state=True)(x)
        return layers.LSTM(2, name="b")(y, initial_state=state)

    def side(x):
        keras.Model(x, layers.Dense(2)(x))
        return layers.Concatenate(name="joined")([x, layers.Dense(2)(x)])

    models = {
        "mask_maximum": sequential((4, 2), masking, of(layers.GlobalMaxPooling1D)),
        "mask_convolution": sequential((4, 2), masking, of(layers.Conv1D, 2, 2)),
        "mask_softmax": sequential((4, 4), masking, of(layers.Softmax)),
        "mask_operator": functional((4, 2), operator),
        "log_softmax": sequential((3,), dense(2, activation="log_softmax")),
        "cell_settings": sequential((4, 2), lstm_with(activation=layers.LeakyReLU(0.3))),
        "prelu_inside": sequential((3,), dense(2, activation=layers.PReLU())),
        "own_function": sequential((3,), dense(2, activation=fifth)),
        "strides": sequential((4, 2), of(layers.Conv1D, 2, 2, strides=2)),
        "same": sequential((4, 2), of(layers.Conv1D, 2, 3, padding="same")),
        "groups": sequential((4, 2), of(layers.Conv1D, 2, 2, groups=2)),
        "state_used": functional((4, 2), used),
        "initial_state": functional((4, 2), encoder_decoder),
        "both_branches": functional((4, 2), both_branches),
        "joined": functional((4, 2), side),
        "rescaling_steps": sequential((2, 3), of(layers.Rescaling, [[1.0], [2.0]])),
    }
    keras.backend.clear_session()
    a, b = keras.Input((4, 2), name="a"), keras.Input((4, 2), name="b")
    models["two_inputs"] = keras.Model([a, b], layers.Add()([a, b]))
    configs = {name: config(model) for name, model in models.items()}
    states = config(sequential((4, 2), lstm_with()))
    states["config"]["layers"][-1]["config"]["return_state"] = True
    return configs | {"states_returned": states}


def config_of(path):
    with zipfile.ZipFile(path) as archive:
        return archive.read("config.json").decode()


def keras_kinds(folder):
    file = GoldenFile("kinds of layers in Keras models, float32", digits=9, packages=files.PACKAGES)
    kinds = os.path.join(folder, "keras", "kinds")
    os.makedirs(kinds, exist_ok=True)
    both_layouts = (
        "residual",
        "residual_branches",
        "sequential_in_sequential",
        "functional_in_functional",
        "many_names",
        "frozen_part",
    )
    # Configs alone, for the fuzzer of the reader.
    corpus = os.path.join(folder, "..", "fuzz", "corpus", "keras")
    seeds = ("residual", "residual_masking", "without_outer_input", "frozen_half", "settings")
    groups = (activations, constants, steps, convolutions, nested, sums, states, masks, frozen)
    for group in groups:
        for case, model in group():
            randomize(model, case)
            path = os.path.join(kinds, f"{case}.keras")
            model.save(path)
            files.rewrite(path)
            if case in both_layouts:
                model.save(os.path.join(kinds, f"{case}.h5"))
            if case in seeds:
                write_text(os.path.join(corpus, case), [config_of(path)])
            x = inputs(model, case)
            file.add(f"{case}.x", x)
            file.add(f"{case}.y", predict(model, x))
            file.add(f"{case}.trained", count(model.trainable_weights))
    stateful(file, kinds)
    keras_2(file, kinds)
    lines = [f"{json.dumps(name)}: {json.dumps(one)}" for name, one in refused().items()]
    write_text(os.path.join(kinds, "refused.json"), ["{", ",\n".join(lines), "}"])
    return file
