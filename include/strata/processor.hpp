#pragma once

#include <strata/target.hpp>

namespace strata {

/// The instruction sets for which strata::compiled has code: what every x86-64 has (SSE2), AVX2
/// with FMA, and AVX-512 (F, BW, DQ and VL). On processors of other kinds there is baseline alone.
enum class Processor { baseline, avx2, avx512 };

[[nodiscard]] constexpr const char* name(Processor processor) noexcept {
  constexpr const char* names[] = {"baseline", "avx2", "avx512"};
  return names[static_cast<int>(processor)];
}

#ifdef STRATA_COMPILED

/// The instruction set whose code computes, in a program that links strata::compiled. The first
/// call of anything that computes chooses it, and it stays for the life of the program: what
/// use_processor says, else what the environment variable STRATA_PROCESSOR says (baseline, avx2 or
/// avx512), else the widest that the processor has. Throws ValueError when the variable has another
/// value or names more than the processor has.
[[nodiscard]] Processor processor();

/// Chooses the instruction set, before anything has computed. Throws StateError afterwards, unless
/// it is the one in use, and ValueError when the processor does not have it.
void use_processor(Processor processor);

}  // namespace strata

#else

}  // namespace strata

namespace strata::inline STRATA_TARGET {

/// The instruction set for which the program is compiled: the widest of those named above that it
/// may use.
[[nodiscard]] constexpr Processor processor() noexcept {
#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
  return Processor::avx512;
#elif defined(__AVX2__) && defined(__FMA__)
  return Processor::avx2;
#else
  return Processor::baseline;
#endif
}

}  // namespace strata::inline STRATA_TARGET

#endif
