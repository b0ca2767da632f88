#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include <Eigen/Core>

#include "support/allocations.hpp"
#include "support/catch.hpp"

// The counter of support/allocations.hpp, and the proof that it counts.

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STRATA_TEST_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define STRATA_TEST_SANITIZED
#endif
#endif

namespace {

// A plain number: a thread_local with a constructor could itself allocate. Volatile: a compiler
// assumes that malloc changes no variable of the program, and would keep the old count.
thread_local volatile std::size_t allocation_count = 0;

void counted() noexcept { allocation_count = allocation_count + 1; }

}  // namespace

#if defined(STRATA_TEST_SANITIZED)

// Sanitizers bring their own malloc and new, and tell of every call of them. The function is that
// of <sanitizer/allocator_interface.h>, which GCC 12 does not install.
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*malloc_hook)(const volatile void*,
                                                                             std::size_t),
                                                         void (*free_hook)(const volatile void*));

namespace {

[[maybe_unused]] const int installed = __sanitizer_install_malloc_and_free_hooks(
    [](const volatile void*, std::size_t) { counted(); }, [](const volatile void*) {});

}  // namespace

bool strata::test::counts_malloc() noexcept { return true; }

#elif defined(__GLIBC__)

// operator new and everything else comes down to these.
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t size) {
  counted();
  return __libc_malloc(size);
}
void* calloc(std::size_t number, std::size_t size) {
  counted();
  return __libc_calloc(number, size);
}
void* realloc(void* memory, std::size_t size) {
  counted();
  return __libc_realloc(memory, size);
}
void* memalign(std::size_t alignment, std::size_t size) {
  counted();
  return __libc_memalign(alignment, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  counted();
  return __libc_memalign(alignment, size);
}
int posix_memalign(void** memory, std::size_t alignment, std::size_t size) {
  counted();
  *memory = __libc_memalign(alignment, size);
  return *memory ? 0 : 12;
}
}

bool strata::test::counts_malloc() noexcept { return true; }

#else

namespace {

void* counted(std::size_t size) noexcept {
  counted();
  return std::malloc(size > 0 ? size : 1);
}
void* counted(std::size_t size, std::align_val_t alignment) noexcept {
  counted();
  const auto step = static_cast<std::size_t>(alignment);
  return std::aligned_alloc(step, (size + step - 1) / step * step);
}
void* or_throw(void* memory) {
  if (!memory) throw std::bad_alloc();
  return memory;
}

}  // namespace

// All forms: a sanitizer brings its own of each that is missing here, and refuses the mixture.
using Size = std::size_t;
using Alignment = std::align_val_t;
using Quiet = std::nothrow_t;
void* operator new(Size size) { return or_throw(counted(size)); }
void* operator new[](Size size) { return or_throw(counted(size)); }
void* operator new(Size size, Alignment alignment) { return or_throw(counted(size, alignment)); }
void* operator new[](Size size, Alignment alignment) { return or_throw(counted(size, alignment)); }
void* operator new(Size size, const Quiet&) noexcept { return counted(size); }
void* operator new[](Size size, const Quiet&) noexcept { return counted(size); }
void* operator new(Size size, Alignment alignment, const Quiet&) noexcept {
  return counted(size, alignment);
}
void* operator new[](Size size, Alignment alignment, const Quiet&) noexcept {
  return counted(size, alignment);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, Size) noexcept { std::free(memory); }
void operator delete[](void* memory, Size) noexcept { std::free(memory); }
void operator delete(void* memory, Alignment) noexcept { std::free(memory); }
void operator delete[](void* memory, Alignment) noexcept { std::free(memory); }
void operator delete(void* memory, Size, Alignment) noexcept { std::free(memory); }
void operator delete[](void* memory, Size, Alignment) noexcept { std::free(memory); }
void operator delete(void* memory, const Quiet&) noexcept { std::free(memory); }
void operator delete[](void* memory, const Quiet&) noexcept { std::free(memory); }
void operator delete(void* memory, Alignment, const Quiet&) noexcept { std::free(memory); }
void operator delete[](void* memory, Alignment, const Quiet&) noexcept { std::free(memory); }

bool strata::test::counts_malloc() noexcept { return false; }

#endif

std::size_t strata::test::allocations() noexcept { return allocation_count; }

using strata::test::allocations_of;

namespace {

/// Keeps the compiler from leaving out an allocation whose memory is not used.
void used(const void* memory) {
  static const void* volatile seen;
  seen = memory;
  (void)seen;
}

}  // namespace

TEST_CASE("Allocation counter: counts every way to ask for memory") {
  struct alignas(64) Wide {
    float values[16];
  };
  REQUIRE(allocations_of([] {}) == 0);
  REQUIRE(allocations_of([] { used(std::make_unique<int>(1).get()); }) == 1);
  REQUIRE(allocations_of([] { used(std::make_unique<int[]>(100).get()); }) == 1);
  REQUIRE(allocations_of([] { used(std::make_unique<Wide>().get()); }) == 1);
  REQUIRE(allocations_of([] { used(std::make_unique<Wide[]>(3).get()); }) == 1);
  REQUIRE(allocations_of([] {
            void* const memory = ::operator new(10, std::nothrow);
            used(memory);
            ::operator delete(memory);
          }) == 1);
  REQUIRE(allocations_of([] {
            constexpr std::align_val_t line{64};
            void* const memory = ::operator new(100, line, std::nothrow);
            used(memory);
            ::operator delete(memory, line);
          }) == 1);
  REQUIRE(allocations_of([] { used(std::vector<double>(50).data()); }) == 1);
  REQUIRE(allocations_of([] { used(std::string(100, 'x').data()); }) == 1);
  if (!strata::test::counts_malloc()) return;
  REQUIRE(allocations_of([] {
            void* const memory = std::malloc(10);
            used(memory);
            std::free(memory);
          }) == 1);
  REQUIRE(allocations_of([] {
            void* memory = std::calloc(10, 10);
            used(memory);
            memory = std::realloc(memory, 1000);
            used(memory);
            std::free(memory);
          }) == 2);
#if !defined(STRATA_TEST_SANITIZED)  // the thread sanitizer does not tell of this one
  REQUIRE(allocations_of([] {
            void* const memory = std::aligned_alloc(64, 128);
            used(memory);
            std::free(memory);
          }) == 1);
#endif
  REQUIRE(allocations_of([] { used(Eigen::MatrixXf(20, 20).data()); }) == 1);
  REQUIRE(allocations_of([] { Eigen::Matrix4f().setZero(); }) == 0);
}
