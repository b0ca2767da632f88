#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <strata/io/common/numbers.hpp>
#include <strata/io/common/where.hpp>
#include <strata/language/checked_arithmetic.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

// The values of a graph while it is read. The reader follows what nodes do to the axes of tensors,
// and computes only constants and the sizes with which exporters compute shapes.

namespace strata::inline STRATA_RUNTIME::io {

/// A size: number * B^batch * T^steps, where B is a batch size and T a number of steps that the
/// graph leaves open.
struct OnnxSize {
  Index number = 0;
  int batch = 0;
  int steps = 0;

  [[nodiscard]] bool is_number() const noexcept { return batch == 0 && steps == 0; }
  [[nodiscard]] bool is(Index value) const noexcept { return is_number() && number == value; }
  [[nodiscard]] bool operator==(const OnnxSize&) const = default;
};
inline constexpr OnnxSize onnx_any_batch{1, 1, 0};
inline constexpr OnnxSize onnx_any_steps{1, 0, 1};

[[nodiscard]] inline std::string size_text(const OnnxSize& size) {
  std::string text = std::to_string(size.number);
  if (size.batch > 0) text += " B";
  if (size.steps > 0) text += " T";
  return text;
}
[[nodiscard]] inline std::string onnx_sizes_text(const std::vector<OnnxSize>& sizes) {
  std::vector<std::string> words;
  for (const OnnxSize& size : sizes) words.push_back(size_text(size));
  return "(" + list_text(words) + ")";
}

/// The product of two sizes. Throws FormatError where its number or its powers are too large.
[[nodiscard]] inline OnnxSize product(const OnnxSize& a, const OnnxSize& b, const Where& where) {
  constexpr int most = 1 << 10;
  OnnxSize result{0, a.batch + b.batch, a.steps + b.steps};
  if (detail::multiply_overflows(a.number, b.number, result.number) || result.batch > most ||
      result.steps > most) {
    where.refuse("the sizes are more than memory can hold");
  }
  return result;
}

/// The meaning of an axis of a tensor.
enum class OnnxRun { batch, steps, directions, features };

[[nodiscard]] constexpr const char* name(OnnxRun run) noexcept {
  constexpr const char* names[] = {"batch", "steps", "directions", "features"};
  return names[static_cast<std::size_t>(run)];
}

struct OnnxAtom {
  OnnxRun run;
  OnnxSize size;
};

/// The meaning of each axis of a tensor. An axis of size 1 may have none; an axis that several axes
/// were joined into has the meanings of all of them, the outermost first.
using OnnxAxes = std::vector<std::vector<OnnxAtom>>;

[[nodiscard]] inline bool is_only(const std::vector<OnnxAtom>& axis, OnnxRun run) noexcept {
  return axis.size() == 1 && axis[0].run == run;
}

/// The axes in words, such as "(steps, batch, directions x features)", for messages.
[[nodiscard]] inline std::string axes_text(const OnnxAxes& axes) {
  std::vector<std::string> words;
  for (const auto& axis : axes) {
    std::string word = axis.empty() ? "1" : "";
    for (const OnnxAtom& atom : axis)
      word += (word.empty() ? "" : " x ") + std::string(name(atom.run));
    words.push_back(std::move(word));
  }
  return "(" + list_text(words) + ")";
}

/// A tensor on the way from the input to the output of the chain: the output of the last layer that
/// the reader has found, or a part of it, with its axes in some order.
struct OnnxData {
  /// The steps that the tensor holds. `first` and `last` are places in the tensor; `final` is the
  /// state after the last step in the order of reading.
  enum class Steps { all, first, last, final };
  /// The directions of a recurrent layer that the tensor holds, where `merge` does not say that
  /// they have become one.
  enum class Directions { all, forward, backward };

