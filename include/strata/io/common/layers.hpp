#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <strata/io/common/erased_layer.hpp>
#include <strata/io/common/erased_skip_connections.hpp>
#include <strata/io/common/option_reader.hpp>
#include <strata/io/common/own_cell.hpp>
#include <strata/io/common/where.hpp>
#include <strata/layers/activate.hpp>
#include <strata/layers/attention_pooling.hpp>
#include <strata/layers/batch_normalization.hpp>
#include <strata/layers/bidirectional.hpp>
#include <strata/layers/deep_transition_rnn.hpp>
#include <strata/layers/dense.hpp>
#include <strata/layers/dropout.hpp>
#include <strata/layers/embedding.hpp>
#include <strata/layers/extended_lstm.hpp>
#include <strata/layers/gaussian_noise.hpp>
#include <strata/layers/gru.hpp>
#include <strata/layers/layer_norm_lstm.hpp>
#include <strata/layers/layer_normalization.hpp>
#include <strata/layers/lstm.hpp>
#include <strata/layers/masking.hpp>
#include <strata/layers/mean_over_steps.hpp>
#include <strata/layers/repeat_vector.hpp>
#include <strata/layers/reset_before_gru.hpp>
#include <strata/layers/reshape.hpp>
#include <strata/layers/residual.hpp>
#include <strata/layers/simple_rnn.hpp>
#include <strata/layers/skip_connections.hpp>
#include <strata/layers/time_distributed.hpp>
#include <strata/model/layer_ref.hpp>
#include <strata/target.hpp>
#include <strata/version.hpp>

namespace strata::inline STRATA_TARGET::io {

/// Where a layer is: "file: layer 2 (LSTM)".
[[nodiscard]] inline Where where_layer(const Where& where, std::size_t i, const std::string& kind) {
  return where.in("layer " + std::to_string(i) + " (" + kind + ")");
}

/// A recurrent layer that files may hold, in its two types.
template <class Options, class Last, class Sequences>
struct RecurrentKind {
  const char* name;

  /// f(layer), where the description is of this kind.
  template <class F>
  bool make(OptionReader& reader, F f) const {
    if (reader.description().kind != name) return false;
    const Index units = reader.size("units");
    const bool sequences = reader.get<bool>("return_sequences");
    const Options options = reader.all(Options());
    reader.finish();
    if (sequences) {
      f(Sequences(units, return_sequences, options));
    } else {
      f(Last(units, options));
    }
    return true;
  }
};

/// f(layer) with the recurrent layer that a description is of, in its own type. False when it is of
/// none. A new recurrent layer needs a line here.
template <class S, class F>
bool with_recurrent(OptionReader& reader, F f) {
  static constexpr Index any = Dynamic;
  const std::tuple kinds{
      RecurrentKind<LSTMOptions, LSTM<S>, LSTM<S, any, any, true>>{"LSTM"},
      RecurrentKind<GRUOptions, GRU<S>, GRU<S, any, any, true>>{"GRU"},
      RecurrentKind<SimpleRNNOptions, SimpleRNN<S>, SimpleRNN<S, any, any, true>>{"SimpleRNN"},
      RecurrentKind<GRUOptions, ResetBeforeGRU<S>, ResetBeforeGRU<S, true>>{"ResetBeforeGRU"},
      RecurrentKind<ExtendedLSTMOptions, ExtendedLSTM<S>, ExtendedLSTM<S, true>>{"ExtendedLSTM"},
      RecurrentKind<ExtendedLSTMOptions, CoupledLSTM<S>, CoupledLSTM<S, true>>{"CoupledLSTM"},
      RecurrentKind<LayerNormLSTMOptions, LayerNormLSTM<S>, LayerNormLSTM<S, true>>{
          "LayerNormLSTM"},
      RecurrentKind<DeepTransitionOptions, DeepTransitionRNN<S>, DeepTransitionRNN<S, true>>{
          "DeepTransitionRNN"}};
  return std::apply([&](const auto&... kind) { return (kind.make(reader, f) || ...); }, kinds);
}

/// Makes the layers that descriptions are of. A new layer needs a line in the list, and
/// `description()` in its own header.
template <class S>
class LayerMaker {
 public:
  /// Knows cells of users besides strata's own layers.
  explicit LayerMaker(std::vector<OwnCell<S>> cells = {}) : cells_(std::move(cells)) {}

