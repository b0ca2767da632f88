#pragma once

#include <string>
#include <vector>

#include <strata/base/message.hpp>
#include <strata/contracts/execution.hpp>
#include <strata/error.hpp>
#include <strata/language/algorithms.hpp>
#include <strata/precision.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// The way through the layers of a model, from the first to the last: how the next layer is asked
/// to run, and in which precision the layers so far do.
class PrecisionChain {
 public:
  /// `layers` becomes the precision of each layer. Its memory is used again.
  PrecisionChain(Precision asked, std::vector<Precision>& layers)
      : asked_{.precision = asked}, layers_(layers) {
    layers_.clear();
  }

  [[nodiscard]] const Execution& asked() const noexcept { return asked_; }
  /// Goes on behind a layer that runs as `own`: its outputs are the inputs of the layer after it.
  void follow(const Execution& own) {
    layers_.push_back(own.precision);
    asked_.bounded = own.bounded;
  }

 private:
  Execution asked_;
  std::vector<Precision>& layers_;
};

/// Throws ValueError where a precision below the full one is asked for and no layer runs in it.
/// `layers` has the precision of each layer.
inline void check_precision(const char* who, Precision asked,
                            const std::vector<Precision>& layers) {
  if (asked == Precision::full) return;
  if (contains(layers, asked)) return;
  fail<ValueError>({who, ": no layer of the model can run in ", std::string(name(asked)),
                    asked == Precision::int16
                        ? "; LSTM, GRU and SimpleRNN layers of float with tanh and sigmoid can"
                        : "; recurrent layers of float can, with weights of at most 65504"});
}

}  // namespace strata::detail::inline STRATA_RUNTIME
