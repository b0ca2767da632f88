#include <cstdlib>
#include <string>

#include <strata/kernels/simd.hpp>
#include <strata/processor.hpp>

#include "support/catch.hpp"

using namespace strata;

TEST_CASE("A program knows the instruction set that computes") {
#ifdef STRATA_COMPILED
  CHECK_NOTHROW(use_processor(processor()));
  if (const char* const asked = std::getenv("STRATA_PROCESSOR")) {
    CHECK(name(processor()) == std::string(asked));
  }
#else
  CHECK((detail::register_width<float> == 16) == (processor() == Processor::avx512));
  if (processor() == Processor::avx2) CHECK(detail::register_width<float> == 8);
  if (detail::register_width<float> <= 4) CHECK(processor() == Processor::baseline);
#endif
}
