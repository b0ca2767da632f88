#pragma once

#include <concepts>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <strata/initializers.hpp>
#include <strata/shape.hpp>

namespace strata {

/// The value of a layer's option: a bool, a whole number, a number, a text, a list of whole numbers
/// or of numbers, or an Initializer. A class of its own, since std::variant takes long to compile.
class OptionValue {
 public:
  OptionValue(bool value) : kind_(Kind::flag), flag_(value) {}
  template <std::integral Number>
  OptionValue(Number value) : kind_(Kind::whole), whole_(static_cast<Index>(value)) {}
  OptionValue(double value) : kind_(Kind::real), real_(value) {}
  OptionValue(std::string value) : kind_(Kind::text), text_(std::move(value)) {}
  OptionValue(std::vector<Index> value) : kind_(Kind::sizes), sizes_(std::move(value)) {}
  OptionValue(std::vector<double> value) : kind_(Kind::numbers), numbers_(std::move(value)) {}
  OptionValue(const Initializer& value) : kind_(Kind::initializer), initializer_(value) {}
  // Not inline, since every program would compile them for each option of each layer.
  OptionValue(const OptionValue& other);
  OptionValue(OptionValue&& other) noexcept;
  OptionValue& operator=(const OptionValue& other);
  OptionValue& operator=(OptionValue&& other) noexcept;
  ~OptionValue();

  /// The value, or null where it is no T.
  template <class T>
  [[nodiscard]] const T* get_if() const noexcept {
    const T* found = nullptr;
    visit([&](const auto& value) {
      if constexpr (std::is_same_v<std::decay_t<decltype(value)>, T>) found = &value;
    });
    return found;
  }

  /// Returns f(value).
  template <class F>
  decltype(auto) visit(F f) const {
    switch (kind_) {
      case Kind::flag:
        return f(flag_);
      case Kind::whole:
        return f(whole_);
      case Kind::real:
        return f(real_);
      case Kind::text:
        return f(text_);
      case Kind::sizes:
        return f(sizes_);
      case Kind::numbers:
        return f(numbers_);
      case Kind::initializer:
        break;
    }
    return f(initializer_);
  }

 private:
  enum class Kind { flag, whole, real, text, sizes, numbers, initializer };

  Kind kind_;
  bool flag_ = false;
  Index whole_ = 0;
  double real_ = 0;
  std::string text_;
  std::vector<Index> sizes_;
  std::vector<double> numbers_;
  Initializer initializer_;
};

}  // namespace strata
