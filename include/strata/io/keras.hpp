#pragma once

#include <concepts>

#include <strata/io/common/loaded.hpp>
#include <strata/io/common/source.hpp>
#include <strata/io/keras/folder.hpp>
#include <strata/model/network.hpp>
#include <strata/target.hpp>

// Models of Keras: https://keras.io/guides/serialization_and_saving.

namespace strata::inline STRATA_RUNTIME {

/// What load_keras does with things that strata does in another way than Keras.
struct KerasOptions {
  /// Whether layers may be stateful. False, since Keras goes on from the state of the call before,
  /// which in strata the caller keeps: predict(x, {.state = &state}), or a Stream.
  bool stateful = false;
};

/// The model of a .keras file of Keras 2.12 or later, or of a legacy .h5 file of Keras 2 or 3: a
/// Keras Sequential, or a functional model whose layers are a chain, with such models among their
/// layers. It predicts what Keras predicts, and layers that Keras does not train are frozen. `from`
/// is a path, also of the folder that Keras writes with zipped=False, or bytes in memory; `Scalar`
/// need not be the type of the file's numbers.
///
///   auto model = load_keras("model.keras");              // or load_keras<double>("model.keras")
///
/// Throws FileError when the file cannot be read, FormatError, naming layer and setting, when the
/// file is damaged, when it holds anything that strata does not know, or when an array is missing
/// or left over.
template <std::floating_point Scalar = float>
[[nodiscard]] io::Loaded<Scalar> load_keras(const io::Source& from,
                                            const KerasOptions& options = {});

/// The same from the files of a folder in memory.
template <std::floating_point Scalar = float>
[[nodiscard]] io::Loaded<Scalar> load_keras(const KerasFolder& from,
                                            const KerasOptions& options = {});

namespace io {

/// What load_keras_weights comes down to, whatever the type of the model.
template <class Scalar>
void load_keras_network(const Source& from, Network<Scalar> network);

}  // namespace io

/// Gives a model, static or run-time, the weights of a .weights.h5 file, or of a file that
/// load_keras reads. Parameters and arrays are paired in the order of the layers: each parameter
/// needs an array of its sizes, and no array may be left over. Where the file describes its layers,
/// the model must have the same ones, but for dropout and other settings that only training uses.
///
/// Throws StateError before the model is built, FileError and FormatError as load_keras does; the
/// model keeps its weights then.
template <class Model>
void load_keras_weights(const io::Source& from, Model& model) {
  io::load_keras_network(from, model.network());
}

}  // namespace strata::inline STRATA_RUNTIME

#ifndef STRATA_COMPILED
#include <strata/io/keras_definitions.hpp>
#endif
