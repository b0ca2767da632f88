#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string_view>

#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// A function of one number, known by its values at some places. Exporters write activations that
/// have no operator as formulas, in many ways; the values are the same in all of them.
struct OnnxSamples {
  static constexpr std::size_t count = 24;

  std::array<double, count> values{};

  /// f(x) = x.
  [[nodiscard]] static OnnxSamples identity() noexcept {
    return {{-90, -40, -17, -11.5, -8,  -6.25, -5,  -4.1, -3,  -2.4, -1.7,  -1.1,
             -.6, -.2, 0.0, .3,    .75, 1.25,  1.9, 2.7,  3.6, 5.5,  12.25, 60}};
  }
  [[nodiscard]] static OnnxSamples constant(double value) noexcept {
    OnnxSamples samples;
    samples.values.fill(value);
    return samples;
  }

  /// The name of the activation that has these values; nothing where none has.
  [[nodiscard]] std::optional<std::string_view> activation() const;

  /// Whether numbers below 0 count from the end, and others stay: x + V and x. Keras does so to the
  /// ids of an Embedding of V rows.
  [[nodiscard]] bool wraps() const noexcept {
    const OnnxSamples x = identity();
    const double rows = values[0] - x.values[0];
    for (std::size_t i = 0; i < count; ++i) {
      const double wanted = x.values[i] < 0 ? x.values[i] + rows : x.values[i];
      if (!(std::abs(values[i] - wanted) <= 1e-6)) return false;
    }
    return rows >= 1;
  }
};

[[nodiscard]] inline double softplus_of(double x) noexcept {
  return (std::max)(x, 0.0) + std::log1p(std::exp(-std::abs(x)));
}

/// An operator of ONNX that works number by number, of one to three operands, without settings.
struct OnnxElementwise {
  std::string_view op;
  std::size_t operands;
  double (*f)(double a, double b, double c);
};
inline constexpr OnnxElementwise onnx_elementwise[] = {
    {"Abs", 1, [](double a, double, double) { return std::abs(a); }},
    {"Add", 2, [](double a, double b, double) { return a + b; }},
    {"Div", 2, [](double a, double b, double) { return a / b; }},
    {"Erf", 1, [](double a, double, double) { return std::erf(a); }},
    {"Exp", 1, [](double a, double, double) { return std::exp(a); }},
    {"Greater", 2, [](double a, double b, double) { return a > b ? 1.0 : 0.0; }},
    {"Identity", 1, [](double a, double, double) { return a; }},
    {"Less", 2, [](double a, double b, double) { return a < b ? 1.0 : 0.0; }},
    {"Log", 1, [](double a, double, double) { return std::log(a); }},
    {"Mul", 2, [](double a, double b, double) { return a * b; }},
    {"Neg", 1, [](double a, double, double) { return -a; }},
    {"Not", 1, [](double a, double, double) { return a == 0 ? 1.0 : 0.0; }},
    {"Pow", 2, [](double a, double b, double) { return std::pow(a, b); }},
    {"Sigmoid", 1, [](double a, double, double) { return 1 / (1 + std::exp(-a)); }},
    {"Softplus", 1, [](double a, double, double) { return softplus_of(a); }},
    {"Sub", 2, [](double a, double b, double) { return a - b; }},
    {"Tanh", 1, [](double a, double, double) { return std::tanh(a); }},
    {"Where", 3, [](double a, double b, double c) { return a != 0 ? b : c; }}};

/// The activations that exporters write as formulas in which their operand stands twice.
struct OnnxFormulaActivation {
  std::string_view name;
  double (*f)(double x);
};
inline constexpr OnnxFormulaActivation onnx_formula_activations[] = {
    {"silu", [](double x) { return x / (1 + std::exp(-x)); }},
    {"gelu", [](double x) { return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))); }},
    {"gelu_tanh",
     [](double x) {
       constexpr double two_by_pi = 0.63661977236758134;
       return 0.5 * x * (1 + std::tanh(std::sqrt(two_by_pi) * (x + 0.044715 * x * x * x)));
     }},
    {"mish", [](double x) { return x * std::tanh(softplus_of(x)); }},
    {"softplus", &softplus_of},
    {"softsign", [](double x) { return x / (1 + std::abs(x)); }}};

inline std::optional<std::string_view> OnnxSamples::activation() const {
  const OnnxSamples x = identity();
  for (const OnnxFormulaActivation& one : onnx_formula_activations) {
    bool same = true;
    for (std::size_t i = 0; same && i < count; ++i) {
      // Constants of the file are float, or decimals of a few digits.
      constexpr double tolerance = 2e-6;
      const double wanted = one.f(x.values[i]);
      same = std::abs(values[i] - wanted) <= tolerance * (1 + std::abs(wanted));
    }
    if (same) return one.name;
  }
  return std::nullopt;
}

}  // namespace strata::inline STRATA_RUNTIME::io
