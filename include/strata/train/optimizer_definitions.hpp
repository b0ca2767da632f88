#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/base/finite.hpp>
#include <strata/base/message.hpp>
#include <strata/contracts/parameter.hpp>
#include <strata/error.hpp>
#include <strata/error_handler.hpp>
#include <strata/language/algorithms.hpp>
#include <strata/model/own_shards.hpp>
#include <strata/support/peers.hpp>
#include <strata/support/threads.hpp>
#include <strata/target.hpp>
#include <strata/train/clip_gradient.hpp>
#include <strata/train/kept_weights.hpp>
#include <strata/train/not_finite.hpp>
#include <strata/train/optimizer.hpp>
#include <strata/train/state_visitor.hpp>
#include <strata/train/update_rule.hpp>

namespace strata::inline STRATA_RUNTIME {

template <class Scalar>
double Optimizer<Scalar>::learning_rate() const {
  return adjusted_rate_ ? *adjusted_rate_ : initial_learning_rate();
}

template <class Scalar>
void Optimizer<Scalar>::set_learning_rate(double rate) {
  check_learning_rate(rate);
  learning_rate_ = rate;
  adjusted_rate_.reset();
}

template <class Scalar>
double Optimizer<Scalar>::initial_learning_rate() const {
  return learning_rate_ ? *learning_rate_ : rule_->learning_rate;
}

template <class Scalar>
void Optimizer<Scalar>::adjust_learning_rate(double rate) {
  check_learning_rate(rate);
  adjusted_rate_ = rate;
}

template <class Scalar>
void Optimizer<Scalar>::update(std::span<const Parameter<Scalar>> parameters,
                               std::span<Scalar> gradient, const detail::Threads& threads) {
  if (!detail::all_finite_by_threads(std::span<const Scalar>(gradient), threads)) {
    detail::fail_not_finite("a gradient is not finite", advice());
  }
  apply(parameters, gradient, threads);
}

template <class Scalar>
void Optimizer<Scalar>::apply(std::span<const Parameter<Scalar>> parameters,
                              std::span<Scalar> gradient, const detail::Threads& threads) {
  detail::clip_gradient(rule_->clip, parameters, gradient, threads);
  make_room(gradient.size());
  // If the rule may throw, or other processes update a part, all numbers are copied before it
  // begins. Otherwise each range is copied just before its update, while it is in the cache, which
  // is faster.
  const bool keeps_first = !rule_->is_noexcept || peers_.get();
  if (keeps_first) {
    before_.keep_all(parameters);
    slots_before_ = slots_;
  }
  can_undo_ = true;
  ++iterations_;
  bool is_finite = false;
  detail::undo_on_error(
      [&] { is_finite = update_all(parameters, gradient, threads, !keeps_first); },
      [&] { undo(parameters); });
  if (is_finite) return;
  undo(parameters);
  detail::fail_not_finite("a weight is not finite after the update", advice());
}

template <class Scalar>
void Optimizer<Scalar>::undo(std::span<const Parameter<Scalar>> parameters) noexcept {
  if (!can_undo_) return;
  before_.put_back(parameters);
  slots_.swap(slots_before_);
  --iterations_;
  can_undo_ = false;
}

template <class Scalar>
void Optimizer<Scalar>::divide(detail::Peers* peers,
                               std::span<const Parameter<Scalar>> parameters) {
  forget();
  const std::size_t count = detail::KeptWeights<Scalar>::count_of(parameters);
  if (!peers) {
    if (!peers_.get()) return;
    for (auto& slot : slots_) {
      const Range own = own_range(count);
      std::vector<Scalar> all(count);
      std::copy(slot.begin(), slot.end(), all.begin() + static_cast<std::ptrdiff_t>(own.begin));
      detail::share_parts(*peers_.get(), std::span(all), std::span<const std::size_t>(ends_));
      slot = std::move(all);
    }
    peers_.set(nullptr);
    return;
  }
  peers_.set(peers);
  ends_.clear();
  std::size_t at = 0;
  std::size_t next = 0;
  for (std::size_t rank = 0; rank < peers->size(); ++rank) {
    const std::size_t goal = count * (rank + 1) / peers->size();
    if (rule_->elementwise) {
      ends_.push_back(goal);
      continue;
    }
    // A rule of whole parameters: a parameter belongs to the process in whose part its middle lies.
    while (next < parameters.size() && at + parameters[next].values.size() / 2 < goal) {
      at += parameters[next++].values.size();
    }
    ends_.push_back(rank + 1 == peers->size() ? count : at);
  }
  const Range own = own_range(count);
  for (auto& slot : slots_) {
    if (slot.size() != count) continue;
    slot = std::vector<Scalar>(slot.begin() + static_cast<std::ptrdiff_t>(own.begin),
                               slot.begin() + static_cast<std::ptrdiff_t>(own.end));
  }
  slots_before_.clear();
}

template <class Scalar>
void Optimizer<Scalar>::collect() {
  detail::Peers& peers = *peers_.get();
  collected_.clear();
  std::vector<std::size_t> messages;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const auto tag = static_cast<int>(i);
    if (!peers.is_first()) {
      messages.push_back(peers.send(0, tag, std::as_bytes(std::span(slots_[i]))));
      continue;
    }
    auto& all = collected_.emplace_back(ends_.back());
    std::copy(slots_[i].begin(), slots_[i].end(), all.begin());
    for (std::size_t rank = 1; rank < peers.size(); ++rank) {
      const auto part = std::span(all).subspan(ends_[rank - 1], ends_[rank] - ends_[rank - 1]);
      messages.push_back(peers.receive(rank, tag, std::as_writable_bytes(part)));
    }
  }
  for (const std::size_t message : messages) {
    while (!peers.is_done(message)) {
    }
  }
  peers.forget_messages();
}

