#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <strata/contracts/any_layer.hpp>
#include <strata/io/common/layer_kind.hpp>
#include <strata/io/common/option_reader.hpp>
#include <strata/io/common/own_cell.hpp>
#include <strata/io/common/where.hpp>
#include <strata/layers/bidirectional.hpp>
#include <strata/layers/deep_transition_rnn.hpp>
#include <strata/layers/extended_lstm.hpp>
#include <strata/layers/gru.hpp>
#include <strata/layers/layer_norm_lstm.hpp>
#include <strata/layers/lstm.hpp>
#include <strata/layers/reset_before_gru.hpp>
#include <strata/layers/simple_rnn.hpp>
#include <strata/layers/window_lstm.hpp>
#include <strata/target.hpp>

// The registry's entries of recurrent layers.

namespace strata::inline STRATA_RUNTIME::io {

/// The base of the entries of recurrent layers. `Kind`, the entry, has `Options`, the struct of the
/// layer's options, and Layer<S, returns_sequences>, the layer with sizes chosen at run time.
template <class Kind>
struct RecurrentKind : LayerKind {
  static constexpr bool is_recurrent = true;

  /// `merge`: how the Bidirectional around the layer merges its directions; null for a layer alone.
  template <class S>
  static AnyLayer<S> make(OptionReader& reader, const LayerMaker<S>&,
                          const Merge* merge = nullptr) {
    using Options = typename Kind::Options;
    const Index units = reader.size("units");
    const bool sequences = reader.get<bool>("return_sequences");
    const auto options = reader.all<Options>();
    if (sequences) {
      using Layer = typename Kind::template Layer<S, true>;
      return one_or_both_ways(Layer(units, return_sequences, options), merge);
    }
    using Layer = typename Kind::template Layer<S, false>;
    return one_or_both_ways(Layer(units, options), merge);
  }

  static Index outputs(const auto& sizes) {
    const Index units = sizes.size("units");
    sizes.require_matrix(sizes.features(), units);
    return sizes.require_matrix(units, units);
  }

 protected:
  /// The syntax of layers whose template takes the sizes F and U.
  [[nodiscard]] static consteval LayerSyntax with_sizes(const char* header, const char* type,
                                                        OptionStruct options) {
    return {.header = header,
            .type = type,
            .type_arguments = {input_features, "units", "return_sequences"},
            .options = options};
  }
  /// The syntax of layers whose constructor takes U.
  [[nodiscard]] static consteval LayerSyntax without_sizes(const char* header, const char* type,
                                                           OptionStruct options) {
    return {.header = header,
            .type = type,
            .type_arguments = {"return_sequences"},
            .arguments = {"units"},
            .options = options};
  }
};

struct LSTMKind : RecurrentKind<LSTMKind> {
  static constexpr const char* name = "LSTM";
  using Options = LSTMOptions;
  template <class S, bool Sequences>
  using Layer = LSTM<S, Dynamic, Dynamic, Sequences>;
  static constexpr LayerSyntax syntax =
      with_sizes("lstm.hpp", "LSTM", option_struct<Options>("LSTMOptions"));
};

struct GRUKind : RecurrentKind<GRUKind> {
  static constexpr const char* name = "GRU";
  using Options = GRUOptions;
  template <class S, bool Sequences>
  using Layer = GRU<S, Dynamic, Dynamic, Sequences>;
  static constexpr LayerSyntax syntax =
      with_sizes("gru.hpp", "GRU", option_struct<Options>("GRUOptions"));
};

struct SimpleRNNKind : RecurrentKind<SimpleRNNKind> {
  static constexpr const char* name = "SimpleRNN";
  using Options = SimpleRNNOptions;
  template <class S, bool Sequences>
  using Layer = SimpleRNN<S, Dynamic, Dynamic, Sequences>;
  static constexpr LayerSyntax syntax =
      with_sizes("simple_rnn.hpp", "SimpleRNN", option_struct<Options>("SimpleRNNOptions"));
};

struct ResetBeforeGRUKind : RecurrentKind<ResetBeforeGRUKind> {
  static constexpr const char* name = "ResetBeforeGRU";
  using Options = GRUOptions;
  template <class S, bool Sequences>
  using Layer = ResetBeforeGRU<S, Sequences>;
  static constexpr LayerSyntax syntax =
      without_sizes("reset_before_gru.hpp", "ResetBeforeGRU", option_struct<Options>("GRUOptions"));
};

/// The base of the entries of ExtendedLSTM and CoupledLSTM, whose h may be projected to fewer
/// numbers than U.
template <class Kind>
struct ProjectedKind : RecurrentKind<Kind> {
  using Options = ExtendedLSTMOptions;

