#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/base/message.hpp>
#include <strata/contracts/execution.hpp>
#include <strata/contracts/stored_weights.hpp>
#include <strata/error.hpp>
#include <strata/kernels/buffer.hpp>
#include <strata/kernels/linear.hpp>
#include <strata/recurrent/gated/gated_cell.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// A GatedCell whose output is projected, h' = P hidden, where `hidden` is what the gates let out
/// (Sak, Senior & Beaufays 2014); the recurrent kernel then reads the R numbers of h. Without a
/// projection it is the GatedCell alone.
template <class Gates, class Scalar>
class ProjectedCell {
  using Inner = GatedCell<Gates, Scalar>;

 public:
  using scalar_type = Scalar;
  static constexpr Index fixed_inputs = Dynamic;
  static constexpr Index fixed_outputs = Dynamic;
  static constexpr Index memories = Inner::memories;

  /// `projection`: R, or 0 for none. Throws ValueError when it is negative.
  ProjectedCell(Index units, Gates gates, GatedCellOptions options, Index projection)
      : inner_(units, gates, with_recurrent_inputs(std::move(options), projection)),
        projection_(projection) {}

  [[nodiscard]] std::string kind() const { return inner_.kind(); }
  [[nodiscard]] Index inputs() const noexcept { return inner_.inputs(); }
  [[nodiscard]] Index units() const noexcept { return inner_.units(); }
  [[nodiscard]] Index outputs() const noexcept { return is_projected() ? projection_ : units(); }

  void build(Index features) {
    weights_.clear();
    if (is_projected()) {
      weights_.add("projection", {units(), projection_}, inner_.options().kernel_initializer, 4);
    }
    weights_.allocate();
    inner_.build(features);
  }

  void initialize(const Random& random) {
    inner_.initialize(random);
    weights_.initialize(random);
  }

  [[nodiscard]] std::vector<Parameter<Scalar>> parameters() {
    auto list = inner_.parameters();
    for (auto& parameter : weights_.parameters()) list.push_back(std::move(parameter));
    return list;
  }
  [[nodiscard]] Index parameter_count() const noexcept {
    return inner_.parameter_count() + weights_.parameter_count();
  }

  struct Packed {
    typename Inner::Packed inner;
    Linear<Scalar> linear;
    /// (U, R) for a step, which adds up each unit's part of h; empty without a projection.
    std::vector<Scalar> rows;
    Index outputs = 0;

    void step(const Scalar* x, Scalar* h, Scalar* memory, Scalar* y,
              WeightOrder order) const noexcept {
      if (rows.empty()) return inner.step(x, h, memory, y, order);
      std::fill_n(y, outputs, Scalar(0));
      inner.step(x, h, memory, order, [&](Index first, Index used, auto values) {
        Scalar lanes[decltype(values)::width];
        values.store(lanes);
        const Scalar* row = rows.data() + first * outputs;
        for (Index lane = 0; lane < used; ++lane, row += outputs) {
          for (Index r = 0; r < outputs; ++r) y[r] += lanes[lane] * row[r];
        }
      });
      std::copy_n(y, outputs, h);
    }
  };

  struct Scratch {
    typename Inner::Scratch inner;
    Buffer<Scalar> hidden;  ///< (B, U)
  };

  struct Tape {
    typename Inner::Tape inner;
    Buffer<Scalar> hidden;      ///< (T, B, U)
    Buffer<Scalar> dprojected;  ///< (T, B, R): by h.
    Buffer<Scalar> dhidden;     ///< (B, U), U padded to whole registers.
    typename Linear<Scalar>::Scratch scratch;
  };

  void pack(Packed& packed, bool training) const {
    inner_.pack(packed.inner, training);
    packed.outputs = outputs();
    packed.rows.clear();
    if (!is_projected()) return;
    packed.rows.assign(weights_.data(0), weights_.data(0) + units() * outputs());
    packed.linear.pack(units(), outputs(), weights_.data(0), nullptr, training);
  }

  /// As the gated cell, but a projection may be larger than 1, so that it has no int16.
  [[nodiscard]] Execution execution(const Execution& asked) const {
    const Execution own = inner_.execution(asked);
    return is_projected() ? without_bound(own) : own;
  }
  void reduce(Packed& packed, const Execution& asked) const {
    inner_.reduce(packed.inner,
                  {.precision = execution(asked).precision, .bounded = asked.bounded});
  }