template <class Scalar>
void Optimizer<Scalar>::abandon() noexcept {
  if (!peers_.get()) return;
  peers_.set(nullptr);
  slots_.clear();
  forget();
}

template <class Scalar>
typename Optimizer<Scalar>::Range Optimizer<Scalar>::own_range(std::size_t count) const noexcept {
  if (!peers_.get()) return {0, count};
  const std::size_t rank = peers_.get()->rank();
  return {rank == 0 ? 0 : ends_[rank - 1], ends_[rank]};
}

template <class Scalar>
bool Optimizer<Scalar>::share_weights(std::span<const Parameter<Scalar>> parameters, bool finite) {
  detail::Peers& peers = *peers_.get();
  std::size_t at = 0;
  for (const auto& parameter : parameters) {
    const std::size_t count = parameter.values.size();
    if (parameter.trainable) {
      std::vector<std::size_t> ends;
      for (const std::size_t end : ends_) ends.push_back(std::clamp(end, at, at + count) - at);
      detail::share_parts(peers, parameter.values, std::span<const std::size_t>(ends));
    }
    at += count;
  }
  const auto all = detail::share_number(peers, std::uint8_t{finite});
  return std::find(all.begin(), all.end(), std::uint8_t{0}) == all.end();
}

template <class Scalar>
std::string Optimizer<Scalar>::advice() const {
  const std::string clip = detail::clip_text(rule_->clip);
  if (clip.empty()) {
    return "Try a smaller learning rate or clip the gradients (.clip = {.global_norm = 1})";
  }
  return detail::message({"Try a smaller learning rate, which is ", learning_rate(),
                          ", or a smaller limit than ", clip});
}

template <class Scalar>
void Optimizer<Scalar>::visit_state(StateVisitor visit) {
  visit.require_same("name", rule_->name);
  visit("learning_rate", adjusted_rate_);
  visit("iterations", iterations_);
  auto& all = collected_.empty() ? slots_ : collected_;
  std::size_t slots = all.size();
  visit("slots", slots);
  all.resize(std::min(slots, rule_->slots));
  for (std::size_t i = 0; i < all.size(); ++i) visit("slot_" + std::to_string(i), all[i]);
  collected_.clear();
  if (visit.takes_out()) forget();
}

template <class Scalar>
void Optimizer<Scalar>::check() const {
  detail::check_clip(rule_->name, rule_->clip);
  check_learning_rate(learning_rate());
}

template <class Scalar>
void Optimizer<Scalar>::check_learning_rate(double rate) const {
  if (!detail::is_finite(rate) || rate < 0) {
    detail::fail<ValueError>({"the learning rate must be at least 0 and finite, found ", rate});
  }
  rule_->check(rate);
}

template <class Scalar>
void Optimizer<Scalar>::make_room(std::size_t count) {
  const std::size_t slots = rule_->slots;
  const Range own = own_range(count);
  const std::size_t own_count = own.end - own.begin;
  const auto is_of_another_size = [&](const auto& slot) { return slot.size() != own_count; };
  if (slots_.size() != slots || detail::any_of(slots_, is_of_another_size)) {
    slots_.assign(slots, std::vector<Scalar>(own_count, Scalar(0)));
    iterations_ = 0;
  }
  before_.resize(count);
  slots_before_.resize(slots);
  for (auto& slot : slots_before_) slot.resize(own_count);
}

template <class Scalar>
bool Optimizer<Scalar>::update_all(std::span<const Parameter<Scalar>> parameters,
                                   std::span<const Scalar> gradient, const detail::Threads& threads,
                                   bool keeps) {
  std::atomic<bool> finite = true;
  const Range own = own_range(gradient.size());
  std::size_t at = 0;
  for (const auto& parameter : parameters) {
    const std::size_t count = parameter.values.size();
    const std::size_t begin = std::clamp(own.begin, at, at + count) - at;
    const std::size_t end = std::clamp(own.end, at, at + count) - at;
    const auto update_range = [&](std::size_t first, std::size_t size) {
      std::vector<Scalar*> memory(slots_.size());
      for (std::size_t i = 0; i < memory.size(); ++i) {
        memory[i] = slots_[i].data() + (at + first - own.begin);
      }
      const std::span<Scalar> weights = parameter.values.subspan(first, size);
      if (keeps) {
        before_.keep(weights, at + first);
        for (std::size_t i = 0; i < memory.size(); ++i) {
          std::copy_n(memory[i], size, slots_before_[i].data() + (at + first - own.begin));
        }
      }
      if (!parameter.trainable) return;
      rule_->update(
          learning_rate() * parameter.rate,
          {static_cast<Index>(size), weights.data(), gradient.data() + at + first, memory},
          iterations_);
      bool all = detail::all_finite(std::span<const Scalar>(weights));
      for (const Scalar* slot : memory) {
        all = all && detail::all_finite(std::span<const Scalar>(slot, size));
      }
      if (!all) finite = false;
    };
    if (rule_->elementwise) {
      threads.run_ranges(end - begin, [&](std::size_t first, std::size_t size) {
        update_range(begin + first, size);
      });
    } else if (end > begin) {
      update_range(0, count);
    }
    at += count;
  }
  return peers_.get() ? share_weights(parameters, finite) : finite.load();
}

}  // namespace strata::inline STRATA_RUNTIME