  /// The layer that a description is of, without sizes and weights. Throws FormatError on a kind
  /// that there is not, on settings that are not known, and on values out of range.
  [[nodiscard]] AnyLayer<S> make(const LayerDescription& description, const Where& where) const;

 private:
  using Reader = OptionReader;
  using Layer = AnyLayer<S>;

  struct Kind {
    std::string_view name;
    Layer (*make)(const LayerMaker&, Reader&);
    bool holds_layers = false;
  };

  [[nodiscard]] static std::span<const Kind> kinds() {
    static constexpr Kind list[] = {
        {"Activation",
         [](const LayerMaker&, Reader& r) {
           return Layer(Activate<S>(r.get<Activation>("activation")));
         }},
        {"AttentionPooling",
         [](const LayerMaker&, Reader& r) { return Layer(AttentionPooling<S>(r.size("units"))); }},
        {"BatchNormalization",
         [](const LayerMaker&, Reader& r) {
           return Layer(BatchNormalization<S>(r.all<BatchNormalizationOptions>()));
         }},
        {"Bidirectional", bidirectional, true},
        {"Dense",
         [](const LayerMaker&, Reader& r) {
           return Layer(Dense<S>(r.size("units"), r.all<DenseOptions>()));
         }},
        {"Dropout",
         [](const LayerMaker&, Reader& r) {
           return Layer(Dropout<S>(r.get<double>("rate"), r.all<DropoutOptions>()));
         }},
        {"Embedding",
         [](const LayerMaker&, Reader& r) {
           return Layer(
               Embedding<S>(r.size("vocabulary"), r.size("units"), r.all<EmbeddingOptions>()));
         }},
        {"Flatten", [](const LayerMaker&, Reader&) { return Layer(Flatten<S>()); }},
        {"GaussianNoise",
         [](const LayerMaker&, Reader& r) {
           return Layer(GaussianNoise<S>(r.get<double>("stddev")));
         }},
        {"LastStep", [](const LayerMaker&, Reader&) { return Layer(LastStep<S>()); }},
        {"LayerNormalization",
         [](const LayerMaker&, Reader& r) {
           return Layer(LayerNormalization<S>(r.all<LayerNormalizationOptions>()));
         }},
        {"Masking",
         [](const LayerMaker&, Reader& r) { return Layer(Masking<S>(r.get<double>("value"))); }},
        {"MeanOverSteps", [](const LayerMaker&, Reader&) { return Layer(MeanOverSteps<S>()); }},
        {"RepeatVector",
         [](const LayerMaker&, Reader& r) { return Layer(RepeatVector<S>(r.size("n"))); }},
        {"Reshape",
         [](const LayerMaker&, Reader& r) {
           return Layer(Reshape<S>(r.size("steps"), r.size("features")));
         }},
        {"Residual", residual, true},
        {"SkipConnections", skip_connections, true},
        {"TimeDistributed", time_distributed, true}};
    return list;
  }

  /// Nothing where the description is not of a recurrent layer.
  [[nodiscard]] std::optional<Layer> make_recurrent(Reader& reader, const Merge* merge) const {
    std::optional<Layer> made;
    if (reader.description().kind == "Recurrent") {
      const std::string cell = reader.get<std::string>("cell");
      for (const OwnCell<S>& own : cells_) {
        if (own.name == cell) return own.make(reader, merge);
      }
      reader.where().in("cell").refuse("a cell of a user's own, " + in_quotes(cell) +
                                       ": give it to load by own_cell");
    }
    if (with_recurrent<S>(
            reader, [&](auto layer) { made.emplace(one_or_both_ways(std::move(layer), merge)); })) {
      require_inner(reader, 0);
    }
    return made;
  }

  static void require_inner(const Reader& reader, std::size_t count) {
    const std::size_t found = reader.description().layers.size();
    if (found != count) {
      reader.where().expected(std::to_string(count) + " inner layers", std::to_string(found));
    }
  }

  [[nodiscard]] Layer inner(const Reader& reader, std::size_t i) const {
    const LayerDescription& description = reader.description().layers[i];
    return make(description, where_layer(reader.where(), i, description.kind));
  }

