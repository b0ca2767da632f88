#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/detail/text.hpp>
#include <strata/detail/threads.hpp>
#include <strata/error.hpp>
#include <strata/layers/parameter.hpp>
#include <strata/target.hpp>
#include <strata/train/training_state.hpp>

namespace strata::inline STRATA_TARGET {

/// Limits for gradients; zero means none, and at most one may be set. Keras' clipvalue, clipnorm
/// and global_clipnorm.
struct Clip {
  double value = 0;        ///< for each number
  double norm = 0;         ///< for the Euclidean norm of each parameter's gradient
  double global_norm = 0;  ///< for the norm of all gradients together
};

/// The numbers of one parameter before an update: weights, their gradients, and what the rule
/// remembers of each, all of `count` numbers.
template <class Scalar>
struct UpdateView {
  Index count;
  Scalar* weights;
  const Scalar* gradient;
  std::span<Scalar* const> slots;
};

/// A rule that takes gradients to new weights: the rule's name and settings, among them
/// learning_rate and clip; slots(), how many numbers it remembers for each weight; and update(view,
/// iteration), which counts iterations from 1 and finds the slots at zero first.
///
/// A view is one parameter. A rule that treats each number by itself may say so by `static
/// constexpr bool elementwise = true`; then a view may be part of a parameter, and several threads
/// may call update at the same time.
template <class O, class Scalar>
concept UpdateRule = std::copyable<O> && requires(const O& rule, const UpdateView<Scalar>& view) {
  { rule.learning_rate } -> std::convertible_to<double>;
  { rule.clip } -> std::convertible_to<Clip>;
  { rule.slots() } -> std::convertible_to<std::size_t>;
  { O::name } -> std::convertible_to<std::string>;
  rule.update(view, std::int64_t{1});
};

/// Any update rule, chosen at run time, and what it remembers between updates.
template <class Scalar>
class Optimizer {
 public:
  /// Throws ValueError on a learning rate that is negative or not finite, and on two limits at
  /// once.
  template <class O>
    requires(!std::same_as<O, Optimizer> && UpdateRule<O, Scalar>)
  Optimizer(O rule) : self_(std::make_shared<Model<O>>(std::move(rule))) {
    check_learning_rate(learning_rate());
    const Clip clip = self_->clip();
    if (clip.value < 0 || clip.norm < 0 || clip.global_norm < 0) {
      throw ValueError(self_->name() + ": the limits of clip must not be negative");
    }
    if ((clip.value > 0) + (clip.norm > 0) + (clip.global_norm > 0) > 1) {
      throw ValueError(self_->name() + ": at most one limit of clip can be set");
    }
  }

  [[nodiscard]] double learning_rate() const {
    return adjusted_rate_ ? *adjusted_rate_ : initial_learning_rate();
  }
  /// Gives it another rate. Throws ValueError on one that is negative or not finite.
  void set_learning_rate(double rate) {
    check_learning_rate(rate);
    learning_rate_ = rate;
    adjusted_rate_.reset();
  }
  /// The rate that it was given: that of the rule, or that of set_learning_rate.
  [[nodiscard]] double initial_learning_rate() const {
    return learning_rate_ ? *learning_rate_ : self_->learning_rate();
  }
  /// Changes the rate for the training that runs; the initial rate stays. Throws as
  /// set_learning_rate does.
  void adjust_learning_rate(double rate) {
    check_learning_rate(rate);
    adjusted_rate_ = rate;
  }
  /// Takes the initial rate again.
  void restore_learning_rate() noexcept { adjusted_rate_.reset(); }

  /// Updates so far.
  [[nodiscard]] std::int64_t iterations() const noexcept { return iterations_; }

