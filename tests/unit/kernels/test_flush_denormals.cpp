#include <cfenv>
#include <condition_variable>
#include <limits>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <type_traits>

#include <strata/strata.hpp>

#include "support/catch.hpp"

namespace {

using strata::FlushDenormals;

static_assert(!std::is_copy_constructible_v<FlushDenormals>);
static_assert(!std::is_copy_assignable_v<FlushDenormals>);
static_assert(!std::is_move_constructible_v<FlushDenormals>);

/// Whether a denormal number comes out as zero.
template <class Scalar>
bool flushes_results() {
  const volatile Scalar smallest = std::numeric_limits<Scalar>::min();
  const volatile Scalar half = smallest / 2;
  return half == 0;
}

/// Whether a denormal number counts as zero.
template <class Scalar>
bool flushes_operands() {
  const volatile Scalar denormal = std::numeric_limits<Scalar>::denorm_min();
  const volatile Scalar product =
      denormal / std::numeric_limits<Scalar>::epsilon() * std::numeric_limits<Scalar>::max();
  return product == 0;
}

template <class Scalar>
bool flushes() {
  const bool results = flushes_results<Scalar>();
  CHECK(flushes_operands<Scalar>() == results);
  return results;
}

}  // namespace

TEMPLATE_TEST_CASE("FlushDenormals: zeros within its scope only", "[denormals]", float, double) {
  CHECK_FALSE(flushes<TestType>());
  {
    const FlushDenormals guard;
    CHECK(flushes<TestType>() == FlushDenormals::available);
    {
      const FlushDenormals inner;
      CHECK(flushes<TestType>() == FlushDenormals::available);
    }
    CHECK(flushes<TestType>() == FlushDenormals::available);
  }
  CHECK_FALSE(flushes<TestType>());
  try {
    const FlushDenormals guard;
    throw std::runtime_error("out of the scope");
  } catch (const std::runtime_error&) {
  }
  CHECK_FALSE(flushes<TestType>());
}

#ifdef FE_DIVBYZERO  // not in WebAssembly
TEST_CASE("FlushDenormals: rounding and exceptions are left alone", "[denormals]") {
  std::feclearexcept(FE_ALL_EXCEPT);
  {
    const FlushDenormals guard;
    std::fesetround(FE_UPWARD);
    const volatile double zero = 0;
    const volatile double infinite = 1 / zero;
    (void)infinite;
  }
  CHECK(std::fegetround() == FE_UPWARD);
  CHECK(std::fetestexcept(FE_DIVBYZERO) != 0);
  std::fesetround(FE_TONEAREST);
  std::feclearexcept(FE_ALL_EXCEPT);
}
#endif

TEST_CASE("FlushDenormals: other threads are left alone", "[denormals][threads]") {
  // Not std::latch, whose wait GCC's library for Windows may never end.
  std::mutex mutex;
  std::condition_variable changed;
  bool guarded = false, looked = false;
  const auto tell = [&](bool& what) {
    const std::lock_guard lock(mutex);
    what = true;
    changed.notify_all();
  };
  const auto wait_for = [&](const bool& what) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return what; });
  };
  bool there = false;
  std::thread other([&] {
    const FlushDenormals guard;
    there = flushes_results<float>();
    tell(guarded);
    wait_for(looked);
  });
  wait_for(guarded);
  const bool here = flushes_results<float>();
  tell(looked);
  other.join();
  CHECK(there == FlushDenormals::available);
  CHECK_FALSE(here);
}
