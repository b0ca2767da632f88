#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include <strata/io/torch/module.hpp>
#include <strata/io/torch/names.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// The orders in which modules may run. In each, every module can follow on the modules before it,
/// and the numbers in names do not contradict the order (TorchName::runs_before).
class TorchOrders {
 public:
  /// The places of the modules in the list of modules, in the order in which they run.
  using Order = std::vector<std::size_t>;

  /// joins(order, next) says whether the module at place `next` can follow on the modules of
  /// `order`.
  template <class Joins>
  TorchOrders(const std::vector<TorchModule>& modules, const Joins& joins)
      : used_(modules.size(), false), before_(modules.size()) {
    std::vector<TorchName> names;
    for (const auto& module : modules) names.emplace_back(module.name);
    for (std::size_t i = 0; i < names.size(); ++i) {
      for (std::size_t other = 0; other < names.size(); ++other) {
        if (names[other].runs_before(names[i])) before_[i].push_back(other);
      }
    }
    search(joins);
  }

  /// The orders that the sizes allow: each module has as many outputs as the next has inputs, and
  /// an embedding comes first, where there is one. `inputs` are the input features of the first
  /// module, if they are known.
  [[nodiscard]] static TorchOrders by_sizes(const std::vector<TorchModule>& modules,
                                            Index inputs = Dynamic) {
    const std::vector<TorchModule> later = as_linear(modules);
    const bool begins_with_embedding = have_embedding(modules);
    return TorchOrders(modules, [&](const Order& order, std::size_t next) {
      if (order.empty() && begins_with_embedding) {
        return modules[next].kind == TorchModule::Kind::Embedding && inputs == Dynamic;
      }
      const TorchModule& module = later[next];
      if (module.kind == TorchModule::Kind::Embedding) return false;
      // A module of any number of features hands on the number that it gets.
      Index features = inputs;
      for (std::size_t i = 0; i < order.size(); ++i) {
        const Index outputs = (i == 0 ? modules : later)[order[i]].outputs();
        if (outputs != Dynamic) features = outputs;
      }
      return features == Dynamic || module.inputs == Dynamic || module.inputs == features;
    });
  }

  /// The orders that were found, `most` + 1 of them at most.
  [[nodiscard]] const std::vector<Order>& found() const& noexcept { return found_; }
  const std::vector<Order>& found() && = delete;
  /// Whether `found` holds every possible order.
  [[nodiscard]] bool are_all() const noexcept { return found_.size() <= most && !gave_up(); }
  /// Whether the search stopped after most_steps, before it had tried all orders.
  [[nodiscard]] bool gave_up() const noexcept { return steps_ > most_steps; }

  /// The most orders that a message lists.
  static constexpr std::size_t most = 12;

 private:
  template <class Joins>
  void search(const Joins& joins) {
    if (order_.size() == used_.size()) return found_.push_back(order_);
    for (std::size_t i = 0; i < used_.size(); ++i) {
      if (found_.size() > most || ++steps_ > most_steps) return;
      if (used_[i] || !joins(order_, i)) continue;
      if (std::any_of(before_[i].begin(), before_[i].end(),
                      [&](std::size_t other) { return !used_[other]; })) {
        continue;
      }
      used_[i] = true;
      order_.push_back(i);
      search(joins);
      order_.pop_back();
      used_[i] = false;
    }
  }

  static constexpr std::size_t most_steps = 100'000;

  std::vector<bool> used_;
  /// before_[i]: the modules that must run before module i by the numbers in their names.
  std::vector<Order> before_;
  Order order_;
  std::vector<Order> found_;
  std::size_t steps_ = 0;
};

/// The modules, sorted by an order, and read as what they are at their places.
[[nodiscard]] inline std::vector<TorchModule> in_order(const std::vector<TorchModule>& modules,
                                                       const TorchOrders::Order& order) {
  std::vector<TorchModule> ordered;
  for (const std::size_t i : order) {
    ordered.push_back(ordered.empty() ? modules[i] : modules[i].as_linear());
  }
  return ordered;
}

/// The order that may be chosen although there are several: all recurrent modules, with
/// normalizations and the like anywhere among them, and then the only nn.Linear, if every other
/// order takes another number of input features. Should the choice be wrong, the model refuses its
/// data instead of computing wrong numbers. `orders` must be all orders. Null if there is no such
/// order.
[[nodiscard]] inline const TorchOrders::Order* recurrent_then_linear(
    const std::vector<TorchModule>& modules, const std::vector<TorchOrders::Order>& orders) {
  const TorchOrders::Order* chosen = nullptr;
  for (const auto& order : orders) {
    const bool fits = modules[order.back()].kind == TorchModule::Kind::Linear &&
                      std::all_of(order.begin(), order.end() - 1, [&](std::size_t i) {
                        return modules[i].is_recurrent() || modules[i].keeps_features();
                      });
    if (fits && chosen) return nullptr;
    if (fits) chosen = &order;
  }
  if (!chosen) return nullptr;
  const Index inputs = inputs_of(in_order(modules, *chosen));
  for (const auto& order : orders) {
    if (&order != chosen && inputs_of(in_order(modules, order)) == inputs) return nullptr;
  }
  return chosen;
}

}  // namespace strata::inline STRATA_RUNTIME::io
