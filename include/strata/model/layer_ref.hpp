#pragma once

#include <concepts>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <strata/contracts/inner_layer.hpp>
#include <strata/contracts/layer.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// The functions of one type of layer, called by a network for everything but training. A layer and
/// its packed weights are handed in as pointers without a type.
template <class Scalar>
struct LayerTable {
  using Shared = std::shared_ptr<void>;

  Accepts accepts;
  Returns returns;
  Shared (*copy)(const void*);
  void (*assign)(void*, Shared& copy);
  std::string (*kind)(const void*);
  std::string (*describe)(const void*);
  LayerDescription (*description)(const void*);
  Index (*inputs)(const void*);
  Shape (*output_shape)(const void*, const Shape&);
  Mask (*output_mask)(const void*, const Tensor<Scalar>&, const Mask&);
  void (*check_input)(const void*, const Tensor<Scalar>&);
  void (*build)(void*, Index);
  void (*initialize)(void*, const Random&);
  std::vector<Parameter<Scalar>> (*parameters)(void*);
  Index (*parameter_count)(const void*);
  void (*pack)(const void*, Shared&, bool);
  void (*forward)(const void*, const void* packed, const Tensor<Scalar>&, Tensor<Scalar>&,
                  const Pass<Scalar>&);
  bool (*makes_mask)(const void*);
  void (*check_stream)(const void*, bool masked);
  Index (*state_size)(const void*);
  void (*step)(const void* packed, const Scalar*, Scalar*, Scalar*, WeightOrder) noexcept;
  void (*skip)(const void* packed, const Scalar*, Scalar*, Scalar*, WeightOrder) noexcept;
  bool (*counts)(const void* packed, const Scalar*, bool before) noexcept;
};

/// The functions of one type of layer that only training calls. They have a table of their own so
/// that a program which only predicts does not contain them.
template <class Scalar>
struct TrainingTable {
  using Shared = std::shared_ptr<void>;

  bool mixes_sequences;
  void (*forward)(const void*, const void* packed, const Tensor<Scalar>& x, Shared& tape,
                  Tensor<Scalar>& y, const Pass<Scalar>&);
  void (*backward)(const void*, const void* packed, const Tensor<Scalar>& x,
                   const Tensor<Scalar>& y, Tensor<Scalar>& dy, Shared& tape,
                   std::span<Scalar> gradient, Tensor<Scalar>* dx, const Pass<Scalar>&);
  void (*absorb)(void*, Shared& tape);
};

/// The T that `shared` owns, made on the first call.
template <class T>
T& made(std::shared_ptr<void>& shared) {
  if (!shared) shared = std::make_shared<T>();
  return *static_cast<T*>(shared.get());
}

/// The two tables of a type of layer L.
template <class L>
struct LayerFunctions {
  using Scalar = typename L::scalar_type;
  using Shared = std::shared_ptr<void>;

  static const L& of(const void* layer) { return *static_cast<const L*>(layer); }
  static L& of(void* layer) { return *static_cast<L*>(layer); }
  static const typename L::Packed& packed(const void* p) {
    return *static_cast<const typename L::Packed*>(p);
  }

  static const LayerTable<Scalar>& table() noexcept;
  static const TrainingTable<Scalar>& training() noexcept;
};

// The two functions are not inline, so that a program can compile a layer once: in one file it
// instantiates LayerFunctions<L> explicitly, in the others it declares that as extern.

