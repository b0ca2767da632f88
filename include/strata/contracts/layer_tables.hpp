#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/contracts/held.hpp>
#include <strata/contracts/layer.hpp>
#include <strata/contracts/layer_traits.hpp>
#include <strata/contracts/state_parts.hpp>

// The functions of a type of layer as tables of pointers, for code that is written once for layers
// of all types. A layer, its packed weights and its tape are handed in as pointers without a type.
// There are four tables, so that a program contains no function that it cannot call: one that reads
// weights and streams contains no forward pass over a batch, one that predicts no backward pass.

namespace strata::detail {

/// What a layer is.
template <class Scalar>
struct LayerTable {
  std::size_t size;
  Accepts accepts;
  Returns returns;
  void* (*clone)(const void*);
  void (*destroy)(void*);
  void (*assign)(void*, void* from);
  std::string (*kind)(const void*);
  std::string (*describe)(const void*);
  LayerDescription (*description)(const void*);
  Index (*inputs)(const void*);
  Shape (*output_shape)(const void*, const Shape&);
  void (*build)(void*, Index);
  void (*initialize)(void*, const Random&);
  std::vector<Parameter<Scalar>> (*parameters)(void*);
  Index (*parameter_count)(const void*);
  bool (*makes_mask)(const void*);
  void (*check_stream)(const void*, bool masked);
  Index (*state_size)(const void*);
  void (*list_state)(const void*, StateParts&);
  Execution (*execution)(const void*, const Execution& asked);
};

/// A forward pass over a batch.
template <class Scalar>
struct ForwardTable {
  void (*pack)(const void*, std::shared_ptr<void>& packed, bool training);
  void (*forward)(const void*, const void* packed, const Tensor<Scalar>&, Tensor<Scalar>&,
                  const Pass<Scalar>&);
  Mask (*output_mask)(const void*, const Tensor<Scalar>&, const Mask&);
  void (*check_input)(const void*, const Tensor<Scalar>&);
  void (*reduce)(const void*, void* packed, const Execution& asked);
};

/// A step of a stream.
template <class Scalar>
struct StepTable {
  void (*pack)(const void*, std::shared_ptr<void>& packed, bool training);
  void (*step)(const void* packed, const Scalar*, Scalar*, Scalar*, WeightOrder) noexcept;
  void (*skip)(const void* packed, const Scalar*, Scalar*, Scalar*, WeightOrder) noexcept;
  bool (*counts)(const void* packed, const Scalar*, bool before) noexcept;
};

/// Training.
template <class Scalar>
struct TrainingTable {
  bool mixes_sequences;
  void (*forward)(const void*, const void* packed, const Tensor<Scalar>& x,
                  std::shared_ptr<void>& tape, Tensor<Scalar>& y, const Pass<Scalar>&);
  void (*backward)(const void*, const void* packed, const Tensor<Scalar>& x,
                   const Tensor<Scalar>& y, Tensor<Scalar>& dy, std::shared_ptr<void>& tape,
                   std::span<Scalar> gradient, Tensor<Scalar>* dx, const Pass<Scalar>&);
  void (*absorb)(void*, std::shared_ptr<void>& tape);
};

/// All functions of a type of layer.
template <class Scalar>
struct LayerTables {
  const LayerTable<Scalar>* layer;
  const ForwardTable<Scalar>* forward;
  const StepTable<Scalar>* step;
  const TrainingTable<Scalar>* training;
};

/// The tables of a layer that the library holds, for the processor in use. Defined there for float
/// and double. `size` is that of the layer in the program that asks; throws StateError where the
/// library was compiled from other headers.
template <class Scalar>
[[nodiscard]] const LayerTables<Scalar>& held_tables(int number, std::size_t size);

/// The T that `shared` owns, made on the first call.
template <class T>
T& made(std::shared_ptr<void>& shared) {
  if (!shared) shared = std::make_shared<T>();
  return *static_cast<T*>(shared.get());
}

/// The tables that the library has for a type of layer L.
template <class L>
[[nodiscard]] const LayerTables<typename L::scalar_type>& held_tables_of() {
  return held_tables<typename L::scalar_type>(Held<L>::number, sizeof(L));
}

/// The tables of a type of layer L: those of the library where it holds L, others else.
template <class L>
struct LayerFunctions {
  using Scalar = typename L::scalar_type;
  using Shared = std::shared_ptr<void>;

