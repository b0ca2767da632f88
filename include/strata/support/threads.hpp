#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>

#include <strata/support/task.hpp>

namespace strata::detail {

class ThreadPool;

/// The functions of a pool that Threads calls. They are pointers that make_threads sets, so that a
/// program which never asks for threads contains no pool.
struct PoolFunctions {
  ThreadPool* (*make)(int threads);
  void (*run)(ThreadPool&, std::size_t tasks, Task);
  void (*end)(ThreadPool*);
};

/// The threads that a model's work may use; by default the caller's alone. A copy has as many
/// threads, of its own.
class Threads {
 public:
  Threads() = default;
  Threads(int count, const PoolFunctions& functions)
      : count_(count), functions_(&functions), pool_(functions.make(count)) {}
  Threads(const Threads& other) {
    if (other.pool_) *this = Threads(other.count_, *other.functions_);
  }
  Threads(Threads&& other) noexcept { swap(other); }
  Threads& operator=(Threads other) noexcept {
    swap(other);
    return *this;
  }
  ~Threads() {
    if (pool_) functions_->end(pool_);
  }

  [[nodiscard]] int count() const noexcept { return count_; }

  /// Calls f(i) for all i below `tasks`, in any order and some at the same time, and returns when
  /// all calls are done. Where several calls throw, run throws the exception of the smallest i.
  /// Several threads may call run at the same time, and so may a task.
  template <class F>
  void run(std::size_t tasks, F f) const {
    if (pool_ && tasks > 1) return functions_->run(*pool_, tasks, Task(f));
    for (std::size_t i = 0; i < tasks; ++i) f(i);
  }

  /// Cuts `size` numbers into ranges and calls f(first, count) for each, as run does. All ranges
  /// but the last have range_size numbers, enough to be worth a thread. They do not depend on the
  /// number of threads, so that results do not either.
  template <class F>
  void run_ranges(std::size_t size, F f) const {
    run(ranges(size),
        [&](std::size_t i) { f(i * range_size, (std::min)(range_size, size - i * range_size)); });
  }
  static constexpr std::size_t range_size = std::size_t{1} << 15;
  [[nodiscard]] static constexpr std::size_t ranges(std::size_t size) noexcept {
    return (size + range_size - 1) / range_size;
  }

 private:
  void swap(Threads& other) noexcept {
    std::swap(count_, other.count_);
    std::swap(functions_, other.functions_);
    std::swap(pool_, other.pool_);
  }

  int count_ = 1;
  const PoolFunctions* functions_ = nullptr;
  ThreadPool* pool_ = nullptr;
};

/// `count` threads, at least 1, of which the caller's is one.
[[nodiscard]] Threads make_threads(int count);

}  // namespace strata::detail

#ifndef STRATA_COMPILED
#include <strata/support/threads_definitions.hpp>
#endif
