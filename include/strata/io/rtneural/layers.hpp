#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <strata/error.hpp>
#include <strata/io/common/imported.hpp>
#include <strata/io/common/json.hpp>
#include <strata/io/common/json_numbers.hpp>
#include <strata/io/common/made_layers.hpp>
#include <strata/io/common/numbers.hpp>
#include <strata/io/common/object_reader.hpp>
#include <strata/io/common/option_reader.hpp>
#include <strata/io/common/skip.hpp>
#include <strata/io/common/where.hpp>
#include <strata/layers/activate.hpp>
#include <strata/layers/conv1d.hpp>
#include <strata/layers/dense.hpp>
#include <strata/layers/gru.hpp>
#include <strata/layers/lstm.hpp>
#include <strata/padding.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// A shape in the file, [null, features] or [null, null, features]: null stands for the batch and
/// the steps, and `rank` is the length of the list, 2 or 3.
struct RTNeuralShape {
  std::size_t rank = 0;
  Index features = 0;
};

[[nodiscard]] STRATA_INLINE RTNeuralShape rtneural_shape(const Json& json, const Where& where) {
  const Json& list = read_list(json, where);
  if (list.size() != 2 && list.size() != 3) {
    where.expected("[null, features] or [null, null, features]", json.dump());
  }
  for (std::size_t i = 0; i + 1 < list.size(); ++i) {
    if (!list[i].is_null()) (void)read_integer(list[i], where, 1, OptionReader::max_size);
  }
  return {list.size(), read_integer(list.back(), where, 1, OptionReader::max_size)};
}

/// The steps that a conv1d sees: kernel_size and dilation, each a number or a list of one.
struct RTNeuralTaps {
  Index count = 1;
  Index dilation = 1;
};

[[nodiscard]] STRATA_INLINE RTNeuralTaps rtneural_taps(ObjectReader& values) {
  const auto size = [&](const char* key) {
    const Json& json = values.raw(key);
    const Json& one = json.is_array() && json.size() == 1 ? json.front() : json;
    return read_integer(one, values.where(key), 1, OptionReader::max_size);
  };
  values.require("groups", 1);
  return {size("kernel_size"), size("dilation")};
}

/// Reads the layers of a file one by one, and checks the shape of each against the layer before it.
/// `Made` is AnyLayer or FileLayer, as in io/common/made_layers.hpp.
template <class Made>
class RTNeuralReader {
  using S = ScalarOf<Made>;

 public:
  /// `input`: the shape that the first layer takes.
  explicit RTNeuralReader(RTNeuralShape input) : input_(input), before_(input) {}

  /// The next layer, with its weights. `number` counts from 0 and is for messages. Throws
  /// FormatError on types of layers that strata does not read, and on weights and shapes that do
  /// not fit each other.
  [[nodiscard]] Made layer(const Json& json, std::size_t number, const Where& where) {
    ObjectReader reader(json, where.in("layer " + std::to_string(number)));
    const std::string type = reader.template get<std::string>("type");
    const Where here = where.in("layer " + std::to_string(number) + " (" + in_quotes(type) + ")");
    ObjectReader values(json, here);
    values.ignore({"type"});
    const std::string activation = values.template get<std::string>("activation", "");
    const RTNeuralShape shape = rtneural_shape(values.raw("shape"), here.in("shape"));
    const RTNeuralTaps taps = type == "conv1d" ? rtneural_taps(values) : RTNeuralTaps();
    std::vector<Numbers> weights;
    if (const Json* lists = values.find("weights")) {
      for (const Json& one : read_list(*lists, here.in("weights"))) {
        const Where at = here.in("weights").in(std::to_string(weights.size()));
        if (!one.is_array())
          at.expected("the numbers of a weight as nested lists", found_text(one));
        weights.push_back(numbers_of(one, at));
      }
    }
    try {
      last_ = {type, activation, shape, std::move(weights), taps};
      Made made = make(last_, here);
      values.finish();
      before_ = shape;
      types_.push_back(type);
      return made;
    } catch (const ValueError& error) {
      here.refuse(error.what());
    }
  }

  /// The features of the output of the last layer that was read.
  [[nodiscard]] Index features() const noexcept { return before_.features; }

  /// The layers of the file again, for a network whose input is added to its output: a recurrent
  /// layer that returns sequences, and the dense layer that was read last. Throws FormatError on
  /// other networks.
  [[nodiscard]] std::vector<Made> with_skip(std::vector<Made> layers, const Where& where) const {
    const bool fits = layers.size() == 2 && types_[0] != "dense" && types_[0] != "activation" &&
                      types_[1].ends_with("dense") && before_.rank == 3 && last_.activation.empty();
    if (!fits) {
      where.refuse(
          "adds the input to the output, which is read for one lstm or gru and one dense without "
          "an activation");
    }
    return layers_with_skip(std::move(layers[0]), last_.weights[0].shape[0], input_.features,
                            last_.weights[0], 1, [&](Numbers kernel) {
                              Entry entry = last_;
                              RTNeuralReader reader({3, kernel.shape[0]});
                              entry.weights[0] = std::move(kernel);
                              return reader.dense(entry, where);
                            });
  }

 private:
  struct Entry {
    std::string type;
    std::string activation;
    RTNeuralShape shape;
    std::vector<Numbers> weights;
    RTNeuralTaps taps;  ///< Of a conv1d.
  };

