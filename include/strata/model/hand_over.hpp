#pragma once

#include <strata/model/network.hpp>
#include <strata/model/state.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

template <class Scalar>
[[nodiscard]] State<Scalar> hand_over(const Network<Scalar>& encoder, const State<Scalar>& state,
                                      const Network<Scalar>& decoder);

}  // namespace strata::detail::inline STRATA_RUNTIME

namespace strata::inline STRATA_RUNTIME {

/// The state in which a decoder begins after an encoder has read B sequences (Sutskever, Vinyals &
/// Le 2014). Among the layers that have a state, the decoder's first begins in the state of the
/// encoder's first, the second in that of the second, and so on. predict takes the result as it is,
/// Stream::set_state takes its part(b, 1), the state of sequence b. Throws ShapeError when the
/// encoder has more or fewer layers with a state than the decoder, or when the sizes of two such
/// states differ.
///
///   State<float> state;
///   encoder.predict(x, {.state = &state});
///   state = hand_over(encoder, state, decoder);
///   decoder.predict(y, {.state = &state});
template <class Encoder, class Decoder>
[[nodiscard]] State<typename Encoder::scalar_type> hand_over(
    const Encoder& encoder, const State<typename Encoder::scalar_type>& state,
    const Decoder& decoder) {
  return detail::hand_over(encoder.network(), state, decoder.network());
}

}  // namespace strata::inline STRATA_RUNTIME

#ifndef STRATA_COMPILED
#include <strata/model/hand_over_definitions.hpp>
#endif
