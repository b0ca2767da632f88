#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <vector>

#include <strata/base/sizes.hpp>
#include <strata/kernels/simd.hpp>
#include <strata/random.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata {

struct Zeros {};

struct Ones {};

/// Sets all weights to one value.
///
///   Constant{.value = 0.1}
struct Constant {
  double value = 0;
};

/// Uniform in [minval, maxval), by default Keras' range.
///
///   RandomUniform{.minval = -0.1, .maxval = 0.1}
struct RandomUniform {
  double minval = -0.05;
  double maxval = 0.05;
};

/// Normal with a mean and a standard deviation, by default Keras' values.
///
///   RandomNormal{.stddev = 0.01}
struct RandomNormal {
  double mean = 0;
  double stddev = 0.05;
};

/// Uniform with the variance 2 / (fan_in + fan_out), a compromise that keeps the variance of
/// outputs and of derivatives from layer to layer (Glorot & Bengio 2010).
struct GlorotUniform {};

/// Normal, cut off at two deviations, with the variance of GlorotUniform.
struct GlorotNormal {};

/// Uniform with the variance 2 / fan_in, which keeps the variance of outputs behind relu (He et al.
/// 2015).
struct HeUniform {};

/// Normal, cut off at two deviations, with the variance of HeUniform.
struct HeNormal {};

/// Uniform with the variance 1 / fan_in, which keeps the variance of the outputs of a linear layer
/// (LeCun et al. 1998).
struct LecunUniform {};

/// Normal, cut off at two deviations, with the variance of LecunUniform.
struct LecunNormal {};

/// A matrix with orthonormal rows, or columns where it has fewer columns than rows, drawn uniformly
/// among all such matrices (Saxe et al. 2013) and multiplied by `gain`. With a gain of 1, the
/// default, a recurrent kernel keeps the length of h.
///
///   Orthogonal{.gain = 0.5}
struct Orthogonal {
  double gain = 1;
};

/// How the weights of a layer are drawn before training, with Keras' names and formulas. An option
/// of this type takes any of them:
///
///   LSTM{64, {.kernel_initializer = HeNormal{}}}
class Initializer {
 public:
  enum class Kind {
    zeros,
    ones,
    constant,
    random_uniform,
    random_normal,
    glorot_uniform,
    glorot_normal,
    he_uniform,
    he_normal,
    lecun_uniform,
    lecun_normal,
    orthogonal
  };

  constexpr Initializer() noexcept = default;
  constexpr Initializer(Zeros) noexcept {}
  constexpr Initializer(Ones) noexcept : kind_(Kind::ones) {}
  constexpr Initializer(Constant how) noexcept : kind_(Kind::constant), settings_{how.value} {}
  constexpr Initializer(RandomUniform how) noexcept
      : kind_(Kind::random_uniform), settings_{how.minval, how.maxval} {}
  constexpr Initializer(RandomNormal how) noexcept
      : kind_(Kind::random_normal), settings_{how.mean, how.stddev} {}
  constexpr Initializer(GlorotUniform) noexcept : kind_(Kind::glorot_uniform) {}
  constexpr Initializer(GlorotNormal) noexcept : kind_(Kind::glorot_normal) {}
  constexpr Initializer(HeUniform) noexcept : kind_(Kind::he_uniform) {}
  constexpr Initializer(HeNormal) noexcept : kind_(Kind::he_normal) {}
  constexpr Initializer(LecunUniform) noexcept : kind_(Kind::lecun_uniform) {}
  constexpr Initializer(LecunNormal) noexcept : kind_(Kind::lecun_normal) {}
  constexpr Initializer(Orthogonal how) noexcept : kind_(Kind::orthogonal), settings_{how.gain} {}

  /// Of a kind, with the settings that its struct has, in their order.
  constexpr Initializer(Kind kind, const std::array<double, 2>& settings) noexcept
      : kind_(kind), settings_(settings) {}

  [[nodiscard]] constexpr Kind kind() const noexcept { return kind_; }
  /// The settings of the kind, in the order in which its struct has them; 0 beyond them.
  [[nodiscard]] constexpr const std::array<double, 2>& settings() const noexcept {
    return settings_;
  }

  /// Returns f(how), where `how` is the struct of the kind with its settings.
  template <class F>
  constexpr decltype(auto) visit(F f) const {
    switch (kind_) {
      case Kind::ones:
        return f(Ones{});
      case Kind::constant:
        return f(Constant{settings_[0]});
      case Kind::random_uniform:
        return f(RandomUniform{settings_[0], settings_[1]});
      case Kind::random_normal:
        return f(RandomNormal{settings_[0], settings_[1]});
      case Kind::glorot_uniform:
        return f(GlorotUniform{});
      case Kind::glorot_normal:
        return f(GlorotNormal{});
      case Kind::he_uniform:
        return f(HeUniform{});
      case Kind::he_normal:
        return f(HeNormal{});
      case Kind::lecun_uniform:
        return f(LecunUniform{});
      case Kind::lecun_normal:
        return f(LecunNormal{});
      case Kind::orthogonal:
        return f(Orthogonal{settings_[0]});
      case Kind::zeros:
        break;
    }
    return f(Zeros{});
  }

 private:
  Kind kind_ = Kind::zeros;
  std::array<double, 2> settings_{};
};

