#include <algorithm>
#include <vector>

#ifdef __linux__
#include <sys/mman.h>
#include <unistd.h>
#endif

#include <strata/kernels/simd.hpp>
#include <strata/kernels/wide_pack.hpp>

#include "support/catch.hpp"

// Loads and stores of a part of a register touch no memory behind it.

namespace {

using namespace strata;

/// Room for numbers whose end is the end of the memory that the program may touch, on Linux.
class Edge {
 public:
#ifdef __linux__
  Edge() {
    void* const pages = mmap(nullptr, static_cast<std::size_t>(2 * page()), PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(pages != MAP_FAILED);
    memory_ = static_cast<char*>(pages);
    REQUIRE(mprotect(memory_ + page(), static_cast<std::size_t>(page()), PROT_NONE) == 0);
  }
  ~Edge() { munmap(memory_, static_cast<std::size_t>(2 * page())); }

  template <class Scalar>
  [[nodiscard]] Scalar* last(Index count) const {
    return reinterpret_cast<Scalar*>(memory_ + page()) - count;
  }

 private:
  static Index page() { return sysconf(_SC_PAGESIZE); }
  char* memory_;
#else
  template <class Scalar>
  [[nodiscard]] Scalar* last(Index count) const {
    return reinterpret_cast<Scalar*>(memory_ + sizeof memory_) - count;
  }

 private:
  alignas(64) mutable char memory_[4096] = {};
#endif
};

template <class Scalar, int Width>
void check_lanes() {
  using P = detail::Pack<Scalar, Width>;
  const Edge edge;
  for (Index used = 1; used <= Width; ++used) {
    INFO(used << " of " << Width);
    Scalar* const numbers = edge.last<Scalar>(used);
    for (Index i = 0; i < used; ++i) numbers[i] = Scalar(i + 1);
    Scalar lanes[Width];
    detail::load_lanes<P>(numbers, used).store(lanes);
    for (Index i = 0; i < Width; ++i) REQUIRE(lanes[i] == Scalar(i < used ? i + 1 : 0));
    // In the midst of memory, with other numbers behind.
    for (const Index place : {0, 1, 7}) {
      std::vector<Scalar> around(3 * Width + 7, Scalar(9));
      std::copy_n(numbers, used, around.begin() + place);
      detail::load_lanes<P>(around.data() + place, used).store(lanes);
      for (Index i = 0; i < Width; ++i) REQUIRE(lanes[i] == Scalar(i < used ? i + 1 : 0));
    }

    for (Index i = 0; i < Width; ++i) lanes[i] = Scalar(10 + i);
    detail::store_lanes(P::load(lanes), numbers, used);
    for (Index i = 0; i < used; ++i) REQUIRE(numbers[i] == Scalar(10 + i));
    // What lies behind in memory stays as it was.
    std::vector<Scalar> more(2 * Width, Scalar(7));
    detail::store_lanes(P::load(lanes), more.data(), used);
    for (Index i = 0; i < 2 * Width; ++i) {
      REQUIRE(more[static_cast<std::size_t>(i)] == Scalar(i < used ? 10 + i : 7));
    }
  }
}

template <class Scalar>
void check_all_lanes() {
  constexpr int width = detail::Pack<Scalar>::width;
  check_lanes<Scalar, width>();
  if constexpr (detail::has_register<Scalar, width / 2>) check_lanes<Scalar, width / 2>();
  if constexpr (detail::has_register<Scalar, width / 4>) check_lanes<Scalar, width / 4>();
}

}  // namespace

TEST_CASE("load_lanes, store_lanes: every part of every register", "[simd]") {
  check_all_lanes<float>();
  check_all_lanes<double>();
}
