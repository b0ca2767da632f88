#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/base/finite.hpp>
#include <strata/base/message.hpp>
#include <strata/base/sizes.hpp>
#include <strata/contracts/execution.hpp>
#include <strata/contracts/state_parts.hpp>
#include <strata/contracts/stored_weights.hpp>
#include <strata/error.hpp>
#include <strata/initializers.hpp>
#include <strata/kernels/buffer.hpp>
#include <strata/kernels/gaussian_window.hpp>
#include <strata/kernels/linear.hpp>
#include <strata/language/compiler.hpp>
#include <strata/recurrent/gated/gated_cell.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// What a WindowCell has besides its gates.
struct WindowSizes {
  /// K.
  Index gaussians;
  /// V, the numbers of one character.
  Index characters;
  /// L, the most characters of a text.
  Index length;
};

/// A GatedCell that reads a text through a window of Gaussians (Graves 2013, section 5). Its output
/// is the gates' output and, behind it, the window w; the recurrent kernel reads both, so that a
/// step sees the window of the step before. The places of the Gaussians, kappa, are part of the
/// memory, and the text is a constant of the sequence.
template <class Gates, class Scalar>
class WindowCell {
  using Inner = GatedCell<Gates, Scalar>;

 public:
  using scalar_type = Scalar;
  static constexpr Index fixed_inputs = Dynamic;
  static constexpr Index fixed_outputs = Dynamic;
  static constexpr Index memories = Inner::memories;

  /// `advance`: how far the Gaussians move in a step before training. Throws ValueError on sizes
  /// below 1, and on an advance that is not above 0 and finite.
  WindowCell(const char* kind, Index units, Gates gates, GatedCellOptions options,
             const WindowSizes& sizes, double advance)
      : kind_(kind),
        sizes_(sizes),
        advance_(advance),
        inner_(units, gates, with_recurrent_inputs(kind, std::move(options), units, sizes)) {
    if (!is_finite(advance) || advance <= 0) {
      fail<ValueError>({kind, ": advance must be above 0 and finite, found ", advance});
    }
  }

  [[nodiscard]] std::string kind() const { return kind_; }
  [[nodiscard]] Index inputs() const noexcept { return inner_.inputs(); }
  [[nodiscard]] Index units() const noexcept { return inner_.units(); }
  [[nodiscard]] Index outputs() const noexcept { return units() + sizes_.characters; }
  [[nodiscard]] const WindowSizes& sizes() const noexcept { return sizes_; }

  /// The numbers of kappa, which come behind the memories.
  [[nodiscard]] Index more_memory() const noexcept { return sizes_.gaussians; }
  /// The numbers of the text, (L, V).
  [[nodiscard]] Index constants() const noexcept { return window().text_size(); }
  void list_state(StateParts& parts) const {
    parts.add("h", units());
    parts.add("window", sizes_.characters);
    parts.add_memories(memories, units());
    parts.add("kappa", sizes_.gaussians);
    parts.add("text", constants());
  }

  void build(Index features) {
    weights_.clear();
    weights_.add("window_kernel", {units(), window().parameters()},
                 inner_.options().kernel_initializer, 4);
    weights_.add("window_bias", {window().parameters()}, Zeros{}, 5);
    weights_.allocate();
    inner_.build(features);
  }
  void initialize(const Random& random) {
    inner_.initialize(random);
    weights_.initialize(random);
    std::fill_n(weights_.data(bias) + 2 * sizes_.gaussians, sizes_.gaussians,
                static_cast<Scalar>(std::log(advance_)));
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
    GaussianWindow<Scalar> window;
    Index units = 0;
    Index characters = 0;
    Index gaussians = 0;

    /// memory: the memories of the gates, kappa, and the text.
    void step(const Scalar* x, Scalar* h, Scalar* memory, Scalar* y,
              WeightOrder order) const noexcept {
      auto* const record = STRATA_STACK_ARRAY(Scalar, window.record_size());
      inner.step(x, h, memory, order, StepOutput<Scalar>{y});
      linear.apply(1, Rows<const Scalar>{y, 0}, Rows<Scalar>{record, 0});
      Scalar* const kappa = memory + memories * units;
      window.move(record, kappa, kappa, kappa + gaussians, y + units);
      std::copy_n(y, units + characters, h);
    }
  };

