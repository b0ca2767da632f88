#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <strata/model/own_shards.hpp>
#include <strata/model/shards.hpp>
#include <strata/support/peers.hpp>
#include <strata/target.hpp>
#include <strata/train/gradient_sum.hpp>
#include <strata/train/trainable_network.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// A training pass over one batch, shard by shard, on the threads of the network. Each shard has a
/// tape and a gradient of its own, and gradients are added in the order of a tree over the shards,
/// so that the sum depends neither on the threads nor on the processes. A trainer uses one object
/// for all its passes, so that memory is allocated once.
///
/// Where several processes compute together, each computes its own shards: x has the whole batch's
/// shape, and the rows of other processes' shards are not read. States and gradients are those of
/// the whole batch. A network that mixes sequences is computed by each process as a whole.
template <class Scalar>
class ShardedPass {
 public:
  using Network = TrainableNetwork<Scalar>;

  ShardedPass() = default;
  ShardedPass(ShardedPass&&) = default;
  ShardedPass& operator=(ShardedPass&&) = default;

  /// Runs the batch forward. Returns the outputs, which stay in this object: of the whole batch,
  /// or, unless `shares_outputs`, of parts() alone in a tensor of the whole batch's shape.
  const Tensor<Scalar>& forward(const Network& network, const Tensor<Scalar>& x,
                                const Random& random, const SequenceContext<Scalar>& context,
                                bool shares_outputs = true) {
    const bool mixes = network.mixes_sequences();
    peers_ = mixes ? nullptr : network.peers();
    shards_ = mixes ? std::vector<Shard>{{0, x.batch()}} : shards_of(x.batch());
    own_ = own_shards(peers_, shards_.size());
    // The first part holds the packed weights, also where no shard is an own one.
    const std::size_t parts = std::max<std::size_t>(1, own_.count());
    if (parts_.size() < parts) parts_.resize(parts);
    network.pack(parts_[0].tape.packed, true);
    if (is_whole()) return network.forward_packed(x, parts_[0].tape, random, context);

    prediction_.resize(network.output_shape(x.shape()));
    Scalar* const to = prediction_.data();
    const Index sample = prediction_.size() / prediction_.batch();
    network.threads().run(own_.count(), [&](std::size_t part) {
      const std::size_t i = own_.first + part;
      const Shard& shard = shards_[i];
      auto& tape = parts_[part].tape;
      if (part > 0) tape.packed = std::as_const(parts_[0].tape.packed);
      const Mask mask = rows_of(context.mask, shard);
      // The network's layers use the forks below network.size(); the shards use those above.
      const auto& y = network.forward_packed(x.rows(shard.first, shard.count), tape,
                                             i == 0 ? random : random.fork(network.size() + i),
                                             {.mask = &mask,
                                              .state = context.state,
                                              .first = context.first + shard.first,
                                              .continues = context.continues});
      std::copy_n(y.data(), y.size(), to + shard.first * sample);
    });
    if (peers_) {
      if (shares_outputs) share_rows(*peers_, prediction_.values(), shards_);
      if (context.state) share_rows(*peers_, *context.state, context.first, shards_);
    }
    std::vector<Mask> masks;
    for (std::size_t i = 0; i < own_.count(); ++i) masks.push_back(parts_[i].tape.masks.back());
    output_mask_ = share_masks(peers_, masks, shards_);
    return prediction_;
  }

  /// The sequences of the last batch that this process has computed.
  [[nodiscard]] BatchParts parts() const { return {peers_, shards_}; }

  [[nodiscard]] const Mask& output_mask() const {
    return is_whole() ? parts_[0].tape.masks.back() : output_mask_;
  }

  /// The derivative of the loss by the output. The caller writes it, of parts(), before backward.
  [[nodiscard]] Tensor<Scalar>& derivative() {
    return is_whole() ? parts_[0].tape.derivative : derivative_;
  }

  /// Tells backward where the derivative of the loss by the last state of a layer lies, for the
  /// whole batch.
  void set_final_derivative(std::size_t layer, Rows<const Scalar> rows) {
    for (std::size_t i = 0; i < own_.count(); ++i) {
      parts_[i].tape.passes[layer].final_derivative = rows.from(shards_[own_.first + i].first);
    }
  }
  /// Tells backward where to write the derivative of the loss by a layer's state before the first
  /// step, for the whole batch.
  void set_initial_derivative(std::size_t layer, Rows<Scalar> rows) {
    for (std::size_t i = 0; i < own_.count(); ++i) {
      parts_[i].tape.passes[layer].initial_derivative = rows.from(shards_[own_.first + i].first);
    }
  }

