#pragma once

#include <algorithm>
#include <span>
#include <string>

#include <strata/base/message.hpp>
#include <strata/error.hpp>
#include <strata/precision.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// Throws ValueError where a precision below the full one is asked for and no layer runs in it.
/// `layers` has the precision of each layer.
inline void check_precision(const char* who, Precision asked, std::span<const Precision> layers) {
  if (asked == Precision::full) return;
  if (std::find(layers.begin(), layers.end(), asked) != layers.end()) return;
  fail<ValueError>({who, ": no layer of the model can run in ", std::string(name(asked)),
                    asked == Precision::int16
                        ? "; LSTM, GRU and SimpleRNN layers of float with tanh and sigmoid can"
                        : "; recurrent layers of float can, with weights of at most 65504"});
}

}  // namespace strata::detail::inline STRATA_RUNTIME
