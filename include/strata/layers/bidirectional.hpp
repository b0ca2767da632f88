#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/base/message.hpp>
#include <strata/contracts/held.hpp>
#include <strata/contracts/inner_layer.hpp>
#include <strata/contracts/layer.hpp>
#include <strata/contracts/state_parts.hpp>
#include <strata/error.hpp>
#include <strata/error_handler.hpp>
#include <strata/target.hpp>

namespace strata {

/// How Bidirectional joins the outputs of its two directions. concat puts them side by side: the
/// first U features are the forward direction's, the last U the backward direction's, and
/// split_directions takes them apart. sum, mul and ave are the sum, product and mean of the two
/// outputs, number by number.
enum class Merge { concat, sum, mul, ave };

[[nodiscard]] constexpr const char* name(Merge merge) noexcept {
  constexpr const char* names[] = {"concat", "sum", "mul", "ave"};
  return names[static_cast<int>(merge)];
}

}  // namespace strata

namespace strata::inline STRATA_TARGET {

/// Two recurrent layers of one kind over the same sequence, one forwards and one backwards
/// (Schuster & Paliwal 1997), as in Keras. With return_sequences (B, T, F) to (B, T, 2 U), with the
/// outputs of both in the order of x. Without, (B, T, F) to (B, 2 U): each direction's output after
/// the last step that it reads, which for the backward direction is the first step of x. Without
/// Merge::concat there are U features instead of 2 U.
///
///   Bidirectional{LSTM{50, return_sequences}}, Bidirectional{LSTM{50}, Merge::sum}
///
/// The given layer reads forwards; a copy of it, with weights of its own, reads backwards. The
/// state of a sequence is the state of the forward layer, then the state of the backward layer. The
/// layer needs the whole sequence, so it cannot stream. `L` inherits `detail::RecurrentLayer`.
template <class L>
class Bidirectional {
 public:
  using scalar_type = typename L::scalar_type;
  using Scalar = scalar_type;
  static constexpr LayerTraits traits{.streams = false,
                                      .mixes_sequences = detail::mixes_sequences_of<L>(),
                                      .list_state = true,
                                      .execution = true,
                                      .reduce = true};
  static constexpr Accepts accepts = L::accepts;
  static constexpr Returns returns = L::returns;
  static constexpr Index fixed_inputs = L::fixed_inputs;
  static constexpr Index fixed_outputs = Dynamic;

  /// Throws ValueError when the layer reads backwards itself.
  explicit Bidirectional(L layer, Merge merge = Merge::concat)
      : forward_(std::move(layer)), backward_(forward_), merge_(merge) {
    if (forward_.recurrent_options().go_backwards) {
      detail::raise<ValueError>(
          "Bidirectional: give it the layer that reads forwards, without go_backwards");
    }
    // Masked steps output zeros, as in Keras. Otherwise each direction would repeat its own last
    // output there, and the merge would mix outputs of different steps.
    if (returns == Returns::sequence) {
      forward_.set_zero_output_for_mask(true);
      backward_.set_zero_output_for_mask(true);
    }
    backward_.set_go_backwards(true);
  }

  Bidirectional() requires(std::default_initializable<L>) : Bidirectional(L()) {}

  [[nodiscard]] std::string kind() const { return "Bidirectional"; }
  [[nodiscard]] std::string describe() const {
    return detail::message({kind(), " ", forward_.describe()});
  }

  [[nodiscard]] Merge merge() const noexcept { return merge_; }
  [[nodiscard]] LayerDescription description() const {
    LayerDescription description{kind()};
    description.add("merge", std::string(name(merge_)));
    description.add_layer(detail::describe_layer(forward_));
    return description;
  }
  [[nodiscard]] const L& forward_layer() const noexcept { return forward_; }
  [[nodiscard]] const L& backward_layer() const noexcept { return backward_; }

  [[nodiscard]] Index inputs() const noexcept { return forward_.inputs(); }
  [[nodiscard]] Index output_features(Index features) const {
    const Index units = forward_.output_features(features);
    return merge_ == Merge::concat ? 2 * units : units;
  }

  void build(Index features) {
    forward_.build(features);
    backward_.build(features);
  }
  void initialize(const Random& random) {
    forward_.initialize(random.fork(0));
    backward_.initialize(random.fork(1));
  }

