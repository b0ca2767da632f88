#pragma once

#include <vector>

#include <strata/contracts/layer.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// What layers without parameters and without a state have in common.
template <class Scalar>
class PlainLayer {
 public:
  using scalar_type = Scalar;
  static constexpr LayerTraits traits{};
  static constexpr Index fixed_inputs = Dynamic;
  static constexpr Index fixed_outputs = Dynamic;

  /// F, Dynamic while it is not known.
  [[nodiscard]] Index inputs() const noexcept { return inputs_; }
  void build(Index features) { inputs_ = features; }
  void initialize(const Random&) {}
  [[nodiscard]] std::vector<Parameter<Scalar>> parameters() { return {}; }
  [[nodiscard]] Index parameter_count() const noexcept { return 0; }

  void check_stream() const {}
  [[nodiscard]] Index state_size() const noexcept { return 0; }

 private:
  Index inputs_ = Dynamic;
};

}  // namespace strata::detail::inline STRATA_TARGET
