#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <strata/support/peers.hpp>
#include <strata/target.hpp>
#include <strata/train/decisions.hpp>
#include <strata/train/optimizer.hpp>
#include <strata/train/trainable_network.hpp>
#include <strata/train/training_run.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// The calls of the callbacks of a training. The first of several processes alone has callbacks;
/// what they decide reaches all after each call.
template <class Scalar>
class CallbackCalls {
 public:
  CallbackCalls(TrainingRun& run, TrainableNetwork<Scalar>& model, Optimizer<Scalar>& optimizer)
      : run_(run), model_(model), optimizer_(optimizer) {}

  /// Tells all whether the first process has callbacks.
  void begin(bool has_callbacks) {
    has_callbacks_ = has_callbacks;
    if (peers()) broadcast_value(*peers(), has_callbacks_);
  }
  [[nodiscard]] bool has_callbacks() const noexcept { return has_callbacks_; }

  /// Calls f, which calls callbacks, in the first process. Without callbacks all call f.
  template <class F>
  void operator()(F f) {
    if (!has_callbacks_) {
      f();
      return;
    }
    if (!peers() || peers()->is_first()) f();
    if (peers()) share_decisions();
  }

  /// A callback has set weights, which the other processes do not have yet.
  void note_new_weights() noexcept { has_new_weights_ = true; }

  /// Within a call: gives the first process what the optimizers of all remember.
  void collect_moments() {
    if (!peers() || !peers()->divides_moments()) return;
    Decisions request;
    request.wants_moments = true;
    broadcast_value(*peers(), request);
    optimizer_.collect();
  }

 private:
  [[nodiscard]] Peers* peers() const noexcept { return model_.peers(); }

  void share_decisions() {
    Decisions decisions{.learning_rate = run_.learning_rate(),
                        .is_scheduled = run_.is_scheduled(),
                        .is_stopped = run_.stopped(),
                        .is_stopped_now = run_.stopped_now(),
                        .has_new_weights = has_new_weights_};
    broadcast_value(*peers(), decisions);
    while (decisions.wants_moments) {
      optimizer_.collect();
      broadcast_value(*peers(), decisions);
    }
    has_new_weights_ = false;
    if (decisions.has_new_weights) {
      std::vector<Scalar> weights = model_.weights();
      peers()->broadcast(std::as_writable_bytes(std::span(weights)));
      if (!peers()->is_first()) model_.set_weights(weights);
    }
    if (peers()->is_first()) return;
    if (decisions.learning_rate != run_.learning_rate()) {
      run_.set_learning_rate(decisions.learning_rate);
    }
    if (decisions.is_scheduled && !run_.is_scheduled()) {
      run_.schedule_learning_rate("the first process");
    }
    if (decisions.is_stopped) run_.stop();
    if (decisions.is_stopped_now) run_.stop_now();
  }

  TrainingRun& run_;
  TrainableNetwork<Scalar>& model_;
  Optimizer<Scalar>& optimizer_;
  bool has_callbacks_ = false;
  bool has_new_weights_ = false;
};

}  // namespace strata::detail::inline STRATA_RUNTIME
