#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <strata/contracts/any_layer.hpp>
#include <strata/io/common/chain_of.hpp>
#include <strata/io/common/erased_joined_stack.hpp>
#include <strata/io/common/erased_layer.hpp>
#include <strata/io/common/layer_kind.hpp>
#include <strata/io/common/option_reader.hpp>
#include <strata/io/common/recurrent_kinds.hpp>
#include <strata/io/common/where.hpp>
#include <strata/layers/bidirectional.hpp>
#include <strata/layers/chain.hpp>
#include <strata/layers/joined_stack.hpp>
#include <strata/layers/residual.hpp>
#include <strata/layers/time_distributed.hpp>
#include <strata/target.hpp>

// The registry's entries of layers that are made of other layers.

namespace strata::inline STRATA_RUNTIME::io {

struct BidirectionalKind : LayerKind {
  static constexpr const char* name = "Bidirectional";
  static constexpr std::size_t inner_layers = 1;
  static constexpr LayerSyntax syntax{
      .header = "bidirectional.hpp", .type = "Bidirectional", .arguments = {"merge"}};

  template <class S>
  static AnyLayer<S> make(OptionReader& reader, const LayerMaker<S>& maker) {
    const std::string merge_name = reader.get<std::string>("merge");
    const auto merges = {Merge::concat, Merge::sum, Merge::mul, Merge::ave};
    const auto* const merge = std::find_if(
        merges.begin(), merges.end(), [&](Merge one) { return merge_name == strata::name(one); });
    if (merge == merges.end()) {
      reader.where().in("merge").expected("concat, sum, mul or ave", in_quotes(merge_name));
    }
    return maker.both_ways(reader, *merge);
  }
  static Index outputs(const auto& sizes) {
    const Index outputs = sizes.inner(0, sizes.features());
    return sizes.text("merge") == strata::name(Merge::concat) ? 2 * outputs : outputs;
  }
};

/// The base of the entries of layers that hold one other layer.
struct AroundKind : LayerKind {
  static constexpr std::size_t inner_layers = 1;

  static Index outputs(const auto& sizes) { return sizes.inner(0, sizes.features()); }

 protected:
  /// Makes the layer `Around` around another layer, whose type is an ErasedLayer: `Around` must
  /// know accepts, returns and mixes_sequences at compile time.
  template <template <class> class Around, Accepts Takes, Returns Gives, class S>
  [[nodiscard]] static AnyLayer<S> around(AnyLayer<S> layer) {
    if (layer.mixes_sequences()) {
      using Inner = ErasedLayer<S, Takes, Gives, true>;
      return AnyLayer<S>(Around<Inner>(Inner(std::move(layer))));
    }
    using Inner = ErasedLayer<S, Takes, Gives, false>;
    return AnyLayer<S>(Around<Inner>(Inner(std::move(layer))));
  }
};

struct ResidualKind : AroundKind {
  static constexpr const char* name = "Residual";
  static constexpr LayerSyntax syntax{.header = "residual.hpp", .type = "Residual"};

  template <class S>
  static AnyLayer<S> make(OptionReader& reader, const LayerMaker<S>& maker) {
    AnyLayer<S> layer = maker.inner(reader, 0);
    const bool sequences = layer.accepts() == Accepts::sequences;
    if (layer.accepts() == Accepts::any && layer.returns() == Returns::same) {
      return around<Residual, Accepts::any, Returns::same>(std::move(layer));
    }
    if (sequences && layer.returns() == Returns::same) {
      return around<Residual, Accepts::sequences, Returns::same>(std::move(layer));
    }
    if (sequences && layer.returns() == Returns::sequence) {
      return around<Residual, Accepts::sequences, Returns::sequence>(std::move(layer));
    }
    reader.where().refuse("Residual cannot add the input to the output of " + layer.kind());
  }
};

struct ChainKind : LayerKind {
  static constexpr const char* name = "Chain";
  static constexpr std::size_t inner_layers = any_number;
  static constexpr LayerSyntax syntax{.header = "chain.hpp", .type = "Chain"};

