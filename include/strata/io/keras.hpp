#pragma once

#include <concepts>

#include <strata/io/common/assemble.hpp>
#include <strata/io/common/compare_layers.hpp>
#include <strata/io/common/described_model.hpp>
#include <strata/io/common/layers.hpp>
#include <strata/io/common/model_file.hpp>
#include <strata/io/common/source.hpp>
#include <strata/io/keras/file.hpp>
#include <strata/target.hpp>

// Models of Keras: https://keras.io/guides/serialization_and_saving.

namespace strata::inline STRATA_RUNTIME {

/// The model of a .keras file of Keras 3, or of a legacy .h5 file of Keras 2 or 3: a Keras
/// Sequential, or a functional model whose layers are a chain. It predicts what Keras predicts.
/// `from` is a path or bytes in memory; `Scalar` need not be the type of the file's numbers.
///
///   auto model = load_keras("model.keras");              // or load_keras<double>("model.keras")
///
/// Throws FileError when the file cannot be read, FormatError, naming layer and setting, when the
/// file is damaged, when it holds anything that strata does not know, or when an array is missing
/// or left over.
template <std::floating_point Scalar = float>
[[nodiscard]] io::Loaded<Scalar> load_keras(const io::Source& from) {
  io::KerasFile file = io::read_keras_file(from);
  if (!file.architecture) {
    from.where().refuse(
        "these are weights alone, without a model: give them to load_keras_weights with one");
  }
  auto model = io::described_model<Scalar>(*file.architecture, file.weights.count(),
                                           io::LayerMaker<Scalar>(), from.where());
  file.weights.give_to(model);
  return model;
}

/// Gives a model, static or run-time, the weights of a .weights.h5 file, or of a file that
/// load_keras reads. Parameters and arrays are paired in the order of the layers: each parameter
/// needs an array of its sizes, and no array may be left over. Where the file describes its layers,
/// the model must have the same ones, but for dropout and other settings that only training uses.
///
/// Throws StateError before the model is built, FileError and FormatError as load_keras does; the
/// model keeps its weights then.
template <class Model>
void load_keras_weights(const io::Source& from, Model& model) {
  (void)model.parameters();
  io::KerasFile file = io::read_keras_file(from);
  if (file.architecture) {
    io::require_same_layers(file.architecture->layers, io::architecture_of(model).layers,
                            from.where());
  }
  file.weights.give_to(model);
}

}  // namespace strata::inline STRATA_RUNTIME