  struct Scratch {
    typename Inner::Scratch inner;
    Buffer<Scalar> hidden;   ///< (B, U): what the gates let out.
    Buffer<Scalar> records;  ///< Of the window, (B).
  };

  struct Tape {
    typename Inner::Tape inner;
    Buffer<Scalar> hidden;   ///< (T, B, U): what the gates let out.
    Buffer<Scalar> records;  ///< Of the window, (T, B).
    Buffer<Scalar> dhidden;  ///< (B, U), U padded to whole registers.
    Buffer<Scalar> dwindow;  ///< (B, U): what the window adds to dhidden.
    typename Linear<Scalar>::Scratch scratch;
  };

  void pack(Packed& packed, bool training) const {
    inner_.pack(packed.inner, training);
    packed.linear.pack(units(), window().parameters(), weights_.data(kernel), weights_.data(bias),
                       training);
    packed.window = window();
    packed.units = units();
    packed.characters = sizes_.characters;
    packed.gaussians = sizes_.gaussians;
  }

  /// As the gated cell, but the window may hold numbers larger than 1, so that it has no int16.
  [[nodiscard]] Execution execution(const Execution& asked) const {
    return without_bound(inner_.execution(asked));
  }
  void reduce(Packed& packed, const Execution& asked) const {
    inner_.reduce(packed.inner,
                  {.precision = execution(asked).precision, .bounded = asked.bounded});
  }

  void prepare(const Packed& packed, Scratch& scratch, Index batch) const {
    inner_.prepare(packed.inner, scratch.inner, batch);
    scratch.hidden.resize(batch * units());
    scratch.records.resize(batch * window().record_size());
  }
  void prepare(const Packed& packed, Tape& tape, Index batch, Index steps) const {
    inner_.prepare(packed.inner, tape.inner, batch, steps);
    tape.hidden.resize(steps * batch * units());
    tape.records.resize(steps * batch * window().record_size());
    tape.dhidden.resize(batch * padded<Scalar>(units()));
    tape.dhidden.fill(0);
    tape.dwindow.resize(batch * units());
  }

  [[nodiscard]] static Index input_steps(Index batch) noexcept { return Inner::input_steps(batch); }
  template <class Memory>
  void forward_inputs(const Packed& packed, const Scan<Scalar>& steps, Memory& memory) const {
    inner_.forward_inputs(packed.inner, steps, memory.inner);
  }

  void forward(const Packed& packed, const ScanStep<Scalar>& at, Scratch& scratch) const {
    run(packed, at, scratch.inner, hidden_of(scratch), records_of(scratch));
  }
  void forward(const Packed& packed, const ScanStep<Scalar>& at, Tape& tape) const {
    const Index first = at.step * at.batch;
    run(packed, at, tape.inner, hidden_of(tape).from(first), records_of(tape).from(first));
  }

  void backward(const Packed& packed, const ScanStep<Scalar>& at, Tape& tape,
                const CellDerivatives<Scalar>& d, bool first) const {
    const Rows<Scalar> records = records_of(tape).from(at.step * at.batch);
    const Rows<Scalar> dwindow{tape.dwindow.data(), units()};
    const Rows<Scalar> dhidden{tape.dhidden.data(), padded<Scalar>(units())};
    for (Index b = 0; b < at.batch; ++b) {
      packed.window.move_back(records(b), kappa_in(at.memory_before(b)), text_of(at, b),
                              d.dh(b) + units(), kappa_in(d.dmemory(b)),
                              d.dconstants ? d.dconstants(b) : nullptr);
    }
    packed.linear.apply_transposed(at.batch, records, dwindow);
    for (Index b = 0; b < at.batch; ++b) {
      std::copy_n(d.dh(b), units(), dhidden(b));
      add_scaled(units(), Scalar(1), static_cast<const Scalar*>(dwindow(b)), dhidden(b));
    }
    // The recurrent kernel reads the window beside h, so this cell takes the derivative by both.
    inner_.backward(packed.inner, at, tape.inner, {dhidden, d.dmemory}, true);
    if (!first) inner_.to_previous(packed.inner, at, tape.inner, d.dh);
  }

