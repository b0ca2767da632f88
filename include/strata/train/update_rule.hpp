#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include <strata/base/settings.hpp>
#include <strata/contracts/held.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>
#include <strata/train/clip.hpp>

namespace strata::inline STRATA_RUNTIME {

/// The numbers that a rule updates in one call: the weights of one parameter or of a range of it,
/// their gradients, and the numbers that the rule remembers of each weight. All pointers are to
/// `count` numbers.
template <class Scalar>
struct UpdateView {
  Index count;
  Scalar* weights;
  const Scalar* gradient;
  std::span<Scalar* const> slots;
};

/// A rule that computes new weights from gradients, such as Adam. A rule is an aggregate of
/// settings, two of which must be `learning_rate` and `clip`, and has
///
/// - `static constexpr const char* name`;
/// - `std::size_t slots() const`: how many numbers it remembers for each weight;
/// - `update(view, iteration) const`: one update of the weights in a view, which is one parameter.
///   Iterations count from 1, and all remembered numbers are zero before the first.
///
/// A rule may have more:
///
/// - `static constexpr bool elementwise = true`: it treats each weight by itself. Then a view may
///   be a part of a parameter, and several threads may call update at the same time.
/// - `void check() const`: throws ValueError on settings that make no sense. An Optimizer calls it
///   when it is made and for each new learning rate.
/// - `noexcept` at update: then the copies for taking an update back are made range by range, which
///   is faster.
template <class O, class Scalar>
concept UpdateRule = std::copyable<O> && requires(const O& rule, const UpdateView<Scalar>& view) {
  { rule.learning_rate } -> std::convertible_to<double>;
  { rule.clip } -> std::convertible_to<Clip>;
  { rule.slots() } -> std::convertible_to<std::size_t>;
  { O::name } -> std::convertible_to<std::string>;
  rule.update(view, std::int64_t{1});
};

}  // namespace strata::inline STRATA_RUNTIME

namespace strata::detail::inline STRATA_RUNTIME {

/// An update rule whose type is chosen at run time. It never changes after its construction.
template <class Scalar>
struct AnyUpdateRule {
  AnyUpdateRule() = default;
  AnyUpdateRule(const AnyUpdateRule&) = delete;
  AnyUpdateRule& operator=(const AnyUpdateRule&) = delete;
  virtual ~AnyUpdateRule() = default;

  /// Throws ValueError where the rule refuses its settings with this learning rate.
  virtual void check(double learning_rate) const = 0;
  virtual void update(double learning_rate, const UpdateView<Scalar>& view,
                      std::int64_t iteration) const = 0;

  std::string name;
  double learning_rate = 0;
  Clip clip{};
  std::size_t slots = 0;
  bool elementwise = false;
  /// Whether update never throws.
  bool is_noexcept = false;
};

template <class O, class Scalar>
struct UpdateRuleOf final : AnyUpdateRule<Scalar> {
  explicit UpdateRuleOf(O value) : rule(std::move(value)) {
    this->name = O::name;
    this->learning_rate = rule.learning_rate;
    this->clip = rule.clip;
    this->slots = rule.slots();
    if constexpr (requires { O::elementwise; }) this->elementwise = O::elementwise;
    this->is_noexcept =
        noexcept(rule.update(std::declval<const UpdateView<Scalar>&>(), std::int64_t{1}));
  }

  void check(double rate) const override { check_settings(with(rate)); }
  void update(double rate, const UpdateView<Scalar>& view, std::int64_t iteration) const override {
    with(rate).update(view, iteration);
  }

  [[nodiscard]] O with(double rate) const {
    O now = rule;
    now.learning_rate = rate;
    return now;
  }

  O rule;
};

/// A rule that strata::compiled holds, for the processor in use. `settings` points to the rule.
template <class Scalar>
[[nodiscard]] std::shared_ptr<const AnyUpdateRule<Scalar>> held_rule(int number,
                                                                     const void* settings);

/// The rule without its type.
template <class Scalar, class O>
[[nodiscard]] std::shared_ptr<const AnyUpdateRule<Scalar>> rule_of(const O& rule) {
  if constexpr (is_held<O>) {
    return held_rule<Scalar>(Held<O>::number, &rule);
  } else {
    return std::make_shared<UpdateRuleOf<O, Scalar>>(rule);
  }
}

}  // namespace strata::detail::inline STRATA_RUNTIME
