#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <strata/contracts/any_layer.hpp>
#include <strata/io/common/erased_joined_stack.hpp>
#include <strata/io/common/erased_layer.hpp>
#include <strata/io/common/layer_kind.hpp>
#include <strata/io/common/option_reader.hpp>
#include <strata/io/common/where.hpp>
#include <strata/layers/bidirectional.hpp>
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

/// A stack whose result is the outputs of all layers. ReadsInput: whether each layer reads the
/// input beside the outputs of the layer before it, or these outputs alone.
template <class Kind, bool ReadsInput>
struct JoinedStackKind : LayerKind {
  static constexpr std::size_t inner_layers = any_number;
  static constexpr bool reads_input = ReadsInput;

  template <class S>
  static AnyLayer<S> make(OptionReader& reader, const LayerMaker<S>& maker) {
    const std::string name = Kind::name;
    std::vector<AnyLayer<S>> layers;
    bool mixes = false;
    for (std::size_t i = 0; i < reader.description().layers.size(); ++i) {
      AnyLayer<S> layer = maker.inner(reader, i);
      if ((layer.accepts() != Accepts::any && layer.accepts() != Accepts::sequences) ||
          layer.returns() == Returns::last) {
        reader.where().refuse(name + " cannot hold " + layer.kind() +
                              ", which does not return sequences");
      }
      mixes = mixes || layer.mixes_sequences();
      layers.push_back(std::move(layer));
    }
    if (layers.empty()) reader.where().refuse(name + " needs a layer");
    return mixes ? joined_stack_of<true, ReadsInput>(std::move(layers))
                 : joined_stack_of<false, ReadsInput>(std::move(layers));
  }

  static Index outputs(const auto& sizes) {
    Index before = 0;
    Index outputs = 0;
    for (std::size_t i = 0; i < sizes.inner_layers(); ++i) {
      const Index input = i == 0 || ReadsInput ? sizes.features() : 0;
      before = sizes.inner(i, input + before);
      outputs += before;
    }
    return outputs;
  }
};

struct SkipConnectionsKind : JoinedStackKind<SkipConnectionsKind, true> {
  static constexpr const char* name = "SkipConnections";
  static constexpr LayerSyntax syntax{.header = "skip_connections.hpp", .type = "SkipConnections"};
};

struct AllOutputsKind : JoinedStackKind<AllOutputsKind, false> {
  static constexpr const char* name = "AllOutputs";
  static constexpr LayerSyntax syntax{.header = "all_outputs.hpp", .type = "AllOutputs"};
};

}  // namespace strata::inline STRATA_RUNTIME::io
