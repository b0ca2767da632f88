#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/contracts/any_layer.hpp>
#include <strata/io/common/assemble.hpp>
#include <strata/io/common/assign.hpp>
#include <strata/io/common/imported.hpp>
#include <strata/io/common/json.hpp>
#include <strata/io/common/json_format.hpp>
#include <strata/io/common/json_numbers.hpp>
#include <strata/io/common/made_layers.hpp>
#include <strata/io/common/numbers.hpp>
#include <strata/io/common/object_reader.hpp>
#include <strata/io/common/option_reader.hpp>
#include <strata/io/common/source.hpp>
#include <strata/io/nam.hpp>
#include <strata/layers/dense.hpp>
#include <strata/layers/lstm.hpp>
#include <strata/model/network.hpp>
#include <strata/model/state.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// Cuts the one long list of weights of a .nam file into arrays, from front to back. Throws
/// FormatError when the list is shorter (`take`) or longer (`finish`) than the arrays together.
class NAMWeights {
 public:
  NAMWeights(Numbers all, Where where) : all_(std::move(all)), where_(std::move(where)) {
    if (all_.rank() != 1) where_.expected("a list of numbers", sizes_text(all_.shape));
  }

  [[nodiscard]] Numbers take(std::vector<Index> shape) {
    const std::size_t count = checked_count(shape, where_);
    if (count > all_.values.size() - used_) {
      where_.refuse("ends after " + std::to_string(all_.values.size()) +
                    " numbers, but the sizes in config need more");
    }
    const auto begin = all_.values.begin() + static_cast<std::ptrdiff_t>(used_);
    used_ += count;
    return {std::move(shape), {begin, begin + static_cast<std::ptrdiff_t>(count)}};
  }

  void finish() const {
    if (used_ == all_.values.size()) return;
    where_.expected(std::to_string(used_) + " numbers, as the sizes in config say",
                    std::to_string(all_.values.size()));
  }

 private:
  Numbers all_;
  Where where_;
  std::size_t used_ = 0;
};

/// Columns [first, first + count) of a matrix (R, C), transposed to (count, R).
[[nodiscard]] STRATA_INLINE Numbers turned_columns(const Numbers& matrix, Index first, Index count,
                                                   const Where& where) {
  return slice(transposed(matrix, where), first, count, where);
}

/// The content of a .nam file: the number of input features, the layers with their weights, and the
/// state and sample rate for NAMModel.
template <class Made>
struct NAMLayers {
  Index inputs = 0;
  std::vector<Made> layers;
  State<ScalarOf<Made>> rest;
  double sample_rate = 0;
};

/// Throws FormatError unless the version of the format is 0.5, 0.6 or 0.7, or one of theirs, such
/// as 0.5.4. They hold an LSTM in the same way.
STRATA_INLINE void check_nam_version(const std::string& version, const Where& where) {
  for (const std::string known : {"0.5", "0.6", "0.7"}) {
    if (version == known || version.starts_with(known + ".")) return;
  }
  where.expected("0.5, 0.6 or 0.7, the versions of the format that strata reads",
                 in_quotes(version));
}

/// `Made` is AnyLayer or FileLayer, as in io/common/made_layers.hpp.
template <class Made>
[[nodiscard]] NAMLayers<Made> read_nam(const Source& from) {
  using S = ScalarOf<Made>;
  const Where where = from.where();
  const Json json = read_json(from);
  refuse_other_json(json, JsonFormat::nam, where);
  ObjectReader reader(json, where);
  if (!reader.contains("architecture")) {
    where.refuse(
        "this is no file of Neural Amp Modeler, which has \"architecture\", \"config\" and "
        "\"weights\"");
  }
  const std::string architecture = reader.get<std::string>("architecture");
  if (architecture != "LSTM") {
    where.in("architecture").expected("\"LSTM\"", in_quotes(architecture));
  }
  check_nam_version(reader.get<std::string>("version"), where.in("version"));
  NAMLayers<Made> file;
  if (const Json* rate = reader.find("sample_rate"); rate && !rate->is_null()) {
    file.sample_rate = read_number(*rate, where.in("sample_rate"));
  }
  reader.ignore({"metadata"});

  ObjectReader config = reader.object("config");
  const auto size = [&](const char* key) { return config.integer(key, 1, OptionReader::max_size); };
  file.inputs = size("input_size");
  const Index units = size("hidden_size");
  const Index count = size("num_layers");
  const Index outputs = config.contains("out_channels") ? size("out_channels") : 1;
  if (config.contains("in_channels") && size("in_channels") != file.inputs) {
    where.in("config")
        .in("in_channels")
        .expected(std::to_string(file.inputs) + ", the input_size",
                  std::to_string(size("in_channels")));
  }
  config.finish();

  NAMWeights weights(
      numbers_of(read_list(reader.raw("weights"), where.in("weights")), where.in("weights")),
      where.in("weights"));
  reader.finish();
  for (Index i = 0; i < count; ++i) {
    const Index features = i == 0 ? file.inputs : units;
    const Where here = where.in("layer " + std::to_string(i) + " (LSTM)");
    // One matrix for input and h side by side; its rows are the gates i, f, g, o.
    const Numbers both = weights.take({4 * units, features + units});
    LayerWeights own{{"kernel", turned_columns(both, 0, features, here)},
                     {"recurrent_kernel", turned_columns(both, features, units, here)},
                     {"bias", weights.take({4 * units})}};
    file.layers.push_back(recurrent_layer<Made>(
        RecurrentSettings<LSTMOptions>{
            .features = features, .units = units, .sequences = true, .options = {}},
        own, here));
    std::vector<S> state;
    for (const char* part : {"h", "c"}) {
      const Numbers initial = weights.take({units});
      const std::size_t first = state.size();
      state.resize(first + initial.values.size());
      assign(Parameter<S>{part, {units}, std::span<S>(state).subspan(first)}, initial,
             here.in(part));
    }
    file.rest.layers.push_back(std::move(state));
  }
  const Where here = where.in("head");
  LayerWeights head{{"kernel", transposed(weights.take({outputs, units}), here)},
                    {"bias", weights.take({outputs})}};
  weights.finish();
  file.layers.push_back(dense_layer<Made>(outputs, {}, units, head, here));
  file.rest.layers.emplace_back();
  return file;
}

template <class Scalar>
State<Scalar> load_nam_network(const Source& from, Network<Scalar> network) {
  (void)network.parameters();
  auto file = read_nam<FileLayer<Scalar>>(from);
  network.set_weights(weights_for(file.layers, network, from.where()));
  // Layers without a state of their own, such as Dropout, may lie between the file's layers.
  auto rest = network.zero_state(1);
  auto next = file.rest.layers.begin();
  for (auto& layer : rest.layers) {
    if (!layer.empty()) layer = std::move(*next++);
  }
  return rest;
}

}  // namespace strata::inline STRATA_RUNTIME::io

namespace strata::inline STRATA_RUNTIME {

template <std::floating_point Scalar>
NAMModel<Scalar> load_nam(const io::Source& from) {
  auto file = io::read_nam<AnyLayer<Scalar>>(from);
  return {io::assemble<Scalar>(std::move(file.layers), Input(Dynamic, file.inputs), from.where()),
          std::move(file.rest), file.sample_rate};
}

}  // namespace strata::inline STRATA_RUNTIME
