#pragma once

#include <span>

#include <strata/base/message.hpp>
#include <strata/error.hpp>
#include <strata/model/batch.hpp>
#include <strata/model/forward_network.hpp>
#include <strata/target.hpp>
#include <strata/train/training.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// Throws ShapeError or ValueError, naming the samples, unless a source has filled a batch with
/// data for the model and the loss. `numbers`: the samples that it was asked for.
template <class Scalar>
void check_batch(const ForwardNetwork<Scalar>& network, const Training<Scalar>& training,
                 const Batch<Scalar>& batch, std::span<const Index> numbers) {
  const auto in_batch = [&](const char* what) {
    return message({"the batch of samples ", numbers.front(), numbers.size() > 1 ? " ... " : "",
                    numbers.size() > 1 ? message({numbers.back()}) : std::string(), ": ", what});
  };
  try {
    if (batch.x.batch() != static_cast<Index>(numbers.size())) {
      fail<ShapeError>({"the source was asked for ", numbers.size(),
                        " samples, and has filled x with ", batch.x.batch()});
    }
    check_data(network, batch.x, batch.mask);
    check_goal("sample_weight", training, {batch.y, batch.sample_weight},
               network.output_shape(batch.x.shape()));
  } catch (const ShapeError& error) {
    throw ShapeError(in_batch(error.what()));
  } catch (const ValueError& error) {
    throw ValueError(in_batch(error.what()));
  }
}

}  // namespace strata::detail::inline STRATA_RUNTIME