  /// The version of the chain when the tensor was made; see OnnxChain::is_end.
  int version = 0;
  OnnxAxes axes;
  Steps steps = Steps::all;
  Directions directions = Directions::all;
  /// "sum", "mul" or "ave" where the directions were added, multiplied or averaged.
  std::string merge;
  /// Whether the first place of the steps' axis holds the last step.
  bool reversed = false;
  /// How many steps of zeros a Pad has put in front, which a convolution must take; and how many
  /// steps a convolution has put behind, which a Slice must take away.
  Index steps_in_front = 0;
  Index steps_behind = 0;
  /// Whether the steps are those of a Reshape or repetition, which could as well have made them
  /// features: no layer that runs over steps has taken them yet.
  bool steps_by_name = false;
  /// Whether the tensor is the graph's input as whole numbers, which only an Embedding takes.
  bool ids = false;

  [[nodiscard]] OnnxSize size(std::size_t axis, const Where& where) const {
    OnnxSize size{1, 0, 0};
    for (const OnnxAtom& atom : axes[axis]) size = product(size, atom.size, where);
    return size;
  }
};

/// Throws FormatError: a layer or the graph's output cannot take these axes.
[[noreturn]] inline void refuse_axes(const OnnxData& data, const Where& where) {
  where.expected("the axes (batch, steps, features) or (batch, features)", axes_text(data.axes));
}

/// Whole numbers of rank 0 or 1, such as a shape. `scalar`: of rank 0.
struct OnnxIntegers {
  std::vector<OnnxSize> values;
  bool scalar = false;
};

/// Whole numbers of rank 2, (rows, columns), by which an exporter turns the pads of a Pad around.
struct OnnxTable {
  std::vector<OnnxSize> values;
  std::size_t columns = 1;

  [[nodiscard]] std::size_t rows() const noexcept { return values.size() / columns; }
  /// The entries of some places of an axis, which must lie within it.
  [[nodiscard]] OnnxTable taken(std::size_t axis, const std::vector<Index>& places) const {
    OnnxTable result{{}, axis == 1 ? places.size() : columns};
    const std::size_t count = axis == 0 ? places.size() : rows();
    for (std::size_t r = 0; r < count; ++r) {
      for (std::size_t c = 0; c < result.columns; ++c) {
        const std::size_t row = axis == 0 ? static_cast<std::size_t>(places[r]) : r;
        const std::size_t column = axis == 1 ? static_cast<std::size_t>(places[c]) : c;
        result.values.push_back(values[row * columns + column]);
      }
    }
    return result;
  }
  [[nodiscard]] OnnxTable transposed() const {
    OnnxTable result{{}, rows()};
    for (std::size_t c = 0; c < columns; ++c) {
      for (std::size_t r = 0; r < rows(); ++r) result.values.push_back(values[r * columns + c]);
    }
    return result;
  }
};

/// A constant tensor with one number in all places, such as an initial state of zeros.
struct OnnxFilled {
  /// The number: a whole number, possibly a size with B or T, or a floating-point number.
  std::variant<OnnxSize, double> value;
  std::vector<OnnxSize> shape;
};

/// The last states of several layers one after the other, as PyTorch's h_n.
struct OnnxStates {
  std::vector<OnnxData> layers;
};

/// An input of the graph that holds the first states of recurrent layers, or some of them. Which of
/// its axes counts the states, one for each direction of each layer, is known only when a layer
/// takes them.
struct OnnxInitialStates {
  static constexpr std::size_t no_axis = static_cast<std::size_t>(-1);

  std::string input;
  /// The sizes of the input's own axes.
  std::vector<OnnxSize> sizes;
  /// Which axis of the input each axis is; no_axis for an axis of size 1 that was put in.
  std::vector<std::size_t> axes;
  /// The axis of the input of which a part was taken, if any, and the part.
  std::size_t cut = no_axis;
  Index first = 0;
  Index count = 0;

  [[nodiscard]] OnnxSize size(std::size_t axis) const {
    if (axes[axis] == no_axis) return {1, 0, 0};
    return axes[axis] == cut ? OnnxSize{count, 0, 0} : sizes[axes[axis]];
  }
};

/// A value of the graph. std::monostate stands for an output that strata does not have, such as the
/// mask of a Dropout.
using OnnxValue = std::variant<std::monostate, Numbers, OnnxIntegers, OnnxFilled, OnnxData,
                               OnnxStates, OnnxInitialStates, OnnxTable>;

}  // namespace strata::inline STRATA_RUNTIME::io
