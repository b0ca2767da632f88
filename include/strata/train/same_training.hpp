#pragma once

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <strata/model/sample_source.hpp>
#include <strata/support/peers.hpp>
#include <strata/target.hpp>
#include <strata/train/callback.hpp>
#include <strata/train/decisions.hpp>
#include <strata/train/figures.hpp>
#include <strata/train/fit_options.hpp>
#include <strata/train/same_everywhere.hpp>
#include <strata/train/state_bytes.hpp>
#include <strata/train/trainable_network.hpp>
#include <strata/train/training.hpp>
#include <strata/train/training_state.hpp>

// How several processes begin the same training.

namespace strata::detail::inline STRATA_RUNTIME {

/// The variables and settings of a training that `visit` goes through.
template <class Visit>
[[nodiscard]] StateWriter written(Visit visit) {
  TrainingState state;
  visit(StateVisitor(state));
  StateWriter writer;
  writer.values(state.values);
  return writer;
}

/// Throws ValueError where the processes have different models, settings or samples. `visit` goes
/// through the variables of the training. validation: null where there is none.
template <class Scalar, class Visit>
void require_same_training(Peers& peers, const TrainableNetwork<Scalar>& model,
                           const Training<Scalar>& training, const std::vector<Figure>& figures,
                           const FitOptions<Scalar>& options, const AnySource<Scalar>& samples,
                           const AnySource<Scalar>* validation, Visit visit) {
  Digests digests = digests_of<Scalar>(model);
  digests.emplace_back("optimizer, loss and metrics", digest_of(training, figures));
  StateWriter settings = written(visit);
  digests.emplace_back("options of fit", Digest()
                                             .add(std::span<const std::byte>(settings.bytes()))
                                             .add(options.epochs)
                                             .add(options.initial_epoch)
                                             .add(options.validation_split)
                                             .value());
  digests.emplace_back("samples", digest_of(samples));
  if (validation) digests.emplace_back("validation samples", digest_of(*validation));
  require_same(peers, digests);
}

/// Gives the other processes the weights and variables of the first one, without those of
/// callbacks, which the others do not have.
template <class Scalar, class Visit>
void share_training(Peers& peers, TrainableNetwork<Scalar>& model, Visit visit) {
  StateWriter writer;
  if (peers.is_first()) {
    writer = written(visit);
    const std::vector<Scalar> weights = model.weights();
    writer.numbers(std::span<const Scalar>(weights));
  }
  broadcast_bytes(peers, writer.bytes());
  if (peers.is_first()) return;
  StateReader reader(writer.bytes());
  TrainingState state;
  state.values = reader.values();
  visit(StateVisitor(std::as_const(state)));
  model.set_weights(reader.template numbers<std::vector<Scalar>>());
}

}  // namespace strata::detail::inline STRATA_RUNTIME
