#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include <strata/activation.hpp>
#include <strata/io/common/chain_of.hpp>
#include <strata/io/common/json.hpp>
#include <strata/io/common/numbers.hpp>
#include <strata/io/common/object_reader.hpp>
#include <strata/io/common/skip.hpp>
#include <strata/io/common/where.hpp>
#include <strata/io/torch/layers.hpp>
#include <strata/io/torch/module.hpp>
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
  if (skip > 0 && recurrent.bidirectional) {
    settings.where("skip").refuse(
        "adds the input to the output of bidirectional layers, which is not read");
  }
  return skip;
}

/// The layers of a recurrent module and a linear one, whose input is added to the output.
template <class Made>
[[nodiscard]] std::vector<Made> layers_with_skip(TorchLayers<Made>& make,
                                                 const std::vector<TorchModule>& modules,
                                                 Index skip) {
  const TorchModule& recurrent = modules[0];
  return layers_with_skip(one_of_sequences(make.of(recurrent)), recurrent.outputs(),
                          recurrent.inputs, make.kernel(modules[1]), skip, [&](Numbers kernel) {
                            return make.linear(modules[1], Activation::linear, std::move(kernel));
                          });
}

}  // namespace strata::inline STRATA_RUNTIME::io
