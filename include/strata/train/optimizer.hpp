#pragma once

#include <algorithm>
#include <atomic>
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/base/finite.hpp>
#include <strata/base/message.hpp>
#include <strata/base/settings.hpp>
#include <strata/contracts/parameter.hpp>
#include <strata/error.hpp>
#include <strata/support/threads.hpp>
#include <strata/target.hpp>
#include <strata/train/clip.hpp>
#include <strata/train/training_state.hpp>

namespace strata::inline STRATA_TARGET {

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
/// may call update at the same time. A rule with `void check() const` throws ValueError there on
/// settings that make no sense; an Optimizer asks it for each new learning rate.
template <class O, class Scalar>
concept UpdateRule = std::copyable<O> && requires(const O& rule, const UpdateView<Scalar>& view) {
  { rule.learning_rate } -> std::convertible_to<double>;
  { rule.clip } -> std::convertible_to<Clip>;
  { rule.slots() } -> std::convertible_to<std::size_t>;
  { O::name } -> std::convertible_to<std::string>;
  rule.update(view, std::int64_t{1});
};

namespace detail {

/// A loss, a gradient or a weight is not finite.
class NotFinite : public ValueError {
 public:
  using ValueError::ValueError;
};

/// all_finite in several threads.
template <class Scalar>
[[nodiscard]] bool all_finite(std::span<const Scalar> values, const Threads& threads) {
  std::atomic<bool> finite = true;
  threads.run_ranges(values.size(), [&](std::size_t first, std::size_t size) {
    if (!all_finite(values.subspan(first, size))) finite = false;
  });
  return finite;
}

}  // namespace detail

/// Any update rule, chosen at run time, and what it remembers between updates.
template <class Scalar>
class Optimizer {
 public:
  /// Throws ValueError on settings that make no sense: a learning rate or limit that is negative or
  /// not finite, two limits at once, and what the rule refuses.
  template <class O>
    requires(!std::same_as<O, Optimizer> && UpdateRule<O, Scalar>)
  Optimizer(O rule) : self_(std::make_shared<Model<O>>(std::move(rule))) {
    detail::check_clip(self_->name(), self_->clip());
    check_learning_rate(learning_rate());
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
  /// place. Throws ValueError when a gradient, or a weight or a number of the memory after the
  /// update, is not finite; weights and memory are those from before then.
  void update(std::span<const Parameter<Scalar>> parameters, std::span<Scalar> gradient,
              const detail::Threads& threads = {}) {
    require_finite(detail::all_finite(std::span<const Scalar>(gradient), threads),
                   "a gradient is not finite");
    apply(parameters, gradient, threads);
  }

  /// The same for gradients of which the caller knows that they are finite.
  void apply(std::span<const Parameter<Scalar>> parameters, std::span<Scalar> gradient,
             const detail::Threads& threads) {
    detail::clip_gradient(self_->clip(), parameters, gradient, threads);
    const std::size_t slots = self_->slots();
    const auto is_of_another_size = [&](const auto& slot) {
      return slot.size() != gradient.size();
    };
    if (slots_.size() != slots || std::ranges::any_of(slots_, is_of_another_size)) {
      // The first update, or the first since the model has grown.
      slots_.assign(slots, std::vector<Scalar>(gradient.size(), Scalar(0)));
      iterations_ = 0;
    }
    before_.resize(gradient.size(), slots);
    // Of a rule that may throw everything is kept first; of others, which is faster, each range
    // when it is in the cache.
    const bool keeps_first = !self_->never_throws();
    if (keeps_first) keep_all(parameters);
    before_.kept = true;
    ++iterations_;
    std::atomic<bool> finite = true;
    std::size_t at = 0;
    for (const auto& parameter : parameters) {
      const std::size_t count = parameter.values.size();
      const auto update_range = [&](std::size_t first, std::size_t size) {
        std::vector<Scalar*> memory(slots);
        for (std::size_t i = 0; i < slots; ++i) memory[i] = slots_[i].data() + at + first;
        const std::span<Scalar> weights = parameter.values.subspan(first, size);
        if (!keeps_first) keep(weights, memory, at + first);
        if (!parameter.trainable) return;
        self_->update(
            learning_rate(),
            {static_cast<Index>(size), weights.data(), gradient.data() + at + first, memory},
            iterations_);
        bool all = detail::all_finite(std::span<const Scalar>(weights));
        for (const Scalar* slot : memory) {
          all = all && detail::all_finite(std::span<const Scalar>(slot, size));
        }
        if (!all) finite = false;
      };
      try {
        if (self_->elementwise()) {
          threads.run_ranges(count, update_range);
        } else {
          update_range(0, count);
        }
      } catch (...) {
        undo(parameters);
        throw;
      }
      at += count;
    }
    if (finite) return;
    undo(parameters);
    require_finite(false, "a weight is not finite after the update");
  }

  /// Takes the last update back: weights, memory and iterations() are those from before it, also
  /// weights that are not trainable. Without an update that can be taken back it does nothing:
  /// before the first, after one that threw, and after undo itself.
  void undo(std::span<const Parameter<Scalar>> parameters) {
    if (!before_.kept) return;
    std::size_t at = 0;
    for (const auto& parameter : parameters) {
      std::copy_n(before_.weights.begin() + static_cast<Index>(at), parameter.values.size(),
                  parameter.values.begin());
      at += parameter.values.size();
    }
    slots_.swap(before_.slots);
    --iterations_;
    before_.kept = false;
  }

  /// Makes the last update one that is not taken back.
  void forget() noexcept { before_.kept = false; }

  /// What a user may change where training runs away, by the settings there are.
  [[nodiscard]] std::string advice() const {
    const std::string clip = detail::clip_text(self_->clip());
    if (clip.empty()) {
      return "Try a smaller learning rate or clip the gradients (.clip = {.global_norm = 1})";
    }
    return detail::message({"Try a smaller learning rate, which is ", learning_rate(),
                            ", or a smaller limit than ", clip});
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
    if (visit.takes_out()) forget();
  }

 private:
  struct Base {
    virtual ~Base() = default;
    [[nodiscard]] virtual std::string name() const = 0;
    [[nodiscard]] virtual double learning_rate() const = 0;
    [[nodiscard]] virtual Clip clip() const = 0;
    [[nodiscard]] virtual std::size_t slots() const = 0;
    [[nodiscard]] virtual bool elementwise() const = 0;
    [[nodiscard]] virtual bool never_throws() const = 0;
    virtual void check(double learning_rate) const = 0;
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
    bool never_throws() const override {
      return noexcept(rule.update(std::declval<const UpdateView<Scalar>&>(), std::int64_t{1}));
    }
    void check(double learning_rate) const override { detail::check_settings(with(learning_rate)); }
    void update(double learning_rate, const UpdateView<Scalar>& view,
                std::int64_t iteration) const override {
      with(learning_rate).update(view, iteration);
    }
    [[nodiscard]] O with(double learning_rate) const {
      O now = rule;
      now.learning_rate = learning_rate;
      return now;
    }

    O rule;
  };

  /// What the last update has replaced, for undo.
  struct Before {
    bool kept = false;
    std::vector<Scalar> weights;
    std::vector<std::vector<Scalar>> slots;

    void resize(std::size_t count, std::size_t slot_count) {
      weights.resize(count);
      slots.resize(slot_count);
      for (auto& slot : slots) slot.resize(count);
    }
  };

  void check_learning_rate(double rate) const {
    if (!detail::is_finite(rate) || rate < 0) {
      detail::fail<ValueError>({"the learning rate must be at least 0 and finite, found ", rate});
    }
    self_->check(rate);
  }

  /// Copies a range of the weights, and of what the rule remembers, for undo.
  void keep(std::span<const Scalar> weights, const std::vector<Scalar*>& memory, std::size_t at) {
    std::ranges::copy(weights, before_.weights.data() + at);
    for (std::size_t i = 0; i < memory.size(); ++i) {
      std::copy_n(memory[i], weights.size(), before_.slots[i].data() + at);
    }
  }
  void keep_all(std::span<const Parameter<Scalar>> parameters) {
    std::size_t at = 0;
    for (const auto& parameter : parameters) {
      std::vector<Scalar*> memory;
      for (auto& slot : slots_) memory.push_back(slot.data() + at);
      keep(parameter.values, memory, at);
      at += parameter.values.size();
    }
  }

  void require_finite(bool finite, const char* what) const {
    if (!finite) {
      detail::fail<detail::NotFinite>({what, "; the weights are kept from before. ", advice()});
    }
  }

  std::shared_ptr<const Base> self_;
  std::optional<double> learning_rate_;
  std::optional<double> adjusted_rate_;
  std::vector<std::vector<Scalar>> slots_;
  std::int64_t iterations_ = 0;
  Before before_;
};

}  // namespace strata::inline STRATA_TARGET
