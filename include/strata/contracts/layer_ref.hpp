#pragma once

#include <concepts>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <strata/contracts/layer.hpp>
#include <strata/contracts/layer_tables.hpp>

namespace strata {

/// Refers to a layer of any type, which lies elsewhere and must outlive it. It has the functions of
/// a layer, so that the algorithms over networks are written once, for layers chosen at compile
/// time and at run time.
template <class Scalar>
class LayerRef {
 public:
  template <class L>
    requires(!std::derived_from<std::remove_const_t<L>, LayerRef> && Layer<L>)
  explicit LayerRef(L& layer) : self_(&layer), table_(&detail::LayerFunctions<L>::table()) {}

  [[nodiscard]] Accepts accepts() const { return table_->accepts; }
  [[nodiscard]] Returns returns() const { return table_->returns; }
  [[nodiscard]] std::string kind() const { return table_->kind(self_); }
  [[nodiscard]] std::string describe() const { return table_->describe(self_); }
  /// The layer's kind and options, without its weights.
  [[nodiscard]] LayerDescription description() const { return table_->description(self_); }
  [[nodiscard]] Index inputs() const { return table_->inputs(self_); }
  [[nodiscard]] Shape output_shape(const Shape& shape) const {
    return table_->output_shape(self_, shape);
  }
  void build(Index features) { table_->build(self_, features); }
  /// A copy of the layer as it is, for one later call of assign, which moves it back.
  [[nodiscard]] std::shared_ptr<void> copy() const {
    return {table_->clone(self_), table_->destroy};
  }
  void assign(std::shared_ptr<void>& copy) { table_->assign(self_, copy.get()); }
  void initialize(const Random& random) { table_->initialize(self_, random); }
  [[nodiscard]] std::vector<Parameter<Scalar>> parameters() { return table_->parameters(self_); }
  [[nodiscard]] std::vector<Parameter<const Scalar>> parameters() const {
    std::vector<Parameter<const Scalar>> list;
    for (auto& parameter : table_->parameters(self_)) {
      list.push_back({std::move(parameter.name), parameter.shape, parameter.values,
                      parameter.trainable, parameter.rate});
    }
    return list;
  }
  [[nodiscard]] Index parameter_count() const { return table_->parameter_count(self_); }

  /// Whether the layer makes a mask, which may say that some steps behind it do not count.
  [[nodiscard]] bool makes_mask() const { return table_->makes_mask(self_); }
  void check_stream() const { table_->check_stream(self_, false); }
  void check_masked_stream() const { table_->check_stream(self_, true); }
  [[nodiscard]] Index state_size() const { return table_->state_size(self_); }
  void list_state(detail::StateParts& parts) const { table_->list_state(self_, parts); }
  [[nodiscard]] Execution execution(const Execution& asked) const {
    return table_->execution(self_, asked);
  }

  /// The layer in its own type, or null when its type is not L.
  template <class L>
  [[nodiscard]] L* as() noexcept {
    return table_ == &detail::LayerFunctions<L>::table() ? static_cast<L*>(self_) : nullptr;
  }
  template <class L>
  [[nodiscard]] const L* as() const noexcept {
    return const_cast<LayerRef*>(this)->template as<L>();
  }

 protected:
  void* self_;
  const detail::LayerTable<Scalar>* table_;
};

/// The packed weights of a layer of any type, for passes over a batch.
struct PackedLayer {
  std::shared_ptr<void> value;
};

/// A LayerRef that can also run its layer over a batch.
template <class Scalar>
class ForwardRef : public LayerRef<Scalar> {
 public:
  using Packed = PackedLayer;

  template <class L>
    requires(!std::derived_from<std::remove_const_t<L>, LayerRef<Scalar>> && Layer<L>)
  explicit ForwardRef(L& layer)
      : LayerRef<Scalar>(layer), forward_(&detail::LayerFunctions<L>::forward()) {}

  void pack(Packed& packed, bool training) const {
    forward_->pack(this->self_, packed.value, training);
  }
  void reduce(Packed& packed, const Execution& asked) const {
    forward_->reduce(this->self_, packed.value.get(), asked);
  }
  void forward(const Packed& packed, const Tensor<Scalar>& x, Tensor<Scalar>& y,
               const Pass<Scalar>& pass) const {
    forward_->forward(this->self_, packed.value.get(), x, y, pass);
  }
  [[nodiscard]] Mask output_mask(const Tensor<Scalar>& x, const Mask& mask) const {
    return forward_->output_mask(this->self_, x, mask);
  }
  void check_input(const Tensor<Scalar>& x) const { forward_->check_input(this->self_, x); }

 protected:
  const detail::ForwardTable<Scalar>* forward_;
};

/// A ForwardRef that can also train its layer.
template <class Scalar>
class TrainableRef : public ForwardRef<Scalar> {
 public:
  using typename ForwardRef<Scalar>::Packed;
  using Tape = std::shared_ptr<void>;
  using ForwardRef<Scalar>::forward;

  template <class L>
    requires(!std::derived_from<std::remove_const_t<L>, LayerRef<Scalar>> && Layer<L>)
  explicit TrainableRef(L& layer)
      : ForwardRef<Scalar>(layer), training_(&detail::LayerFunctions<L>::training()) {}

  void forward(const Packed& packed, const Tensor<Scalar>& x, Tape& tape, Tensor<Scalar>& y,
               const Pass<Scalar>& pass) const {
    training_->forward(this->self_, packed.value.get(), x, tape, y, pass);
  }
  void backward(const Packed& packed, const Tensor<Scalar>& x, const Tensor<Scalar>& y,
                Tensor<Scalar>& dy, Tape& tape, std::span<Scalar> gradient, Tensor<Scalar>* dx,
                const Pass<Scalar>& pass) const {
    training_->backward(this->self_, packed.value.get(), x, y, dy, tape, gradient, dx, pass);
  }
  void absorb(Tape& tape) { training_->absorb(this->self_, tape); }
  [[nodiscard]] bool mixes_sequences() const { return training_->mixes_sequences; }

 protected:
  const detail::TrainingTable<Scalar>* training_;
};

}  // namespace strata
