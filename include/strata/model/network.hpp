#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/contracts/layer_ref.hpp>
#include <strata/contracts/parameter_rules.hpp>
#include <strata/layers/input.hpp>
#include <strata/model/sequence_context.hpp>
#include <strata/model/state.hpp>
#include <strata/support/peers.hpp>
#include <strata/support/threads.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME {

/// What a model has besides its layers.
struct NetworkSetup {
  /// The shape that Input or the first data gave; nothing before.
  std::optional<Input> input;
  std::uint64_t seed = 0;
  /// Whether all sizes are known and all weights exist.
  bool built = false;
  detail::Threads threads;
  detail::PeersOfCall peers;
  /// Which parameters are trained, and how fast.
  detail::ParameterRules parameter_rules;
};

/// A chain of layers that lie elsewhere: their sizes and weights, and how data runs forward and
/// derivatives run back. A model is a view of this kind plus the layers; training, prediction and
/// summary are written once, against it.
template <class Scalar>
class Network {
 public:
  Network(std::vector<LayerRef<Scalar>> layers, NetworkSetup& setup);

  [[nodiscard]] std::size_t size() const noexcept { return layers_.size(); }
  [[nodiscard]] const std::vector<LayerRef<Scalar>>& layers() const noexcept { return layers_; }
  [[nodiscard]] bool is_built() const noexcept { return setup_->built; }
  [[nodiscard]] const std::optional<Input>& input() const noexcept { return setup_->input; }
  /// The threads that compute.
  [[nodiscard]] const detail::Threads& threads() const noexcept { return setup_->threads; }
  /// The processes that compute together; null where this one is alone.
  [[nodiscard]] detail::Peers* peers() const noexcept { return setup_->peers.get(); }

  /// Gives every layer its sizes and draws the weights of the layers whose weights are all zero.
  /// Throws ShapeError when the layers do not join or are larger than memory can be, StateError
  /// when the input leaves a layer's number of inputs open, MemoryError when there is no memory for
  /// the weights. The layers are unchanged then.
  void build(const Input& input) { build(input, true); }

  /// Does for layer i, just added, what build and output_shape do for all layers: returns the shape
  /// of its output for data of `shape`, and gives it sizes and weights where the network is built.
  /// Throws ShapeError when the layer does not take the data.
  [[nodiscard]] static Shape extend(NetworkSetup& setup, std::size_t i, LayerRef<Scalar> layer,
                                    const Shape& shape);

  /// Like build, without drawing weights: for callers that set them afterwards.
  void build_empty(const Input& input) { build(input, false); }

  /// Draws all weights anew. The same seed gives the same weights. Before the network is built, it
  /// only keeps the seed for build.
  void initialize(std::uint64_t seed);

  /// The shape of the output for input of the given shape, in which sizes may be Dynamic. Throws
  /// ShapeError, naming the layer, when a layer does not take what it is given.
  [[nodiscard]] Shape output_shape(Shape shape) const;

  /// The names of the layers, as Keras gives them: lstm, lstm_1, dense.
  [[nodiscard]] std::vector<std::string> layer_names() const;

  /// All parameters, named "lstm.kernel", "lstm_1.bias". Throws StateError before the network is
  /// built.
  [[nodiscard]] std::vector<Parameter<Scalar>> parameters();
  [[nodiscard]] std::vector<Parameter<const Scalar>> parameters() const;

  [[nodiscard]] const detail::ParameterRules& parameter_rules() const noexcept {
    return setup_->parameter_rules;
  }
  /// Throws ValueError on a rule that names no parameter of the network, which is built.
  void set_parameter_rules(detail::ParameterRules rules);
  /// SequentialBase::set_trainable.
  void set_trainable(const std::string& name, bool trainable);
  /// The factor of the learning rate for the parameters of a name. Throws ValueError as
  /// set_trainable, and on a factor that is negative or not finite.
  void set_rate(const std::string& name, double factor);
  /// Throws ValueError on a rule that names no parameter.
  void check_parameter_rules() const;

  /// How many numbers parameters() has. Throws StateError before the network is built.
  [[nodiscard]] Index parameter_count() const;

  /// The numbers of all parameters, in the order of parameters().
  [[nodiscard]] std::vector<Scalar> weights() const;

  /// Throws ValueError, naming parameter and place, when one of parameter_count() numbers is
  /// infinite or not a number.
  void check_weights(std::span<const Scalar> all) const;

  /// Throws ShapeError unless there are parameter_count() numbers.
  void set_weights(std::span<const Scalar> all);

  /// Builds the model for data like x, where it is not built yet.
  void build_for(const Tensor<Scalar>& x);

  /// Throws ShapeError unless the mask is empty or has the shape (B, T) of x (rank 2: x's shape).
  static void check_mask(const Mask& mask, const Tensor<Scalar>& x);

  /// The state of B sequences before the first step: zeros. Throws StateError before the network is
  /// built, ValueError when B is below 1, and ValueError, ShapeError or MemoryError when memory
  /// cannot hold a state for B sequences.
  [[nodiscard]] State<Scalar> zero_state(Index batch) const;

  /// Throws ShapeError when a state is not one of B sequences of this model. An empty one becomes
  /// zeros.
  void check_state(State<Scalar>& state, Index batch) const;
  /// The same for a state that is not empty. `what` is its name in messages.
  void check_state(const char* what, const State<Scalar>& state, Index batch) const;

  /// The Pass of layer i: its part of the state, its random numbers, the mask of its input.
  [[nodiscard]] Pass<Scalar> pass_of(std::size_t i, const SequenceContext<Scalar>& context,
                                     const Mask& mask, const Random& random) const;

  /// Throws StateError before the network is built: `what` is not known yet.
  void require_built(const char* what) const;

 private:
  void build(const Input& input, bool draw);

  /// Throws ShapeError when the layers do not join, StateError when a layer cannot know its inputs.
  void check_features_known(const Input& input) const;

  [[nodiscard]] static Random layer_random(const NetworkSetup& setup, std::size_t i);

  template <class Number, class List>
  [[nodiscard]] std::vector<Parameter<Number>> list_parameters(List& layers) const;

  std::vector<LayerRef<Scalar>> layers_;
  NetworkSetup* setup_;
};

}  // namespace strata::inline STRATA_RUNTIME

#ifndef STRATA_COMPILED
#include <strata/model/network_definitions.hpp>
#endif
