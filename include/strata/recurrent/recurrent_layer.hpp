#pragma once

#include <algorithm>
#include <concepts>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/base/message.hpp>
#include <strata/contracts/layer.hpp>
#include <strata/contracts/state_parts.hpp>
#include <strata/error.hpp>
#include <strata/error_handler.hpp>
#include <strata/kernels/buffer.hpp>
#include <strata/recurrent/carry.hpp>
#include <strata/recurrent/cell.hpp>
#include <strata/recurrent/dropout.hpp>
#include <strata/recurrent/options.hpp>
#include <strata/recurrent/outputs.hpp>
#include <strata/recurrent/packed_recurrent.hpp>
#include <strata/recurrent/scan.hpp>
#include <strata/recurrent/state_layout.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// A recurrent layer that learns at run time whether it returns sequences, so that the layers with
/// return_sequences and without share one compiled copy of everything here.
///
/// The state of a sequence, S = outputs + memories x units numbers, is h, then the memories. A cell
/// may remember more behind them, see RemembersMore.
///
/// It has the loop over the steps, and everything else that is the same for all cells: direction,
/// masks, states, dropout, zoneout and outputs.
template <RecurrentCell Cell>
class RecurrentLayer {
 public:
  using scalar_type = typename Cell::scalar_type;
  using Scalar = scalar_type;
  static constexpr Accepts accepts = Accepts::sequences;
  static constexpr LayerTraits traits{
      .skip = true, .list_state = true, .execution = true, .reduce = true};
  static constexpr Index fixed_inputs = Cell::fixed_inputs;
  static constexpr Index fixed_outputs = Cell::fixed_outputs;

  [[nodiscard]] std::string kind() const { return cell_.kind(); }
  [[nodiscard]] std::string describe() const {
    return message({kind(), ", ", cell_.units(), " units"});
  }

  [[nodiscard]] Index units() const noexcept { return cell_.units(); }
  /// F, Dynamic while it is not known.
  [[nodiscard]] Index inputs() const noexcept { return cell_.inputs(); }
  [[nodiscard]] const RecurrentOptions& recurrent_options() const noexcept { return options_; }
  [[nodiscard]] bool returns_sequences() const noexcept { return returns_sequences_; }
  void set_go_backwards(bool on) noexcept { options_.go_backwards = on; }
  void set_zero_output_for_mask(bool on) noexcept { options_.zero_output_for_mask = on; }

  [[nodiscard]] Index output_features(Index features) const {
    if (inputs() != Dynamic && features != inputs()) {
      fail<ShapeError>({"expects ", inputs(), " features, found ", features});
    }
    return cell_.outputs();
  }

  void build(Index features) { cell_.build(features); }
  void initialize(const Random& random) { cell_.initialize(random); }
  [[nodiscard]] std::vector<Parameter<Scalar>> parameters() { return cell_.parameters(); }
  [[nodiscard]] Index parameter_count() const { return strata::parameter_count(cell_); }

  using Packed = PackedRecurrent<Cell>;

  struct Tape {
    typename Cell::Tape cell;
    Buffer<Scalar> h_initial;
    Buffer<Scalar> memory;
    Buffer<Scalar> constants;
    Tensor<Scalar> h;  ///< (B, T, U), where the layer's output does not hold h of all steps.
    RecurrentDropout<Scalar> dropout;
    Random zoneout;
    Buffer<Scalar> dh;
    Buffer<Scalar> dmemory;
    Buffer<Scalar> kept;
    Buffer<Scalar> unused;  ///< The h and memories that a step computes again.
  };

  void pack(Packed& packed, bool training) const {
    cell_.pack(packed.cell, training);
    packed.outputs = cell_.outputs();
    packed.memory = layout().memory();
    packed.zoneout = options_.zoneout;
    packed.memory_zoneout = options_.memory_zoneout;
    packed.zero_output_for_mask = options_.zero_output_for_mask;
  }

