#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <strata/contracts/parameter.hpp>
#include <strata/support/peers.hpp>
#include <strata/support/threads.hpp>
#include <strata/target.hpp>
#include <strata/train/kept_weights.hpp>
#include <strata/train/state_visitor.hpp>
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
  Optimizer(O rule) : rule_(detail::rule_of<Scalar>(rule)) { check(); }

  [[nodiscard]] double learning_rate() const;
  /// Sets the learning rate. Throws ValueError on a rate that is negative or not finite.
  void set_learning_rate(double rate);
  /// The rate that the user has given: with the rule, or with set_learning_rate.
  [[nodiscard]] double initial_learning_rate() const;
  /// Changes the rate for the current training; the initial rate stays. Throws as set_learning_rate
  /// does.
  void adjust_learning_rate(double rate);
  /// Goes back to the initial rate.
  void restore_learning_rate() noexcept { adjusted_rate_.reset(); }

  /// The number of updates so far.
  [[nodiscard]] std::int64_t iterations() const noexcept { return iterations_; }

  /// One update. `gradient` holds the gradients of all parameters in order, and is clipped in
  /// place. Throws ValueError when a gradient is not finite, or when a weight or a remembered
  /// number is not finite after the update; then weights and remembered numbers are as before.
  void update(std::span<const Parameter<Scalar>> parameters, std::span<Scalar> gradient,
              const detail::Threads& threads = {});

  /// An update with gradients that the caller has found to be finite.
  void apply(std::span<const Parameter<Scalar>> parameters, std::span<Scalar> gradient,
             const detail::Threads& threads);

  /// Takes the last update back: weights, also those that are not trainable, remembered numbers and
  /// iterations() are as before the update. Does nothing where there is no update to take back:
  /// before the first update, after an update that threw, and after undo itself.
  void undo(std::span<const Parameter<Scalar>> parameters) noexcept;

  /// Divides what the rule remembers of the parameters among processes: each updates its own part
  /// of the weights and hands it to the others, with the bits of one process. Null: all remember
  /// all again. All processes call it.
  void divide(detail::Peers* peers, std::span<const Parameter<Scalar>> parameters);
  /// After divide: gives the first process what all remember, for its next visit_state. All
  /// processes call it.
  void collect();
  /// After divide, where the other processes cannot be asked any more: forgets what the rule
  /// remembers.
  void abandon() noexcept;

  /// Makes undo do nothing until the next update.
  void forget() noexcept { can_undo_ = false; }

  /// A sentence that names what a user may change where training diverges, with the settings in
  /// use.
  [[nodiscard]] std::string advice() const;

  /// Visits the learning rate, the number of updates and the numbers that the rule remembers. The
  /// rule and its settings are not visited; the rule must be the same.
  void visit_state(StateVisitor visit);

 private:
  void check() const;
  void check_learning_rate(double rate) const;

  /// The weights that this process updates, from begin to before end.
  struct Range {
    std::size_t begin;
    std::size_t end;
  };
  [[nodiscard]] Range own_range(std::size_t count) const noexcept;
  /// Gives all processes the weights of all, and returns whether all numbers are finite everywhere.
  [[nodiscard]] bool share_weights(std::span<const Parameter<Scalar>> parameters, bool finite);

  /// Makes room for `count` weights. The remembered numbers begin with zeros, and begin with zeros
  /// again where the number of weights has changed.
  void make_room(std::size_t count);

  /// Lets the rule update all parameters; where `keeps`, copies each range of numbers before its
  /// update. Returns whether all new weights and remembered numbers are finite.
  [[nodiscard]] bool update_all(std::span<const Parameter<Scalar>> parameters,
                                std::span<const Scalar> gradient, const detail::Threads& threads,
                                bool keeps);

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
  /// Among which the slots are divided, and where the part of each ends; the slots above are this
  /// process's part.
  detail::PeersOfCall peers_;
  std::vector<std::size_t> ends_;
  /// Whole slots, for visit_state in the first process.
  std::vector<std::vector<Scalar>> collected_;
};

}  // namespace strata::inline STRATA_RUNTIME

#ifndef STRATA_COMPILED
#include <strata/train/optimizer_definitions.hpp>
#endif
