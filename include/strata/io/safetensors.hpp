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

// strata's own files: safetensors, which Python reads too, with what the model is made of, the
// versions, and perhaps a self-test in the metadata.

namespace strata::inline STRATA_TARGET {

/// Options of save.
template <class Scalar>
struct SaveOptions {
  /// Data for the model. The file keeps it with its prediction, and every load compares.
  Tensor<Scalar> self_test = {};
};

namespace io {

/// The weights of a model that outlives the writer.
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

/// Reads the weights of a model of which everything else is known, and runs the self-test. The
/// model keeps its own weights when this throws, whatever they are.
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

/// The file of a model that outlives the writer.
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

/// The file that save writes, in memory.
template <class Model>
[[nodiscard]] std::vector<std::byte> save_to_memory(
    const Model& model, const SaveOptions<typename Model::scalar_type>& options = {}) {
  return io::writer_of(model, options).bytes();
}

/// Writes a model: layers, options and weights, all that load needs. A file that was there stays
/// whole until the new one is. Throws StateError before the model is built, ValueError on layers
/// that do not describe themselves, FileError when the file cannot be written.
template <class Model>
void save(const std::filesystem::path& path, const Model& model,
          const SaveOptions<typename Model::scalar_type>& options = {}) {
  io::writer_of(model, options).write_file(path);
}

/// Writes the weights alone, by the names of model.parameters().
template <class Model>
void save_weights(const std::filesystem::path& path, const Model& model) {
  io::SafetensorsWriter writer;
  io::add_weights(writer, model);
  writer.metadata = {{"format", "strata"}};
  writer.write_file(path);
}

/// The model of a file that save has written, of any scalar: load("model.safetensors"), or
/// load<double>(...). `from` is a path or bytes in memory. It is built with all layers there are;
/// where compile time matters, call it in one file of a program, or give a model to load_weights.
///
/// Throws FileError when the file cannot be read, FormatError when it is not what it should be:
/// when anything in it is not known, missing or left over, when a weight is not finite, when it is
/// newer than this strata, or when its self-test gives other numbers. Layers of cells of your own
/// are made where those are given.
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

/// Gives a model, static or run-time, the weights of a file: every one of the model's parameters
/// and every array of the file, by name and sizes. Where the file says what its model is made of,
/// the layers must be the same; what only training uses may differ. Throws StateError before the
/// model is built, FileError and FormatError as load does; the model is unchanged then.
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

}  // namespace strata::inline STRATA_TARGET
