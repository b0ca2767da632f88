#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <strata/base/message.hpp>
#include <strata/contracts/execution.hpp>
#include <strata/error.hpp>
#include <strata/precision.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// The way through the layers of a model, from the first to the last: how the next layer is asked
/// to run, and in which precision the layers so far do.
class PrecisionChain {
 public:
  explicit PrecisionChain(Precision asked) : asked_{.precision = asked} {}

  [[nodiscard]] const Execution& asked() const noexcept { return asked_; }
  /// Goes on behind a layer that runs as `own`: its outputs are the inputs of the layer after it.
  void follow(const Execution& own) {
    precisions_.push_back(own.precision);
    asked_.bounded = own.bounded;
  }
  /// The precision of each layer so far.
  [[nodiscard]] const std::vector<Precision>& precisions() const& noexcept { return precisions_; }
  [[nodiscard]] std::vector<Precision> precisions() && noexcept { return std::move(precisions_); }

 private:
  Execution asked_;
  std::vector<Precision> precisions_;
};

/// Throws ValueError where a precision below the full one is asked for and no layer runs in it.
/// `layers` has the precision of each layer.
inline void check_precision(const char* who, Precision asked,
                            const std::vector<Precision>& layers) {
  if (asked == Precision::full) return;
  if (std::find(layers.begin(), layers.end(), asked) != layers.end()) return;
  fail<ValueError>({who, ": no layer of the model can run in ", std::string(name(asked)),
                    asked == Precision::int16
                        ? "; LSTM, GRU and SimpleRNN layers of float with tanh and sigmoid can"
                        : "; recurrent layers of float can, with weights of at most 65504"});
}

}  // namespace strata::detail::inline STRATA_RUNTIME
