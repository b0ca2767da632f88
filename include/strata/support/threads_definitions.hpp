#pragma once

#include <cstddef>

#include <strata/support/thread_pool.hpp>
#include <strata/support/threads.hpp>
#include <strata/target.hpp>

namespace strata::detail {

STRATA_INLINE Threads make_threads(int count) {
  static constexpr PoolFunctions functions{
      .make = [](int threads) { return new ThreadPool(threads); },
      .run = [](ThreadPool& pool, std::size_t tasks, Task task) { pool.run(tasks, task); },
      .end = [](ThreadPool* pool) { delete pool; },
  };
  return count == 1 ? Threads() : Threads(count, functions);
}

}  // namespace strata::detail
