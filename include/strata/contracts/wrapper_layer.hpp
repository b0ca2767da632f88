#pragma once

#include <concepts>
#include <string>
#include <utility>
#include <vector>

#include <strata/base/message.hpp>
#include <strata/contracts/inner_layer.hpp>
#include <strata/contracts/layer.hpp>
#include <strata/contracts/parameter.hpp>
#include <strata/contracts/state_parts.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// What layers have in common that hold one other layer: its parameters, sizes and state are
/// theirs. `Wrapper` is the class template that inherits this one, of the layer's type.
template <template <class> class Wrapper, class L>
class WrapperLayer {
 public:
  using scalar_type = typename L::scalar_type;
  using Scalar = scalar_type;
  static constexpr Index fixed_inputs = L::fixed_inputs;
  static constexpr Index fixed_outputs = L::fixed_outputs;

  explicit WrapperLayer(L layer) : layer_(std::move(layer)) {}
  WrapperLayer() requires(std::default_initializable<L>) : WrapperLayer(L()) {}

  [[nodiscard]] std::string kind() const { return Wrapper<L>::name; }
  [[nodiscard]] std::string describe() const { return message({kind(), " ", layer_.describe()}); }
  [[nodiscard]] const L& layer() const noexcept { return layer_; }
  [[nodiscard]] LayerDescription description() const {
    return LayerDescription(kind()).add_layer(describe_layer(layer_));
  }

  [[nodiscard]] Index inputs() const noexcept { return layer_.inputs(); }
  [[nodiscard]] Index output_features(Index features) const {
    return layer_.output_features(features);
  }
  void build(Index features) { layer_.build(features); }
  void initialize(const Random& random) { inner(layer_).initialize(random); }
  /// Those of the layer, by the layer's names.
  [[nodiscard]] std::vector<Parameter<Scalar>> parameters() { return layer_.parameters(); }
  [[nodiscard]] Index parameter_count() const { return strata::parameter_count(layer_); }

  template <class Tape>
  void absorb(Tape& tape) {
    detail::absorb(layer_, tape.layer);
  }

  void check_stream() const { layer_.check_stream(); }
  [[nodiscard]] Index state_size() const noexcept { return layer_.state_size(); }
  void list_state(StateParts& parts) const { detail::list_state(layer_, parts); }

  /// The same layer, weights included, with sizes chosen at run time and another scalar.
  template <class Other>
    requires requires(const L& layer) { layer.template to_dynamic<Other>(); }
  [[nodiscard]] auto to_dynamic() const {
    using Inner = decltype(layer_.template to_dynamic<Other>());
    return Wrapper<Inner>(layer_.template to_dynamic<Other>());
  }

 protected:
  L layer_;
};

}  // namespace strata::detail::inline STRATA_TARGET
