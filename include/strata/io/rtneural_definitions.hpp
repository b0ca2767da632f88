#pragma once

#include <concepts>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <strata/contracts/any_layer.hpp>
#include <strata/error.hpp>
#include <strata/io/common/assemble.hpp>
#include <strata/io/common/imported.hpp>
#include <strata/io/common/json.hpp>
#include <strata/io/common/json_format.hpp>
#include <strata/io/common/json_numbers.hpp>
#include <strata/io/common/numbers.hpp>
#include <strata/io/common/object_reader.hpp>
#include <strata/io/common/player.hpp>
#include <strata/io/common/self_test.hpp>
#include <strata/io/common/source.hpp>
#include <strata/io/rtneural.hpp>
#include <strata/io/rtneural/layers.hpp>
#include <strata/model/forward_network.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// The content of a file: the shape of the input, and the layers with their weights.
template <class Made>
struct RTNeuralLayers {
  RTNeuralShape input;
  std::vector<Made> layers;
  PlayerSettings player;
  /// The samples of a test, which files of AIDA-X have, or nothing.
  NamedArrays test;
};

template <class Made>
[[nodiscard]] RTNeuralLayers<Made> read_rtneural(const Source& from) {
  const Where where = from.where();
  const Json json = read_json(from);
  refuse_other_json(json, JsonFormat::rtneural, where);
  ObjectReader reader(json, where);
  if (!reader.contains("layers")) {
    where.refuse("this is no file of RTNeural, which has \"in_shape\" and \"layers\"");
  }
  if (!reader.contains("in_shape")) {
    where.refuse(
        "\"in_shape\" is missing, the shape of the input; write it beside \"layers\", such as "
        "\"in_shape\": [null, null, 1] for a model that reads one number a step");
  }
  RTNeuralLayers<Made> file{
      rtneural_shape(reader.raw("in_shape"), where.in("in_shape")), {}, {}, NamedArrays(where)};
  RTNeuralReader<Made> layers(file.input);
  for (const Json& one : read_list(reader.raw("layers"), where.in("layers"))) {
    file.layers.push_back(layers.layer(one, file.layers.size(), where));
  }
  // Keys that programs around RTNeural add, and that do not change the output.
  reader.ignore(
      {"samplerate", "sample_rate", "author", "esr", "name", "version", "date", "metadata"});
  file.player = player_settings(reader, where);
  if (file.player.skip) file.layers = layers.with_skip(std::move(file.layers), where.in("in_skip"));
  for (const bool is_input : {true, false}) {
    const char* const key = is_input ? "input_batch" : "output_batch";
    const Index features = is_input ? file.input.features : layers.features();
    if (const Json* samples = reader.find(key)) {
      Numbers numbers = numbers_of(*samples, where.in(key));
      const auto steps = static_cast<Index>(numbers.values.size()) / features;
      numbers = reshaped(std::move(numbers), {1, steps, features}, where.in(key));
      file.test.add(is_input ? self_test_input : self_test_output, std::move(numbers.shape),
                    numbers.values);
    }
  }
  reader.finish();
  return file;
}

template <class Scalar>
void load_rtneural_network(const Source& from, ForwardNetwork<Scalar> network) {
  const std::vector<Scalar> before = network.weights();
  auto file = read_rtneural<FileLayer<Scalar>>(from);
  const bool has_gain = file.player.input_gain != 1 || file.player.output_gain != 1;
  if (has_gain) {
    from.where().refuse(
        "in_gain and out_gain are read by load_rtneural without a model, which makes layers of "
        "them");
  }
  network.set_weights(weights_for(file.layers, network, from.where()));
  try {
    run_self_test(network, file.test);
  } catch (...) {
    network.set_weights(before);
    throw;
  }
}

}  // namespace strata::inline STRATA_RUNTIME::io

namespace strata::inline STRATA_RUNTIME {

template <std::floating_point Scalar>
io::Loaded<Scalar> load_rtneural(const io::Source& from) {
  auto file = io::read_rtneural<AnyLayer<Scalar>>(from);
  const Input input =
      file.input.rank == 3 ? Input(Dynamic, file.input.features) : Input(file.input.features);
  if (file.player.input_gain != 1) {
    file.layers.insert(file.layers.begin(),
                       io::gain_layer<Scalar>(file.player.input_gain, file.input.features));
  }
  auto model = io::assemble<Scalar>(std::move(file.layers), input, from.where());
  if (file.player.output_gain != 1) {
    const Index outputs = model.output_shape(input.shape()).back();
    model.add(io::gain_layer<Scalar>(file.player.output_gain, outputs));
  }
  io::run_self_test(model.forward_network(), file.test);
  return model;
}

}  // namespace strata::inline STRATA_RUNTIME
