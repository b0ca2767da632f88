#pragma once

#if defined(__SSE2_MATH__)
#include <xmmintrin.h>
#endif
#include <cstdint>

#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET {

/// A guard: while it lives, the processor treats denormal numbers as zeros in this thread, both the
/// numbers it reads and the numbers it computes. Its end brings back the mode of before. It is for
/// code around a model that gets slow on silence, such as filters and reverbs; strata's own layers
/// keep clear of denormal numbers without it.
///
///   const FlushDenormals guard;
///   for (float& sample : block) sample = reverb(stream(sample));
///
/// It works on x86 with SSE2 and on AArch64; elsewhere it does nothing, and `available` is false.
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
  // Restores the mode alone: the register also holds floating-point exceptions raised meanwhile.
  ~FlushDenormals() { set_control((control() & ~mode) | before_); }

 private:
#if defined(__SSE2_MATH__)
  /// The bits "flush to zero" and "denormals are zeros" of the register MXCSR.
  static constexpr std::uint64_t mode = 0x8040;

  [[nodiscard]] static std::uint64_t control() noexcept { return _mm_getcsr(); }
  static void set_control(std::uint64_t value) noexcept {
    _mm_setcsr(static_cast<unsigned>(value));
  }
#elif defined(__aarch64__)
  /// The bits FZ and FZ16, flush to zero, of the register FPCR.
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