  /// As the cell runs, which may have such a function.
  [[nodiscard]] Execution execution(const Execution& asked) const {
    if constexpr (requires { cell_.execution(asked); }) {
      return cell_.execution(asked);
    } else {
      return {};
    }
  }
  void reduce(Packed& packed, const Execution& asked) const {
    if constexpr (requires { cell_.reduce(packed.cell, asked); }) {
      cell_.reduce(packed.cell, asked);
    }
  }

  void forward(const Packed& packed, const Tensor<Scalar>& x, Tensor<Scalar>& y,
               const Pass<Scalar>& pass) const {
    y.resize(output_shape(x));
    const bool direct = keeps_h_in(pass);
    Tensor<Scalar> h;
    if (!direct) h.resize({x.batch(), 2, outputs()});
    Buffer<Scalar> memory;
    Buffer<Scalar> h_initial;
    Buffer<Scalar> constants;
    Scan<Scalar> scan = scan_of(x, x.data(), direct ? y : h, memory, 2);
    // Zoneout reads the padding too.
    memory.fill(0);
    layout().load(pass.initial_state, scan, h_initial, constants);
    typename Cell::Scratch scratch;
    cell_.prepare(packed.cell, scratch, scan.batch);
    const Carry<Scalar> carry(scan, pass.mask, rates(), nullptr);
    const Outputs<Scalar> outputs_of(scan, carry, output_options(pass));
    // A cell may take the products with x of `together` steps at once; the steps then come in
    // windows of this size.
    const Index together = cell_.input_steps(scan.batch);
    const Index size = together > 0 ? together : scan.steps;
    for (Index first = 0; first < scan.steps; first += size) {
      const Scan<Scalar> window = scan.window_of(first, size);
      if (together > 0) cell_.forward_inputs(packed.cell, window, scratch);
      for (Index step = first; step < first + window.steps; ++step) {
        cell_.forward(packed.cell, window.at(step - first), scratch);
        carry.apply(step);
        if (!direct) outputs_of.write(step, y);
      }
    }
    layout().store(scan, pass.final_state);
  }

  void forward(const Packed& packed, const Tensor<Scalar>& x, Tape& tape, Tensor<Scalar>& y,
               const Pass<Scalar>& pass) const {
    y.resize(output_shape(x));
    const bool direct = keeps_h_in(pass);
    if (!direct) tape.h.resize({x.batch(), x.steps(), outputs()});
    tape.dropout.draw({options_.dropout, options_.recurrent_dropout}, x, outputs(), pass.random);
    tape.zoneout = pass.random.fork(2);
    Scan<Scalar> scan = training_scan(x, tape, y, pass);
    layout().load(pass.initial_state, scan, tape.h_initial, tape.constants);
    const Carry<Scalar> carry(scan, pass.mask, rates(), &tape.zoneout);
    const Outputs<Scalar> outputs_of(scan, carry, output_options(pass));
    const Index size = window_size(scan);
    for (Index first = 0; first < scan.steps; first += size) {
      const Scan<Scalar> window = scan.window_of(first, size);
      begin_window(packed, window, tape);
      for (Index step = first; step < first + window.steps; ++step) {
        tape.dropout.drop_h(scan, step);
        cell_.forward(packed.cell, window.at(step - first), tape.cell);
        carry.apply(step);
        if (!direct) outputs_of.write(step, y);
      }
    }
    layout().store(scan, pass.final_state);
  }

