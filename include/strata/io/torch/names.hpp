#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <strata/target.hpp>

// The order of modules, as far as the numbers in their names say it.

namespace strata::inline STRATA_RUNTIME::io {

/// The name of a module, split at its dots: "encoder.0.lstm" has the parts encoder, 0 and lstm.
class TorchName {
 public:
  explicit TorchName(const std::string& name) {
    std::size_t begin = 0;
    while (true) {
      const std::size_t dot = name.find('.', begin);
      parts_.push_back(name.substr(begin, dot == std::string::npos ? dot : dot - begin));
      if (dot == std::string::npos) return;
      begin = dot + 1;
    }
  }

  [[nodiscard]] std::size_t size() const noexcept { return parts_.size(); }
  /// Whether a part is a number alone, as nn.Sequential and nn.ModuleList name their modules.
  [[nodiscard]] bool is_number(std::size_t part) const {
    return !parts_[part].empty() && std::all_of(parts_[part].begin(), parts_[part].end(), is_digit);
  }
  /// The last number in a part, without leading zeros, so that 0 is "".
  [[nodiscard]] std::string number(std::size_t part) const { return split(parts_[part]).number; }
  /// The beginning of the name up to a part: before(2) of "encoder.0.lstm" is "encoder.0.".
  [[nodiscard]] std::string before(std::size_t part) const {
    std::string text;
    for (std::size_t i = 0; i < part; ++i) text += parts_[i] + ".";
    return text;
  }

  /// Whether the numbers in the names say that this module runs before the other one. They do if
  /// the first parts that differ are numbers ("net.0.fc", "net.2"), or if the names differ in one
  /// number alone ("lstm", "lstm2").
  [[nodiscard]] bool runs_before(const TorchName& other) const {
    const auto [mine, its] =
        std::mismatch(parts_.begin(), parts_.end(), other.parts_.begin(), other.parts_.end());
    if (mine == parts_.end() || its == other.parts_.end()) return false;
    const Part here = split(*mine);
    const Part there = split(*its);
    const auto part = static_cast<std::size_t>(mine - parts_.begin());
    if (is_number(part) && other.is_number(part)) return is_less(here.number, there.number);
    if (!std::equal(mine + 1, parts_.end(), its + 1, other.parts_.end()) || !there.has_number) {
      return false;
    }
    if (!here.has_number) return *mine == there.head + there.tail;
    return here.head == there.head && here.tail == there.tail && is_less(here.number, there.number);
  }

  /// Whether one number is less than another, both as text without leading zeros and of any length.
  [[nodiscard]] static bool is_less(std::string_view one, std::string_view other) {
    return std::pair(one.size(), one) < std::pair(other.size(), other);
  }

 private:
  /// A part of a name, cut into the text before its last number, the number, and the text after it.
  struct Part {
    std::string head;
    std::string number;
    std::string tail;
    bool has_number = false;
  };

  [[nodiscard]] static bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }

  [[nodiscard]] static Part split(const std::string& part) {
    const auto last = std::find_if(part.rbegin(), part.rend(), is_digit);
    const auto before = std::find_if_not(last, part.rend(), is_digit);
    const std::string digits(before.base(), last.base());
    const std::size_t zeros = (std::min)(digits.find_first_not_of('0'), digits.size());
    return {std::string(part.begin(), before.base()), digits.substr(zeros),
            std::string(last.base(), part.end()), !digits.empty()};
  }

  std::vector<std::string> parts_;
};

}  // namespace strata::inline STRATA_RUNTIME::io
