"""optimizers.txt: two variables after each of six updates with given gradients."""

import keras
import numpy as np

from golden_file import GoldenFile, draw, rng

STEPS = 6


def configurations():
    o = keras.optimizers
    plain = {
        "sgd": (o.SGD, {}),
        "sgd_momentum": (o.SGD, {"learning_rate": 0.05, "momentum": 0.9}),
        "sgd_nesterov": (o.SGD, {"learning_rate": 0.05, "momentum": 0.9, "nesterov": True}),
        "rmsprop": (o.RMSprop, {}),
        "rmsprop_momentum": (o.RMSprop, {"learning_rate": 0.01, "rho": 0.8, "momentum": 0.5}),
        "rmsprop_centered": (o.RMSprop, {"learning_rate": 0.01, "centered": True}),
        "rmsprop_centered_momentum": (
            o.RMSprop,
            {"learning_rate": 0.01, "centered": True, "momentum": 0.9, "epsilon": 1e-3},
        ),
        "adam": (o.Adam, {}),
        "adam_options": (
            o.Adam,
            {"learning_rate": 0.02, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-3},
        ),
        "adam_amsgrad": (o.Adam, {"learning_rate": 0.02, "beta_2": 0.7, "amsgrad": True}),
        "adamw": (o.AdamW, {}),
        "adamw_options": (o.AdamW, {"learning_rate": 0.02, "weight_decay": 0.25}),
        "adamw_amsgrad": (
            o.AdamW,
            {"learning_rate": 0.02, "weight_decay": 0.1, "beta_2": 0.7, "amsgrad": True},
        ),
    }
    plain |= {
        "adagrad": (o.Adagrad, {"initial_accumulator_value": 0.125}),
        "adagrad_options": (
            o.Adagrad,
            {"learning_rate": 0.1, "initial_accumulator_value": 0.5, "epsilon": 1e-3},
        ),
        "adadelta": (o.Adadelta, {}),
        "adadelta_options": (o.Adadelta, {"learning_rate": 1.0, "rho": 0.75, "epsilon": 1e-3}),
        "adamax": (o.Adamax, {}),
        "adamax_options": (
            o.Adamax,
            {"learning_rate": 0.02, "beta_1": 0.75, "beta_2": 0.5, "epsilon": 1e-3},
        ),
        "nadam": (o.Nadam, {}),
        "nadam_options": (
            o.Nadam,
            {"learning_rate": 0.02, "beta_1": 0.75, "beta_2": 0.875, "epsilon": 1e-3},
        ),
        "lion": (o.Lion, {}),
        "lion_options": (o.Lion, {"learning_rate": 0.02, "beta_1": 0.5, "beta_2": 0.75}),
    }
    clips = {
        "clip_value": {"clipvalue": 0.5},
        "clip_norm": {"clipnorm": 1.5},
        "clip_global_norm": {"global_clipnorm": 2.0},
    }
    yield from ((name, make, options) for name, (make, options) in plain.items())
    # SGD shows the clipped gradient itself; RMSprop and Adam show that their moments see it too.
    for clip, clip_options in clips.items():
        yield f"sgd_{clip}", o.SGD, {"learning_rate": 0.125, **clip_options}
        yield f"rmsprop_{clip}", o.RMSprop, {"learning_rate": 0.01, **clip_options}
        yield f"adam_{clip}", o.Adam, {"learning_rate": 0.01, **clip_options}
        yield f"adamw_{clip}", o.AdamW, {"learning_rate": 0.01, **clip_options}


def exact(optimizer):
    """Keeps the digits of the optimizer's constants where Keras computes in float64.

    Keras turns 0.999 into a float32 on its way to float64, and 1 - 0.999 is 1e-5 off then. NumPy's
    numbers keep their type.
    """
    if keras.config.floatx() == "float64":
        for name in ("beta_1", "beta_2", "momentum", "rho", "epsilon", "weight_decay"):
            if isinstance(getattr(optimizer, name, None), float):
                setattr(optimizer, name, np.float64(getattr(optimizer, name)))
    return optimizer


def optimizers():
    file = GoldenFile("optimizers, float64")
    random = rng("optimizers")
    start = {"a": draw(random, 3, 4), "b": draw(random, 5)}
    # Some gradients are clipped and some are not; one entry never has any.
    sizes = (2.0, 0.25, 4.0, 0.5, 1.0, 0.0625)
    gradients = [{k: draw(random, *v.shape, scale=s) for k, v in start.items()} for s in sizes]
    for step in gradients:
        step["a"][0, 0] = 0
    gradients[3]["b"][:] = 0
    file.add_all("start", start)
    for name in start:
        file.add(f"gradients.{name}", np.stack([step[name] for step in gradients]))
    for case, make, options in configurations():
        optimizer = exact(make(**options))
        variables = [keras.Variable(value, dtype="float64") for value in start.values()]
        optimizer.build(variables)
        after = {name: [] for name in start}
        for step in gradients:
            tensors = [keras.ops.convert_to_tensor(g, dtype="float64") for g in step.values()]
            optimizer.apply(tensors, variables)
            for name, variable in zip(start, variables):
                after[name].append(variable.numpy().copy())
        for name in start:
            file.add(f"{case}.{name}", np.stack(after[name]))
    return file