  /// The parameters of the forward layer, "forward.kernel" and so on, then those of the backward
  /// layer, "backward.kernel" and so on.
  [[nodiscard]] std::vector<Parameter<Scalar>> parameters() {
    std::vector<Parameter<Scalar>> list;
    for (auto& parameter : forward_.parameters()) {
      parameter.name = "forward." + parameter.name;
      list.push_back(std::move(parameter));
    }
    for (auto& parameter : backward_.parameters()) {
      parameter.name = "backward." + parameter.name;
      list.push_back(std::move(parameter));
    }
    return list;
  }
  [[nodiscard]] Index parameter_count() const {
    return strata::parameter_count(forward_) + strata::parameter_count(backward_);
  }

  struct Packed {
    typename L::Packed forward;
    typename L::Packed backward;

    /// Never called: Stream refuses the layer.
    void step(const Scalar*, Scalar*, Scalar*, WeightOrder) const noexcept {}
  };

  struct Tape {
    typename L::Tape forward;
    typename L::Tape backward;
    Tensor<Scalar> y_forward;
    Tensor<Scalar> y_backward;  ///< In the order of reading, from the last step of x.
    Tensor<Scalar> dy_forward;
    Tensor<Scalar> dy_backward;
    Tensor<Scalar> dx;
  };

  void pack(Packed& packed, bool training) const {
    forward_.pack(packed.forward, training);
    backward_.pack(packed.backward, training);
  }

  [[nodiscard]] Execution execution(const Execution& asked) const {
    Execution own = forward_.execution(asked);
    own.bounded = own.bounded && merge_ != Merge::sum;
    return own;
  }
  void reduce(Packed& packed, const Execution& asked) const {
    forward_.reduce(packed.forward, asked);
    backward_.reduce(packed.backward, asked);
  }

  void forward(const Packed& packed, const Tensor<Scalar>& x, Tensor<Scalar>& y,
               const Pass<Scalar>& pass) const {
    Tensor<Scalar> y_forward;
    Tensor<Scalar> y_backward;
    forward_.forward(packed.forward, x, y_forward, of_direction(pass, 0));
    backward_.forward(packed.backward, x, y_backward, of_direction(pass, 1));
    merge(y_forward, y_backward, y);
  }

  void forward(const Packed& packed, const Tensor<Scalar>& x, Tape& tape, Tensor<Scalar>& y,
               const Pass<Scalar>& pass) const {
    forward_.forward(packed.forward, x, tape.forward, tape.y_forward, of_direction(pass, 0));
    backward_.forward(packed.backward, x, tape.backward, tape.y_backward, of_direction(pass, 1));
    merge(tape.y_forward, tape.y_backward, y);
  }

  void backward(const Packed& packed, const Tensor<Scalar>& x, const Tensor<Scalar>&,
                Tensor<Scalar>& dy, Tape& tape, std::span<Scalar> gradient, Tensor<Scalar>* dx,
                const Pass<Scalar>& pass) const {
    unmerge(dy, tape);
    const std::size_t half = gradient.size() / 2;
    forward_.backward(packed.forward, x, tape.y_forward, tape.dy_forward, tape.forward,
                      gradient.first(half), dx, of_direction(pass, 0));
    backward_.backward(packed.backward, x, tape.y_backward, tape.dy_backward, tape.backward,
                       gradient.last(half), dx ? &tape.dx : nullptr, of_direction(pass, 1));
    if (!dx) return;
    Scalar* const to = dx->data();
    for (Index i = 0; i < dx->size(); ++i) to[i] += std::as_const(tape.dx).data()[i];
  }

  void check_stream() const {
    detail::raise<ValueError>(
        "Bidirectional needs the whole sequence, which a stream does not have");
  }
  [[nodiscard]] Index state_size() const noexcept { return 2 * forward_.state_size(); }
  void list_state(detail::StateParts& parts) const {
    detail::list_state(forward_, "forward", parts);
    detail::list_state(backward_, "backward", parts);
  }

  /// The same layer, weights included, with sizes chosen at run time and another scalar.
  template <class Other>
  [[nodiscard]] auto to_dynamic() const {
    using Inner = decltype(forward_.template to_dynamic<Other>());
    return Bidirectional<Inner>(forward_.template to_dynamic<Other>(),
                                backward_.template to_dynamic<Other>(), merge_);
  }

 private:
  template <class>
  friend class Bidirectional;

  Bidirectional(L forward, L backward, Merge merge)
      : forward_(std::move(forward)), backward_(std::move(backward)), merge_(merge) {}