template <class L>
const LayerTable<typename L::scalar_type>& LayerFunctions<L>::table() noexcept {
  static constexpr LayerTable<Scalar> functions{
      .accepts = L::accepts,
      .returns = L::returns,
      .copy = [](const void* l) -> Shared { return std::make_shared<L>(of(l)); },
      .assign = [](void* l, Shared& copy) { of(l) = std::move(of(copy.get())); },
      .kind = [](const void* l) -> std::string { return of(l).kind(); },
      .describe = [](const void* l) -> std::string { return of(l).describe(); },
      .description = [](const void* l) { return describe_layer(of(l)); },
      .inputs = [](const void* l) { return of(l).inputs(); },
      .output_shape = [](const void* l,
                         const Shape& shape) { return strata::output_shape(of(l), shape); },
      .output_mask = [](const void* l, const Tensor<Scalar>& x,
                        const Mask& mask) { return strata::output_mask(of(l), x, mask); },
      .check_input =
          [](const void* l, const Tensor<Scalar>& x) {
            if constexpr (L::traits.check_input) of(l).check_input(x);
          },
      .build = [](void* l, Index f) { of(l).build(f); },
      .initialize = [](void* l, const Random& random) { of(l).initialize(random); },
      .parameters = [](void* l) { return of(l).parameters(); },
      .parameter_count = [](const void* l) { return strata::parameter_count(of(l)); },
      .pack = [](const void* l, Shared& p,
                 bool training) { of(l).pack(made<typename L::Packed>(p), training); },
      .forward = [](const void* l, const void* p, const Tensor<Scalar>& x, Tensor<Scalar>& y,
                    const Pass<Scalar>& pass) { of(l).forward(packed(p), x, y, pass); },
      .makes_mask = [](const void* l) { return strata::makes_mask(of(l)); },
      .check_stream = [](const void* l, bool masked) { strata::check_stream(of(l), masked); },
      .state_size = [](const void* l) { return of(l).state_size(); },
      .step = [](const void* p, const Scalar* x, Scalar* state, Scalar* y,
                 WeightOrder order) noexcept { packed(p).step(x, state, y, order); },
      .skip = [](const void* p, const Scalar* x, Scalar* state, Scalar* y,
                 WeightOrder order) noexcept { skip_layer(packed(p), x, state, y, order); },
      .counts = [](const void* p, const Scalar* x,
                   bool before) noexcept { return counts_behind(packed(p), x, before); },
  };
  return functions;
}

template <class L>
const TrainingTable<typename L::scalar_type>& LayerFunctions<L>::training() noexcept {
  static constexpr TrainingTable<Scalar> functions{
      .mixes_sequences = mixes_sequences_of<L>(),
      .forward =
          [](const void* l, const void* p, const Tensor<Scalar>& x, Shared& tape, Tensor<Scalar>& y,
             const Pass<Scalar>& pass) {
            of(l).forward(packed(p), x, made<typename L::Tape>(tape), y, pass);
          },
      .backward =
          [](const void* l, const void* p, const Tensor<Scalar>& x, const Tensor<Scalar>& y,
             Tensor<Scalar>& dy, Shared& tape, std::span<Scalar> gradient, Tensor<Scalar>* dx,
             const Pass<Scalar>& pass) {
            of(l).backward(packed(p), x, y, dy, made<typename L::Tape>(tape), gradient, dx, pass);
          },
      .absorb =
          [](void* l, Shared& tape) {
            if constexpr (L::traits.absorb) {
              of(l).absorb(made<typename L::Tape>(tape));
            }
          },
  };
  return functions;
}

}  // namespace strata::detail::inline STRATA_RUNTIME

