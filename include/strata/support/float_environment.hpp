#pragma once

#include <cfenv>

#if defined(_WIN32) && (defined(__x86_64__) || defined(_M_X64))
#include <xmmintrin.h>
#define STRATA_WINDOWS_MXCSR 1
#else
#define STRATA_WINDOWS_MXCSR 0
#endif

namespace strata::detail {

/// How a thread rounds and treats denormal numbers, so that another thread computes the same bits.
class FloatEnvironment {
 public:
  /// That of the calling thread.
  FloatEnvironment() {
    std::fegetenv(&all_);
#if STRATA_WINDOWS_MXCSR
    // MinGW's fesetenv does not set the register of SSE and AVX as fegetenv found it.
    control_ = _mm_getcsr();
#endif
  }

  /// Makes it that of the calling thread.
  void use() const {
    std::fesetenv(&all_);
#if STRATA_WINDOWS_MXCSR
    _mm_setcsr(control_);
#endif
  }

 private:
  std::fenv_t all_;
#if STRATA_WINDOWS_MXCSR
  unsigned control_ = 0;
#endif
};

}  // namespace strata::detail
