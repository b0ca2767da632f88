#pragma once

#include <concepts>
#include <cstddef>
#include <vector>

#include <strata/io/common/loaded.hpp>
#include <strata/io/common/own_cell.hpp>
#include <strata/io/common/path.hpp>
#include <strata/io/common/source.hpp>
#include <strata/model/forward_network.hpp>
#include <strata/model/network.hpp>
#include <strata/precision.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>

// strata's own files. They are safetensors files, which Python reads too: the arrays are the
// weights and, if there is one, a self-test; the metadata describe the layers and give the
// versions.

namespace strata::inline STRATA_RUNTIME {

/// Options of save.
///
///   save("model.safetensors", model, {.self_test = x})   // x (B, T, F), the model's input
template <class Scalar>
struct SaveOptions {
  /// An input for the model. The file keeps it with the model's prediction, and every load compares
  /// the prediction of the loaded model with it, which finds a machine or a version of strata that
  /// computes otherwise. Empty, for no self-test, since the file gets larger and each load slower.
  Tensor<Scalar> self_test = {};
};

/// Options of save_weights.
///
///   save_weights("weights.safetensors", model, {.precision = Precision::int16})
struct SaveWeightsOptions {
  /// How the file keeps matrices; vectors, such as a bias, stay the model's numbers. half: as
  /// 16-bit floats. int16: as 16-bit integers, with a scale for each column (U), in the array
  /// "<name>.scale". load_weights makes the model's numbers of them again.
  Precision precision = Precision::full;
};

namespace io {

// What the functions below come down to, whatever the type of the model.

template <class Scalar>
[[nodiscard]] std::vector<std::byte> save_network_to_memory(const ForwardNetwork<Scalar>& network,
                                                            const SaveOptions<Scalar>& options);
template <class Scalar>
void save_network(const Path& path, const ForwardNetwork<Scalar>& network,
                  const SaveOptions<Scalar>& options);
template <class Scalar>
void save_network_weights(const Path& path, const Network<Scalar>& network,
                          const SaveWeightsOptions& options);
template <class Scalar>
void load_network_weights(const Source& from, ForwardNetwork<Scalar> network);

}  // namespace io

/// The bytes of the file that save writes. Throws StateError and ValueError as save does.
template <class Model>
[[nodiscard]] std::vector<std::byte> save_to_memory(
    const Model& model, const SaveOptions<typename Model::scalar_type>& options = {}) {
  return io::save_network_to_memory(model.forward_network(), options);
}

/// Writes a model with its layers, options and weights, from which load makes it again. The new
/// file takes the place of an old one only when it is complete. Throws StateError before the model
/// is built, ValueError on layers that do not describe themselves, FileError when the file cannot
/// be written.
template <class Model>
void save(const io::Path& path, const Model& model,
          const SaveOptions<typename Model::scalar_type>& options = {}) {
  io::save_network(path, model.forward_network(), options);
}

/// Writes the weights alone, by the names of model.parameters(), for load_weights. Throws
/// StateError before the model is built, ValueError on weights that `precision` cannot hold,
/// FileError when the file cannot be written.
template <class Model>
void save_weights(const io::Path& path, const Model& model,
                  const SaveWeightsOptions& options = {}) {
  io::save_network_weights(path, model.network(), options);
}

/// The model of a file that save has written. `from` is a path or bytes in memory; `Scalar` need
/// not be the type of the file's numbers. `cells` are the cells of your own that the file may
/// contain; see own_cell.
///
///   auto model = load("model.safetensors");              // or load<double>("model.safetensors")
///
/// A call compiles every kind of layer of strata. Where compile time matters, call load in one file
/// of a program alone, or use load_weights with a model whose layers the program names.
///
/// Throws FileError when the file cannot be read; FormatError when anything in the file is unknown,
/// missing or left over, when a weight is not finite, when the format is newer than this strata, or
/// when the self-test of the file computes other numbers.
template <std::floating_point Scalar = float>
[[nodiscard]] io::Loaded<Scalar> load(const io::Source& from,
                                      const std::vector<OwnCell<Scalar>>& cells = {});

/// Gives a model, static or run-time, the weights of a file of save, save_weights or Python. Each
/// of the model's parameters needs an array of its name and sizes, and no array may be left over.
/// Where the file describes its layers, the model must have the same ones, but for dropout and
/// other settings that only training uses. Throws StateError before the model is built, FileError
/// and FormatError as load does; the model keeps its weights then.
template <class Model>
void load_weights(const io::Source& from, Model& model) {
  io::load_network_weights(from, model.forward_network());
}

}  // namespace strata::inline STRATA_RUNTIME

#ifndef STRATA_COMPILED
#include <strata/io/safetensors_definitions.hpp>
#endif
