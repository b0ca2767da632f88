#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <strata/base/message.hpp>
#include <strata/error.hpp>
#include <strata/model/allow_non_finite.hpp>
#include <strata/model/forward_network.hpp>
#include <strata/model/network.hpp>
#include <strata/model/options.hpp>
#include <strata/model/predict.hpp>
#include <strata/model/sample_source.hpp>
#include <strata/model/state.hpp>
#include <strata/model/summary.hpp>
#include <strata/precision.hpp>
#include <strata/support/owned.hpp>
#include <strata/support/threads.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME {

// Training is declared here and defined in strata/train/fit.hpp, so that a program that only
// predicts need not include it.
template <class Scalar>
class TrainableNetwork;
template <class Scalar>
class Training;
template <class Scalar>
class Optimizer;
template <class Scalar>
class Loss;
template <class Scalar>
class Metric;
template <class Scalar>
struct FitOptions;
struct Evaluation;
struct WeightRules;
class History;

}  // namespace strata::inline STRATA_RUNTIME

namespace strata::detail::inline STRATA_RUNTIME {

/// What a user calls on a model, whether its layers were chosen at compile time or at run time.
/// B, T, F are the sizes of x; y has the shape of the output, or one class number in place of its
/// features for sparse losses.
///
/// `Model` holds the layers and lists them by layer_refs<Ref>(), where Ref is LayerRef<S>,
/// ForwardRef<S> or TrainableRef<S>.
template <class Model, class S>
class SequentialBase {
 public:
  using scalar_type = S;
  using Scalar = S;

  /// The layers as the algorithms see them. The network refers to them and must not outlive the
  /// model.
  [[nodiscard]] Network<Scalar> network() & {
    return {static_cast<Model&>(*this).template layer_refs<LayerRef<Scalar>>(), setup_};
  }
  [[nodiscard]] const Network<Scalar> network() const& {
    // The network refers to layers that are not const, but a const network changes none of them.
    return const_cast<SequentialBase&>(*this).network();
  }

  /// The layers as predictions see them; like network().
  [[nodiscard]] ForwardNetwork<Scalar> forward_network() & {
    return {static_cast<Model&>(*this).template layer_refs<ForwardRef<Scalar>>(), setup_};
  }
  [[nodiscard]] const ForwardNetwork<Scalar> forward_network() const& {
    return const_cast<SequentialBase&>(*this).forward_network();
  }

  /// The layers as training sees them; like network().
  [[nodiscard]] TrainableNetwork<Scalar> trainable_network() &;

  /// Number of layers.
  [[nodiscard]] std::size_t size() const { return network().size(); }
  /// Whether all sizes are known and the weights are there.
  [[nodiscard]] bool is_built() const noexcept { return setup_.built; }
  /// The shape that Input or the first data gave; nothing before.
  [[nodiscard]] std::optional<Input> input() const noexcept { return setup_.input; }

  /// Gives every layer its sizes and draws the weights of the layers whose weights are all zero.
  /// Throws ShapeError when the layers do not join or are larger than memory can be, StateError
  /// when the input leaves a layer's number of inputs open, MemoryError when there is no memory for
  /// the weights. The model is unchanged then.
  void build(const Input& input) { network().build(input); }

  /// Draws all weights anew. The same seed gives the same weights. Before the model is built, it
  /// only keeps the seed for build; a model on which it is never called has the seed 0.
  void initialize(std::uint64_t seed) { network().initialize(seed); }

  /// All parameters, named "lstm.kernel", "lstm_1.bias". Throws StateError before the model is
  /// built.
  [[nodiscard]] std::vector<Parameter<Scalar>> parameters() & { return network().parameters(); }
  [[nodiscard]] std::vector<Parameter<const Scalar>> parameters() const& {
    return network().parameters();
  }
  [[nodiscard]] Index parameter_count() const { return network().parameter_count(); }

  /// Lets training change the parameters of a name, or leaves them as they are (frozen). The name
  /// is that of a layer, "lstm", of a parameter, "lstm.kernel", or the end of the names of several,
  /// "kernel"; of several calls for a parameter the last holds. The optimizer, noise on weights,
  /// penalties and limits leave frozen parameters alone; a BatchNormalization whose parameters are
  /// all frozen computes as in prediction, as in Keras. Copies and files of the model keep it.
  /// Throws ValueError where no parameter has the name; before the model is built, fit throws it.
  ///
  ///   model.set_trainable("lstm", false);
  void set_trainable(const std::string& name, bool trainable) {
    network().set_trainable(name, trainable);
  }

  /// The numbers of all parameters, in the order of parameters().
  [[nodiscard]] std::vector<Scalar> weights() const { return network().weights(); }
  /// Throws ShapeError unless there are parameter_count() numbers, ValueError, naming parameter and
  /// place, when one is infinite or not a number. The model is unchanged then.
  void set_weights(std::span<const Scalar> all) {
    network().check_weights(all);
    set_weights(all, allow_non_finite);
  }
  /// As above, but takes numbers that are infinite or not a number too.
  void set_weights(std::span<const Scalar> all, AllowNonFinite) { network().set_weights(all); }

