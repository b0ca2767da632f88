#pragma once

#include <algorithm>
#include <span>

#include <strata/base/sizes.hpp>
#include <strata/contracts/parameter.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// The weights of a gated cell with F inputs, U units, G gates and N biases for each gate: kernel
/// (F, G U), recurrent kernel (U, G U) and bias (N, G U), in C order as in Keras. The Eigen
/// matrices of the same memory are the transposes.
template <class Scalar, Index Inputs, Index Units, int Gates, int Biases = 1>
class GateWeights {
 public:
  static constexpr Index Rows = Units == Dynamic ? Dynamic : Gates * Units;

  /// Zero weights. Sizes that are fixed by the type need not be given.
  explicit GateWeights(Index inputs = Inputs, Index units = Units) { resize(inputs, units); }

  /// Zero weights. Throws ShapeError or MemoryError on sizes that memory cannot hold.
  void resize(Index inputs, Index units) { resize(inputs, units, units); }
  /// The same with a recurrent kernel (recurrent_inputs, G U), for a cell whose h is not its units.
  void resize(Index inputs, Index units, Index recurrent_inputs) {
    if (inputs < 0 || units < 0) return;
    (void)sizes::count({Gates, units, (std::max)(inputs, recurrent_inputs)});
    // The recurrent kernel comes first: it is mostly the largest, so a size that memory cannot hold
    // is refused before the other weights are allocated.
    recurrent_kernel_.resize(Gates * units, recurrent_inputs);
    kernel_.resize(Gates * units, inputs);
    bias_.resize(Gates * units, Biases);
  }

  [[nodiscard]] Index inputs() const noexcept { return kernel_.columns(); }
  [[nodiscard]] Index units() const noexcept { return kernel_.rows() / Gates; }

  /// G U x F.
  [[nodiscard]] auto kernel() noexcept { return kernel_.matrix(); }
  [[nodiscard]] auto kernel() const noexcept { return kernel_.matrix(); }
  /// G U x U.
  [[nodiscard]] auto recurrent_kernel() noexcept { return recurrent_kernel_.matrix(); }
  [[nodiscard]] auto recurrent_kernel() const noexcept { return recurrent_kernel_.matrix(); }
  /// G U x N.
  [[nodiscard]] auto bias() noexcept { return bias_.matrix(); }
  [[nodiscard]] auto bias() const noexcept { return bias_.matrix(); }

  /// The numbers of each matrix in the order of memory, for code that needs no Eigen expression,
  /// which takes long to compile.
  [[nodiscard]] std::span<Scalar> kernel_values() noexcept { return kernel_.values(); }
  [[nodiscard]] std::span<const Scalar> kernel_values() const noexcept { return kernel_.values(); }
  [[nodiscard]] std::span<Scalar> recurrent_values() noexcept { return recurrent_kernel_.values(); }
  [[nodiscard]] std::span<const Scalar> recurrent_values() const noexcept {
    return recurrent_kernel_.values();
  }
  [[nodiscard]] std::span<Scalar> bias_values() noexcept { return bias_.values(); }
  [[nodiscard]] std::span<const Scalar> bias_values() const noexcept { return bias_.values(); }

 private:
  Weights<Scalar, Rows, Inputs> kernel_;
  Weights<Scalar, Rows, Units> recurrent_kernel_;
  Weights<Scalar, Rows, Biases> bias_;
};

}  // namespace strata::detail::inline STRATA_TARGET