namespace strata::inline STRATA_RUNTIME {

/// Refers to a layer of any type, which lies elsewhere and must outlive it. It has the functions of
/// a layer, so that the algorithms over networks are written once, for layers chosen at compile
/// time and at run time.
template <class Scalar>
class LayerRef {
 public:
  static constexpr LayerTraits traits{.check_input = true,
                                      .output_shape = true,
                                      .output_mask = true,
                                      .makes_mask = true,
                                      .skip = true,
                                      .check_masked_stream = true};
  /// The packed weights of a layer of any type.
  struct Packed {
    std::shared_ptr<void> value;
    const detail::LayerTable<Scalar>* table = nullptr;

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
  [[nodiscard]] Mask output_mask(const Tensor<Scalar>& x, const Mask& mask) const {
    return table_->output_mask(self_, x, mask);
  }
  void check_input(const Tensor<Scalar>& x) const { table_->check_input(self_, x); }
  void build(Index features) { table_->build(self_, features); }
  /// A copy of the layer as it is, for one later call of assign, which moves it back.
  [[nodiscard]] std::shared_ptr<void> copy() const { return table_->copy(self_); }
  void assign(std::shared_ptr<void>& copy) { table_->assign(self_, copy); }
  void initialize(const Random& random) { table_->initialize(self_, random); }
  [[nodiscard]] std::vector<Parameter<Scalar>> parameters() { return table_->parameters(self_); }
  [[nodiscard]] std::vector<Parameter<const Scalar>> parameters() const {
    std::vector<Parameter<const Scalar>> list;
    for (auto& parameter : table_->parameters(self_)) {
      list.push_back(
          {std::move(parameter.name), parameter.shape, parameter.values, parameter.trainable});
    }
    return list;
  }
  [[nodiscard]] Index parameter_count() const { return table_->parameter_count(self_); }

  void pack(Packed& packed, bool training) const {
    packed.table = table_;
    table_->pack(self_, packed.value, training);
  }
  void forward(const Packed& packed, const Tensor<Scalar>& x, Tensor<Scalar>& y,
               const Pass<Scalar>& pass) const {
    table_->forward(self_, packed.value.get(), x, y, pass);
  }
  /// Whether the layer makes a mask, which may say that some steps behind it do not count.
  [[nodiscard]] bool makes_mask() const { return table_->makes_mask(self_); }
  void check_stream() const { table_->check_stream(self_, false); }
  void check_masked_stream() const { table_->check_stream(self_, true); }
  [[nodiscard]] Index state_size() const { return table_->state_size(self_); }

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

/// A LayerRef that can also train its layer.
template <class Scalar>
class TrainableRef : public LayerRef<Scalar> {
 public:
  using Packed = typename LayerRef<Scalar>::Packed;
  using Tape = std::shared_ptr<void>;
  static constexpr LayerTraits traits = [] {
    LayerTraits all = LayerRef<Scalar>::traits;
    all.absorb = true;
    return all;
  }();
  using LayerRef<Scalar>::forward;

  template <class L>
    requires(!std::derived_from<std::remove_const_t<L>, LayerRef<Scalar>> && Layer<L>)
  explicit TrainableRef(L& layer)
      : LayerRef<Scalar>(layer), training_(&detail::LayerFunctions<L>::training()) {}

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

/// Owns a layer of any type; a copy owns a copy of the layer.
template <class Scalar>
class AnyLayer : public TrainableRef<Scalar> {
 public:
  template <class L>
    requires(!std::derived_from<L, LayerRef<Scalar>> && Layer<L>)
  explicit AnyLayer(L layer)
      : TrainableRef<Scalar>(*new L(std::move(layer))),
        clone_([](const void* from) -> void* { return new L(*static_cast<const L*>(from)); }),
        destroy_([](void* from) { delete static_cast<L*>(from); }) {}

  AnyLayer(const AnyLayer& other)
      : TrainableRef<Scalar>(other), clone_(other.clone_), destroy_(other.destroy_) {
    this->self_ = other.clone_(other.self_);
  }
  AnyLayer(AnyLayer&& other) noexcept
      : TrainableRef<Scalar>(other), clone_(other.clone_), destroy_(other.destroy_) {
    other.self_ = nullptr;
  }
  AnyLayer& operator=(AnyLayer other) noexcept {
    std::swap(static_cast<TrainableRef<Scalar>&>(*this), static_cast<TrainableRef<Scalar>&>(other));
    std::swap(clone_, other.clone_);
    std::swap(destroy_, other.destroy_);
    return *this;
  }
  ~AnyLayer() {
    if (this->self_) destroy_(this->self_);
  }

 private:
  void* (*clone_)(const void*);
  void (*destroy_)(void*);
};

}  // namespace strata::inline STRATA_RUNTIME
