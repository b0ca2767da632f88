#pragma once

#include <algorithm>
#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/base/finite.hpp>
#include <strata/base/message.hpp>
#include <strata/contracts/parameter.hpp>
#include <strata/error.hpp>
#include <strata/support/threads.hpp>
#include <strata/target.hpp>
#include <strata/train/clip.hpp>
#include <strata/train/kept_weights.hpp>
#include <strata/train/not_finite.hpp>
#include <strata/train/training_state.hpp>
#include <strata/train/update_rule.hpp>

namespace strata::inline STRATA_RUNTIME {

/// An update rule of any type, with the learning rate in use and the numbers that the rule
/// remembers between updates.
///
///   Optimizer<float> optimizer = Adam{.learning_rate = 1e-3};
template <class Scalar>
class Optimizer {
 public:
  /// Throws ValueError on settings that make no sense: a learning rate or limit that is negative or
  /// not finite, two limits at once, and settings that the rule refuses.
  template <class O>
    requires(!std::same_as<O, Optimizer> && UpdateRule<O, Scalar>)
  Optimizer(O rule) : rule_(std::make_shared<detail::UpdateRuleOf<O, Scalar>>(std::move(rule))) {
    detail::check_clip(rule_->name, rule_->clip);
    check_learning_rate(learning_rate());
  }

  [[nodiscard]] double learning_rate() const {
    return adjusted_rate_ ? *adjusted_rate_ : initial_learning_rate();
  }
  /// Sets the learning rate. Throws ValueError on a rate that is negative or not finite.
  void set_learning_rate(double rate) {
    check_learning_rate(rate);
    learning_rate_ = rate;
    adjusted_rate_.reset();
  }
  /// The rate that the user has given: with the rule, or with set_learning_rate.
  [[nodiscard]] double initial_learning_rate() const {
    return learning_rate_ ? *learning_rate_ : rule_->learning_rate;
  }
  /// Changes the rate for the current training; the initial rate stays. Throws as set_learning_rate
  /// does.
  void adjust_learning_rate(double rate) {
    check_learning_rate(rate);
    adjusted_rate_ = rate;
  }
  /// Goes back to the initial rate.
  void restore_learning_rate() noexcept { adjusted_rate_.reset(); }

  /// The number of updates so far.
  [[nodiscard]] std::int64_t iterations() const noexcept { return iterations_; }

  /// One update. `gradient` holds the gradients of all parameters in order, and is clipped in
  /// place. Throws ValueError when a gradient is not finite, or when a weight or a remembered
  /// number is not finite after the update; then weights and remembered numbers are as before.
  void update(std::span<const Parameter<Scalar>> parameters, std::span<Scalar> gradient,
              const detail::Threads& threads = {}) {
    if (!detail::all_finite(std::span<const Scalar>(gradient), threads)) {
      detail::fail_not_finite("a gradient is not finite", advice());
    }
    apply(parameters, gradient, threads);
  }

  /// An update with gradients that the caller has found to be finite.
  void apply(std::span<const Parameter<Scalar>> parameters, std::span<Scalar> gradient,
             const detail::Threads& threads) {
    detail::clip_gradient(rule_->clip, parameters, gradient, threads);
    make_room(gradient.size());
    // If the rule may throw, all numbers are copied before it begins. Otherwise each range is
    // copied just before its update, while it is in the cache, which is faster.
    const bool keeps_first = !rule_->is_noexcept;
    if (keeps_first) {
      before_.keep_all(parameters);
      slots_before_ = slots_;
    }
    can_undo_ = true;
    ++iterations_;
    try {
      if (update_all(parameters, gradient, threads, !keeps_first)) return;
    } catch (...) {
      undo(parameters);
      throw;
    }
    undo(parameters);
    detail::fail_not_finite("a weight is not finite after the update", advice());
  }

  /// Takes the last update back: weights, also those that are not trainable, remembered numbers and
  /// iterations() are as before the update. Does nothing where there is no update to take back:
  /// before the first update, after an update that threw, and after undo itself.
  void undo(std::span<const Parameter<Scalar>> parameters) noexcept {
    if (!can_undo_) return;
    before_.put_back(parameters);
    slots_.swap(slots_before_);
    --iterations_;
    can_undo_ = false;
  }

