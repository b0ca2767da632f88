#pragma once

#include <string_view>

#include <strata/io/common/activation_kinds.hpp>
#include <strata/io/common/plain_kinds.hpp>
#include <strata/io/common/recurrent_kinds.hpp>
#include <strata/io/common/wrapper_kinds.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

template <class... Kinds>
struct KindList {};

/// The entries of all layers of strata. Readers of files, the check of sizes and save_header go by
/// this list alone. A new layer needs an entry (see LayerKind) and the entry's name here.
using LayerKinds =
    KindList<ActivationKind, AllOutputsKind, AttentionPoolingKind, BatchNormalizationKind,
             BidirectionalKind, ChainKind, Conv1DKind, CoupledLSTMKind, DeepTransitionRNNKind,
             DenseKind, DropoutKind, ELUKind, EmbeddingKind, ExtendedLSTMKind, FlattenKind, GRUKind,
             GaussianNoiseKind, LSTMKind, LastStepKind, LayerNormLSTMKind, LayerNormalizationKind,
             MaskingKind, MaxOverStepsKind, MeanOverStepsKind, NormalizationKind, OwnCellKind,
             PReLUKind, ReLUKind, RepeatVectorKind, RescalingKind, ResetBeforeGRUKind, ReshapeKind,
             ResidualKind, SimpleRNNKind, SkipConnectionsKind, TimeDistributedKind, WindowLSTMKind,
             WindowStackKind>;

/// Calls f(entry) with the entry of a kind of layer. Returns false, without a call, when no entry
/// has this name.
template <class F>
bool with_kind(std::string_view kind, F f) {
  return [&]<class... Kinds>(KindList<Kinds...>) {
    return ((kind == Kinds::name && (f(Kinds()), true)) || ...);
  }(LayerKinds());
}

}  // namespace strata::inline STRATA_RUNTIME::io