  void prepare(const Packed& packed, Scratch& scratch, Index batch) const {
    inner_.prepare(packed.inner, scratch.inner, batch);
    if (is_projected()) scratch.hidden.resize(batch * units());
  }
  void prepare(const Packed& packed, Tape& tape, Index batch, Index steps) const {
    inner_.prepare(packed.inner, tape.inner, batch, steps);
    if (!is_projected()) return;
    tape.hidden.resize(steps * batch * units());
    tape.dprojected.resize(steps * batch * outputs());
    tape.dhidden.resize(batch * padded<Scalar>(units()));
    tape.dhidden.fill(0);
  }

  [[nodiscard]] static Index input_steps(Index batch) noexcept { return Inner::input_steps(batch); }
  template <class Memory>
  void forward_inputs(const Packed& packed, const Scan<Scalar>& window, Memory& memory) const {
    inner_.forward_inputs(packed.inner, window, memory.inner);
  }

  void forward(const Packed& packed, const ScanStep<Scalar>& at, Scratch& scratch) const {
    run(packed, at, scratch.inner, scratch.hidden.data());
  }
  void forward(const Packed& packed, const ScanStep<Scalar>& at, Tape& tape) const {
    run(packed, at, tape.inner, tape.hidden.data() + at.step * at.batch * units());
  }

  void backward(const Packed& packed, const ScanStep<Scalar>& at, Tape& tape,
                const CellDerivatives<Scalar>& d, bool first) const {
    if (!is_projected()) return inner_.backward(packed.inner, at, tape.inner, d, first);
    const Rows<Scalar> dprojected{tape.dprojected.data() + at.step * at.batch * outputs(),
                                  outputs()};
    const Rows<Scalar> dhidden{tape.dhidden.data(), padded<Scalar>(units())};
    for (Index b = 0; b < at.batch; ++b) std::copy_n(d.dh(b), outputs(), dprojected(b));
    packed.linear.apply_transposed(at.batch, dprojected, dhidden);
    // The inner cell's h before the step is not `hidden` but its projection, so this cell takes the
    // derivative by it itself.
    inner_.backward(packed.inner, at, tape.inner, {dhidden, d.dmemory}, true);
    if (!first) inner_.to_previous(packed.inner, at, tape.inner, d.dh);
  }

  void gradients(const Packed& packed, const Scan<Scalar>& scan, Tape& tape,
                 std::span<Scalar> all) const {
    const std::size_t own = static_cast<std::size_t>(is_projected() ? units() * outputs() : 0);
    inner_.gradients(packed.inner, scan, tape.inner, all.first(all.size() - own));
    if (!is_projected()) return;
    packed.linear.add_gradients(scan.rows(), Rows<Scalar>{tape.hidden.data(), units()},
                                Rows<Scalar>{tape.dprojected.data(), outputs()},
                                all.last(own).data(), static_cast<Scalar*>(nullptr), tape.scratch);
  }

  void input_derivative(const Packed& packed, const Scan<Scalar>& scan, Tape& tape,
                        Scalar* dx) const {
    inner_.input_derivative(packed.inner, scan, tape.inner, dx);
  }

  template <class Other>
  void copy_weights_to(ProjectedCell<Gates, Other>& cell) const {
    if (inputs() == Dynamic) return;
    cell.build(inputs());
    inner_.copy_weights_to(cell.inner_);
    weights_.copy_to(cell.weights_);
  }

 private:
  template <class, class>
  friend class ProjectedCell;

  [[nodiscard]] static GatedCellOptions with_recurrent_inputs(GatedCellOptions options,
                                                              Index projection) {
    if (projection < 0) {
      fail<ValueError>({Gates::kind, ": projection must be at least 0, found ", projection});
    }
    options.recurrent_inputs = projection;
    return options;
  }

  [[nodiscard]] bool is_projected() const noexcept { return projection_ > 0; }

  template <class Memory>
  void run(const Packed& packed, ScanStep<Scalar> at, Memory& memory, Scalar* hidden) const {
    if (!is_projected()) return inner_.forward(packed.inner, at, memory);
    const Rows<Scalar> to = at.h;
    at.h = {hidden, units()};
    inner_.forward(packed.inner, at, memory);
    packed.linear.apply(at.batch, at.h, to);
  }

  Inner inner_;
  Index projection_;
  /// "projection", (U, R), where there is one.
  StoredWeights<Scalar> weights_;
};

}  // namespace strata::detail::inline STRATA_TARGET
