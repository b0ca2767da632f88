#pragma once

#include <cstddef>
#include <numeric>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <strata/base/message.hpp>
#include <strata/contracts/inner_layer.hpp>
#include <strata/contracts/layer.hpp>
#include <strata/contracts/parts.hpp>
#include <strata/contracts/state_parts.hpp>
#include <strata/error.hpp>
#include <strata/error_handler.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// What layers have in common that hold several others, in a tuple, or in a vector of layers of one
/// type that stands for any, which files are read to. Their parameters are those of the layers,
/// with the number of the layer before the name ("0.kernel", "1.kernel"); the state of a sequence
/// is the states of the layers, one after the other.
///
/// `Outer` is the class that inherits this one.
template <class Outer, class Layers, class Scalar>
class InnerLayers {
  template <class T>
  using Each = typename Parts<Layers>::template Each<T>;

 public:
  [[nodiscard]] std::string kind() const { return Outer::kind_name; }
  [[nodiscard]] std::string describe() const {
    return message({kind(), ", ", part_count(layers_), " layers"});
  }
  [[nodiscard]] const Layers& layers() const noexcept { return layers_; }
  [[nodiscard]] LayerDescription description() const {
    LayerDescription description{kind()};
    for_each([&](auto i) { description.add_layer(describe_layer(part(layers_, i))); });
    return description;
  }

  [[nodiscard]] Index inputs() const noexcept { return first().inputs(); }

  void initialize(const Random& random) {
    for_each([&](auto i) { inner(part(layers_, i)).initialize(random.fork(i)); });
  }
  [[nodiscard]] std::vector<Parameter<Scalar>> parameters() {
    std::vector<Parameter<Scalar>> list;
    for_each([&](auto i) {
      for (auto& parameter : part(layers_, i).parameters()) {
        parameter.name = message({std::size_t{i}, ".", parameter.name});
        list.push_back(std::move(parameter));
      }
    });
    return list;
  }
  [[nodiscard]] Index parameter_count() const {
    Index count = 0;
    for_each([&](auto i) { count += strata::parameter_count(part(layers_, i)); });
    return count;
  }

  template <class Tape>
  void absorb(Tape& tape) {
    for_each([&](auto i) { detail::absorb(part(layers_, i), part(tape.layers, i)); });
  }

  /// The precision is that of the layers which have another one than the full.
  [[nodiscard]] Execution execution(const Execution& asked) const {
    Execution whole{.bounded = true};
    for_each_execution(asked, [&](auto, const Execution&, const Execution& own) {
      if (own.precision != Precision::full) whole.precision = own.precision;
      whole.bounded = own.bounded && (whole.bounded || !Outer::returns_all_outputs);
    });
    return whole;
  }
  template <class Packed>
  void reduce(Packed& packed, const Execution& asked) const {
    for_each_execution(asked, [&](auto i, const Execution& asked_of_layer, const Execution&) {
      detail::reduce(part(layers_, i), part(packed.layers, i), asked_of_layer);
    });
  }

  void check_stream() const {
    for_each([&](auto i) { part(layers_, i).check_stream(); });
  }
  void check_masked_stream() const {
    for_each([&](auto i) { strata::check_stream(part(layers_, i), true); });
  }
  [[nodiscard]] Index state_size() const noexcept { return state_offset(part_count(layers_)); }
  void list_state(StateParts& parts) const {
    for_each(
        [&](auto i) { detail::list_state(part(layers_, i), message({std::size_t{i}}), parts); });
  }

 protected:
  explicit InnerLayers(Layers layers) : layers_(std::move(layers)) {}

  [[nodiscard]] const auto& first() const noexcept {
    return part(layers_, std::integral_constant<std::size_t, 0>{});
  }
  /// Calls f(i) for the number of each layer.
  template <class F>
  void for_each(F f) const {
    for_each_part(layers_, f);
  }
  /// Calls f() and puts the layer before the text of a ShapeError.
  template <class I, class F>
  void named(I i, F f) const {
    on_error<ShapeError>(f, [&](const ShapeError& error) {
      fail<ShapeError>(
          {"its layer ", std::size_t{i}, " (", part(layers_, i).describe(), "): ", error.what()});
    });
  }

  /// Builds layer i for `features`, unless it knows its sizes already. Returns its outputs.
  template <class I>
  Index build_layer(I i, Index features) {
    resize_parts(parameter_counts_, part_count(layers_));
    resize_parts(array_counts_, part_count(layers_));
    auto& layer = part(layers_, i);
    if (layer.inputs() == Dynamic) layer.build(features);
    parameter_counts_[i] = static_cast<std::size_t>(strata::parameter_count(layer));
    array_counts_[i] = layer.parameters().size();
    return layer.output_features(features);
  }

  /// Takes the derivatives by the parameters of layer i off the end of `gradient`.
  [[nodiscard]] std::span<Scalar> take_gradient(std::size_t i, std::span<Scalar>& gradient) const {
    const auto own = gradient.last(parameter_counts_[i]);
    gradient = gradient.first(gradient.size() - own.size());
    return own;
  }

  [[nodiscard]] Pass<Scalar> pass_of(std::size_t layer, const Pass<Scalar>& pass) const {
    Pass<Scalar> own = inner_pass(pass, layer, state_offset(layer));
    if (!pass.learning.empty()) {
      const auto first = std::accumulate(array_counts_.begin(),
                                         array_counts_.begin() + static_cast<std::ptrdiff_t>(layer),
                                         std::size_t{0});
      own.learning = pass.learning.subspan(first, array_counts_[layer]);
    }
    return own;
  }

  Layers layers_;

 private:
  /// Calls f(i, how layer i is asked to run, how it runs) for each layer.
  template <class F>
  void for_each_execution(const Execution& asked, F f) const {
    Execution asked_of_layer = asked;
    for_each([&](auto i) {
      const Execution own = strata::execution(part(layers_, i), asked_of_layer);
      f(i, std::as_const(asked_of_layer), own);
      asked_of_layer.bounded =
          static_cast<const Outer&>(*this).bounds_input(own.bounded, asked.bounded);
    });
  }

  /// Where the state of a layer begins among the states of all.
  [[nodiscard]] Index state_offset(std::size_t layer) const noexcept {
    Index offset = 0;
    for_each([&](auto i) {
      if (i < layer) offset += part(layers_, i).state_size();
    });
    return offset;
  }

  /// Of each layer, the numbers of its parameters, and the parameters.
  Each<std::size_t> parameter_counts_{};
  Each<std::size_t> array_counts_{};
};

}  // namespace strata::detail::inline STRATA_TARGET
