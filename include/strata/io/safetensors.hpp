#pragma once

#include <concepts>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/io/common/assemble.hpp>
#include <strata/io/common/assign.hpp>
#include <strata/io/common/compare_layers.hpp>
#include <strata/io/common/described_model.hpp>
#include <strata/io/common/layers.hpp>
#include <strata/io/common/model_file.hpp>
#include <strata/io/common/self_test.hpp>
#include <strata/io/common/source.hpp>
#include <strata/io/safetensors/format.hpp>
#include <strata/model/sequential.hpp>
#include <strata/target.hpp>

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

namespace io {

/// Adds the model's parameters by their names, without a copy: the model must outlive the writer.
template <class Model>
void add_weights(SafetensorsWriter& writer, const Model& model) {
  for (const auto& parameter : model.parameters()) {
    writer.add_view(parameter.name, sizes_of(parameter.shape),
                    std::span<const typename Model::scalar_type>(parameter.values));
  }
}

template <class Scalar>
void add_tensor(SafetensorsWriter& writer, const char* name, const Tensor<Scalar>& tensor) {
  writer.add(name, sizes_of(tensor.shape()), tensor.values());
}

/// Gives a built model the arrays of a file, by the names of its parameters, and runs the self-test
/// of the file. Throws FormatError when arrays are missing, left over or of other sizes, when a
/// number is not finite, or when the self-test fails; the model keeps its weights then.
template <class Model>
void read_weights(Model& model, NamedArrays& arrays, const Metadata& metadata) {
  using Scalar = typename Model::scalar_type;
  std::vector<Scalar> weights(static_cast<std::size_t>(model.parameter_count()));
  auto parameters = model.parameters();
  std::span<Scalar> rest = weights;
  for (auto& parameter : parameters) {
    const std::size_t count = parameter.values.size();
    parameter.values = rest.first(count);
    rest = rest.subspan(count);
  }
  assign_all(parameters, arrays);
  if (metadata.checkpoint()) {
    for (const std::string& name : arrays.names()) {
      if (name.starts_with("training.")) (void)arrays.take(name);
    }
  }
  if (!arrays.contains(self_test_input) && !arrays.contains(self_test_output)) {
    arrays.require_all_used();
    return model.set_weights(weights, allow_non_finite);
  }
  const std::vector<Scalar> before = model.weights();
  model.set_weights(weights, allow_non_finite);
  try {
    run_self_test(model, arrays, metadata.self_test_tolerance());
    arrays.require_all_used();
  } catch (...) {
    model.set_weights(before, allow_non_finite);
    throw;
  }
}

}  // namespace io

namespace io {

/// A writer of the file of save, with weights, metadata and self-test. It views the model's
/// weights: the model must outlive the writer.
template <class Model>
[[nodiscard]] SafetensorsWriter writer_of(const Model& model,
                                          const SaveOptions<typename Model::scalar_type>& options) {
  SafetensorsWriter writer;
  add_weights(writer, model);
  writer.metadata = Metadata::of(architecture_of(model));
  if (!options.self_test.empty()) {
    add_tensor(writer, self_test_input, options.self_test);
    add_tensor(writer, self_test_output, model.predict(options.self_test));
  }
  return writer;
}

}  // namespace io

/// The bytes of the file that save writes. Throws StateError and ValueError as save does.
template <class Model>
[[nodiscard]] std::vector<std::byte> save_to_memory(
    const Model& model, const SaveOptions<typename Model::scalar_type>& options = {}) {
  return io::writer_of(model, options).bytes();
}

/// Writes a model with its layers, options and weights, from which load makes it again. The new
/// file takes the place of an old one only when it is complete. Throws StateError before the model
/// is built, ValueError on layers that do not describe themselves, FileError when the file cannot
/// be written.
template <class Model>
void save(const std::filesystem::path& path, const Model& model,
          const SaveOptions<typename Model::scalar_type>& options = {}) {
  io::writer_of(model, options).write_file(path);
}

/// Writes the weights alone, by the names of model.parameters(), for load_weights. Throws
/// StateError before the model is built, FileError when the file cannot be written.
template <class Model>
void save_weights(const std::filesystem::path& path, const Model& model) {
  io::SafetensorsWriter writer;
  io::add_weights(writer, model);
  writer.metadata = {{"format", "strata"}};
  writer.write_file(path);
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
                                      const std::vector<OwnCell<Scalar>>& cells = {}) {
  const io::Where where = from.where();
  io::SafetensorsFile file = io::read_safetensors(from);
  const io::Metadata metadata(file.metadata, where);
  const auto architecture = metadata.architecture();
  if (!architecture) {
    where.refuse(
        "the metadata has no strata.model: these are weights alone, for load_weights into a model "
        "or for a reader of the framework that wrote them");
  }
  if (!architecture->input) where.in("strata.model").refuse("has no input");
  std::size_t numbers = 0;
  for (const std::string& name : file.arrays.names()) {
    numbers += io::checked_count(file.arrays.find(name)->shape, where);
  }
  auto model =
      io::described_model<Scalar>(*architecture, numbers, io::LayerMaker<Scalar>(cells), where);
  io::read_weights(model, file.arrays, metadata);
  return model;
}

/// Gives a model, static or run-time, the weights of a file of save, save_weights or Python. Each
/// of the model's parameters needs an array of its name and sizes, and no array may be left over.
/// Where the file describes its layers, the model must have the same ones, but for dropout and
/// other settings that only training uses. Throws StateError before the model is built, FileError
/// and FormatError as load does; the model keeps its weights then.
template <class Model>
void load_weights(const io::Source& from, Model& model) {
  (void)model.parameters();
  io::SafetensorsFile file = io::read_safetensors(from);
  const io::Metadata metadata(file.metadata, from.where());
  if (const auto architecture = metadata.architecture()) {
    io::require_same_layers(architecture->layers, io::architecture_of(model).layers, from.where());
  }
  io::read_weights(model, file.arrays, metadata);
}

}  // namespace strata::inline STRATA_RUNTIME
