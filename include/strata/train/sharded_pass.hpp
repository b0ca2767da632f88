#pragma once

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include <strata/model/shards.hpp>
#include <strata/target.hpp>
#include <strata/train/arithmetic.hpp>
#include <strata/train/trainable_network.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// A training pass over one batch, shard by shard, on the threads of the network. Each shard has a
/// tape and a gradient of its own, and gradients are added in the order of the shards, so that the
/// sum does not depend on the threads. A trainer uses one object for all its passes, so that memory
/// is allocated once.
template <class Scalar>
class ShardedPass {
 public:
  using Network = TrainableNetwork<Scalar>;

  ShardedPass() = default;
  ShardedPass(ShardedPass&&) = default;
  ShardedPass& operator=(ShardedPass&&) = default;

  /// Runs the batch forward. Returns the outputs of the whole batch, which stay in this object.
  const Tensor<Scalar>& forward(const Network& network, const Tensor<Scalar>& x,
                                const Random& random, const SequenceContext<Scalar>& context) {
    shards_ = network.mixes_sequences() ? std::vector<Shard>{{0, x.batch()}} : shards_of(x.batch());
    if (parts_.size() < shards_.size()) parts_.resize(shards_.size());
    network.pack(parts_[0].tape.packed, true);
    if (is_whole()) return network.forward_packed(x, parts_[0].tape, random, context);

    prediction_.resize(network.output_shape(x.shape()));
    Scalar* const to = prediction_.data();
    const Index sample = prediction_.size() / prediction_.batch();
    network.threads().run(shards_.size(), [&](std::size_t i) {
      const Shard& shard = shards_[i];
      auto& tape = parts_[i].tape;
      if (i > 0) tape.packed = std::as_const(parts_[0].tape.packed);
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
    std::vector<Mask> masks;
    for (std::size_t i = 0; i < shards_.size(); ++i) masks.push_back(parts_[i].tape.masks.back());
    output_mask_ = join_masks(masks, shards_);
    return prediction_;
  }

  [[nodiscard]] const Mask& output_mask() const {
    return is_whole() ? parts_[0].tape.masks.back() : output_mask_;
  }

  /// The derivative of the loss by the output. The caller writes it before backward.
  [[nodiscard]] Tensor<Scalar>& derivative() {
    return is_whole() ? parts_[0].tape.derivative : derivative_;
  }

  /// Tells backward where the derivative of the loss by the last state of a layer lies, for the
  /// whole batch.
  void set_final_derivative(std::size_t layer, Rows<const Scalar> rows) {
    for (std::size_t i = 0; i < shards_.size(); ++i) {
      parts_[i].tape.passes[layer].final_derivative = rows.from(shards_[i].first);
    }
  }
  /// Tells backward where to write the derivative of the loss by a layer's state before the first
  /// step, for the whole batch.
  void set_initial_derivative(std::size_t layer, Rows<Scalar> rows) {
    for (std::size_t i = 0; i < shards_.size(); ++i) {
      parts_[i].tape.passes[layer].initial_derivative = rows.from(shards_[i].first);
    }
  }

  /// Adds the gradients of all parameters to `gradient`, in the order of the parameters. Where `dx`
  /// is not null it is set to the derivative by x.
  void backward(const Network& network, const Tensor<Scalar>& x, std::span<Scalar> gradient,
                Tensor<Scalar>* dx = nullptr) {
    if (is_whole()) return network.backward(x, parts_[0].tape, gradient, dx);
    if (dx) dx->resize(x.shape());
    network.threads().run(shards_.size(), [&](std::size_t i) {
      const Shard& shard = shards_[i];
      Part& part = parts_[i];
      const Tensor<Scalar> derivative = std::as_const(derivative_).rows(shard.first, shard.count);
      part.tape.derivative.resize(derivative.shape());
      std::copy_n(derivative.data(), derivative.size(), part.tape.derivative.data());
      if (i > 0) part.gradient.assign(gradient.size(), Scalar(0));
      network.backward(x.rows(shard.first, shard.count), part.tape,
                       i == 0 ? gradient : std::span<Scalar>(part.gradient),
                       dx ? &part.input_derivative : nullptr);
      if (dx) {
        const Tensor<Scalar>& from = part.input_derivative;
        std::copy_n(from.data(), from.size(), dx->data() + shard.first * (x.size() / x.batch()));
      }
    });
    network.threads().run_ranges(gradient.size(), [&](std::size_t first, std::size_t count) {
      for (std::size_t i = 1; i < shards_.size(); ++i) {
        add_to(gradient.subspan(first, count),
               std::span<const Scalar>(parts_[i].gradient).subspan(first, count));
      }
    });
  }

  void absorb(Network& network) {
    for (std::size_t i = 0; i < shards_.size(); ++i) network.absorb(parts_[i].tape);
  }

 private:
  struct Part {
    typename Network::Tape tape;
    /// The gradient of one shard. The first part does not use it: it adds to the gradient of the
    /// caller.
    std::vector<Scalar> gradient;
    Tensor<Scalar> input_derivative;
  };

  [[nodiscard]] bool is_whole() const noexcept { return shards_.size() == 1; }

  std::vector<Shard> shards_;
  /// At least one part for each shard.
  std::vector<Part> parts_;
  Tensor<Scalar> prediction_;
  Tensor<Scalar> derivative_;
  Mask output_mask_;
};

}  // namespace strata::detail::inline STRATA_RUNTIME
