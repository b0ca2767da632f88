#pragma once

#include <strata/layers/activate.hpp>
#include <strata/layers/attention_pooling.hpp>
#include <strata/layers/batch_normalization.hpp>
#include <strata/layers/bidirectional.hpp>
#include <strata/layers/conv1d.hpp>
#include <strata/layers/deep_transition_rnn.hpp>
#include <strata/layers/dense.hpp>
#include <strata/layers/dropout.hpp>
#include <strata/layers/elu.hpp>
#include <strata/layers/embedding.hpp>
#include <strata/layers/extended_lstm.hpp>
#include <strata/layers/gaussian_noise.hpp>
#include <strata/layers/gru.hpp>
#include <strata/layers/layer_norm_lstm.hpp>
#include <strata/layers/layer_normalization.hpp>
#include <strata/layers/lstm.hpp>
#include <strata/layers/masking.hpp>
#include <strata/layers/max_over_steps.hpp>
#include <strata/layers/mean_over_steps.hpp>
#include <strata/layers/normalization.hpp>
#include <strata/layers/prelu.hpp>
#include <strata/layers/relu.hpp>
#include <strata/layers/repeat_vector.hpp>
#include <strata/layers/rescaling.hpp>
#include <strata/layers/reset_before_gru.hpp>
#include <strata/layers/reshape.hpp>
#include <strata/layers/simple_rnn.hpp>
#include <strata/layers/window_lstm.hpp>

#include "processor_code.hpp"

namespace strata::detail::inline STRATA_TARGET {

template <class Scalar>
using HeldTables = std::array<LayerTables<Scalar>, held_layers>;

template <class... Layers, class Scalar>
void put(HeldTables<Scalar>& tables) {
  ((tables[Held<Layers>::number] = {&LayerFunctions<Layers>::table(),
                                    &LayerFunctions<Layers>::forward(),
                                    &LayerFunctions<Layers>::step(),
                                    &LayerFunctions<Layers>::training()}),
   ...);
}

/// A recurrent layer: alone and in a Bidirectional, with return_sequences and without.
template <class One, class Sequences, class Scalar>
void put_recurrent(HeldTables<Scalar>& tables) {
  put<One, Sequences, Bidirectional<One>, Bidirectional<Sequences>>(tables);
}
template <template <class, Index, Index, bool> class L, class Scalar>
void put_with_sizes(HeldTables<Scalar>& tables) {
  put_recurrent<L<Scalar, Dynamic, Dynamic, false>, L<Scalar, Dynamic, Dynamic, true>>(tables);
}
template <template <class, bool> class L, class Scalar>
void put_without_sizes(HeldTables<Scalar>& tables) {
  put_recurrent<L<Scalar, false>, L<Scalar, true>>(tables);
}

// Two functions, so that two files compile the layers.

template <class Scalar>
void put_gated_layers(HeldTables<Scalar>& tables) {
  put_with_sizes<LSTM>(tables);
  put_with_sizes<GRU>(tables);
  put_with_sizes<SimpleRNN>(tables);
  put_without_sizes<ExtendedLSTM>(tables);
  put_without_sizes<CoupledLSTM>(tables);
}

template <class Scalar>
void put_other_layers(HeldTables<Scalar>& tables) {
  put_without_sizes<ResetBeforeGRU>(tables);
  put_without_sizes<LayerNormLSTM>(tables);
  put_without_sizes<DeepTransitionRNN>(tables);
  put_without_sizes<WindowLSTM>(tables);
  put<Activate<Scalar>, AttentionPooling<Scalar>, BatchNormalization<Scalar>, Conv1D<Scalar>,
      Dense<Scalar>, Dropout<Scalar>, ELU<Scalar>, Embedding<Scalar>, Flatten<Scalar>,
      GaussianNoise<Scalar>, LastStep<Scalar>, LayerNormalization<Scalar>, Masking<Scalar>,
      MaxOverSteps<Scalar>, MeanOverSteps<Scalar>, Normalization<Scalar>, PReLU<Scalar>,
      ReLU<Scalar>, RepeatVector<Scalar>, Rescaling<Scalar>, Reshape<Scalar>>(tables);
}

extern template void put_gated_layers(HeldTables<float>&);
extern template void put_gated_layers(HeldTables<double>&);
extern template void put_other_layers(HeldTables<float>&);
extern template void put_other_layers(HeldTables<double>&);

}  // namespace strata::detail::inline STRATA_TARGET