  /// Makes undo do nothing until the next update.
  void forget() noexcept { can_undo_ = false; }

  /// A sentence that names what a user may change where training diverges, with the settings in
  /// use.
  [[nodiscard]] std::string advice() const {
    const std::string clip = detail::clip_text(rule_->clip);
    if (clip.empty()) {
      return "Try a smaller learning rate or clip the gradients (.clip = {.global_norm = 1})";
    }
    return detail::message({"Try a smaller learning rate, which is ", learning_rate(),
                            ", or a smaller limit than ", clip});
  }

  /// Visits the learning rate, the number of updates and the numbers that the rule remembers. The
  /// rule and its settings are not visited; the rule must be the same.
  void visit_state(StateVisitor visit) {
    visit.require_same("name", rule_->name);
    visit("learning_rate", adjusted_rate_);
    visit("iterations", iterations_);
    std::size_t slots = slots_.size();
    visit("slots", slots);
    slots_.resize(std::min(slots, rule_->slots));
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      visit("slot_" + std::to_string(i), slots_[i]);
    }
    if (visit.takes_out()) forget();
  }

 private:
  void check_learning_rate(double rate) const {
    if (!detail::is_finite(rate) || rate < 0) {
      detail::fail<ValueError>({"the learning rate must be at least 0 and finite, found ", rate});
    }
    rule_->check(rate);
  }

  /// Makes room for `count` weights. The remembered numbers begin with zeros, and begin with zeros
  /// again where the number of weights has changed.
  void make_room(std::size_t count) {
    const std::size_t slots = rule_->slots;
    const auto is_of_another_size = [&](const auto& slot) { return slot.size() != count; };
    if (slots_.size() != slots || std::ranges::any_of(slots_, is_of_another_size)) {
      slots_.assign(slots, std::vector<Scalar>(count, Scalar(0)));
      iterations_ = 0;
    }
    before_.resize(count);
    slots_before_.resize(slots);
    for (auto& slot : slots_before_) slot.resize(count);
  }

  /// Lets the rule update all parameters; where `keeps`, copies each range of numbers before its
  /// update. Returns whether all new weights and remembered numbers are finite.
  [[nodiscard]] bool update_all(std::span<const Parameter<Scalar>> parameters,
                                std::span<const Scalar> gradient, const detail::Threads& threads,
                                bool keeps) {
    std::atomic<bool> finite = true;
    std::size_t at = 0;
    for (const auto& parameter : parameters) {
      const std::size_t count = parameter.values.size();
      const auto update_range = [&](std::size_t first, std::size_t size) {
        std::vector<Scalar*> memory(slots_.size());
        for (std::size_t i = 0; i < memory.size(); ++i) memory[i] = slots_[i].data() + at + first;
        const std::span<Scalar> weights = parameter.values.subspan(first, size);
        if (keeps) {
          before_.keep(weights, at + first);
          for (std::size_t i = 0; i < memory.size(); ++i) {
            std::copy_n(memory[i], size, slots_before_[i].data() + at + first);
          }
        }
        if (!parameter.trainable) return;
        rule_->update(
            learning_rate(),
            {static_cast<Index>(size), weights.data(), gradient.data() + at + first, memory},
            iterations_);
        bool all = detail::all_finite(std::span<const Scalar>(weights));
        for (const Scalar* slot : memory) {
          all = all && detail::all_finite(std::span<const Scalar>(slot, size));
        }
        if (!all) finite = false;
      };
      if (rule_->elementwise) {
        threads.run_ranges(count, update_range);
      } else {
        update_range(0, count);
      }
      at += count;
    }
    return finite;
  }

  std::shared_ptr<const detail::AnyUpdateRule<Scalar>> rule_;
  std::optional<double> learning_rate_;
  std::optional<double> adjusted_rate_;
  std::int64_t iterations_ = 0;
  /// One vector for each number that the rule remembers of a weight; each vector holds this number
  /// for all weights.
  std::vector<std::vector<Scalar>> slots_;
  /// Whether undo can take the last update back. The copies below hold the numbers from before it.
  bool can_undo_ = false;
  detail::KeptWeights<Scalar> before_;
  std::vector<std::vector<Scalar>> slots_before_;
};

}  // namespace strata::inline STRATA_RUNTIME
