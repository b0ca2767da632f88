#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <strata/base/message.hpp>
#include <strata/contracts/description.hpp>
#include <strata/error.hpp>
#include <strata/error_handler.hpp>
#include <strata/language/bit_cast.hpp>
#include <strata/mask.hpp>
#include <strata/model/batch.hpp>
#include <strata/model/network.hpp>
#include <strata/model/own_shards.hpp>
#include <strata/model/sample_source.hpp>
#include <strata/model/state.hpp>
#include <strata/processor.hpp>
#include <strata/sample_weights.hpp>
#include <strata/support/peers.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>
#include <strata/train/figures.hpp>
#include <strata/train/training.hpp>
#include <strata/version.hpp>

// Whether several processes have the same models, options and data, found by numbers that stand for
// them.

namespace strata::detail::inline STRATA_RUNTIME {

/// A number of 64 bits that stands for all that was added, in its order. Two that differ in one bit
/// have the same number with a probability of 2^-64; it is no protection against forgery.
class Digest {
 public:
  Digest& bytes(const void* from, std::size_t count) {
    const auto* at = static_cast<const unsigned char*>(from);
    word(count);
    for (; count >= 8; count -= 8, at += 8) {
      std::uint64_t eight = 0;
      std::memcpy(&eight, at, 8);
      word(eight);
    }
    std::uint64_t rest = 0;
    if (count > 0) std::memcpy(&rest, at, count);
    word(rest);
    return *this;
  }
  Digest& add(std::string_view text) { return bytes(text.data(), text.size()); }
  Digest& add(const std::string& text) { return add(std::string_view(text)); }
  Digest& add(const char* text) { return add(std::string_view(text)); }
  Digest& add(bool flag) { return word(flag); }
  Digest& add(double number) { return word(bit_cast<std::uint64_t>(number)); }
  template <std::integral Number>
  Digest& add(Number number) {
    return word(static_cast<std::uint64_t>(number));
  }
  template <class Number>
  Digest& add(std::span<const Number> numbers) {
    return bytes(numbers.data(), numbers.size_bytes());
  }
  template <class Number>
  Digest& add(const std::vector<Number>& numbers) {
    return add(std::span<const Number>(numbers));
  }
  template <class Scalar>
  Digest& add(const Tensor<Scalar>& tensor) {
    word(static_cast<std::uint64_t>(tensor.rank()));
    for (Index axis = 0; axis < tensor.rank(); ++axis) add(tensor.shape()[axis]);
    return add(tensor.values());
  }
  Digest& add(Mask mask) {
    return add(mask.batch()).add(std::span<const std::uint8_t>(mask.flags()));
  }
  template <class Scalar>
  Digest& add(const SampleWeights<Scalar>& weights) {
    return add(weights.batch()).add(weights.values());
  }
  template <class Scalar>
  Digest& add(const State<Scalar>& state) {
    for (const auto& layer : state.layers) add(layer);
    return *this;
  }
  Digest& add(const Initializer& initializer) {
    add(static_cast<int>(initializer.kind()));
    for (const double setting : initializer.settings()) add(setting);
    return *this;
  }
  Digest& add(const LayerDescription& layer) {
    add(layer.kind);
    for (const auto& [name, value] : layer.options) {
      add(name);
      value.visit([&](const auto& one) { add(one); });
    }
    for (const LayerDescription& inner : layer.layers) add(inner);
    return *this;
  }

  [[nodiscard]] std::uint64_t value() const noexcept { return value_; }

 private:
  Digest& word(std::uint64_t word) noexcept {
    // The finish of MurmurHash3, for each word.
    std::uint64_t mixed = value_ ^ word;
    mixed ^= mixed >> 33;
    mixed *= 0xff51afd7ed558ccdULL;
    mixed ^= mixed >> 33;
    mixed *= 0xc4ceb9fe1a85ec53ULL;
    mixed ^= mixed >> 33;
    value_ = std::rotl(mixed, 17) + 0x9e3779b97f4a7c15ULL;
    return *this;
  }

  std::uint64_t value_ = 0;
};

/// What all processes must have alike, by names for messages.
using Digests = std::vector<std::pair<std::string, std::uint64_t>>;

/// Throws ValueError, naming what differs and a process that has it otherwise than the first one.
inline void require_same(Peers& peers, const Digests& digests) {
  std::vector<std::vector<std::uint64_t>> all;
  for (const auto& digest : digests) all.push_back(share_number(peers, digest.second));
  for (std::size_t i = 0; i < digests.size(); ++i) {
    for (std::size_t rank = 1; rank < peers.size(); ++rank) {
      if (all[i][rank] == all[i][0]) continue;
      fail<ValueError>({"the processes do not have the same ", digests[i].first, ": rank ", rank,
                        " differs from rank 0"});
    }
  }
}

/// The library, the processor and the model.
template <class Scalar>
[[nodiscard]] Digests digests_of(const Network<Scalar>& network) {
  Digest layers;
  layers.add(sizeof(Scalar));
  for (const auto& layer : network.layers()) layers.add(layer.description());
  if (network.input()) layers.add(to_string(network.input()->shape()));
  for (const auto& [name, trainable] : network.parameter_rules().trainable) {
    layers.add(name).add(trainable);
  }
  for (const auto& [name, rate] : network.parameter_rules().rates) layers.add(name).add(rate);
  Digests digests{{"version of strata", Digest().add(version_string).value()},
                  {"instruction set", Digest().add(name(processor())).value()},
                  {"layers", layers.value()}};
  if (network.is_built()) digests.emplace_back("weights", Digest().add(network.weights()).value());
  return digests;
}

/// Of a source in memory all samples, of another one their number.
template <class Scalar>
[[nodiscard]] std::uint64_t digest_of(const AnySource<Scalar>& source) {
  Digest digest;
  digest.add(source.size());
  if (const Batch<Scalar>* const all = source.all()) {
    digest.add(all->x).add(all->y).add(all->mask).add(all->sample_weight).add(all->state);
  }
  return digest.value();
}

/// How a training goes on: its optimizer by the settings that all optimizers have, its loss and the
/// names of its figures.
template <class Scalar>
[[nodiscard]] std::uint64_t digest_of(const Training<Scalar>& training,
                                      const std::vector<Figure>& figures) {
  Digest digest;
  digest.add(training.update.optimizer.advice()).add(training.update.optimizer.learning_rate());
  digest.add(training.loss.name());
  for (const Figure& figure : figures) digest.add(figure.name);
  return digest.value();
}

/// Processes whose arithmetic differs do not stay together.
template <class Scalar>
void require_same_weights(Peers& peers, const Network<Scalar>& network, int epoch) {
  require_same(peers, {{"weights after epoch " + std::to_string(epoch),
                        Digest().add(network.weights()).value()}});
}

}  // namespace strata::detail::inline STRATA_RUNTIME