  /// Adds the gradients of all parameters to `gradient`, in the order of the parameters. Where `dx`
  /// is not null it is set to the derivative by x, of the own shards alone.
  void backward(const Network& network, const Tensor<Scalar>& x, std::span<Scalar> gradient,
                Tensor<Scalar>* dx = nullptr) {
    if (is_whole()) return network.backward(x, parts_[0].tape, gradient, dx);
    if (dx) dx->resize(x.shape());
    // What `gradient` holds already is a part of the first shard's.
    std::vector<std::span<Scalar>> gradients;
    for (std::size_t part = 0; part < own_.count(); ++part) {
      const bool is_first = own_.first + part == 0;
      if (!is_first) parts_[part].gradient.assign(gradient.size(), Scalar(0));
      gradients.push_back(is_first ? gradient : std::span<Scalar>(parts_[part].gradient));
    }
    const std::vector<std::size_t> segment_of_layer = begin_sum(network, gradients, gradient);
    const typename Network::LayerDone layer_done = [&](std::size_t layer) {
      if (segment_of_layer[layer] != none) sum_.shard_is_ready(segment_of_layer[layer]);
    };
    const auto let_gradients_travel = [this] { sum_.let_messages_travel(); };
    network.threads().run(own_.count(), [&](std::size_t i) {
      const Shard& shard = shards_[own_.first + i];
      Part& part = parts_[i];
      for (auto& pass : part.tape.passes) pass.meanwhile = Meanwhile(let_gradients_travel);
      const Tensor<Scalar> derivative = std::as_const(derivative_).rows(shard.first, shard.count);
      part.tape.derivative.resize(derivative.shape());
      std::copy_n(derivative.data(), derivative.size(), part.tape.derivative.data());
      network.backward(x.rows(shard.first, shard.count), part.tape, gradients[i],
                       dx ? &part.input_derivative : nullptr, peers_ ? &layer_done : nullptr);
      if (dx) {
        const Tensor<Scalar>& from = part.input_derivative;
        std::copy_n(from.data(), from.size(), dx->data() + shard.first * (x.size() / x.batch()));
      }
    });
    sum_.finish(network.threads());
  }

  void absorb(Network& network) {
    for (std::size_t i = 0; i < own_.count(); ++i) network.absorb(parts_[i].tape);
  }

 private:
  struct Part {
    typename Network::Tape tape;
    /// The gradient of one shard. The first shard does not use it: it adds to the gradient of the
    /// caller.
    std::vector<Scalar> gradient;
    Tensor<Scalar> input_derivative;
  };

  /// Of a segment of a gradient, but for the first layer's.
  static constexpr std::size_t least_bytes = 65536;
  static constexpr std::size_t none = static_cast<std::size_t>(-1);

  [[nodiscard]] bool is_whole() const noexcept { return shards_.size() == 1 && !peers_; }

  /// Begins the sum of the gradients. A layer is a segment, and small layers share one, since a
  /// message costs time however short it is. Returns for each layer the number of the segment that
  /// it completes, or none.
  std::vector<std::size_t> begin_sum(const Network& network,
                                     const std::vector<std::span<Scalar>>& gradients,
                                     std::span<Scalar> sum) {
    const auto& layers = network.layers();
    std::vector<std::size_t> segment_of_layer(layers.size(), none);
    std::vector<typename GradientSum<Scalar>::Segment> segments;
    std::size_t begin = sum.size();
    std::size_t count = 0;
    for (std::size_t i = layers.size(); i-- > 0;) {
      const auto of_layer = static_cast<std::size_t>(layers[i].parameter_count());
      begin -= of_layer;
      count += of_layer;
      if (count == 0 || (begin > 0 && count * sizeof(Scalar) < least_bytes)) continue;
      segment_of_layer[i] = segments.size();
      segments.push_back({begin, count});
      count = 0;
    }
    sum_.begin(peers_, shards_.size(), gradients, sum, std::move(segments));
    return segment_of_layer;
  }

  Peers* peers_ = nullptr;
  std::vector<Shard> shards_;
  OwnShards own_;
  /// At least one part for each own shard.
  std::vector<Part> parts_;
  GradientSum<Scalar> sum_;
  Tensor<Scalar> prediction_;
  Tensor<Scalar> derivative_;
  Mask output_mask_;
};

}  // namespace strata::detail::inline STRATA_RUNTIME
