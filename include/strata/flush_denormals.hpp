#pragma once

#if defined(__SSE2_MATH__)
#include <xmmintrin.h>
#endif
#include <cstdint>

#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET {

/// While it lives, the processor takes denormal numbers for zeros in this thread, those it reads as
/// well as those it computes; afterwards it does what it did before. For code around a model that
/// slows down in silence: filters, reverbs. What strata runs keeps clear of denormal numbers by
/// itself.
///
///   const FlushDenormals guard;
///   for (float& sample : block) sample = reverb(stream(sample));
///
/// It is there for x86 with SSE2 and for AArch64; elsewhere it does nothing.
class [[nodiscard]] FlushDenormals {
 public:
#if defined(__SSE2_MATH__) || defined(__aarch64__)
  static constexpr bool available = true;
#else
  static constexpr bool available = false;
#endif

  FlushDenormals() noexcept : before_(control() & mode) { set_control(control() | mode); }
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;
  // Only the mode: the register may also hold exceptions that were seen meanwhile.
  ~FlushDenormals() { set_control((control() & ~mode) | before_); }

 private:
#if defined(__SSE2_MATH__)
  /// Flush to zero and denormals are zeros, of MXCSR.
  static constexpr std::uint64_t mode = 0x8040;

  [[nodiscard]] static std::uint64_t control() noexcept { return _mm_getcsr(); }
  static void set_control(std::uint64_t value) noexcept {
    _mm_setcsr(static_cast<unsigned>(value));
  }
#elif defined(__aarch64__)
  /// FZ and FZ16 of FPCR.
  static constexpr std::uint64_t mode = 0x1080000;

  [[nodiscard]] static std::uint64_t control() noexcept {
    std::uint64_t value = 0;
    asm volatile("mrs %0, fpcr" : "=r"(value));
    return value;
  }
  static void set_control(std::uint64_t value) noexcept {
    asm volatile("msr fpcr, %0" : : "r"(value) : "memory");
  }
#else
  static constexpr std::uint64_t mode = 0;

  [[nodiscard]] static std::uint64_t control() noexcept { return 0; }
  static void set_control(std::uint64_t) noexcept {}
#endif

  std::uint64_t before_;
};

}  // namespace strata::inline STRATA_TARGET