  /// The shape of the output for input of the given shape, in which sizes may be Dynamic. Throws
  /// ShapeError, naming the layer, when a layer does not take what it is given.
  [[nodiscard]] Shape output_shape(const Shape& shape) const {
    return network().output_shape(shape);
  }

  /// Lets training, prediction and evaluation use `threads` threads, of which the caller's is one;
  /// 1 without a call. Batches of 24 sequences or more are then computed in parts at the same time,
  /// which pays where a batch takes more than some ten microseconds. The results are the same bits
  /// for any number of threads.
  ///
  /// The threads start when there is first work for them, sleep between calls, and end with the
  /// model or with the next change of their number. Several threads of the caller may still predict
  /// with one model at the same time: they share the model's threads then. A copy of the model has
  /// threads of its own. Throws ValueError below 1.
  void set_threads(int threads) {
    if (threads < 1) {
      fail<ValueError>({"set_threads: needs at least 1 thread, found ", threads});
    }
    if (threads == this->threads()) return;
    setup_.threads = make_threads(threads);
  }
  /// The number of threads that training, prediction and evaluation use.
  [[nodiscard]] int threads() const noexcept { return setup_.threads.count(); }

  /// The outputs for all samples of x: (B, U), or (B, T, U) where the last layer returns sequences.
  /// Throws StateError before the model is built, ShapeError and ValueError on data that does not
  /// fit.
  [[nodiscard]] Tensor<Scalar> predict(const Tensor<Scalar>& x,
                                       const PredictOptions<Scalar>& options = {}) const {
    return detail::predict(forward_network(), x, options);
  }
  /// The outputs for all samples of a source, of which it needs x alone. All batches must have
  /// outputs of one shape.
  template <class Source>
    requires(SampleSource<Source, S>)
  [[nodiscard]] Tensor<Scalar> predict(const Source& samples,
                                       const PredictOptions<Scalar>& options = {}) const {
    return detail::predict(forward_network(), SourceOf<S, Source>(samples), options);
  }

  /// The state of B sequences before the first step: zeros. Throws StateError before the model is
  /// built, ValueError when B is below 1, and ValueError, ShapeError or MemoryError when memory
  /// cannot hold a state for B sequences.
  [[nodiscard]] State<Scalar> zero_state(Index batch = 1) const {
    return network().zero_state(batch);
  }

  /// Layers, output shapes and numbers of parameters, as Keras prints them. For a precision below
  /// the full one, a column says in which precision a stream or a prediction that is asked for it
  /// runs each layer; throws ValueError where none runs in it.
  [[nodiscard]] std::string summary(Precision precision = Precision::full) const {
    return detail::summary(network(), precision);
  }

  /// Says how the model is to be trained. The optimizer begins without memory of earlier updates.
  void compile(Optimizer<Scalar> optimizer, Loss<Scalar> loss, std::vector<Metric<Scalar>> metrics,
               const WeightRules& rules);
  void compile(Optimizer<Scalar> optimizer, Loss<Scalar> loss,
               std::vector<Metric<Scalar>> metrics = {});

  /// Trains on all samples, epoch after epoch, and returns loss and metrics of each epoch. Before
  /// anything changes it throws StateError without a compile, ShapeError and ValueError on data
  /// that does not fit, and ValueError on options out of range and on callbacks that cannot do
  /// their work. While it trains it throws ValueError when the loss is no longer finite; the model
  /// has the last good weights then.
  History fit(const Tensor<Scalar>& x, const Tensor<Scalar>& y,
              const FitOptions<Scalar>& options = {});
  /// Trains on the samples of a source, which need not be in memory. The order of samples and all
  /// results are those of the same samples in memory. The first batch is checked before anything
  /// changes; a later one that does not fit ends the training with the error, and the model has the
  /// weights of the batch before.
  template <class Source>
    requires(SampleSource<Source, S>)
  History fit(const Source& samples, const FitOptions<Scalar>& options = {});

  /// Loss and metrics over all samples, with the weights as they are.
  [[nodiscard]] Evaluation evaluate(const Tensor<Scalar>& x, const Tensor<Scalar>& y,
                                    const EvaluateOptions<Scalar>& options = {}) const;
  template <class Source>
    requires(SampleSource<Source, S>)
  [[nodiscard]] Evaluation evaluate(const Source& samples,
                                    const EvaluateOptions<Scalar>& options = {}) const;

  /// Updates the weights once, from one batch. Returns the loss and metrics from before the update.
  Evaluation train_on_batch(const Tensor<Scalar>& x, const Tensor<Scalar>& y,
                            const BatchOptions<Scalar>& options = {});
  /// Loss and metrics of one batch, with the weights as they are.
  Evaluation test_on_batch(const Tensor<Scalar>& x, const Tensor<Scalar>& y,
                           const BatchOptions<Scalar>& options = {}) const;

  // Both would point to the weights of a temporary model: give the model a name first.
  void network() const&& = delete;
  void forward_network() const&& = delete;
  void parameters() const&& = delete;

 protected:
  NetworkSetup setup_;

 private:
  Owned<Training<Scalar>> training_;
};

}  // namespace strata::detail::inline STRATA_RUNTIME
