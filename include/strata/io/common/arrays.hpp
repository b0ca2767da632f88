#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <list>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/io/common/element.hpp>
#include <strata/io/common/where.hpp>
#include <strata/language/checked_arithmetic.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// How many numbers an array of these sizes holds: their product. Throws FormatError on negative
/// sizes and on a product that no memory can hold. Also when one size is 0 and the product of the
/// others is above 2^24: the array is empty, but a loop along its other axes would hardly end.
[[nodiscard]] inline std::size_t checked_count(const std::vector<Index>& sizes,
                                               const Where& where) {
  constexpr std::uint64_t most_around_nothing = std::uint64_t{1} << 24;
  bool is_empty = false;
  std::uint64_t count = 1;
  for (const Index size : sizes) {
    if (size < 0) where.expected("sizes of at least 0", sizes_text(sizes));
    is_empty = is_empty || size == 0;
    if (detail::multiply_overflows(count, static_cast<std::uint64_t>(std::max<Index>(size, 1)),
                                   count) ||
        count > (std::numeric_limits<std::size_t>::max)() / 16) {
      where.refuse("the sizes " + sizes_text(sizes) + " are more than memory can hold");
    }
  }
  if (!is_empty) return static_cast<std::size_t>(count);
  if (count > most_around_nothing) {
    where.refuse("an array of nothing has the sizes " + sizes_text(sizes));
  }
  return 0;
}

/// Throws FormatError unless an array of these sizes and this type of numbers takes `bytes` bytes.
inline void check_bytes(const std::vector<Index>& sizes, Element element, std::uint64_t bytes,
                        const Where& where) {
  const std::uint64_t expected = checked_count(sizes, where) * size_of(element);
  if (bytes == expected) return;
  where.expected(std::to_string(expected) + " bytes for the sizes " + sizes_text(sizes) + " of " +
                     std::string(name(element)),
                 std::to_string(bytes));
}

/// An array of a file: C order, little-endian. The bytes belong to the Source or to NamedArrays.
struct ArrayView {
  Element element = Element::float32;
  std::vector<Index> shape;
  std::span<const std::byte> bytes;
};

/// The arrays of a file by name. The class remembers which arrays were taken, so that a reader can
/// refuse a file of which it would silently skip a part.
class NamedArrays {
 public:
  explicit NamedArrays(Where where) : where_(std::move(where)) {}

  /// Adds an array that views bytes of the source. Throws FormatError on a second array of a name,
  /// and when the count of bytes does not fit the sizes; so do the two functions below.
  void add(const std::string& name, ArrayView array) {
    const Where here = where_.in(name);
    check_bytes(array.shape, array.element, array.bytes.size(), here);
    if (!arrays_.emplace(name, Entry{std::move(array), false}).second) {
      here.refuse("there are two arrays of this name");
    }
  }

  /// Adds an array whose bytes the file does not hold in one piece, and keeps the bytes.
  void add(const std::string& name, Element element, std::vector<Index> shape,
           std::vector<std::byte> bytes) {
    storage_.push_back(std::move(bytes));
    add(name, {element, std::move(shape), storage_.back()});
  }

  /// Adds an array of doubles, such as the numbers of a text file, as a copy.
  void add(const std::string& name, std::vector<Index> shape, std::span<const double> numbers) {
    std::vector<std::byte> bytes(numbers.size() * sizeof(double));
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      write_scalar(numbers[i], bytes.data() + i * sizeof(double));
    }
    add(name, Element::float64, std::move(shape), std::move(bytes));
  }

  /// Gives an array another name. Throws FormatError where there is an array of that name.
  void rename(const std::string& from, const std::string& to) {
    auto array = arrays_.extract(from);
    array.key() = to;
    if (!arrays_.insert(std::move(array)).inserted) {
      where_.in(to).refuse("there are two arrays of this name");
    }
  }

  /// Forgets an array, as if the file did not have it.
  void remove(const std::string& name) { arrays_.erase(name); }

  [[nodiscard]] bool contains(const std::string& name) const { return arrays_.contains(name); }

  /// The array of this name, marked as used. Throws FormatError, with the names of all arrays, when
  /// there is none.
  const ArrayView& take(const std::string& name) {
    const auto found = arrays_.find(name);
    if (found == arrays_.end()) {
      where_.in(name).refuse("there is no such array; there are: " + list_text(names()));
    }
    found->second.used = true;
    return found->second.array;
  }

  /// The array of this name, without marking it as used; null when there is none.
  [[nodiscard]] const ArrayView* find(const std::string& name) const {
    const auto found = arrays_.find(name);
    return found == arrays_.end() ? nullptr : &found->second.array;
  }

  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> list;
    for (const auto& [name, entry] : arrays_) list.push_back(name);
    return list;
  }

  [[nodiscard]] std::vector<std::string> unused() const {
    std::vector<std::string> list;
    for (const auto& [name, entry] : arrays_) {
      if (!entry.used) list.push_back(name);
    }
    return list;
  }

  /// Throws FormatError, with the names of the unused arrays, if there are any.
  void require_all_used() const {
    const auto left = unused();
    if (!left.empty()) {
      where_.refuse("the model has no place for these arrays of the file: " + list_text(left));
    }
  }

  [[nodiscard]] const Where& where() const noexcept { return where_; }
  [[nodiscard]] Where where(const std::string& name) const { return where_.in(name); }

 private:
  struct Entry {
    ArrayView array;
    bool used = false;
  };

  Where where_;
  std::map<std::string, Entry> arrays_;
  /// The bytes that no Source holds. A list, since the entries view them and a vector would move
  /// them as it grows.
  std::list<std::vector<std::byte>> storage_;
};

}  // namespace strata::inline STRATA_RUNTIME::io
