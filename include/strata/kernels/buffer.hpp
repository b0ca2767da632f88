#pragma once

#include <algorithm>
#include <memory>
#include <new>

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

  /// Makes room for `size` numbers, whose values are unspecified. Throws MemoryError when there is
  /// no memory; the buffer is empty then.
  void resize(Index size) {
    if (size > capacity_) {
      memory_.reset();
      capacity_ = size_ = 0;
      const auto bytes = static_cast<std::size_t>(size) * sizeof(Scalar);
      const std::size_t aligned = bytes < huge_page ? alignment : huge_page;
      memory_ = sizes::allocate(size, sizeof(Scalar), [&] {
        return std::unique_ptr<Scalar, Free>(
            static_cast<Scalar*>(::operator new(bytes, std::align_val_t(aligned))), Free{aligned});
      });
      capacity_ = size;
#ifdef __linux__
      // With small pages, looking up their places costs large products several per cent of the
      // time. The system may refuse large pages; only speed depends on them.
      if (bytes >= huge_page) madvise(memory_.get(), bytes / huge_page * huge_page, MADV_HUGEPAGE);
#endif
    }
    size_ = size;
  }

  void fill(Scalar value) { std::fill(data(), data() + size_, value); }

  [[nodiscard]] Scalar* data() noexcept { return memory_.get(); }
  [[nodiscard]] const Scalar* data() const noexcept { return memory_.get(); }
  [[nodiscard]] Index size() const noexcept { return size_; }

 private:
  static constexpr std::size_t huge_page = std::size_t{1} << 21;

  struct Free {
    std::size_t aligned = alignment;

    void operator()(Scalar* memory) const noexcept {
      ::operator delete(memory, std::align_val_t(aligned));
    }
  };

  std::unique_ptr<Scalar, Free> memory_;
  Index capacity_ = 0;
  Index size_ = 0;
};

}  // namespace strata::detail::inline STRATA_TARGET