  void backward(const Packed& packed, const Tensor<Scalar>& x, const Tensor<Scalar>& y,
                Tensor<Scalar>& dy, Tape& tape, std::span<Scalar> gradient, Tensor<Scalar>* dx,
                const Pass<Scalar>& pass) const {
    Scan<Scalar> scan = training_scan(x, tape, y, pass);
    if (pass.initial_state) layout().refer(scan, tape.h_initial, tape.constants);
    const Carry<Scalar> carry(scan, pass.mask, rates(), &tape.zoneout);
    const Index batch = scan.batch;
    const Rows<Scalar> dh = zero_rows(tape.dh, batch, padded<Scalar>(outputs()));
    const Rows<Scalar> dmemory = zero_rows(tape.dmemory, batch, scan.memory_size);
    const Rows<Scalar> kept = zero_rows(tape.kept, batch, outputs() + scan.memory_size);
    if (pass.final_derivative) {
      for (Index b = 0; b < batch; ++b)
        layout().unpack(pass.final_derivative(b), dh(b), dmemory(b));
    }
    const Rows<Scalar> dconstants = layout().begin_derivative(pass, batch);
    const Outputs<Scalar> outputs_of(scan, carry, output_options(pass));
    if (dx) dx->resize(x.shape());
    const Index size = window_size(scan);
    for (Index begin = (scan.steps - 1) / size * size; begin >= 0; begin -= size) {
      const Scan<Scalar> window = scan.window_of(begin, size);
      // The tape still holds the last window.
      if (begin + size < scan.steps) compute_again(packed, window, tape);
      for (Index step = begin + window.steps - 1; step >= begin; --step) {
        outputs_of.add_derivative(step, std::as_const(dy), dh);
        if (carry.is_active()) carry.split(step, dh, dmemory, kept);
        const bool first = step == 0 && !pass.initial_derivative;
        cell_.backward(packed.cell, window.at(step - begin), tape.cell, {dh, dmemory, dconstants},
                       first);
        if (first) break;
        tape.dropout.drop_derivative_by_h(dh, batch);
        if (carry.is_active()) carry.join(dh, dmemory, kept);
        pass.meanwhile();
      }
      cell_.gradients(packed.cell, window, tape.cell, gradient);
      pass.meanwhile();
      if (dx) cell_.input_derivative(packed.cell, window, tape.cell, dx->data());
    }
    if (pass.initial_derivative) {
      for (Index b = 0; b < batch; ++b) {
        layout().pack(dh(b), dmemory(b), pass.initial_derivative(b));
      }
    }
    if (dx) tape.dropout.drop_derivative_by_x(*dx);
  }

  /// A stream cannot read from the end: throws ValueError with go_backwards.
  void check_stream() const {
    if (options_.go_backwards) {
      detail::raise<ValueError>(
          "go_backwards needs the whole sequence, which a stream does not have");
    }
  }
  [[nodiscard]] Index state_size() const noexcept { return layout().size(); }
  void list_state(StateParts& parts) const {
    if constexpr (RemembersMore<Cell>) {
      cell_.list_state(parts);
    } else {
      parts.add("h", outputs());
      parts.add_memories(Cell::memories, cell_.units());
    }
  }

  /// Copies the options, and the weights of a built layer, to a layer of the same kind of cell.
  template <class Other>
  void copy_weights_to(RecurrentLayer<Other>& layer) const {
    cell_.copy_weights_to(layer.cell_);
    layer.options_ = options_;
  }

 protected:
  template <RecurrentCell>
  friend class RecurrentLayer;

  RecurrentLayer(Cell cell, const RecurrentOptions& options, bool returns_sequences)
      : cell_(std::move(cell)), options_(options), returns_sequences_(returns_sequences) {
    const std::string name = cell_.kind();
    check_rate((name + ": dropout").c_str(), options.dropout);
    check_rate((name + ": recurrent_dropout").c_str(), options.recurrent_dropout);
    check_rate((name + ": zoneout").c_str(), options.zoneout);
    check_rate((name + ": memory_zoneout").c_str(), options.memory_zoneout);
  }

  Cell cell_;
  RecurrentOptions options_;

 private:
  /// The number of steps whose tape exists at a time: all steps, or with `recompute` some 512 rows,
  /// which keep the products large.
  [[nodiscard]] Index window_size(const Scan<Scalar>& scan) const noexcept {
    constexpr Index rows = 512;
    return options_.recompute ? std::clamp<Index>(rows / scan.batch, 1, scan.steps) : scan.steps;
  }

