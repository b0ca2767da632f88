#pragma once

#include <algorithm>
#include <utility>

#include <strata/contracts/layer.hpp>
#include <strata/contracts/state_parts.hpp>
#include <strata/kernels/buffer.hpp>
#include <strata/recurrent/cell.hpp>
#include <strata/recurrent/scan.hpp>
#include <strata/rows.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// How the numbers that a recurrent layer remembers of a sequence lie: in a State one behind the
/// other, h, memories, more memory, constants; in a scan h and memory in rows of their own, in
/// which each memory is padded to whole registers.
template <class Scalar>
class StateLayout {
 public:
  template <RecurrentCell Cell>
  explicit StateLayout(const Cell& cell)
      : outputs_(cell.outputs()), units_(cell.units()), memories_(Cell::memories) {
    if constexpr (RemembersMore<Cell>) {
      more_memory_ = cell.more_memory();
      constants_ = cell.constants();
    }
  }

  /// S, the numbers of a sequence in a State.
  [[nodiscard]] Index size() const noexcept { return outputs_ + memory() + constants_; }
  /// The numbers that a step replaces besides h.
  [[nodiscard]] Index memory() const noexcept { return memories_ * units_ + more_memory_; }
  /// The same in a row of a scan.
  [[nodiscard]] Index padded_memory() const noexcept {
    return memories_ * padded<Scalar>(units_) + padded<Scalar>(more_memory_);
  }

  /// The state of one sequence to the rows of a scan, and back.
  void unpack(const Scalar* state, Scalar* h, Scalar* memory) const {
    std::copy_n(state, outputs_, h);
    state += outputs_;
    for (Index i = 0; i < memories_; ++i, state += units_, memory += padded<Scalar>(units_)) {
      std::copy_n(state, units_, memory);
    }
    std::copy_n(state, more_memory_, memory);
  }
  void pack(const Scalar* h, const Scalar* memory, Scalar* state) const {
    std::copy_n(h, outputs_, state);
    state += outputs_;
    for (Index i = 0; i < memories_; ++i, state += units_, memory += padded<Scalar>(units_)) {
      std::copy_n(memory, units_, state);
    }
    std::copy_n(memory, more_memory_, state);
  }

  /// Reads the initial state, where there is one. `h` and `constants` keep its numbers, since the
  /// final state may overwrite it.
  void load(Rows<const Scalar> initial, Scan<Scalar>& scan, Buffer<Scalar>& h,
            Buffer<Scalar>& constants) const {
    std::fill_n(scan.memory, scan.batch * scan.memory_size, Scalar(0));
    if (!initial) return;
    h.resize(scan.batch * outputs_);
    constants.resize(scan.batch * constants_);
    const auto memory = scan.memory_rows(0);
    for (Index b = 0; b < scan.batch; ++b) {
      unpack(initial(b), h.data() + b * outputs_, memory(b));
      std::copy_n(constants_of(initial)(b), constants_, constants.data() + b * constants_);
    }
    refer(scan, h, constants);
  }
  /// Makes a scan read the numbers that `load` kept.
  void refer(Scan<Scalar>& scan, const Buffer<Scalar>& h, const Buffer<Scalar>& constants) const {
    scan.h_initial = h.data();
    if (constants_ > 0) scan.constants = {constants.data(), constants_};
  }

  /// Writes the state after the last step, where it is wanted.
  void store(const Scan<Scalar>& scan, Rows<Scalar> final_state) const {
    if (!final_state) return;
    const auto h = scan.h_rows(scan.steps - 1);
    const auto memory = scan.memory_rows(scan.steps);
    for (Index b = 0; b < scan.batch; ++b) pack(h(b), memory(b), final_state(b));
    set_constants(scan.batch, scan.constants, final_state);
  }

  /// Where the steps back add the derivatives by the constants: among the derivatives by the
  /// initial state, where they begin as those by the final state. Null where nobody reads them.
  [[nodiscard]] Rows<Scalar> begin_derivative(const Pass<Scalar>& pass, Index batch) const {
    if (!pass.initial_derivative || constants_ == 0) return {};
    set_constants(
        batch, pass.final_derivative ? constants_of(pass.final_derivative) : Rows<const Scalar>{},
        pass.initial_derivative);
    return constants_of(pass.initial_derivative);
  }

 private:
  template <class Number>
  [[nodiscard]] Rows<Number> constants_of(Rows<Number> states) const noexcept {
    return {states.data + outputs_ + memory(), states.stride};
  }
  /// Copies constants, or zeros for null, into states.
  void set_constants(Index batch, Rows<const Scalar> from, Rows<Scalar> states) const {
    for (Index b = 0; b < batch; ++b) {
      Scalar* const to = constants_of(states)(b);
      if (from) {
        std::copy_n(from(b), constants_, to);
      } else {
        std::fill_n(to, constants_, Scalar(0));
      }
    }
  }

  Index outputs_;
  Index units_;
  Index memories_;
  Index more_memory_ = 0;
  Index constants_ = 0;
};

}  // namespace strata::detail::inline STRATA_TARGET
