#pragma once

#include <mutex>
#include <utility>

#if defined(_LIBCPP_HAS_NO_THREADS) ||                           \
    (defined(__GLIBCXX__) && !defined(_GLIBCXX_HAS_GTHREADS)) || \
    (defined(__EMSCRIPTEN__) && !defined(__EMSCRIPTEN_PTHREADS__))
#define STRATA_HAS_THREADS 0
#else
#define STRATA_HAS_THREADS 1
#include <condition_variable>
#include <thread>
#endif

// Threads and what they wait with. On a processor without an operating system, and in WebAssembly
// without -pthread, there is one thread, which never has to wait.

namespace strata::detail {

#if STRATA_HAS_THREADS

inline constexpr bool has_threads = true;
using Mutex = std::mutex;
using ConditionVariable = std::condition_variable;
using Thread = std::thread;

#else

inline constexpr bool has_threads = false;

struct Mutex {
  void lock() noexcept {}
  void unlock() noexcept {}
};

struct ConditionVariable {
  template <class Lock, class IsTrue>
  void wait(Lock&, IsTrue) noexcept {}
  void notify_one() noexcept {}
  void notify_all() noexcept {}
};

/// No program makes one with a function, since has_threads is false.
class Thread {
 public:
  Thread() = default;
  template <class F>
  explicit Thread(F) noexcept {}
  [[nodiscard]] bool joinable() const noexcept { return false; }
  void join() noexcept {}
};

#endif

}  // namespace strata::detail
