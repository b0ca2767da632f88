#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <variant>
#include <vector>

#include <strata/base/sizes.hpp>
#include <strata/kernels/simd.hpp>
#include <strata/random.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET {

/// What an initializer fills: a matrix of shape (fan_in, fan_out), Keras' kernel, in C order.
template <class Scalar>
struct WeightMatrix {
  std::span<Scalar> values;
  Index fan_in;
  Index fan_out;
};

namespace detail {

template <class Scalar>
void fill_uniform(WeightMatrix<Scalar> w, double low, double high, Random& random) {
  for (Scalar& value : w.values) value = Scalar(low + (high - low) * random.uniform());
}

/// A normal distribution cut off at two deviations, with the variance asked for after the cut.
template <class Scalar>
void fill_truncated_normal(WeightMatrix<Scalar> w, double variance, Random& random) {
  constexpr double deviation_of_cut = 0.87962566103423978;
  const double deviation = std::sqrt(variance) / deviation_of_cut;
  for (Scalar& value : w.values) {
    double draw = random.normal();
    while (std::abs(draw) > 2) draw = random.normal();
    value = Scalar(deviation * draw);
  }
}

}  // namespace detail

struct Zeros {
  template <class Scalar>
  void operator()(WeightMatrix<Scalar> w, Random&) const {
    std::fill(w.values.begin(), w.values.end(), Scalar(0));
  }
};

struct Ones {
  template <class Scalar>
  void operator()(WeightMatrix<Scalar> w, Random&) const {
    std::fill(w.values.begin(), w.values.end(), Scalar(1));
  }
};

struct Constant {
  double value = 0;

  template <class Scalar>
  void operator()(WeightMatrix<Scalar> w, Random&) const {
    std::fill(w.values.begin(), w.values.end(), Scalar(value));
  }
};

struct RandomUniform {
  double minval = -0.05;
  double maxval = 0.05;

  template <class Scalar>
  void operator()(WeightMatrix<Scalar> w, Random& random) const {
    detail::fill_uniform(w, minval, maxval, random);
  }
};

struct RandomNormal {
  double mean = 0;
  double stddev = 0.05;

  template <class Scalar>
  void operator()(WeightMatrix<Scalar> w, Random& random) const {
    for (Scalar& value : w.values) value = Scalar(mean + stddev * random.normal());
  }
};

/// Glorot & Bengio 2010: variance 2 / (fan_in + fan_out).
struct GlorotUniform {
  template <class Scalar>
  void operator()(WeightMatrix<Scalar> w, Random& random) const {
    const double limit = std::sqrt(6.0 / static_cast<double>(w.fan_in + w.fan_out));
    detail::fill_uniform(w, -limit, limit, random);
  }
};

struct GlorotNormal {
  template <class Scalar>
  void operator()(WeightMatrix<Scalar> w, Random& random) const {
    detail::fill_truncated_normal(w, 2.0 / static_cast<double>(w.fan_in + w.fan_out), random);
  }
};

/// He et al. 2015: variance 2 / fan_in.
struct HeUniform {
  template <class Scalar>
  void operator()(WeightMatrix<Scalar> w, Random& random) const {
    const double limit = std::sqrt(6.0 / static_cast<double>(w.fan_in));
    detail::fill_uniform(w, -limit, limit, random);
  }
};

struct HeNormal {
  template <class Scalar>
  void operator()(WeightMatrix<Scalar> w, Random& random) const {
    detail::fill_truncated_normal(w, 2.0 / static_cast<double>(w.fan_in), random);
  }
};

/// LeCun et al. 1998: variance 1 / fan_in.
struct LecunUniform {
  template <class Scalar>
  void operator()(WeightMatrix<Scalar> w, Random& random) const {
    const double limit = std::sqrt(3.0 / static_cast<double>(w.fan_in));
    detail::fill_uniform(w, -limit, limit, random);
  }
};

struct LecunNormal {
  template <class Scalar>
  void operator()(WeightMatrix<Scalar> w, Random& random) const {
    detail::fill_truncated_normal(w, 1.0 / static_cast<double>(w.fan_in), random);
  }
};

/// Saxe et al. 2013: orthonormal rows (or columns, whichever are fewer), uniform over the
/// rotations, by Gram and Schmidt's method on normal draws, done twice for full precision.
struct Orthogonal {
  double gain = 1;

  template <class Scalar>
  void operator()(WeightMatrix<Scalar> w, Random& random) const {
    const bool wide = w.fan_out >= w.fan_in;
    const Index count = wide ? w.fan_in : w.fan_out;
    const Index length = wide ? w.fan_out : w.fan_in;
    std::vector<double> numbers;
    detail::sizes::resize(numbers, length * count);
    const auto basis = [&](Index which) { return numbers.data() + which * length; };
    for (Index j = 0; j < count; ++j) {
      double* const own = basis(j);
      for (Index i = 0; i < length; ++i) own[i] = random.normal();
      for (int pass = 0; pass < 2; ++pass) {
        for (Index k = 0; k < j; ++k) {
          const double* const other = basis(k);
          detail::add_scaled(length, -detail::dot<double>(length, other, own), other, own);
        }
        const double norm = std::sqrt(detail::dot<double>(length, own, own));
        for (Index i = 0; i < length; ++i) own[i] /= norm;
      }
    }
    for (Index i = 0; i < w.fan_in; ++i) {
      for (Index o = 0; o < w.fan_out; ++o) {
        w.values[static_cast<std::size_t>(i * w.fan_out + o)] =
            Scalar(gain * (wide ? basis(i)[o] : basis(o)[i]));
      }
    }
  }
};

/// How the weights of a layer are drawn before training. Keras' names and formulas.
using Initializer =
    std::variant<Zeros, Ones, Constant, RandomUniform, RandomNormal, GlorotUniform, GlorotNormal,
                 HeUniform, HeNormal, LecunUniform, LecunNormal, Orthogonal>;

template <class Scalar>
void initialize(const Initializer& initializer, WeightMatrix<Scalar> w, Random& random) {
  std::visit([&](const auto& draw) { draw(w, random); }, initializer);
}

}  // namespace strata::inline STRATA_TARGET