  void gradients(const Packed& packed, const Scan<Scalar>& scan, Tape& tape,
                 std::span<Scalar> all) const {
    const auto own = static_cast<std::size_t>(weights_.parameter_count());
    inner_.gradients(packed.inner, scan, tape.inner, all.first(all.size() - own));
    packed.linear.add_gradients(scan.rows(), hidden_of(tape), records_of(tape),
                                weights_.gradient(kernel, all.last(own)),
                                weights_.gradient(bias, all.last(own)), tape.scratch);
  }

  void input_derivative(const Packed& packed, const Scan<Scalar>& scan, Tape& tape,
                        Scalar* dx) const {
    inner_.input_derivative(packed.inner, scan, tape.inner, dx);
  }

  template <class Other>
  void copy_weights_to(WindowCell<Gates, Other>& cell) const {
    if (inputs() == Dynamic) return;
    cell.build(inputs());
    inner_.copy_weights_to(cell.inner_);
    weights_.copy_to(cell.weights_);
  }

 private:
  template <class, class>
  friend class WindowCell;

  /// Places of the weights in their list.
  static constexpr std::size_t kernel = 0;
  static constexpr std::size_t bias = 1;

  [[nodiscard]] static GatedCellOptions with_recurrent_inputs(const char* kind,
                                                              GatedCellOptions options, Index units,
                                                              const WindowSizes& sizes) {
    strata::sizes::check(kind, "units", units);
    strata::sizes::check(kind, "gaussians", sizes.gaussians);
    strata::sizes::check(kind, "characters", sizes.characters);
    strata::sizes::check(kind, "length", sizes.length);
    if (sizes.length > strata::sizes::largest / sizes.characters) {
      fail<ValueError>({kind, ": a text of ", sizes.length, " characters of ", sizes.characters,
                        " numbers is more than memory can hold"});
    }
    options.recurrent_inputs = units + sizes.characters;
    return options;
  }

  [[nodiscard]] GaussianWindow<Scalar> window() const noexcept {
    return {sizes_.gaussians, sizes_.length, sizes_.characters};
  }
  template <class Memory>
  [[nodiscard]] Rows<Scalar> hidden_of(Memory& memory) const noexcept {
    return {memory.hidden.data(), units()};
  }
  template <class Memory>
  [[nodiscard]] Rows<Scalar> records_of(Memory& memory) const noexcept {
    return {memory.records.data(), window().record_size()};
  }
  /// kappa in a row of memory of a scan.
  template <class Number>
  [[nodiscard]] Number* kappa_in(Number* memory) const noexcept {
    return memory + memories * padded<Scalar>(units());
  }
  [[nodiscard]] static const Scalar* text_of(const ScanStep<Scalar>& at, Index b) noexcept {
    return at.constants ? at.constants(b) : nullptr;
  }

  template <class Memory>
  void run(const Packed& packed, ScanStep<Scalar> at, Memory& memory, Rows<Scalar> hidden,
           Rows<Scalar> records) const {
    const Rows<Scalar> to = at.h;
    at.h = hidden;
    inner_.forward(packed.inner, at, memory);
    packed.linear.apply(at.batch, hidden, records);
    for (Index b = 0; b < at.batch; ++b) {
      std::copy_n(hidden(b), units(), to(b));
      packed.window.move(records(b), kappa_in(at.memory_before(b)), kappa_in(at.memory(b)),
                         text_of(at, b), to(b) + units());
    }
  }

  const char* kind_;
  WindowSizes sizes_;
  double advance_;
  Inner inner_;
  /// "window_kernel", (U, 3K), and "window_bias", (3K): alpha, beta, advance.
  StoredWeights<Scalar> weights_;
};

}  // namespace strata::detail::inline STRATA_TARGET
