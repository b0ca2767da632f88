#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <strata/target.hpp>
#include <strata/train/training_state.hpp>

// The values of a TrainingState as bytes, for other processes that run the same program on machines
// of the same kind. Files have a format of their own.

namespace strata::detail::inline STRATA_RUNTIME {

class StateWriter {
 public:
  template <class Number>
  void numbers(std::span<const Number> values) {
    const std::uint64_t count = values.size();
    add(&count, sizeof(count));
    add(values.data(), values.size_bytes());
  }
  void values(const std::map<std::string, TrainingState::Value>& values) {
    const auto count = static_cast<std::uint64_t>(values.size());
    add(&count, sizeof(count));
    for (const auto& [name, value] : values) {
      numbers(std::span<const char>(name));
      const auto type = static_cast<std::uint64_t>(value.index());
      add(&type, sizeof(type));
      std::visit([&](const auto& list) { numbers(std::span(list.data(), list.size())); }, value);
    }
  }
  [[nodiscard]] std::vector<std::byte>& bytes() noexcept { return bytes_; }

 private:
  void add(const void* from, std::size_t count) {
    const auto* const begin = static_cast<const std::byte*>(from);
    bytes_.insert(bytes_.end(), begin, begin + count);
  }
  std::vector<std::byte> bytes_;
};

/// Reads what a StateWriter has written.
class StateReader {
 public:
  explicit StateReader(std::span<const std::byte> bytes) : rest_(bytes) {}

  template <class List>
  [[nodiscard]] List numbers() {
    List list;
    list.resize(static_cast<std::size_t>(number()));
    const std::size_t bytes = list.size() * sizeof(list[0]);
    if (bytes > 0) std::memcpy(list.data(), rest_.data(), bytes);
    rest_ = rest_.subspan(bytes);
    return list;
  }
  [[nodiscard]] std::map<std::string, TrainingState::Value> values() {
    std::map<std::string, TrainingState::Value> values;
    for (std::uint64_t left = number(); left > 0; --left) {
      std::string name = numbers<std::string>();
      values.emplace(std::move(name), value(number()));
    }
    return values;
  }

 private:
  [[nodiscard]] std::uint64_t number() {
    std::uint64_t value = 0;
    std::memcpy(&value, rest_.data(), sizeof(value));
    rest_ = rest_.subspan(sizeof(value));
    return value;
  }
  [[nodiscard]] TrainingState::Value value(std::uint64_t type) {
    switch (type) {
      case 0:
        return numbers<std::vector<std::int64_t>>();
      case 1:
        return numbers<std::vector<float>>();
      case 2:
        return numbers<std::vector<double>>();
      default:
        return numbers<std::string>();
    }
  }

  std::span<const std::byte> rest_;
};

}  // namespace strata::detail::inline STRATA_RUNTIME
