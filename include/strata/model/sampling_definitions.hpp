#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <vector>

#include <strata/base/finite.hpp>
#include <strata/base/message.hpp>
#include <strata/base/sizes.hpp>
#include <strata/error.hpp>
#include <strata/model/sampling.hpp>
#include <strata/model/stream.hpp>
#include <strata/random.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

STRATA_INLINE std::vector<double> log_probabilities(const char* what,
                                                    const std::vector<double>& scores,
                                                    bool from_logits) {
  if (scores.empty()) fail<ValueError>({what, ": there are no classes"});
  std::vector<double> logs;
  logs.reserve(scores.size());
  for (const double value : scores) {
    // Minus infinity excludes a class, as the probability 0 does.
    const bool is_wrong = is_nan(value) || (is_infinite(value) && !std::signbit(value)) ||
                          (!from_logits && value < 0);
    if (is_wrong) {
      fail<ValueError>({what, ": the ", from_logits ? "logit" : "probability", " of class ",
                        logs.size(), " is ", value});
    }
    logs.push_back(from_logits ? value : std::log(value));
  }
  const double largest = *std::max_element(logs.begin(), logs.end());
  if (is_infinite(largest)) fail<ValueError>({what, ": no class has a probability above 0"});
  double sum = 0;
  for (const double log : logs) {
    if (!is_infinite(log)) sum += std::exp(log - largest);
  }
  const double total = largest + std::log(sum);
  for (double& log : logs) log -= total;
  return logs;
}

STRATA_INLINE Index sample(const std::vector<double>& scores, const SampleOptions& options,
                           Random& random) {
  if (!is_finite(options.temperature) || options.temperature < 0) {
    fail<ValueError>({"sample: temperature must be at least 0, found ", options.temperature});
  }
  if (options.top_k < 0) {
    fail<ValueError>({"sample: top_k must be at least 1, or 0, found ", options.top_k});
  }
  std::vector<double> weights = log_probabilities("sample", scores, options.from_logits);
  const auto likeliest = std::max_element(weights.begin(), weights.end());
  if (options.temperature == 0) return likeliest - weights.begin();

  const auto count = static_cast<Index>(weights.size());
  std::vector<Index> order(weights.size());
  std::iota(order.begin(), order.end(), Index{0});
  if (options.top_k > 0 && options.top_k < count) {
    const auto last = order.begin() + options.top_k;
    std::nth_element(order.begin(), last, order.end(), [&](Index a, Index b) {
      const double first = weights[static_cast<std::size_t>(a)];
      const double second = weights[static_cast<std::size_t>(b)];
      return first > second || (first == second && a < b);
    });
    order.erase(last, order.end());
    std::sort(order.begin(), order.end());
  }
  const double largest = *likeliest;
  double sum = 0;
  for (const Index id : order) {
    double& weight = weights[static_cast<std::size_t>(id)];
    weight = is_infinite(weight) ? 0 : std::exp((weight - largest) / options.temperature);
    sum += weight;
  }
  double rest = random.uniform() * sum;
  Index drawn = order.front();
  for (const Index id : order) {
    const double weight = weights[static_cast<std::size_t>(id)];
    if (weight == 0) continue;
    drawn = id;
    rest -= weight;
    if (rest < 0) break;
  }
  return drawn;
}

STRATA_INLINE void check_prompt(const char* what, std::span<const Index> prompt) {
  if (!prompt.empty()) return;
  fail<ValueError>({what, ": the prompt is empty; one class at least is needed to begin with"});
}

}  // namespace strata::detail::inline STRATA_RUNTIME