  static Index outputs(const auto& sizes) {
    const Index units = sizes.size("units");
    const Index projection = sizes.size("projection");
    const Index outputs = projection > 0 ? projection : units;
    sizes.require_matrix(sizes.features(), units);
    sizes.require_matrix(outputs, units);
    return outputs;
  }

 protected:
  [[nodiscard]] static consteval LayerSyntax syntax_of(const char* type) {
    return RecurrentKind<Kind>::without_sizes("extended_lstm.hpp", type,
                                              option_struct<Options>("ExtendedLSTMOptions"));
  }
};

struct ExtendedLSTMKind : ProjectedKind<ExtendedLSTMKind> {
  static constexpr const char* name = "ExtendedLSTM";
  template <class S, bool Sequences>
  using Layer = ExtendedLSTM<S, Sequences>;
  static constexpr LayerSyntax syntax = syntax_of("ExtendedLSTM");
};

struct CoupledLSTMKind : ProjectedKind<CoupledLSTMKind> {
  static constexpr const char* name = "CoupledLSTM";
  template <class S, bool Sequences>
  using Layer = CoupledLSTM<S, Sequences>;
  static constexpr LayerSyntax syntax = syntax_of("CoupledLSTM");
};

struct LayerNormLSTMKind : RecurrentKind<LayerNormLSTMKind> {
  static constexpr const char* name = "LayerNormLSTM";
  using Options = LayerNormLSTMOptions;
  template <class S, bool Sequences>
  using Layer = LayerNormLSTM<S, Sequences>;
  static constexpr LayerSyntax syntax = without_sizes(
      "layer_norm_lstm.hpp", "LayerNormLSTM", option_struct<Options>("LayerNormLSTMOptions"));
};

struct DeepTransitionRNNKind : RecurrentKind<DeepTransitionRNNKind> {
  static constexpr const char* name = "DeepTransitionRNN";
  using Options = DeepTransitionOptions;
  template <class S, bool Sequences>
  using Layer = DeepTransitionRNN<S, Sequences>;
  static constexpr LayerSyntax syntax =
      without_sizes("deep_transition_rnn.hpp", "DeepTransitionRNN",
                    option_struct<Options>("DeepTransitionOptions"));

  /// A step goes through hidden layers of the widths in `transitions`, then to the U units.
  static Index outputs(const auto& sizes) {
    std::vector<Index> widths = sizes.list("transitions");
    widths.push_back(sizes.size("units"));
    sizes.require_matrix(sizes.features(), widths.front());
    for (std::size_t i = 1; i < widths.size(); ++i) {
      sizes.require_matrix(widths[i - 1], widths[i]);
    }
    sizes.require_matrix(widths.back(), widths.front());
    return widths.back();
  }
};

struct WindowLSTMKind : RecurrentKind<WindowLSTMKind> {
  static constexpr const char* name = "WindowLSTM";
  using Options = WindowLSTMOptions;
  template <class S, bool Sequences>
  using Layer = WindowLSTM<S, Sequences>;
  static constexpr LayerSyntax syntax =
      without_sizes("window_lstm.hpp", "WindowLSTM", option_struct<Options>("WindowLSTMOptions"));

  /// The recurrent kernel reads the window beside h. The text is not in the file.
  static Index outputs(const auto& sizes) {
    const Index units = sizes.size("units");
    const Index characters = sizes.require_vector(sizes.size("characters"));
    sizes.require_vector(characters * sizes.require_vector(sizes.size("length")));
    sizes.require_matrix(sizes.features(), units);
    sizes.require_matrix(units, units);
    sizes.require_matrix(characters, units);
    sizes.require_matrix(units, sizes.size("gaussians"));
    return units + characters;
  }
};

/// A Recurrent layer of a user's own cell, which own_cell has made known to load. No code can be
/// written for it, so its syntax is empty.
struct OwnCellKind : LayerKind {
  static constexpr const char* name = "Recurrent";
  static constexpr bool is_recurrent = true;
  static constexpr LayerSyntax syntax{};

  template <class S>
  static AnyLayer<S> make(OptionReader& reader, const LayerMaker<S>& maker,
                          const Merge* merge = nullptr) {
    const std::string cell = reader.get<std::string>("cell");
    for (const OwnCell<S>& own : maker.cells()) {
      if (own.name == cell) return own.make(reader, merge);
    }
    reader.where().in("cell").refuse("a cell of a user's own, " + in_quotes(cell) +
                                     ": give it to load by own_cell");
  }
  static Index outputs(const auto& sizes) { return LSTMKind::outputs(sizes); }
};

}  // namespace strata::inline STRATA_RUNTIME::io