  template <class S>
  static AnyLayer<S> make(OptionReader& reader, const LayerMaker<S>& maker) {
    std::vector<AnyLayer<S>> layers;
    bool mixes = false;
    bool keeps_rank = true;
    for (std::size_t i = 0; i < reader.description().layers.size(); ++i) {
      AnyLayer<S> layer = maker.inner(reader, i);
      if ((layer.accepts() != Accepts::any && layer.accepts() != Accepts::sequences) ||
          layer.returns() == Returns::last || layer.makes_mask()) {
        reader.where().refuse("Chain cannot hold " + layer.kind() +
                              ", which does not return sequences or makes a mask");
      }
      mixes = mixes || layer.mixes_sequences();
      keeps_rank =
          keeps_rank && layer.accepts() == Accepts::any && layer.returns() == Returns::same;
      layers.push_back(std::move(layer));
    }
    if (layers.empty()) reader.where().refuse("Chain needs a layer");
    if (keeps_rank) {
      return mixes ? chain_of<Accepts::any, Returns::same, true>(std::move(layers))
                   : chain_of<Accepts::any, Returns::same, false>(std::move(layers));
    }
    return mixes ? chain_of<Accepts::sequences, Returns::sequence, true>(std::move(layers))
                 : chain_of<Accepts::sequences, Returns::sequence, false>(std::move(layers));
  }
  static Index outputs(const auto& sizes) {
    Index outputs = sizes.features();
    for (std::size_t i = 0; i < sizes.inner_layers(); ++i) outputs = sizes.inner(i, outputs);
    return outputs;
  }
};

struct TimeDistributedKind : AroundKind {
  static constexpr const char* name = "TimeDistributed";
  static constexpr LayerSyntax syntax{.header = "time_distributed.hpp", .type = "TimeDistributed"};

  template <class S>
  static AnyLayer<S> make(OptionReader& reader, const LayerMaker<S>& maker) {
    AnyLayer<S> layer = maker.inner(reader, 0);
    if (layer.accepts() != Accepts::any || layer.returns() != Returns::same) {
      reader.where().refuse("TimeDistributed takes a layer of samples, not " + layer.kind());
    }
    return around<TimeDistributed, Accepts::any, Returns::same>(std::move(layer));
  }
};

/// A stack whose result is the outputs of all layers.
template <class Kind, detail::StackReads Reads>
struct JoinedStackKind : LayerKind {
  static constexpr const char* name = detail::name_of(Reads);
  static constexpr std::size_t inner_layers = any_number;

  template <class S>
  static AnyLayer<S> make(OptionReader& reader, const LayerMaker<S>& maker) {
    std::vector<AnyLayer<S>> layers;
    bool mixes = false;
    for (std::size_t i = 0; i < reader.description().layers.size(); ++i) {
      AnyLayer<S> layer = maker.inner(reader, i);
      if ((layer.accepts() != Accepts::any && layer.accepts() != Accepts::sequences) ||
          layer.returns() == Returns::last) {
        reader.where().refuse(std::string(name) + " cannot hold " + layer.kind() +
                              ", which does not return sequences");
      }
      mixes = mixes || layer.mixes_sequences();
      layers.push_back(std::move(layer));
    }
    if (layers.empty()) reader.where().refuse(std::string(name) + " needs a layer");
    const Index window = Kind::window_of(reader.description());
    if (Reads == detail::StackReads::input_and_window && window == 0) {
      reader.where().refuse(std::string(name) + " needs a WindowLSTM as its first layer, found " +
                            layers[0].kind());
    }
    return mixes ? joined_stack_of<true, Reads>(std::move(layers), window)
                 : joined_stack_of<false, Reads>(std::move(layers), window);
  }

  static Index outputs(const auto& sizes) {
    const Index window = Kind::window_of(sizes.description());
    Index before = 0;
    Index outputs = 0;
    for (std::size_t i = 0; i < sizes.inner_layers(); ++i) {
      before = sizes.inner(i, inputs_of(i, sizes.features(), before, window));
      if (i == 0) before -= window;
      outputs += before;
    }
    return outputs;
  }

  /// The inputs of a layer, where the stack has `features` and the layer before it `before` outputs
  /// besides the window.
  static Index inputs_of(std::size_t layer, Index features, Index before, Index window) {
    if (layer == 0) return features;
    return (Reads == detail::StackReads::outputs ? 0 : features) + before + window;
  }
  /// V of the first layer, or 0 where it has no window that the other layers read.
  static Index window_of(const LayerDescription&) { return 0; }
};

struct AllOutputsKind : JoinedStackKind<AllOutputsKind, detail::StackReads::outputs> {
  static constexpr LayerSyntax syntax{.header = "all_outputs.hpp", .type = "AllOutputs"};
};

struct SkipConnectionsKind : JoinedStackKind<SkipConnectionsKind, detail::StackReads::input> {
  static constexpr LayerSyntax syntax{.header = "skip_connections.hpp", .type = "SkipConnections"};
};

struct WindowStackKind : JoinedStackKind<WindowStackKind, detail::StackReads::input_and_window> {
  static constexpr LayerSyntax syntax{.header = "window_stack.hpp", .type = "WindowStack"};

  static Index window_of(const LayerDescription& stack) {
    if (stack.layers.empty() || stack.layers[0].kind != WindowLSTMKind::name) return 0;
    const auto* const characters = stack.layers[0].find<Index>("characters");
    return characters && *characters > 0 ? *characters : 0;
  }
};

}  // namespace strata::inline STRATA_RUNTIME::io
