#pragma once

#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/base/finite.hpp>
#include <strata/base/half.hpp>
#include <strata/base/message.hpp>
#include <strata/io/common/assign.hpp>
#include <strata/io/common/compare_layers.hpp>
#include <strata/io/common/described_model.hpp>
#include <strata/io/common/layers.hpp>
#include <strata/io/common/model_file.hpp>
#include <strata/io/common/scaled_columns.hpp>
#include <strata/io/common/self_test.hpp>
#include <strata/io/common/source.hpp>
#include <strata/io/safetensors.hpp>
#include <strata/io/safetensors/format.hpp>
#include <strata/model/predict.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// Adds the model's parameters by their names, without a copy: the model must outlive the writer.
template <class Scalar>
void add_weights(SafetensorsWriter& writer, const Network<Scalar>& network) {
  for (const auto& parameter : network.parameters()) {
    writer.add_view(parameter.name, sizes_of(parameter.shape),
                    std::span<const Scalar>(parameter.values));
  }
}

/// Throws ValueError where 16 bits cannot hold a number of a parameter.
template <class Scalar>
void require_holds(Precision precision, const Parameter<Scalar>& parameter) {
  const double largest = precision == Precision::half
                             ? static_cast<double>(detail::largest_half)
                             : static_cast<double>((std::numeric_limits<float>::max)());
  for (const Scalar value : parameter.values) {
    if (!detail::is_finite(value) || std::abs(static_cast<double>(value)) > largest) {
      detail::fail<ValueError>({"save_weights: ", parameter.name, ": expected numbers that ",
                                std::string(name(precision)), " can hold, found ",
                                detail::number_text(static_cast<double>(value))});
    }
  }
}

template <class Scalar>
void add_tensor(SafetensorsWriter& writer, const char* name, const Tensor<Scalar>& tensor) {
  writer.add(name, sizes_of(tensor.shape()), tensor.values());
}

/// Gives a built model the arrays of a file, by the names of its parameters, and runs the self-test
/// of the file. Throws FormatError when arrays are missing, left over or of other sizes, when a
/// number is not finite, or when the self-test fails; the model keeps its weights then.
template <class Scalar>
void read_weights(ForwardNetwork<Scalar> network, NamedArrays& arrays, const Metadata& metadata) {
  std::vector<Scalar> weights(static_cast<std::size_t>(network.parameter_count()));
  auto parameters = network.parameters();
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
    return network.set_weights(weights);
  }
  const std::vector<Scalar> before = network.weights();
  network.set_weights(weights);
  try {
    run_self_test(network, arrays, metadata.self_test_tolerance());
    arrays.require_all_used();
  } catch (...) {
    network.set_weights(before);
    throw;
  }
}

/// A writer of the file of save, with weights, metadata and self-test. It views the model's
/// weights: the model must outlive the writer.
template <class Scalar>
[[nodiscard]] SafetensorsWriter writer_of(const ForwardNetwork<Scalar>& network,
                                          const SaveOptions<Scalar>& options) {
  SafetensorsWriter writer;
  add_weights(writer, network);
  writer.metadata = Metadata::of(architecture_of(network));
  if (!options.self_test.empty()) {
    add_tensor(writer, self_test_input, options.self_test);
    add_tensor(writer, self_test_output, detail::predict(network, options.self_test, {}));
  }
  return writer;
}

template <class Scalar>
std::vector<std::byte> save_network_to_memory(const ForwardNetwork<Scalar>& network,
                                              const SaveOptions<Scalar>& options) {
  return writer_of(network, options).bytes();
}

template <class Scalar>
void save_network(const Path& path, const ForwardNetwork<Scalar>& network,
                  const SaveOptions<Scalar>& options) {
  writer_of(network, options).write_file(path);
}

/// Adds the model's parameters with its matrices in 16 bits. Throws ValueError on a number that 16
/// bits cannot hold.
template <class Scalar>
void add_reduced_weights(SafetensorsWriter& writer, const Network<Scalar>& network,
                         Precision precision) {
  for (const auto& parameter : network.parameters()) {
    const auto sizes = sizes_of(parameter.shape);
    if (!is_reducible(parameter)) {
      writer.add_view(parameter.name, sizes, std::span<const Scalar>(parameter.values));
      continue;
    }
    require_holds(precision, parameter);
    std::vector<std::uint16_t> words;
    words.reserve(parameter.values.size());
    if (precision == Precision::half) {
      for (const Scalar value : parameter.values) {
        words.push_back(detail::to_half(static_cast<float>(value)));
      }
      writer.add(parameter.name, Element::float16, sizes, words);
    } else {
      const ScaledColumns scaled = scaled_columns(parameter);
      for (const std::int16_t integer : scaled.integers) {
        words.push_back(static_cast<std::uint16_t>(integer));
      }
      writer.add(parameter.name, Element::int16, sizes, words);
      writer.add(parameter.name + scale_suffix, {parameter.shape.back()},
                 std::span<const float>(scaled.scales));
    }
  }
}

template <class Scalar>
void save_network_weights(const Path& path, const Network<Scalar>& network,
                          const SaveWeightsOptions& options) {
  SafetensorsWriter writer;
  if (options.precision == Precision::full) {
    add_weights(writer, network);
  } else {
    add_reduced_weights(writer, network, options.precision);
  }
  writer.metadata = {{"format", "strata"}};
  writer.write_file(path);
}

template <class Scalar>
void load_network_weights(const Source& from, ForwardNetwork<Scalar> network) {
  (void)network.parameters();
  SafetensorsFile file = read_safetensors(from);
  const Metadata metadata(file.metadata, from.where());
  if (const auto architecture = metadata.architecture()) {
    require_same_layers(architecture->layers, architecture_of(network).layers, from.where());
  }
  read_weights(std::move(network), file.arrays, metadata);
}

}  // namespace strata::inline STRATA_RUNTIME::io

namespace strata::inline STRATA_RUNTIME {

template <std::floating_point Scalar>
io::Loaded<Scalar> load(const io::Source& from, const std::vector<OwnCell<Scalar>>& cells) {
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
  io::read_weights(model.forward_network(), file.arrays, metadata);
  return model;
}

}  // namespace strata::inline STRATA_RUNTIME
