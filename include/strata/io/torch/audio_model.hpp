#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include <strata/activation.hpp>
#include <strata/contracts/description.hpp>
#include <strata/io/common/erased_joined_stack.hpp>
#include <strata/io/common/imported.hpp>
#include <strata/io/common/json.hpp>
#include <strata/io/common/numbers.hpp>
#include <strata/io/common/object_reader.hpp>
#include <strata/io/common/where.hpp>
#include <strata/io/torch/layers.hpp>
#include <strata/io/torch/module.hpp>
#include <strata/layers/activate.hpp>
#include <strata/target.hpp>

// The JSON that trainers of guitar amplifiers write (Wright et al. 2020), {"model_data": {...},
// "state_dict": {...}}: one nn.LSTM, nn.GRU or nn.RNN and one nn.Linear, and `skip`, the number of
// input channels that are added to the output.

namespace strata::inline STRATA_RUNTIME::io {

/// Compares the settings in model_data with the modules that the tensors make up, and returns
/// `skip`. Throws FormatError, naming the setting, when they differ, on an unknown setting, and on
/// a `skip` that strata cannot compute.
[[nodiscard]] inline Index read_torch_model_data(const Json& json,
                                                 const std::vector<TorchModule>& modules,
                                                 const Where& where) {
  if (modules.size() != 2 || !modules[0].is_recurrent() ||
      modules[1].kind != TorchModule::Kind::Linear) {
    std::vector<std::string> found;
    for (const auto& module : modules) found.push_back(module.text());
    where.expected("an nn.LSTM, nn.GRU or nn.RNN and then an nn.Linear", list_text(found));
  }
  const TorchModule& recurrent = modules[0];
  const TorchModule& linear = modules[1];
  ObjectReader settings(json, where);
  const std::string unit = settings.get<std::string>("unit_type");
  if (unit != recurrent.kind_name()) {
    settings.where("unit_type").expected(in_quotes(recurrent.kind_name()), in_quotes(unit));
  }
  const auto require = [&](const char* name, Index of_tensors) {
    if (settings.integer(name) == of_tensors) return;
    settings.where(name).expected(std::to_string(of_tensors) + ", as the tensors are",
                                  found_text(json[name]));
  };
  require("input_size", recurrent.inputs);
  require("hidden_size", recurrent.units);
  require("num_layers", recurrent.layers);
  require("output_size", linear.units);
  if (settings.get<bool>("bias_fl", linear.bias) != linear.bias) {
    settings.where("bias_fl").expected(linear.bias ? "true" : "false", found_text(json["bias_fl"]));
  }
  settings.require("model", "SimpleRNN");
  settings.ignore({"sample_rate"});
  const Index skip = settings.contains("skip") ? settings.integer("skip", 0, recurrent.inputs) : 0;
  settings.finish();
  if (skip > 1 && skip != linear.units) {
    settings.where("skip").expected("0, 1 or " + std::to_string(linear.units),
                                    std::to_string(skip));
  }
  if (skip > 0 && (recurrent.layers > 1 || recurrent.bidirectional)) {
    settings.where("skip").refuse(
        "adds the input to the output of more than one recurrent layer, which is not read");
  }
  return skip;
}

/// The SkipConnections of layers of a file; io/common/erased_joined_stack.hpp has the function
/// of this name for layers that compute.
template <bool, detail::StackReads, class S>
[[nodiscard]] FileLayer<S> joined_stack_of(std::vector<FileLayer<S>> layers) {
  FileLayer<S> joined(LayerDescription("SkipConnections"));
  for (std::size_t i = 0; i < layers.size(); ++i) {
    joined.description.add_layer(std::move(layers[i].description));
    for (auto& one : layers[i].parameters) {
      one.name = std::to_string(i) + "." + one.name;
      joined.parameters.push_back(std::move(one));
    }
  }
  return joined;
}

/// y = W h + b + x as layers. SkipConnections of the recurrent layer and of a linear Activate,
/// which passes its input on, return [h, x, h]. The Dense after them has the kernel [W; 1; 0]: it
/// reads the first h and adds x. With skip = 1 the first feature of x is added to every output,
/// otherwise feature i to output i.
template <class Made>
[[nodiscard]] std::vector<Made> layers_with_skip(TorchLayers<Made>& make,
                                                 const std::vector<TorchModule>& modules,
                                                 Index skip) {
  using S = ScalarOf<Made>;
  const TorchModule& recurrent = modules[0];
  const auto units = static_cast<std::size_t>(recurrent.state());
  const auto inputs = static_cast<std::size_t>(recurrent.inputs);
  std::vector<Made> joined;
  joined.push_back(make.recurrent(recurrent, 0, true));
  joined.emplace_back(Activate<S>(Activation::linear));
  std::vector<Made> layers;
  layers.push_back(joined_stack_of<false, detail::StackReads::input>(std::move(joined)));
  Numbers kernel = make.kernel(modules[1]);
  const auto outputs = static_cast<std::size_t>(kernel.shape[1]);
  kernel.shape[0] = static_cast<Index>(units + inputs + units);
  kernel.values.resize((units + inputs + units) * outputs);
  for (std::size_t y = 0; y < outputs; ++y) {
    const std::size_t x = skip == 1 ? 0 : y;
    kernel.values[(units + x) * outputs + y] = 1;
  }
  layers.push_back(make.linear(modules[1], Activation::linear, std::move(kernel)));
  return layers;
}

}  // namespace strata::inline STRATA_RUNTIME::io
