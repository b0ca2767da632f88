#pragma once

#include <type_traits>

namespace strata {

/// What is to go on while a layer computes, as messages to other processes: a layer calls it
/// between its steps. It refers to a function, which must outlive it; by default it does nothing.
class Meanwhile {
 public:
  Meanwhile() = default;
  template <class F>
    requires(!std::is_same_v<F, Meanwhile>)
  explicit Meanwhile(const F& f)
      : function_(&f), call_([](const void* function) { (*static_cast<const F*>(function))(); }) {}

  void operator()() const {
    if (call_) call_(function_);
  }

 private:
  const void* function_ = nullptr;
  void (*call_)(const void*) = nullptr;
};

}  // namespace strata
