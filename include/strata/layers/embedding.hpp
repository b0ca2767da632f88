#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/base/finite.hpp>
#include <strata/base/message.hpp>
#include <strata/base/sizes.hpp>
#include <strata/contracts/held.hpp>
#include <strata/contracts/layer.hpp>
#include <strata/error.hpp>
#include <strata/initializers.hpp>
#include <strata/language/algorithms.hpp>
#include <strata/support/checks.hpp>
#include <strata/target.hpp>

namespace strata {

/// Options of an Embedding layer, with the names and defaults of Keras.
///
///   Embedding{10000, 64, {.mask_zero = true}}
struct EmbeddingOptions {
  /// Whether id 0 stands for padding, so that its steps are masked. Off, since 0 may be a word.
  bool mask_zero = false;
  /// Draws the table. Small numbers, since each row is an input of its own and not a sum.
  Initializer embeddings_initializer = RandomUniform{-0.05, 0.05};

  /// f(name, option) for each option in order.
  template <class Self, class F>
  static void each(Self& self, F f) {
    f("mask_zero", self.mask_zero);
    f("embeddings_initializer", self.embeddings_initializer);
  }
};

}  // namespace strata

namespace strata::inline STRATA_TARGET {

/// Turns ids of words, notes or other classes into vectors that are learned: id k becomes row k of
/// a table (V, U). Ids (B, T), whole numbers from 0 to V - 1 in the Scalar of x, to (B, T, U).
///
/// On other numbers prediction and training throw ValueError. A step of a stream cannot throw; its
/// output is NaN then.
template <class Scalar = float, Index Vocabulary = Dynamic, Index Units = Dynamic>
class Embedding {
 public:
  using scalar_type = Scalar;
  static constexpr LayerTraits traits{
      .check_input = true, .output_shape = true, .output_mask = true, .makes_mask = true};
  static constexpr Accepts accepts = Accepts::ids;
  static constexpr Returns returns = Returns::sequence;
  static constexpr Index fixed_inputs = 1;
  static constexpr Index fixed_outputs = Units;
  static constexpr bool is_fixed = Vocabulary != Dynamic && Units != Dynamic;

  /// Throws ValueError on sizes below 1, and on ids that the Scalar cannot tell apart.
  Embedding(Index vocabulary, Index units, EmbeddingOptions options = {}) requires(!is_fixed)
      : Embedding(options, vocabulary, units) {}

  Embedding() requires(is_fixed) : Embedding(EmbeddingOptions{}) {}

  explicit Embedding(EmbeddingOptions options) requires(is_fixed)
      : Embedding(options, Vocabulary, Units) {}

  [[nodiscard]] std::string kind() const { return "Embedding"; }
  [[nodiscard]] std::string describe() const {
    return detail::message({kind(), ", ", units(), " units"});
  }

  [[nodiscard]] Index vocabulary() const noexcept { return embeddings_.columns(); }
  [[nodiscard]] Index units() const noexcept { return embeddings_.rows(); }
  [[nodiscard]] const EmbeddingOptions& options() const noexcept { return options_; }
  [[nodiscard]] LayerDescription description() const {
    return LayerDescription{kind()}
        .add("vocabulary", vocabulary())
        .add("units", units())
        .add_all(options_);
  }
  /// The table transposed, U x V.
  [[nodiscard]] auto embeddings() noexcept { return embeddings_.matrix(); }
  [[nodiscard]] auto embeddings() const noexcept { return embeddings_.matrix(); }

  /// A step is one id. The sizes are known from the start.
  [[nodiscard]] Index inputs() const noexcept { return 1; }
  [[nodiscard]] Index output_features(Index) const { return units(); }
  /// (B, T) to (B, T, U).
  [[nodiscard]] Shape output_shape(const Shape& shape) const {
    return {shape[0], shape[1], units()};
  }
  [[nodiscard]] bool makes_mask() const noexcept { return options_.mask_zero; }
  [[nodiscard]] Mask output_mask(const Tensor<Scalar>& x, const Mask& mask) const {
    return options_.mask_zero ? Mask(x) : mask;
  }

  void build(Index) {}
  void initialize(const Random& random) {
    Random own = random.fork(0);
    strata::initialize(options_.embeddings_initializer,
                       WeightMatrix<Scalar>{embeddings_.values(), vocabulary(), units()}, own);
  }
  [[nodiscard]] std::vector<Parameter<Scalar>> parameters() {
    return {{"embeddings", {vocabulary(), units()}, embeddings_.values()}};
  }
  [[nodiscard]] Index parameter_count() const noexcept { return vocabulary() * units(); }

