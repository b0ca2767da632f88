#include <atomic>
#include <cstdlib>
#include <mutex>
#include <string>

#include <strata/base/message.hpp>
#include <strata/error.hpp>
#include <strata/train/arithmetic.hpp>
#include <strata/train/transducer_loss.hpp>

#include "processor_code.hpp"

#ifdef STRATA_PROCESSORS
#include <cpuid.h>
#endif

extern "C" {
strata::detail::Code strata_code_baseline();
#ifdef STRATA_PROCESSORS
strata::detail::Code strata_code_avx2();
strata::detail::Code strata_code_avx512();
#endif
}

namespace strata {
namespace detail {
namespace {

#ifdef STRATA_PROCESSORS
/// Conversions of 16-bit floats. Clang 14 does not know their name.
[[nodiscard]] bool has_f16c() noexcept {
  unsigned a, b, c, d;
  return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0;
}
#endif

[[nodiscard]] Processor widest() noexcept {
#ifdef STRATA_PROCESSORS
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  if (avx2 && avx512) return Processor::avx512;
  if (avx2) return Processor::avx2;
#endif
  return Processor::baseline;
}

void require(const char* who, Processor wanted) {
  if (wanted <= widest()) return;
  fail<ValueError>(
      {who, ": this processor does not have ", name(wanted), ", but ", name(widest())});
}

/// What STRATA_PROCESSOR says, or the widest.
[[nodiscard]] Processor default_processor() {
  const char* const text = std::getenv("STRATA_PROCESSOR");
  if (!text) return widest();
  for (const Processor one : {Processor::baseline, Processor::avx2, Processor::avx512}) {
    if (std::string(text) != name(one)) continue;
    require("STRATA_PROCESSOR", one);
    return one;
  }
  fail<ValueError>({"STRATA_PROCESSOR: expects baseline, avx2 or avx512, found ", text});
}

struct Choice {
  std::mutex mutex;
  Processor processor = Processor::baseline;
  Code code{};
  std::atomic<bool> made = false;

  void make(Processor wanted) {
    processor = wanted;
#ifdef STRATA_PROCESSORS
    code = wanted == Processor::avx512 ? strata_code_avx512()
           : wanted == Processor::avx2 ? strata_code_avx2()
                                       : strata_code_baseline();
#else
    code = strata_code_baseline();
#endif
    made = true;
  }
};

[[nodiscard]] Choice& the_choice() {
  static Choice one;
  return one;
}

[[nodiscard]] const Choice& made_choice() {
  Choice& one = the_choice();
  if (!one.made) {
    const std::lock_guard lock(one.mutex);
    if (!one.made) one.make(default_processor());
  }
  return one;
}

}  // namespace

const Code& code() { return made_choice().code; }

template <class Scalar>
const LayerTables<Scalar>& held_tables(int number, std::size_t size) {
  const LayerTables<Scalar>& tables = code_of<Scalar>().layers[static_cast<std::size_t>(number)];
  if (tables.layer->size != size) {
    fail<StateError>(
        {"strata::compiled was compiled from other headers, or with other options, "
         "than this program: a layer has ",
         tables.layer->size, " bytes there and ", size, " here"});
  }
  return tables;
}

inline namespace STRATA_RUNTIME {

template <class Scalar>
std::shared_ptr<const AnyLoss<Scalar>> held_loss(int number, const void* settings) {
  return code_of<Scalar>().losses[static_cast<std::size_t>(number)](settings);
}

template <class Scalar>
std::shared_ptr<const AnyMetric<Scalar>> held_metric(int number, const void* settings) {
  return code_of<Scalar>().metrics[static_cast<std::size_t>(number)](settings);
}

template <class Scalar>
std::shared_ptr<const AnyUpdateRule<Scalar>> held_rule(int number, const void* settings) {
  return code_of<Scalar>().rules[static_cast<std::size_t>(number)](settings);
}

template <class Scalar>
double transducer_loss(const Tensor<Scalar>& logits, std::span<const Index> labels, double samples,
                       Tensor<Scalar>& derivative) {
  return code_of<Scalar>().transducer_loss(logits, labels, samples, derivative);
}

template <class Scalar>
double sum_of_squares(std::span<const Scalar> numbers, std::size_t stride, double divisor) {
  return code_of<Scalar>().sum_of_squares(numbers, stride, divisor);
}

template <class Scalar>
double add_penalty(const L1L2& penalty, std::span<const Scalar> weights, std::span<Scalar> gradient,
                   double sum) {
  return code_of<Scalar>().add_penalty(penalty, weights, gradient, sum);
}

template <class Scalar>
void add_noise(std::span<Scalar> weights, double deviation, Random& random) {
  code_of<Scalar>().add_noise(weights, deviation, random);
}

template <class Scalar>
void add_to(std::span<Scalar> sums, std::span<const Scalar> numbers) noexcept {
  code_of<Scalar>().add_to(sums, numbers);
}

}  // namespace STRATA_RUNTIME

#define STRATA_INSTANTIATE(S)                                                                    \
  template const LayerTables<S>& held_tables(int, std::size_t);                                  \
  template std::shared_ptr<const AnyLoss<S>> held_loss(int, const void*);                        \
  template std::shared_ptr<const AnyMetric<S>> held_metric(int, const void*);                    \
  template std::shared_ptr<const AnyUpdateRule<S>> held_rule(int, const void*);                  \
  template double transducer_loss(const Tensor<S>&, std::span<const Index>, double, Tensor<S>&); \
  template double sum_of_squares(std::span<const S>, std::size_t, double);                       \
  template double add_penalty(const L1L2&, std::span<const S>, std::span<S>, double);            \
  template void add_noise(std::span<S>, double, Random&);                                        \
  template void add_to(std::span<S>, std::span<const S>) noexcept;

STRATA_INSTANTIATE(float)
STRATA_INSTANTIATE(double)

}  // namespace detail

Processor processor() { return detail::made_choice().processor; }

void use_processor(Processor wanted) {
  detail::require("use_processor", wanted);
  detail::Choice& one = detail::the_choice();
  const std::lock_guard lock(one.mutex);
  if (!one.made) return one.make(wanted);
  if (one.processor != wanted) {
    detail::fail<StateError>({"use_processor: the code for ", name(one.processor),
                              " is in use already; choose before the first model is made"});
  }
}

}  // namespace strata
