#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include <strata/base/settings.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>
#include <strata/train/clip.hpp>

namespace strata::inline STRATA_TARGET {

/// The numbers that a rule updates together: all weights of one parameter or a range of them, their
/// gradients, and the numbers that the rule remembers of each weight. All pointers are to `count`
/// numbers.
template <class Scalar>
struct UpdateView {
  Index count;
  Scalar* weights;
  const Scalar* gradient;
  std::span<Scalar* const> slots;
};

/// A rule that makes new weights of gradients, as Adam is. A rule is an aggregate of settings, of
/// which `learning_rate` and `clip` must be there, and has
///
/// - `static constexpr const char* name`;
/// - `std::size_t slots() const`: how many numbers it remembers for each weight;
/// - `update(view, iteration) const`: one update. Iterations count from 1, and all slots are zero
///   before the first.
///
/// A view is one parameter. A rule may have more:
///
/// - `static constexpr bool elementwise = true`: it treats each weight by itself. Then a view may
/// be
///   a part of a parameter, and several threads may call update at the same time.
/// - `void check() const`: throws ValueError on settings that make no sense. An Optimizer calls it
///   when it is made and for each new learning rate.
/// - `noexcept` at update: the copies for taking an update back are then made range by range, which
///   is faster.
template <class O, class Scalar>
concept UpdateRule = std::copyable<O> && requires(const O& rule, const UpdateView<Scalar>& view) {
  { rule.learning_rate } -> std::convertible_to<double>;
  { rule.clip } -> std::convertible_to<Clip>;
  { rule.slots() } -> std::convertible_to<std::size_t>;
  { O::name } -> std::convertible_to<std::string>;
  rule.update(view, std::int64_t{1});
};

namespace detail {

/// An update rule of any type, which does not change.
template <class Scalar>
struct AnyUpdateRule {
  AnyUpdateRule() = default;
  AnyUpdateRule(const AnyUpdateRule&) = delete;
  AnyUpdateRule& operator=(const AnyUpdateRule&) = delete;
  virtual ~AnyUpdateRule() = default;

  /// Throws ValueError on settings, with this learning rate, that the rule refuses.
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

}  // namespace detail
}  // namespace strata::inline STRATA_TARGET