  /// Throws ValueError, naming the place, on what is not an id.
  void check_input(const Tensor<Scalar>& x) const {
    for (Index i = 0; i < x.size(); ++i) {
      if (is_id(x.data()[i], vocabulary())) continue;
      detail::fail<ValueError>({detail::place("x", x, i), " is ", x.data()[i],
                                ", but an Embedding of ", vocabulary(),
                                " rows takes whole numbers from 0 to ", vocabulary() - 1});
    }
  }

  struct Packed {
    std::vector<Scalar> rows;
    Index vocabulary = 0;
    Index units = 0;
    bool mask_zero = false;

    [[nodiscard]] bool counts(const Scalar* x, bool before) const noexcept {
      return mask_zero ? *x != Scalar(0) : before;
    }

    /// x: one id. y: U.
    void step(const Scalar* x, Scalar*, Scalar* y, WeightOrder) const noexcept {
      if (is_id(*x, vocabulary)) {
        std::copy_n(rows.data() + static_cast<Index>(*x) * units, units, y);
      } else {
        std::fill_n(y, units, detail::not_a_number<Scalar>);
      }
    }
  };

  struct Tape {};

  /// Only a stream reads the packed rows, so training does not copy them.
  void pack(Packed& packed, bool training) const {
    packed.vocabulary = vocabulary();
    packed.units = units();
    packed.mask_zero = options_.mask_zero;
    const auto rows = embeddings_.values();
    if (training) return;
    sizes::resize(packed.rows, embeddings_.rows() * embeddings_.columns());
    detail::copy(rows, packed.rows.begin());
  }

  void forward(const Packed&, const Tensor<Scalar>& x, Tensor<Scalar>& y,
               const Pass<Scalar>&) const {
    check_input(x);
    y.resize(output_shape(x.shape()));
    const Scalar* const rows = embeddings_.values().data();
    Scalar* to = y.data();
    for (const Scalar id : x.values()) {
      to = std::copy_n(rows + static_cast<Index>(id) * units(), units(), to);
    }
  }

  void forward(const Packed& packed, const Tensor<Scalar>& x, Tape&, Tensor<Scalar>& y,
               const Pass<Scalar>& pass) const {
    forward(packed, x, y, pass);
  }

  /// dx is zero: an id has no neighbours.
  void backward(const Packed&, const Tensor<Scalar>& x, const Tensor<Scalar>&, Tensor<Scalar>& dy,
                Tape&, std::span<Scalar> gradient, Tensor<Scalar>* dx, const Pass<Scalar>&) const {
    const Scalar* from = std::as_const(dy).data();
    for (const Scalar id : x.values()) {
      Scalar* const to = gradient.data() + static_cast<Index>(id) * units();
      for (Index u = 0; u < units(); ++u) to[u] += *from++;
    }
    if (!dx) return;
    dx->resize(x.shape());
    detail::fill(dx->values(), Scalar(0));
  }

  void check_stream() const {}
  [[nodiscard]] Index state_size() const noexcept { return 0; }

  /// The same layer, weights included, with sizes chosen at run time and another scalar.
  template <class Other>
  [[nodiscard]] Embedding<Other> to_dynamic() const {
    Embedding<Other> layer(vocabulary(), units(), options_);
    layer.embeddings() = embeddings().template cast<Other>();
    return layer;
  }

 private:
  Embedding(const EmbeddingOptions& options, Index vocabulary, Index units) : options_(options) {
    sizes::check("Embedding", "vocabulary", vocabulary);
    sizes::check("Embedding", "units", units);
    constexpr auto distinct = std::uint64_t{1} << std::numeric_limits<Scalar>::digits;
    if (static_cast<std::uint64_t>(vocabulary) > distinct) {
      detail::fail<ValueError>({"Embedding: this scalar holds whole numbers up to ", distinct,
                                ", but the vocabulary is ", vocabulary});
    }
    embeddings_.resize(units, vocabulary);
  }

  /// NaN is no id either.
  [[nodiscard]] static bool is_id(Scalar x, Index vocabulary) noexcept {
    return detail::is_finite(x) && x >= 0 && x < static_cast<Scalar>(vocabulary) &&
           static_cast<Scalar>(static_cast<Index>(x)) == x;
  }

  EmbeddingOptions options_;
  detail::Weights<Scalar, Units, Vocabulary> embeddings_;
};

Embedding(Index, Index)->Embedding<float>;
Embedding(Index, Index, EmbeddingOptions)->Embedding<float>;

}  // namespace strata::inline STRATA_TARGET

namespace strata::detail {

template <class Scalar>
struct Held<Embedding<Scalar>> : HeldAs<HeldKind::embedding> {};

}  // namespace strata::detail
