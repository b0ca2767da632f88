#pragma once

#include <algorithm>
#include <memory>
#include <new>

#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET::detail {

/// Working memory that starts at a cache line and is kept when a later use needs no more.
template <class Scalar>
class Buffer {
 public:
  static constexpr std::size_t alignment = 64;

  Buffer() = default;
  explicit Buffer(Index size) { resize(size); }

  /// Makes room. The values are unspecified.
  void resize(Index size) {
    if (size > capacity_) {
      memory_.reset(static_cast<Scalar*>(::operator new(
          static_cast<std::size_t>(size) * sizeof(Scalar), std::align_val_t(alignment))));
      capacity_ = size;
    }
    size_ = size;
  }

  void fill(Scalar value) { std::fill(data(), data() + size_, value); }

  [[nodiscard]] Scalar* data() noexcept { return memory_.get(); }
  [[nodiscard]] const Scalar* data() const noexcept { return memory_.get(); }
  [[nodiscard]] Index size() const noexcept { return size_; }

 private:
  struct Free {
    void operator()(Scalar* memory) const noexcept {
      ::operator delete(memory, std::align_val_t(alignment));
    }
  };

  std::unique_ptr<Scalar, Free> memory_;
  Index capacity_ = 0;
  Index size_ = 0;
};

}  // namespace strata::inline STRATA_TARGET::detail
