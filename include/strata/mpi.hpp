#pragma once

#include <mpi.h>

#include <utility>

#include <strata/model/options.hpp>
#include <strata/model/sample_source.hpp>
#include <strata/mpi/group.hpp>
#include <strata/mpi/session.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>
#include <strata/train/fit.hpp>
#include <strata/train/fit_options.hpp>
#include <strata/train/history.hpp>
#include <strata/train/same_everywhere.hpp>

// Training on several processes, on one machine or many, by MPI (https://www.mpi-forum.org). Every
// process of a communicator calls the same functions with the same model, options and data. Each
// computes its shards of a batch; the sums are those of one process, to the last bit.

namespace strata::mpi {

/// Which processes compute together, and how.
struct Options {
  MPI_Comm communicator = MPI_COMM_WORLD;
  /// Whether each process keeps the optimizer's moments of its part of the weights alone, updates
  /// this part and hands it to the others: less memory, and one more message of the size of the
  /// weights in a step. The bits are the same. After an error the optimizer begins without moments.
  bool divide_moments = false;
};

namespace detail {

/// The processes of a call, lent to a model until the call ends.
template <class Scalar>
class Lent {
 public:
  Lent(NetworkSetup& setup, Group& group) : setup_(setup) {
    if (group.size() > 1) setup.peers.set(&group);
  }
  Lent(const Lent&) = delete;
  Lent& operator=(const Lent&) = delete;
  ~Lent() { setup_.peers.set(nullptr); }

 private:
  NetworkSetup& setup_;
};

/// Stands for the options of evaluate or predict.
template <class ModelOptions>
[[nodiscard]] strata::detail::Digest digest_of(const ModelOptions& options) {
  strata::detail::Digest digest;
  digest.add(options.batch_size).add(options.mask);
  if (options.state) digest.add(*options.state);
  if constexpr (requires { options.sample_weight; }) digest.add(options.sample_weight);
  if constexpr (requires { options.precision; }) digest.add(static_cast<int>(options.precision));
  return digest;
}

/// Calls f, which computes with the model, in all processes of a communicator.
template <class Model, class F>
auto together(Model& model, const Options& processes, F f) {
  Group group(processes.communicator, processes.divide_moments);
  auto network = model.trainable_network();
  const Lent<typename Model::scalar_type> lent(network.setup(), group);
  return group.together([&] { return f(group); });
}

/// The same for evaluate and predict. Throws ValueError, naming what differs, unless all processes
/// have the same model, options and samples.
template <class Model, class ModelOptions, class F>
auto together(Model& model, const Options& processes, const ModelOptions& options,
              const strata::detail::Digest& samples, F f) {
  return together(model, processes, [&](Group& group) {
    if (group.size() > 1) {
      auto digests = strata::detail::digests_of(std::as_const(model).network());
      digests.emplace_back("options", digest_of(options).value());
      digests.emplace_back("samples", samples.value());
      strata::detail::require_same(group, digests);
    }
    return f();
  });
}

}  // namespace detail

/// model.fit on all processes of a communicator: the same samples, options and callbacks, and the
/// same History and weights in each, which have the bits of model.fit in one process with the same
/// instruction set, for any number of processes and threads.
///
/// Callbacks are called in the process of rank 0, which alone prints, logs and writes files; what
/// they decide reaches all. A model with BatchNormalization is computed by every process as a
/// whole.
///
/// Throws what model.fit throws, in all processes: where one fails, all throw its error with its
/// rank. ValueError, with the rank, where processes have other weights, options or samples, another
/// version of strata or another instruction set. No other thread may use the model meanwhile.
template <class Model>
History fit(Model& model, const Tensor<typename Model::scalar_type>& x,
            const Tensor<typename Model::scalar_type>& y,
            const FitOptions<typename Model::scalar_type>& options = {},
            const Options& processes = {}) {
  return detail::together(model, processes, [&](Group&) { return model.fit(x, y, options); });
}

/// The same with a source of samples. A process asks its source for the samples of its own shards.
template <class Model, class Source>
  requires(SampleSource<Source, typename Model::scalar_type>)
History fit(Model& model, const Source& samples,
            const FitOptions<typename Model::scalar_type>& options = {},
            const Options& processes = {}) {
  return detail::together(model, processes, [&](Group&) { return model.fit(samples, options); });
}

/// model.evaluate on all processes of a communicator, with the same result in each; throws as fit
/// does.
template <class Model>
[[nodiscard]] Evaluation evaluate(Model& model, const Tensor<typename Model::scalar_type>& x,
                                  const Tensor<typename Model::scalar_type>& y,
                                  const EvaluateOptions<typename Model::scalar_type>& options = {},
                                  const Options& processes = {}) {
  return detail::together(model, processes, options, strata::detail::Digest().add(x).add(y),
                          [&] { return model.evaluate(x, y, options); });
}

template <class Model, class Source>
  requires(SampleSource<Source, typename Model::scalar_type>)
[[nodiscard]] Evaluation evaluate(Model& model, const Source& samples,
                                  const EvaluateOptions<typename Model::scalar_type>& options = {},
                                  const Options& processes = {}) {
  return detail::together(model, processes, options, strata::detail::Digest().add(samples.size()),
                          [&] { return model.evaluate(samples, options); });
}

/// model.predict on all processes of a communicator: all outputs in each; throws as fit does.
template <class Model>
[[nodiscard]] Tensor<typename Model::scalar_type> predict(
    Model& model, const Tensor<typename Model::scalar_type>& x,
    const PredictOptions<typename Model::scalar_type>& options = {},
    const Options& processes = {}) {
  return detail::together(model, processes, options, strata::detail::Digest().add(x),
                          [&] { return model.predict(x, options); });
}

template <class Model, class Source>
  requires(SampleSource<Source, typename Model::scalar_type>)
[[nodiscard]] Tensor<typename Model::scalar_type> predict(
    Model& model, const Source& samples,
    const PredictOptions<typename Model::scalar_type>& options = {},
    const Options& processes = {}) {
  return detail::together(model, processes, options, strata::detail::Digest().add(samples.size()),
                          [&] { return model.predict(samples, options); });
}

}  // namespace strata::mpi
