#pragma once

#include <strata/contracts/held.hpp>
#include <strata/recurrent/gru_options.hpp>
#include <strata/recurrent/option_layer.hpp>
#include <strata/recurrent/products/reset_before_gru_cell.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET {

/// A gated recurrent unit layer in the form of its first paper (Cho et al. 2014): h is reset before
/// the recurrent product, as with Keras' reset_after = False and ONNX' linear_before_reset = 0.
///
///   z = sigma(W_z x + U_z h + b_z), r = sigma(W_r x + U_r h + b_r),
///   n = phi(W_n x + U_n (r h) + b_n), h' = z h + (1 - z) n.
///
/// (B, T, F) to (B, T, U) with return_sequences, to (B, U), the last step's output, without.
/// Parameters: kernel (F, 3U), recurrent_kernel (U, 3U), bias (3U), gates z, r, n.
///
///   ResetBeforeGRU{50}, ResetBeforeGRU{50, return_sequences, {.dropout = 0.2}}
///
/// Making it throws ValueError on units below 1 and on options out of range.
template <class Scalar = float, bool ReturnsSequences = false>
class ResetBeforeGRU : public detail::OptionLayer<ResetBeforeGRU<Scalar, ReturnsSequences>,
                                                  detail::ResetBeforeGRUCell<Scalar, GRUOptions>,
                                                  GRUOptions, ReturnsSequences> {
 public:
  using ResetBeforeGRU::OptionLayer::OptionLayer;
};

ResetBeforeGRU(Index, GRUOptions = {})->ResetBeforeGRU<>;
ResetBeforeGRU(Index, ReturnSequences, GRUOptions = {})->ResetBeforeGRU<float, true>;

}  // namespace strata::inline STRATA_TARGET

namespace strata::detail {

template <class Scalar, bool Sequences>
struct Held<ResetBeforeGRU<Scalar, Sequences>>
    : HeldRecurrent<HeldKind::reset_before_gru, Sequences> {};

}  // namespace strata::detail