/// The numbers that an initializer fills: a matrix (fan_in, fan_out), as Keras' kernel, in C order.
template <class Scalar>
struct WeightMatrix {
  std::span<Scalar> values;
  Index fan_in;
  Index fan_out;
};

}  // namespace strata

namespace strata::detail::inline STRATA_TARGET {

template <class Scalar>
void fill_uniform(WeightMatrix<Scalar> w, double low, double high, Random& random) {
  for (Scalar& value : w.values) value = Scalar(low + (high - low) * random.uniform());
}

/// Draws from a normal distribution that is cut off at two of its deviations and has `variance`
/// after the cut.
template <class Scalar>
void fill_truncated_normal(WeightMatrix<Scalar> w, double variance, Random& random) {
  // The deviation, after the cut, of a distribution whose deviation was 1.
  constexpr double deviation_of_cut = 0.87962566103423978;
  const double deviation = std::sqrt(variance) / deviation_of_cut;
  for (Scalar& value : w.values) {
    double draw = random.normal();
    while (std::abs(draw) > 2) draw = random.normal();
    value = Scalar(deviation * draw);
  }
}

template <class Scalar>
void draw(const Zeros&, WeightMatrix<Scalar> w, Random&) {
  std::fill(w.values.begin(), w.values.end(), Scalar(0));
}

template <class Scalar>
void draw(const Ones&, WeightMatrix<Scalar> w, Random&) {
  std::fill(w.values.begin(), w.values.end(), Scalar(1));
}

template <class Scalar>
void draw(const Constant& how, WeightMatrix<Scalar> w, Random&) {
  std::fill(w.values.begin(), w.values.end(), Scalar(how.value));
}

template <class Scalar>
void draw(const RandomUniform& how, WeightMatrix<Scalar> w, Random& random) {
  fill_uniform(w, how.minval, how.maxval, random);
}

template <class Scalar>
void draw(const RandomNormal& how, WeightMatrix<Scalar> w, Random& random) {
  for (Scalar& value : w.values) value = Scalar(how.mean + how.stddev * random.normal());
}

template <class Scalar>
void draw(const GlorotUniform&, WeightMatrix<Scalar> w, Random& random) {
  const double limit = std::sqrt(6.0 / static_cast<double>(w.fan_in + w.fan_out));
  fill_uniform(w, -limit, limit, random);
}

template <class Scalar>
void draw(const GlorotNormal&, WeightMatrix<Scalar> w, Random& random) {
  fill_truncated_normal(w, 2.0 / static_cast<double>(w.fan_in + w.fan_out), random);
}

template <class Scalar>
void draw(const HeUniform&, WeightMatrix<Scalar> w, Random& random) {
  const double limit = std::sqrt(6.0 / static_cast<double>(w.fan_in));
  fill_uniform(w, -limit, limit, random);
}

template <class Scalar>
void draw(const HeNormal&, WeightMatrix<Scalar> w, Random& random) {
  fill_truncated_normal(w, 2.0 / static_cast<double>(w.fan_in), random);
}

template <class Scalar>
void draw(const LecunUniform&, WeightMatrix<Scalar> w, Random& random) {
  const double limit = std::sqrt(3.0 / static_cast<double>(w.fan_in));
  fill_uniform(w, -limit, limit, random);
}

template <class Scalar>
void draw(const LecunNormal&, WeightMatrix<Scalar> w, Random& random) {
  fill_truncated_normal(w, 1.0 / static_cast<double>(w.fan_in), random);
}

template <class Scalar>
void draw(const Orthogonal& how, WeightMatrix<Scalar> w, Random& random) {
  // Gram and Schmidt's method on normal draws, done twice for full precision.
  const bool wide = w.fan_out >= w.fan_in;
  const Index count = wide ? w.fan_in : w.fan_out;
  const Index length = wide ? w.fan_out : w.fan_in;
  std::vector<double> numbers;
  sizes::resize(numbers, length * count);
  const auto basis = [&](Index which) { return numbers.data() + which * length; };
  for (Index j = 0; j < count; ++j) {
    double* const own = basis(j);
    for (Index i = 0; i < length; ++i) own[i] = random.normal();
    for (int pass = 0; pass < 2; ++pass) {
      for (Index k = 0; k < j; ++k) {
        const double* const other = basis(k);
        add_scaled(length, -dot<double>(length, other, own), other, own);
      }
      const double norm = std::sqrt(dot<double>(length, own, own));
      for (Index i = 0; i < length; ++i) own[i] /= norm;
    }
  }
  for (Index i = 0; i < w.fan_in; ++i) {
    for (Index o = 0; o < w.fan_out; ++o) {
      w.values[static_cast<std::size_t>(i * w.fan_out + o)] =
          Scalar(how.gain * (wide ? basis(i)[o] : basis(o)[i]));
    }
  }
}

}  // namespace strata::detail::inline STRATA_TARGET

namespace strata::inline STRATA_TARGET {

/// Fills a matrix by an initializer, which advances `random`.
template <class Scalar>
void initialize(const Initializer& initializer, WeightMatrix<Scalar> w, Random& random) {
  initializer.visit([&](const auto& how) { detail::draw(how, w, random); });
}

}  // namespace strata::inline STRATA_TARGET