  /// Makes room in the tape for a window, and takes the products with x of all its steps where the
  /// cell wants them together.
  void begin_window(const Packed& packed, const Scan<Scalar>& window, Tape& tape) const {
    cell_.prepare(packed.cell, tape.cell, window.batch, window.steps);
    if (cell_.input_steps(window.batch) > 0) {
      cell_.forward_inputs(packed.cell, window, tape.cell);
    }
  }

  /// Computes the tape of a window again, from the h and the memories before each of its steps.
  void compute_again(const Packed& packed, const Scan<Scalar>& window, Tape& tape) const {
    const Index h_size = padded<Scalar>(outputs());
    tape.unused.resize(window.batch * (h_size + window.memory_size));
    begin_window(packed, window, tape);
    for (Index step = 0; step < window.steps; ++step) {
      ScanStep<Scalar> at = window.at(step);
      at.h = {tape.unused.data(), h_size};
      at.memory = {tape.unused.data() + window.batch * h_size, window.memory_size};
      cell_.forward(packed.cell, at, tape.cell);
    }
  }

  [[nodiscard]] Index outputs() const noexcept { return cell_.outputs(); }
  [[nodiscard]] StateLayout<Scalar> layout() const { return StateLayout<Scalar>(cell_); }
  [[nodiscard]] typename Carry<Scalar>::Rates rates() const noexcept {
    return {options_.zoneout, options_.memory_zoneout};
  }
  [[nodiscard]] typename Outputs<Scalar>::Options output_options(
      const Pass<Scalar>& pass) const noexcept {
    return {returns_sequences_, options_.zero_output_for_mask, pass.continues};
  }

  /// Whether the layer's output holds h of every step. With a mask it may differ from h.
  [[nodiscard]] bool keeps_h_in(const Pass<Scalar>& pass) const noexcept {
    return returns_sequences_ && !pass.mask;
  }

  [[nodiscard]] Shape output_shape(const Tensor<Scalar>& x) const {
    return returns_sequences_ ? Shape{x.batch(), x.steps(), outputs()}
                              : Shape{x.batch(), outputs()};
  }

  [[nodiscard]] Scan<Scalar> scan_of(const Tensor<Scalar>& x, const Scalar* x_values,
                                     Tensor<Scalar>& h, Buffer<Scalar>& memory,
                                     Index memory_slots) const {
    const Index size = layout().padded_memory();
    memory.resize(memory_slots * x.batch() * size);
    return {
        .batch = x.batch(),
        .steps = x.steps(),
        .all_steps = x.steps(),
        .backwards = options_.go_backwards,
        .x = x_values,
        .inputs = inputs(),
        .h_initial = nullptr,
        .h = h.data(),
        .h_slots = h.steps(),
        .outputs = outputs(),
        .h_dropped = nullptr,
        .memory = memory.data(),
        .memory_slots = memory_slots,
        .memory_size = size,
    };
  }

  [[nodiscard]] Scan<Scalar> training_scan(const Tensor<Scalar>& x, Tape& tape,
                                           const Tensor<Scalar>& y,
                                           const Pass<Scalar>& pass) const {
    Tensor<Scalar> in_y;
    if (keeps_h_in(pass)) in_y = Tensor<Scalar>::view(const_cast<Scalar*>(y.data()), y.shape());
    Scan<Scalar> scan = scan_of(x, tape.dropout.inputs(x), keeps_h_in(pass) ? in_y : tape.h,
                                tape.memory, x.steps() + 1);
    scan.h_dropped = tape.dropout.h();
    return scan;
  }

  [[nodiscard]] static Rows<Scalar> zero_rows(Buffer<Scalar>& buffer, Index batch, Index size) {
    buffer.resize(batch * size);
    buffer.fill(0);
    return {buffer.data(), size};
  }

  bool returns_sequences_;
};

}  // namespace strata::detail::inline STRATA_TARGET
