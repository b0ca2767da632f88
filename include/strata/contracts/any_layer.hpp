#pragma once

#include <concepts>
#include <type_traits>
#include <utility>

#include <strata/contracts/layer_ref.hpp>

namespace strata {

/// The packed weights of a layer of any type, for passes over a batch and for steps of streams.
template <class Scalar>
struct PackedStep : PackedLayer {
  const detail::StepTable<Scalar>* table = nullptr;

  void step(const Scalar* x, Scalar* state, Scalar* y, WeightOrder order) const noexcept {
    table->step(value.get(), x, state, y, order);
  }
  void skip(const Scalar* x, Scalar* state, Scalar* y, WeightOrder order) const noexcept {
    table->skip(value.get(), x, state, y, order);
  }
  [[nodiscard]] bool counts(const Scalar* x, bool before) const noexcept {
    return table->counts(value.get(), x, before);
  }
};

namespace detail {

/// Makes packed weights those of a layer with this table. The memory of a layer of another type
/// cannot be used again.
template <class Scalar>
void use_table(PackedStep<Scalar>& packed, const StepTable<Scalar>* table) {
  if (packed.table != table) packed.value.reset();
  packed.table = table;
}

}  // namespace detail

/// A TrainableRef that can also run its layer step by step.
template <class Scalar>
class CompleteRef : public TrainableRef<Scalar> {
 public:
  using Packed = PackedStep<Scalar>;

  template <class L>
    requires(!std::derived_from<std::remove_const_t<L>, LayerRef<Scalar>> && Layer<L>)
  explicit CompleteRef(L& layer)
      : TrainableRef<Scalar>(layer), step_(&detail::LayerFunctions<L>::step()) {}

  using TrainableRef<Scalar>::pack;
  void pack(Packed& packed, bool training) const {
    detail::use_table(packed, step_);
    TrainableRef<Scalar>::pack(packed, training);
  }

 protected:
  template <class>
  friend class StreamRef;

  const detail::StepTable<Scalar>* step_;
};

/// Owns a layer of any type; a copy owns a copy of the layer.
template <class Scalar>
class AnyLayer : public CompleteRef<Scalar> {
 public:
  static constexpr LayerTraits traits{.absorb = true,
                                      .check_input = true,
                                      .output_shape = true,
                                      .output_mask = true,
                                      .makes_mask = true,
                                      .skip = true,
                                      .check_masked_stream = true,
                                      .list_state = true,
                                      .execution = true,
                                      .reduce = true};

  template <class L>
    requires(!std::derived_from<L, LayerRef<Scalar>> && Layer<L>)
  explicit AnyLayer(L layer) : CompleteRef<Scalar>(*new L(std::move(layer))) {}

  AnyLayer(const AnyLayer& other) : CompleteRef<Scalar>(other) {
    this->self_ = other.table_->clone(other.self_);
  }
  AnyLayer(AnyLayer&& other) noexcept : CompleteRef<Scalar>(other) { other.self_ = nullptr; }
  AnyLayer& operator=(AnyLayer other) noexcept {
    std::swap(static_cast<CompleteRef<Scalar>&>(*this), static_cast<CompleteRef<Scalar>&>(other));
    return *this;
  }
  ~AnyLayer() {
    if (this->self_) this->table_->destroy(this->self_);
  }
};

/// A ForwardRef that can also run its layer step by step.
template <class Scalar>
class StreamRef : public ForwardRef<Scalar> {
 public:
  using Packed = PackedStep<Scalar>;

  template <class L>
    requires(!std::derived_from<L, LayerRef<Scalar>> && Layer<L>)
  explicit StreamRef(L& layer)
      : ForwardRef<Scalar>(layer), step_(&detail::LayerFunctions<L>::step()) {}
  explicit StreamRef(const CompleteRef<Scalar>& layer)
      : ForwardRef<Scalar>(layer), step_(layer.step_) {}

  void pack(Packed& packed, bool training) const {
    detail::use_table(packed, step_);
    ForwardRef<Scalar>::pack(packed, training);
  }

 private:
  const detail::StepTable<Scalar>* step_;
};

}  // namespace strata
