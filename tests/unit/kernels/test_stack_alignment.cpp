// Registers on the stack lie where instructions that need alignment find them, wherever the stack
// of the caller begins. On 64-bit Windows it is aligned to 16 bytes alone, and GCC without the
// patch of Debian's takes 32 bytes for granted there (bug 54412).

#include <cstddef>
#include <cstdint>

#include <strata/kernels/pack.hpp>
#include <strata/language/compiler.hpp>

#include "support/catch.hpp"

using strata::detail::Pack;

namespace {

template <class P>
STRATA_NEVER_INLINE bool is_aligned(const P* pack) {
  return reinterpret_cast<std::uintptr_t>(pack) % alignof(P) == 0;
}

template <class P>
STRATA_NEVER_INLINE typename P::value_type sum_on_the_stack(const typename P::value_type* from) {
  P packs[2] = {P::load(from), P::broadcast(1)};
  REQUIRE(is_aligned(packs));
  // What a called function may change is written to the stack and read again.
  packs[1] = packs[0] + packs[1];
  REQUIRE(is_aligned(packs + 1));
  return sum(packs[1]);
}

/// The same below `bytes` more bytes of stack.
template <class P>
STRATA_NEVER_INLINE typename P::value_type sum_deeper(std::size_t bytes,
                                                      const typename P::value_type* from) {
  volatile char* const room = STRATA_STACK_ARRAY(char, bytes);
  room[bytes - 1] = 1;
  return sum_on_the_stack<P>(from);
}

}  // namespace

TEMPLATE_TEST_CASE("Registers on the stack are aligned", "[kernels]", float, double) {
  using P = Pack<TestType>;
  TestType numbers[P::width];
  TestType expected = P::width;
  for (int i = 0; i < P::width; ++i) expected += numbers[i] = static_cast<TestType>(i);
  for (std::size_t bytes = 16; bytes <= 256; bytes += 16) {
    INFO(bytes);
    CHECK(sum_deeper<P>(bytes, numbers) == expected);
  }
}