  [[nodiscard]] static Layer bidirectional(const LayerMaker& maker, Reader& reader) {
    require_inner(reader, 1);
    const std::string text = reader.get<std::string>("merge");
    const auto merges = {Merge::concat, Merge::sum, Merge::mul, Merge::ave};
    const auto* const merge =
        std::find_if(merges.begin(), merges.end(), [&](Merge one) { return text == name(one); });
    if (merge == merges.end()) {
      reader.where().in("merge").expected("concat, sum, mul or ave", in_quotes(text));
    }
    const LayerDescription& description = reader.description().layers[0];
    Reader layer(description, where_layer(reader.where(), 0, description.kind));
    auto made = maker.make_recurrent(layer, merge);
    if (!made) layer.where().refuse("Bidirectional takes a recurrent layer");
    return std::move(*made);
  }

  [[nodiscard]] static Layer residual(const LayerMaker& maker, Reader& reader) {
    require_inner(reader, 1);
    Layer layer = maker.inner(reader, 0);
    const auto around = [&]<Accepts takes, Returns gives>() {
      if (layer.mixes_sequences()) {
        return Layer(Residual(ErasedLayer<S, takes, gives, true>(std::move(layer))));
      }
      return Layer(Residual(ErasedLayer<S, takes, gives, false>(std::move(layer))));
    };
    if (layer.accepts() == Accepts::any && layer.returns() == Returns::same) {
      return around.template operator()<Accepts::any, Returns::same>();
    }
    if (layer.accepts() == Accepts::sequences && layer.returns() == Returns::same) {
      return around.template operator()<Accepts::sequences, Returns::same>();
    }
    if (layer.accepts() == Accepts::sequences && layer.returns() == Returns::sequence) {
      return around.template operator()<Accepts::sequences, Returns::sequence>();
    }
    reader.where().refuse("Residual cannot add the input to the output of " + layer.kind());
  }

  [[nodiscard]] static Layer time_distributed(const LayerMaker& maker, Reader& reader) {
    require_inner(reader, 1);
    Layer layer = maker.inner(reader, 0);
    if (layer.accepts() != Accepts::any || layer.returns() != Returns::same) {
      reader.where().refuse("TimeDistributed takes a layer of samples, not " + layer.kind());
    }
    if (layer.mixes_sequences()) {
      return Layer(
          TimeDistributed(ErasedLayer<S, Accepts::any, Returns::same, true>(std::move(layer))));
    }
    return Layer(
        TimeDistributed(ErasedLayer<S, Accepts::any, Returns::same, false>(std::move(layer))));
  }

  [[nodiscard]] static Layer skip_connections(const LayerMaker& maker, Reader& reader) {
    std::vector<Layer> layers;
    bool mixes = false;
    for (std::size_t i = 0; i < reader.description().layers.size(); ++i) {
      Layer layer = maker.inner(reader, i);
      if ((layer.accepts() != Accepts::any && layer.accepts() != Accepts::sequences) ||
          layer.returns() == Returns::last) {
        reader.where().refuse("SkipConnections cannot hold " + layer.kind() +
                              ", which does not return sequences");
      }
      mixes = mixes || layer.mixes_sequences();
      layers.push_back(std::move(layer));
    }
    if (layers.empty()) reader.where().refuse("SkipConnections needs a layer");
    return mixes ? skip_connections_of<true>(std::move(layers))
                 : skip_connections_of<false>(std::move(layers));
  }

  std::vector<OwnCell<S>> cells_;
};

// Outside of the class: a program with `extern template class LayerMaker<float>` in its other files
// compiles the layers once.
template <class S>
AnyLayer<S> LayerMaker<S>::make(const LayerDescription& description, const Where& where) const {
  Reader reader(description, where);
  try {
    if (auto recurrent = make_recurrent(reader, nullptr)) return std::move(*recurrent);
    for (const Kind& kind : kinds()) {
      if (kind.name != description.kind) continue;
      if (!kind.holds_layers) require_inner(reader, 0);
      AnyLayer<S> layer = kind.make(*this, reader);
      reader.finish();
      return layer;
    }
  } catch (const ValueError& error) {
    where.refuse(error.what());
  }
  where.refuse("strata " + std::string(version_string) + " has no layer of this kind");
}

}  // namespace strata::inline STRATA_TARGET::io
