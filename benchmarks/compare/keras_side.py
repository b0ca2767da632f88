"""The side of Keras with TensorFlow."""

from __future__ import annotations

import argparse
import platform

import keras
import tensorflow as tf

from cases import Case, noise_data, noise_weights
from serving import serve


class Keras:
    def __init__(self, options: argparse.Namespace):
        tf.config.threading.set_intra_op_parallelism_threads(options.threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)

    def info(self) -> str:
        return (
            f"Keras {keras.__version__}; TensorFlow {tf.__version__}; "
            f"Python {platform.python_version()}"
        )

    def ways(self, what: str) -> list[str]:
        return ["graph", "XLA"]

    def prepare(self, case: Case, what: str, way: str, check: bool):
        """A traced function, which leaves out what fit and predict do around it in Python."""
        layers = [keras.Input((case.steps, case.features), case.batch)]
        for layer in range(case.layers):
            layers.append(keras.layers.LSTM(case.units, return_sequences=layer < case.layers - 1))
        model = keras.Sequential(layers + [keras.layers.Dense(1)])
        model.set_weights(noise_weights(case))
        x, y = map(tf.constant, noise_data(case))
        xla = way == "XLA"
        if what == "predict":
            run = tf.function(lambda: model(x, training=False), jit_compile=xla)
            return run
        optimizer = keras.optimizers.Adam(1e-3, epsilon=1e-12 if check else 1e-7)
        optimizer.build(model.trainable_variables)

        def train() -> tf.Tensor:
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.square(model(x, training=True) - y))
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply(gradients, model.trainable_variables)
            return loss

        return tf.function(train, jit_compile=xla)

    def numbers(self, result: tf.Tensor) -> list[float]:
        return result.numpy().ravel().tolist()

    def forget(self) -> None:
        keras.backend.clear_session()


if __name__ == "__main__":
    serve(Keras)