  static const L& of(const void* layer) { return *static_cast<const L*>(layer); }
  static L& of(void* layer) { return *static_cast<L*>(layer); }
  static const typename L::Packed& packed(const void* p) {
    return *static_cast<const typename L::Packed*>(p);
  }
  static void pack(const void* l, Shared& p, bool training) {
    of(l).pack(made<typename L::Packed>(p), training);
  }
  static const LayerTable<Scalar>& table();
  static const ForwardTable<Scalar>& forward();
  static const StepTable<Scalar>& step();
  static const TrainingTable<Scalar>& training();
};

// The functions are not inline, so that a program can compile a layer once: in one file it
// instantiates LayerFunctions<L> explicitly, in the others it declares that as extern.

template <class L>
const LayerTable<typename L::scalar_type>& LayerFunctions<L>::table() {
  if constexpr (is_held<L>) {
    return *held_tables_of<L>().layer;
  } else {
    static constexpr LayerTable<Scalar> functions{
        .size = sizeof(L),
        .accepts = L::accepts,
        .returns = L::returns,
        .clone = [](const void* l) -> void* { return new L(of(l)); },
        .destroy = [](void* l) { delete static_cast<L*>(l); },
        .assign = [](void* l, void* from) { of(l) = std::move(of(from)); },
        .kind = [](const void* l) -> std::string { return of(l).kind(); },
        .describe = [](const void* l) -> std::string { return of(l).describe(); },
        .description = [](const void* l) { return describe_layer(of(l)); },
        .inputs = [](const void* l) { return of(l).inputs(); },
        .output_shape = [](const void* l,
                           const Shape& shape) { return strata::output_shape(of(l), shape); },
        .build = [](void* l, Index f) { of(l).build(f); },
        .initialize = [](void* l, const Random& random) { of(l).initialize(random); },
        .parameters = [](void* l) { return of(l).parameters(); },
        .parameter_count = [](const void* l) { return strata::parameter_count(of(l)); },
        .makes_mask = [](const void* l) { return strata::makes_mask(of(l)); },
        .check_stream = [](const void* l, bool masked) { strata::check_stream(of(l), masked); },
        .state_size = [](const void* l) { return of(l).state_size(); },
        .list_state = [](const void* l, StateParts& parts) { detail::list_state(of(l), parts); },
        .execution = [](const void* l,
                        const Execution& asked) { return strata::execution(of(l), asked); },
    };
    return functions;
  }
}

template <class L>
const ForwardTable<typename L::scalar_type>& LayerFunctions<L>::forward() {
  if constexpr (is_held<L>) {
    return *held_tables_of<L>().forward;
  } else {
    static constexpr ForwardTable<Scalar> functions{
        .pack = pack,
        .forward = [](const void* l, const void* p, const Tensor<Scalar>& x, Tensor<Scalar>& y,
                      const Pass<Scalar>& pass) { of(l).forward(packed(p), x, y, pass); },
        .output_mask = [](const void* l, const Tensor<Scalar>& x,
                          const Mask& mask) { return strata::output_mask(of(l), x, mask); },
        .check_input =
            [](const void* l, const Tensor<Scalar>& x) {
              if constexpr (L::traits.check_input) of(l).check_input(x);
            },
        .reduce =
            [](const void* l, void* p, const Execution& asked) {
              if constexpr (L::traits.reduce) {
                of(l).reduce(*static_cast<typename L::Packed*>(p), asked);
              }
            },
    };
    return functions;
  }
}

template <class L>
const StepTable<typename L::scalar_type>& LayerFunctions<L>::step() {
  if constexpr (is_held<L>) {
    return *held_tables_of<L>().step;
  } else {
    static constexpr StepTable<Scalar> functions{
        .pack = pack,
        .step = [](const void* p, const Scalar* x, Scalar* state, Scalar* y,
                   WeightOrder order) noexcept { packed(p).step(x, state, y, order); },
        .skip = [](const void* p, const Scalar* x, Scalar* state, Scalar* y,
                   WeightOrder order) noexcept { skip_layer(packed(p), x, state, y, order); },
        .counts = [](const void* p, const Scalar* x,
                     bool before) noexcept { return counts_behind(packed(p), x, before); },
    };
    return functions;
  }
}

template <class L>
const TrainingTable<typename L::scalar_type>& LayerFunctions<L>::training() {
  if constexpr (is_held<L>) {
    return *held_tables_of<L>().training;
  } else {
    static constexpr TrainingTable<Scalar> functions{
        .mixes_sequences = mixes_sequences_of<L>(),
        .forward =
            [](const void* l, const void* p, const Tensor<Scalar>& x, Shared& tape,
               Tensor<Scalar>& y, const Pass<Scalar>& pass) {
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
}

}  // namespace strata::detail