  [[nodiscard]] Pass<Scalar> of_direction(const Pass<Scalar>& pass, Index direction) const {
    return detail::inner_pass(pass, static_cast<std::size_t>(direction),
                              direction * forward_.state_size());
  }

  /// Calls f(row, row_backward) for each step of each sequence. `row` is the step's row in the
  /// forward layer's output and in the merged output, `row_backward` its row in the backward
  /// layer's output. Without return_sequences an output has one row for each sequence.
  template <class F>
  void for_each_row(const Tensor<Scalar>& y_forward, F f) const {
    const Index steps = y_forward.steps();
    for (Index b = 0; b < y_forward.batch(); ++b) {
      for (Index t = 0; t < steps; ++t) f(b * steps + t, b * steps + (steps - 1 - t));
    }
  }

  void merge(const Tensor<Scalar>& y_forward, const Tensor<Scalar>& y_backward,
             Tensor<Scalar>& y) const {
    const Index units = y_forward.features();
    Shape shape = y_forward.shape();
    if (merge_ == Merge::concat) shape[shape.rank() - 1] = 2 * units;
    y.resize(shape);
    const Index width = shape.back();
    for_each_row(y_forward, [&](Index row, Index row_backward) {
      const Scalar* const a = y_forward.data() + row * units;
      const Scalar* const b = y_backward.data() + row_backward * units;
      Scalar* const to = y.data() + row * width;
      switch (merge_) {
        case Merge::concat:
          std::copy_n(a, units, to);
          std::copy_n(b, units, to + units);
          break;
        case Merge::sum:
          for (Index u = 0; u < units; ++u) to[u] = a[u] + b[u];
          break;
        case Merge::mul:
          for (Index u = 0; u < units; ++u) to[u] = a[u] * b[u];
          break;
        case Merge::ave:
          for (Index u = 0; u < units; ++u) to[u] = (a[u] + b[u]) / 2;
          break;
      }
    });
  }

  void unmerge(const Tensor<Scalar>& dy, Tape& tape) const {
    const Index units = tape.y_forward.features();
    tape.dy_forward.resize(tape.y_forward.shape());
    tape.dy_backward.resize(tape.y_forward.shape());
    for_each_row(tape.y_forward, [&](Index row, Index row_backward) {
      const Scalar* const from = dy.data() + row * dy.features();
      const Scalar* const a = std::as_const(tape.y_forward).data() + row * units;
      const Scalar* const b = std::as_const(tape.y_backward).data() + row_backward * units;
      Scalar* const da = tape.dy_forward.data() + row * units;
      Scalar* const db = tape.dy_backward.data() + row_backward * units;
      for (Index u = 0; u < units; ++u) {
        switch (merge_) {
          case Merge::concat:
            da[u] = from[u];
            db[u] = from[units + u];
            break;
          case Merge::sum:
            da[u] = db[u] = from[u];
            break;
          case Merge::mul:
            da[u] = from[u] * b[u];
            db[u] = from[u] * a[u];
            break;
          case Merge::ave:
            da[u] = db[u] = from[u] / 2;
            break;
        }
      }
    });
  }

  L forward_;
  L backward_;
  Merge merge_;
};

/// Takes the output of a Bidirectional with Merge::concat apart into the outputs of its forward and
/// its backward direction, which Keras returns with merge_mode None. Throws ShapeError on an odd
/// number of features.
template <class Scalar>
[[nodiscard]] std::pair<Tensor<Scalar>, Tensor<Scalar>> split_directions(const Tensor<Scalar>& y) {
  if (y.rank() == 0 || y.features() % 2 != 0) {
    detail::fail<ShapeError>(
        {"split_directions: expects an even number of features, found the "
         "shape ",
         y.shape()});
  }
  Shape shape = y.shape();
  const Index units = shape.back() / 2;
  shape[shape.rank() - 1] = units;
  std::pair<Tensor<Scalar>, Tensor<Scalar>> parts{Tensor<Scalar>(shape), Tensor<Scalar>(shape)};
  for (Index row = 0; row < y.batch() * y.steps(); ++row) {
    const Scalar* const from = y.data() + row * 2 * units;
    std::copy_n(from, units, parts.first.data() + row * units);
    std::copy_n(from + units, units, parts.second.data() + row * units);
  }
  return parts;
}

}  // namespace strata::inline STRATA_TARGET

namespace strata::detail {

template <class L>
  requires requires { Held<L>::both_ways; }
struct Held<Bidirectional<L>> {
  static constexpr int number = Held<L>::both_ways;
};

}  // namespace strata::detail
