#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/contracts/any_layer.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// A layer inside a Residual, TimeDistributed or SkipConnections that a reader makes from a file,
/// so that its type is known at run time alone. `Takes`, `Gives` and `Mixes` are the accepts,
/// returns and mixes_sequences of the layer, which the outer layer must know at compile time;
/// everything else is asked of the layer at run time.
template <class S, Accepts Takes, Returns Gives, bool Mixes>
class ErasedLayer {
 public:
  using scalar_type = S;
  using Scalar = S;
  static constexpr Accepts accepts = Takes;
  static constexpr Returns returns = Gives;
  static constexpr Index fixed_inputs = Dynamic;
  static constexpr Index fixed_outputs = Dynamic;
  static constexpr LayerTraits traits = [] {
    LayerTraits all = AnyLayer<S>::traits;
    all.mixes_sequences = Mixes;
    return all;
  }();

  explicit ErasedLayer(AnyLayer<S> layer) : layer_(std::move(layer)) {}

  [[nodiscard]] std::string kind() const { return layer_.kind(); }
  [[nodiscard]] std::string describe() const { return layer_.describe(); }
  [[nodiscard]] LayerDescription description() const { return layer_.description(); }

  [[nodiscard]] Index inputs() const { return layer_.inputs(); }
  [[nodiscard]] Index output_features(Index features) const {
    return output_shape(Takes == Accepts::sequences ? Shape{Dynamic, Dynamic, features}
                                                    : Shape{Dynamic, features})
        .back();
  }
  [[nodiscard]] Shape output_shape(const Shape& shape) const { return layer_.output_shape(shape); }
  [[nodiscard]] Mask output_mask(const Tensor<S>& x, const Mask& mask) const {
    return layer_.output_mask(x, mask);
  }
  void check_input(const Tensor<S>& x) const { layer_.check_input(x); }

  void build(Index features) { layer_.build(features); }
  void initialize(const Random& random) { layer_.initialize(random); }
  [[nodiscard]] std::vector<Parameter<S>> parameters() { return layer_.parameters(); }
  [[nodiscard]] Index parameter_count() const { return layer_.parameter_count(); }

  using Packed = typename AnyLayer<S>::Packed;
  struct Tape {
    typename AnyLayer<S>::Tape layer;
  };

  void pack(Packed& packed, bool training) const { layer_.pack(packed, training); }
  void forward(const Packed& packed, const Tensor<S>& x, Tensor<S>& y, const Pass<S>& pass) const {
    layer_.forward(packed, x, y, pass);
  }
  void forward(const Packed& packed, const Tensor<S>& x, Tape& tape, Tensor<S>& y,
               const Pass<S>& pass) const {
    layer_.forward(packed, x, tape.layer, y, pass);
  }
  void backward(const Packed& packed, const Tensor<S>& x, const Tensor<S>& y, Tensor<S>& dy,
                Tape& tape, std::span<S> gradient, Tensor<S>* dx, const Pass<S>& pass) const {
    layer_.backward(packed, x, y, dy, tape.layer, gradient, dx, pass);
  }
  void absorb(Tape& tape) { layer_.absorb(tape.layer); }

  [[nodiscard]] bool makes_mask() const { return layer_.makes_mask(); }
  void check_stream() const { layer_.check_stream(); }
  void check_masked_stream() const { layer_.check_masked_stream(); }
  [[nodiscard]] Index state_size() const { return layer_.state_size(); }
  void list_state(detail::StateParts& parts) const { layer_.list_state(parts); }
  [[nodiscard]] Execution execution(const Execution& asked) const {
    return layer_.execution(asked);
  }
  void reduce(Packed& packed, const Execution& asked) const { layer_.reduce(packed, asked); }

 private:
  AnyLayer<S> layer_;
};

}  // namespace strata::inline STRATA_RUNTIME::io