  [[nodiscard]] Made make(const Entry& entry, const Where& where) const {
    if (entry.type == "dense" || entry.type == "time-distributed-dense") return dense(entry, where);
    if (entry.type == "conv1d") return convolution(entry, where);
    if (entry.type == "lstm") return recurrent<LSTMOptions>(entry, 4, where);
    if (entry.type == "gru") return recurrent<GRUOptions>(entry, 3, where);
    if (entry.type == "activation") {
      require_weights(entry, 0, 0, where);
      require_shape(entry, before_.rank, before_.features, where);
      return Made(Activate<S>(activation(entry, where)));
    }
    where.in("type").expected("dense, time-distributed-dense, conv1d, lstm, gru or activation",
                              in_quotes(entry.type));
  }

  [[nodiscard]] Made dense(const Entry& entry, const Where& where) const {
    require_weights(entry, 1, 2, where);
    const Index units = columns(entry, where);
    require_shape(entry, before_.rank, units, where);
    const bool bias = entry.weights.size() == 2;
    LayerWeights weights{{"kernel", entry.weights[0]}};
    if (bias) weights.emplace("bias", entry.weights[1]);
    return dense_layer<Made>(units, {.activation = activation(entry, where), .use_bias = bias},
                             before_.features, weights, where);
  }

  /// The players run a convolution step by step, so that it is causal whatever Keras was told.
  [[nodiscard]] Made convolution(const Entry& entry, const Where& where) const {
    require_weights(entry, 1, 2, where);
    if (before_.rank != 3) {
      where.refuse("reads sequences [null, null, features], but the input is [null, features]");
    }
    const Numbers& kernel = entry.weights[0];
    if (kernel.rank() != 3 || kernel.shape[2] < 1) {
      where.in("kernel").expected("nested lists of (kernel_size, inputs, filters)",
                                  sizes_text(kernel.shape));
    }
    const Index filters = kernel.shape[2];
    require_shape(entry, 3, filters, where);
    const bool bias = entry.weights.size() == 2;
    LayerWeights weights{{"kernel", kernel}};
    if (bias) weights.emplace("bias", entry.weights[1]);
    return conv1d_layer<Made>(filters, entry.taps.count,
                              {.padding = Padding::causal,
                               .dilation_rate = entry.taps.dilation,
                               .activation = activation(entry, where),
                               .use_bias = bias},
                              before_.features, weights, where);
  }

  /// Keras' gates are in strata's order, so the weights go over as they are. A GRU has reset_after,
  /// the only kind that RTNeural runs.
  template <class Options>
  [[nodiscard]] Made recurrent(const Entry& entry, Index gates, const Where& where) const {
    // RTNeural computes with tanh whatever the file says, so many writers leave the name empty.
    if (!entry.activation.empty() && entry.activation != "tanh") {
      where.in("activation").expected("\"tanh\" or \"\"", in_quotes(entry.activation));
    }
    require_weights(entry, 2, 3, where);
    if (before_.rank != 3) {
      where.refuse("reads sequences [null, null, features], but the input is [null, features]");
    }
    const Index width = columns(entry, where);
    if (width % gates != 0) {
      where.in("weights").expected("a multiple of " + std::to_string(gates) + " columns",
                                   std::to_string(width));
    }
    const Index units = width / gates;
    require_shape(entry, entry.shape.rank, units, where);
    Options options;
    options.use_bias = entry.weights.size() == 3;
    LayerWeights weights{{"kernel", entry.weights[0]}, {"recurrent_kernel", entry.weights[1]}};
    if (options.use_bias) weights.emplace("bias", entry.weights[2]);
    return recurrent_layer<Made>(RecurrentSettings<Options>{.features = before_.features,
                                                            .units = units,
                                                            .sequences = entry.shape.rank == 3,
                                                            .options = options},
                                 weights, where);
  }

  [[nodiscard]] static Activation activation(const Entry& entry, const Where& where) {
    if (entry.activation.empty()) return Activation::linear;
    return activation_of(entry.activation, where.in("activation"));
  }

  static void require_weights(const Entry& entry, std::size_t low, std::size_t high,
                              const Where& where) {
    if (entry.weights.size() >= low && entry.weights.size() <= high) return;
    where.in("weights").expected(
        (low < high ? std::to_string(low) + " or " : "") + std::to_string(high) + " arrays",
        std::to_string(entry.weights.size()));
  }

  /// Of the kernel.
  [[nodiscard]] static Index columns(const Entry& entry, const Where& where) {
    const Numbers& kernel = entry.weights[0];
    if (kernel.rank() != 2 || kernel.shape[0] < 1 || kernel.shape[1] < 1) {
      where.in("kernel").expected("a matrix", sizes_text(kernel.shape));
    }
    return kernel.shape[1];
  }

  static void require_shape(const Entry& entry, std::size_t rank, Index features,
                            const Where& where) {
    if (entry.shape.rank != rank) {
      where.in("shape").expected(std::to_string(rank) + " sizes", std::to_string(entry.shape.rank));
    }
    if (entry.shape.features != features) {
      where.in("shape").expected(std::to_string(features) + " features, as the weights give",
                                 std::to_string(entry.shape.features));
    }
  }

  RTNeuralShape input_;
  /// Of the data that the next layer takes: the input's, then that of the last layer read.
  RTNeuralShape before_;
  /// The last layer that was read, and the types of all.
  Entry last_;
  std::vector<std::string> types_;
};

}  // namespace strata::inline STRATA_RUNTIME::io
