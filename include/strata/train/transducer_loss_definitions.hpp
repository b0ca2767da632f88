#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <strata/base/sizes.hpp>
#include <strata/kernels/log_softmax.hpp>
#include <strata/kernels/simd.hpp>
#include <strata/kernels/transducer_lattice.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>
#include <strata/train/transducer_loss.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

template <class Scalar>
double transducer_loss(const Tensor<Scalar>& logits, std::span<const Index> labels, double samples,
                       Tensor<Scalar>& derivative) {
  const Index classes = logits.features();
  const Index places = logits.batch();
  const Index width = static_cast<Index>(labels.size()) + 1;
  std::vector<double> logs;
  std::vector<double> blanks;
  std::vector<double> next;
  sizes::resize(logs, sizes::count({places, classes}));
  sizes::resize(blanks, places);
  sizes::resize(next, places);
  const auto label_at = [&](Index place) {
    const auto u = static_cast<std::size_t>(place % width);
    return u < labels.size() ? labels[u] : Index{0};
  };
  for (Index place = 0; place < places; ++place) {
    double* const row = logs.data() + place * classes;
    log_softmax(logits.data() + place * classes, classes, row);
    blanks[static_cast<std::size_t>(place)] = row[0];
    next[static_cast<std::size_t>(place)] = row[label_at(place)];
  }
  const TransducerLattice lattice(blanks.data(), next.data(), places / width, width - 1);
  derivative.resize(logits.shape());
  lattice.for_each_share([&](Index t, Index u, double blank, double label) {
    const Index place = t * width + u;
    double* const row = logs.data() + place * classes;
    transform(
        classes, row, [](auto log) { return normal_exp(log); }, static_cast<const double*>(row));
    for (Index c = 0; c < classes; ++c) row[c] *= blank + label;
    row[0] -= blank;
    row[label_at(place)] -= label;
    for (Index c = 0; c < classes; ++c)
      derivative(place, c) = static_cast<Scalar>(row[c] / samples);
  });
  return -lattice.log_likelihood();
}

}  // namespace strata::detail::inline STRATA_RUNTIME
