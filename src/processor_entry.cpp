#include "processor_layers.hpp"
#include "processor_train.hpp"

// The one function that the code of an instruction set shows.

#if !defined(STRATA_PROCESSOR_SHOWN)
#define STRATA_SHOWN
#elif defined(_WIN32)
#define STRATA_SHOWN __declspec(dllexport)
#else
#define STRATA_SHOWN __attribute__((visibility("default")))
#endif

namespace strata::detail::inline STRATA_TARGET {

template <class Scalar>
[[nodiscard]] const ProcessorCode<Scalar>& processor_code() {
  static const ProcessorCode<Scalar> all = [] {
    ProcessorCode<Scalar> code{};
    put_gated_layers(code.layers);
    put_other_layers(code.layers);
    put_training(code);
    return code;
  }();
  return all;
}

}  // namespace strata::detail::inline STRATA_TARGET

extern "C" STRATA_SHOWN strata::detail::Code STRATA_PROCESSOR_CODE() {
  return {&strata::detail::processor_code<float>(), &strata::detail::processor_code<double>()};
}
