#pragma once

#include <algorithm>
#include <cstddef>
#include <new>
#include <utility>

#ifdef __linux__
#include <sys/mman.h>
#endif

#include <strata/base/sizes.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// Working memory that starts at a cache line. It keeps its memory for later uses, and allocates
/// again only for a use that needs more.
template <class Scalar>
class Buffer {
 public:
  static constexpr std::size_t alignment = 64;

  Buffer() = default;
  explicit Buffer(Index size) { resize(size); }
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Buffer() { release(); }

  /// Makes room for `size` numbers, whose values are unspecified. Throws MemoryError when there is
  /// no memory; the buffer is empty then.
  void resize(Index size) {
    if (size > capacity_) {
      release();
      const auto bytes = static_cast<std::size_t>(size) * sizeof(Scalar);
      aligned_ = bytes < huge_page ? alignment : huge_page;
      memory_ = sizes::allocate(size, sizeof(Scalar), [&] {
        return static_cast<Scalar*>(::operator new(bytes, std::align_val_t(aligned_)));
      });
      capacity_ = size;
#ifdef __linux__
      // With small pages, looking up their places costs large products several per cent of the
      // time. The system may refuse large pages; only speed depends on them.
      if (bytes >= huge_page) madvise(memory_, bytes / huge_page * huge_page, MADV_HUGEPAGE);
#endif
    }
    size_ = size;
  }

  void fill(Scalar value) { std::fill(data(), data() + size_, value); }

  [[nodiscard]] Scalar* data() noexcept { return memory_; }
  [[nodiscard]] const Scalar* data() const noexcept { return memory_; }
  [[nodiscard]] Index size() const noexcept { return size_; }

 private:
  static constexpr std::size_t huge_page = std::size_t{1} << 21;

  void release() noexcept {
    ::operator delete(memory_, std::align_val_t(aligned_));
    memory_ = nullptr;
    capacity_ = size_ = 0;
  }
  void swap(Buffer& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(aligned_, other.aligned_);
    std::swap(capacity_, other.capacity_);
    std::swap(size_, other.size_);
  }

  Scalar* memory_ = nullptr;
  std::size_t aligned_ = alignment;
  Index capacity_ = 0;
  Index size_ = 0;
};

}  // namespace strata::detail::inline STRATA_TARGET
