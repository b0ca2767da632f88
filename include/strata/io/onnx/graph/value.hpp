#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <strata/io/common/numbers.hpp>
#include <strata/io/common/where.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

// What the values of a graph are while it is read: nothing is computed, but for constants and the
// sizes with which exporters compute shapes.

namespace strata::inline STRATA_TARGET::io {

/// A size: a number, times B where the batch may be of any size, times T where the steps may be.
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

/// Throws FormatError where the product does not fit.
[[nodiscard]] inline OnnxSize product(const OnnxSize& a, const OnnxSize& b, const Where& where) {
  constexpr int most = 1 << 10;
  OnnxSize result{0, a.batch + b.batch, a.steps + b.steps};
  if (__builtin_mul_overflow(a.number, b.number, &result.number) || result.batch > most ||
      result.steps > most) {
    where.refuse("the sizes are more than memory can hold");
  }
  return result;
}

/// What an axis of a tensor runs over.
enum class OnnxRun { batch, steps, directions, features };

[[nodiscard]] constexpr const char* name(OnnxRun run) noexcept {
  constexpr const char* names[] = {"batch", "steps", "directions", "features"};
  return names[static_cast<std::size_t>(run)];
}

struct OnnxAtom {
  OnnxRun run;
  OnnxSize size;
};

/// Of each axis what it runs over: nothing where its size is 1, several, the first outermost, where
/// they were joined.
using OnnxAxes = std::vector<std::vector<OnnxAtom>>;

[[nodiscard]] inline bool is_only(const std::vector<OnnxAtom>& axis, OnnxRun run) noexcept {
  return axis.size() == 1 && axis[0].run == run;
}

/// "(steps, batch, 2 directions x features)", for messages.
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

/// A tensor on the way from the input to the output of the chain: the output of its last layer so
/// far, in some order of the axes, or a part of it.
struct OnnxData {
  /// Which steps, by their place in the tensor; `final`: the state after the last step of the
  /// reading.
  enum class Steps { all, first, last, final };
  /// Which directions of a recurrent layer; merged: what they were made into.
  enum class Directions { all, forward, backward };

  /// Of the chain when the tensor was made.
  int version = 0;
  OnnxAxes axes;
  Steps steps = Steps::all;
  Directions directions = Directions::all;
  /// "sum", "mul" or "ave" where the directions were added, multiplied or averaged.
  std::string merge;
  /// Whether the steps come from the last to the first.
  bool reversed = false;
  /// Whether the tensor is the input as whole numbers.
  bool ids = false;

  /// The size of an axis.
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

/// Whole numbers of rank 0 or 1, such as a shape.
struct OnnxIntegers {
  std::vector<OnnxSize> values;
  bool scalar = false;
};

/// One number everywhere: an initial state of zeros.
struct OnnxFilled {
  /// A whole number, which may be a size, or any number.
  std::variant<OnnxSize, double> value;
  std::vector<OnnxSize> shape;
};

/// The last states of several layers one after the other: PyTorch's h_n.
struct OnnxStates {
  std::vector<OnnxData> layers;
};

/// Nothing: an output that strata does not have, such as the mask of a Dropout.
using OnnxValue =
    std::variant<std::monostate, Numbers, OnnxIntegers, OnnxFilled, OnnxData, OnnxStates>;

}  // namespace strata::inline STRATA_TARGET::io
