// Laws of masks and states, for every layer that has them; layer_cases.cpp lists the
// layers.

#include "support/catch.hpp"
#include "support/layer_cases.hpp"
#include "support/ranges.hpp"
#include "support/tolerance.hpp"
#include "support/values_of.hpp"

using namespace strata;
using namespace strata::test;

namespace {

/// A layer's pass over x with all that a Pass may bring.
template <class Scalar>
struct Runner {
  explicit Runner(const AnyLayer<Scalar>& with, bool train) : layer(with), training(train) {
    layer.pack(packed, training);
  }

  Tensor<Scalar> operator()(const Tensor<Scalar>& x, const Pass<Scalar>& pass) {
    Tensor<Scalar> y;
    if (training)
      layer.forward(packed, x, tape, y, pass);
    else
      layer.forward(packed, x, y, pass);
    return y;
  }

  AnyLayer<Scalar> layer;
  bool training;
  typename AnyLayer<Scalar>::Packed packed;
  std::shared_ptr<void> tape;
};

template <class Scalar>
Tensor<Scalar> steps_of(const Tensor<Scalar>& x, Index b, Index count) {
  Tensor<Scalar> part({1, count, x.features()});
  part.sequence(0) = x.sequence(b).topRows(count);
  return part;
}

bool takes_sequences(Accepts accepts) {
  return accepts == Accepts::sequences || accepts == Accepts::any;
}

}  // namespace

TEMPLATE_TEST_CASE("A padded sequence under a mask computes what the sequence does", "[laws]",
                   float, double) {
  using Scalar = TestType;
  for (auto& one : layer_cases<Scalar>()) {
    const bool flattens = one.name == "Flatten";
    const bool reads_padding_first =
        one.name.find("backwards") != std::string::npos && one.layer.returns() != Returns::last;
    if (!takes_sequences(one.layer.accepts()) || flattens || reads_padding_first) continue;
    DYNAMIC_SECTION(one.name) {
      const auto x = one.input(3, 6, 31);
      const Index shortest = one.name == "Conv1D, valid" ? 2 : 1;  // It needs two steps.
      const std::vector<Index> lengths{4, 6, shortest};
      const Mask mask = Mask::from_lengths(lengths, 6);
      for (const bool training : {false, true}) {
        if (training && (one.random || one.statistics)) continue;
        Runner<Scalar> run(one.layer, training);
        const auto y = run(x, {.mask = &mask});
        for (Index b = 0; b < 3; ++b) {
          const Index length = lengths[static_cast<std::size_t>(b)];
          const auto alone = run(steps_of(x, b, length), {});
          const auto whole = values_of(y.rows(b, 1));
          require_close(alone.values(), whole.first(alone.values().size()),
                        tolerance<Scalar>.values);
        }
      }
    }
  }
}

TEMPLATE_TEST_CASE("A masked sequence is its steps one by one, skipping what does not count",
                   "[laws]", float, double) {
  using Scalar = TestType;
  for (auto& one : layer_cases<Scalar>()) {
    if (!one.streams || one.name == "LastStep") continue;
    DYNAMIC_SECTION(one.name) {
      const Index steps = 6;
      const auto x = one.input(1, steps, 34);
      Mask mask(1, steps);
      for (const Index t : {0, 2, 3, 5}) mask.set(0, t, false);
      Runner<Scalar> run(one.layer, false);
      const auto y = run(x, {.mask = &mask});
      PackedStep<Scalar> packed;
      one.layer.pack(packed, false);
      std::vector<Scalar> state(static_cast<std::size_t>(one.layer.state_size()));
      std::vector<Scalar> out(static_cast<std::size_t>(y.features()));
      for (Index t = 0; t < steps; ++t) {
        const Scalar* const in = x.data() + t * (x.size() / steps);
        if (mask(0, t)) {
          packed.step(in, state.data(), out.data(), WeightOrder::ascending);
        } else {
          packed.skip(in, state.data(), out.data(), WeightOrder::ascending);
        }
        if (y.rank() < 3) continue;
        require_close(out, y.values().subspan(out.size() * std::size_t(t), out.size()),
                      tolerance<Scalar>.values);
      }
      if (y.rank() < 3) require_close(out, y.values(), tolerance<Scalar>.values);
    }
  }
}

TEMPLATE_TEST_CASE("What masked steps hold does not matter", "[laws]", float, double) {
  using Scalar = TestType;
  for (auto& one : layer_cases<Scalar>()) {
    // Other layers take each step by itself, or add their input to their output.
    const bool recurrent = one.layer.state_size() > 0 && !one.name.starts_with("Residual") &&
                           !one.name.starts_with("SkipConnections");
    const bool pools = one.layer.accepts() == Accepts::sequences &&
                       one.layer.returns() == Returns::last && one.name != "Flatten";
    if (!recurrent && !pools) continue;
    DYNAMIC_SECTION(one.name) {
      auto x = one.input(2, 5, 32);
      Mask mask(2, 5);
      mask.set(0, 0, false);
      mask.set(0, 3, false);
      mask.set(1, 4, false);
      Runner<Scalar> run(one.layer, false);
      const auto before = run(x, {.mask = &mask});
      x.sequence(0).row(0).setConstant(100);
      x.sequence(0).row(3).setConstant(-7);
      x.sequence(1).row(4).setConstant(3);
      const auto after = run(x, {.mask = &mask});
      CHECK(test::equal(before.values(), after.values()));
    }
  }
}

TEMPLATE_TEST_CASE("A sequence in two parts, its state handed over, is the whole sequence",
                   "[laws]", float, double) {
  using Scalar = TestType;
  for (auto& one : layer_cases<Scalar>()) {
    if (one.layer.state_size() == 0 || !one.streams) continue;
    DYNAMIC_SECTION(one.name) {
      const Index size = one.layer.state_size();
      const auto x = one.input(3, 7, 33);
      Tensor<Scalar> first({3, 4, x.features()});
      Tensor<Scalar> second({3, 3, x.features()});
      for (Index b = 0; b < 3; ++b) {
        first.sequence(b) = x.sequence(b).topRows(4);
        second.sequence(b) = x.sequence(b).bottomRows(3);
      }
      for (const bool training : {false, true}) {
        if (training && one.random) continue;
        Runner<Scalar> run(one.layer, training);
        std::vector<Scalar> whole_state(static_cast<std::size_t>(3 * size));
        std::vector<Scalar> state(whole_state.size());
        const auto whole = run(x, {.final_state = {whole_state.data(), size}});
        const Pass<Scalar> begin{.final_state = {state.data(), size}};
        const Pass<Scalar> goes_on{.initial_state = {state.data(), size},
                                   .final_state = {state.data(), size}};
        const auto y1 = run(first, begin);
        const auto y2 = run(second, goes_on);
        require_close(state, whole_state, tolerance<Scalar>.values);
        if (whole.rank() == 2) {
          require_close(y2.values(), whole.values(), tolerance<Scalar>.values);
          continue;
        }
        for (Index b = 0; b < 3; ++b) {
          const auto all = values_of(whole.rows(b, 1));
          const auto count = static_cast<std::size_t>(4 * whole.features());
          require_close(values_of(y1.rows(b, 1)), all.first(count), tolerance<Scalar>.values);
          require_close(values_of(y2.rows(b, 1)), all.subspan(count), tolerance<Scalar>.values);
        }
      }
    }
  }
}
