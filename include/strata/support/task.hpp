#pragma once

#include <cstddef>
#include <type_traits>

namespace strata::detail {

/// Refers to a function of a task's number, which must outlive the Task.
class Task {
 public:
  template <class F>
    requires(!std::is_same_v<F, Task>)
  explicit Task(F& f)
      : function_(&f),
        call_([](void* function, std::size_t i) { (*static_cast<F*>(function))(i); }) {}

  void operator()(std::size_t i) const { call_(function_, i); }

 private:
  void* function_;
  void (*call_)(void*, std::size_t);
};

}  // namespace strata::detail
