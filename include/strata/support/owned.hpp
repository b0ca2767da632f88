#pragma once

#include <utility>

namespace strata::detail {

/// Owns at most one T on the heap, which is copied with its owner. T must be complete where emplace
/// is called, and may be incomplete where the owner is copied, moved and destroyed, so that a model
/// can hold a training of which a program that only predicts sees no more than the name.
template <class T>
class Owned {
 public:
  Owned() = default;
  Owned(const Owned& other)
      : value_(other.value_ ? other.clone_(*other.value_) : nullptr),
        clone_(other.clone_),
        destroy_(other.destroy_) {}
  Owned(Owned&& other) noexcept { swap(other); }
  Owned& operator=(Owned other) noexcept {
    swap(other);
    return *this;
  }
  ~Owned() {
    if (value_) destroy_(value_);
  }

  template <class... Arguments>
  T& emplace(Arguments&&... arguments) {
    Owned fresh;
    fresh.value_ = new T(std::forward<Arguments>(arguments)...);
    fresh.clone_ = [](const T& value) { return new T(value); };
    fresh.destroy_ = [](T* value) { delete value; };
    swap(fresh);
    return *value_;
  }

  [[nodiscard]] T* get() noexcept { return value_; }
  [[nodiscard]] const T* get() const noexcept { return value_; }

 private:
  void swap(Owned& other) noexcept {
    std::swap(value_, other.value_);
    std::swap(clone_, other.clone_);
    std::swap(destroy_, other.destroy_);
  }

  T* value_ = nullptr;
  T* (*clone_)(const T&) = nullptr;
  void (*destroy_)(T*) = nullptr;
};

}  // namespace strata::detail