  /// One update. `gradient` holds the gradients of all parameters in order, and is clipped in
  /// place.
  void update(std::span<const Parameter<Scalar>> parameters, std::span<Scalar> gradient,
              const detail::Threads& threads = {}) {
    clip(parameters, gradient, threads);
    const std::size_t slots = self_->slots();
    if (slots_.size() != slots || (slots > 0 && slots_[0].size() != gradient.size())) {
      // The first update, or the first since the model has grown.
      slots_.assign(slots, std::vector<Scalar>(gradient.size(), Scalar(0)));
      iterations_ = 0;
    }
    ++iterations_;
    std::size_t at = 0;
    for (const auto& parameter : parameters) {
      const std::size_t count = parameter.values.size();
      const auto update_range = [&](std::size_t first, std::size_t size) {
        std::vector<Scalar*> memory(slots);
        for (std::size_t i = 0; i < slots; ++i) memory[i] = slots_[i].data() + at + first;
        self_->update(learning_rate(),
                      {static_cast<Index>(size), parameter.values.data() + first,
                       gradient.data() + at + first, memory},
                      iterations_);
      };
      if (parameter.trainable && self_->elementwise()) {
        threads.run_ranges(count, update_range);
      } else if (parameter.trainable) {
        update_range(0, count);
      }
      at += count;
    }
  }

  /// What it remembers between updates. The rule and its settings are not part of it, but the rule
  /// must be the same.
  void visit_state(StateVisitor visit) {
    visit.require_same("name", self_->name());
    visit("learning_rate", adjusted_rate_);
    visit("iterations", iterations_);
    std::size_t slots = slots_.size();
    visit("slots", slots);
    slots_.resize(std::min(slots, self_->slots()));
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      visit("slot_" + std::to_string(i), slots_[i]);
    }
  }

 private:
  struct Base {
    virtual ~Base() = default;
    [[nodiscard]] virtual std::string name() const = 0;
    [[nodiscard]] virtual double learning_rate() const = 0;
    [[nodiscard]] virtual Clip clip() const = 0;
    [[nodiscard]] virtual std::size_t slots() const = 0;
    [[nodiscard]] virtual bool elementwise() const = 0;
    virtual void update(double learning_rate, const UpdateView<Scalar>& view,
                        std::int64_t iteration) const = 0;
  };

  template <class O>
  struct Model final : Base {
    explicit Model(O value) : rule(std::move(value)) {}

    std::string name() const override { return O::name; }
    double learning_rate() const override { return rule.learning_rate; }
    Clip clip() const override { return rule.clip; }
    std::size_t slots() const override { return rule.slots(); }
    bool elementwise() const override {
      if constexpr (requires { O::elementwise; }) {
        return O::elementwise;
      } else {
        return false;
      }
    }
    void update(double learning_rate, const UpdateView<Scalar>& view,
                std::int64_t iteration) const override {
      O now = rule;
      now.learning_rate = learning_rate;
      now.update(view, iteration);
    }

    O rule;
  };

  static void check_learning_rate(double rate) {
    if (!(rate >= 0 && std::isfinite(rate))) {
      detail::fail<ValueError>({"the learning rate must be at least 0 and finite, found ", rate});
    }
  }

  void clip(std::span<const Parameter<Scalar>> parameters, std::span<Scalar> gradient,
            const detail::Threads& threads) const {
    const Clip limits = self_->clip();
    if (limits.value > 0) {
      const auto limit = static_cast<Scalar>(limits.value);
      for (Scalar& number : gradient) number = std::clamp(number, -limit, limit);
    }
    if (limits.norm > 0) {
      std::span<Scalar> rest = gradient;
      for (const auto& parameter : parameters) {
        limit_norm(rest.first(parameter.values.size()), limits.norm, threads);
        rest = rest.subspan(parameter.values.size());
      }
    }
    if (limits.global_norm > 0) limit_norm(gradient, limits.global_norm, threads);
  }

  static void limit_norm(std::span<Scalar> gradient, double limit, const detail::Threads& threads) {
    std::vector<double> sums(detail::Threads::ranges(gradient.size()));
    threads.run_ranges(gradient.size(), [&](std::size_t first, std::size_t size) {
      double sum = 0;
      for (const Scalar number : gradient.subspan(first, size)) {
        sum += static_cast<double>(number) * static_cast<double>(number);
      }
      sums[first / detail::Threads::range_size] = sum;
    });
    const double norm = std::sqrt(std::accumulate(sums.begin(), sums.end(), 0.0));
    if (norm <= limit) return;
    for (Scalar& number : gradient) number *= static_cast<Scalar>(limit / norm);
  }

  std::shared_ptr<const Base> self_;
  std::optional<double> learning_rate_;
  std::optional<double> adjusted_rate_;
  std::vector<std::vector<Scalar>> slots_;
  std::int64_t iterations_ = 0;
};

}  // namespace strata::inline STRATA_TARGET
