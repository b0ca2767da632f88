#include <algorithm>
#include <array>
#include <cfenv>
#include <cmath>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include <strata/strata.hpp>

#include "support/catch.hpp"
#include "support/layer_cases.hpp"
#include "support/one_layer.hpp"

// In silence a memory shrinks until it is a denormal number, which most processors handle a hundred
// times slower, and by rounding stays there. The states of strata's layers never get there.

namespace {

using namespace strata;
using strata::test::random_tensor;

/// Steps in which a memory that halves in two of them passes all numbers of the type.
template <class Scalar>
constexpr Index silence = sizeof(Scalar) < 8 ? 600 : 5000;
constexpr Index noise = 20;

template <class Scalar>
bool is_denormal(Scalar value) {
  return std::fpclassify(value) == FP_SUBNORMAL;
}

template <class Range>
bool has_denormals(const Range& values) {
  return std::any_of(values.begin(), values.end(), [](auto value) { return is_denormal(value); });
}

template <class Scalar>
bool has_denormals(const State<Scalar>& state) {
  return std::any_of(state.layers.begin(), state.layers.end(),
                     [](const auto& layer) { return has_denormals(layer); });
}

/// The gate that says how much of a memory is kept, among all gates, and the bias that makes it
/// much.
struct KeepingGate {
  Index gate;
  Index gates;
  int bias = 1;
};

KeepingGate keeping_gate(const std::string& kind) {
  if (kind.starts_with("CoupledLSTM")) return {0, 3, -1};
  if (kind.find("LSTM") != kind.npos) return {1, 4};
  if (kind.find("GRU") != kind.npos) return {0, 3};
  return {0, 1, 0};
}

/// Makes states fade in silence, and so slowly that rounding keeps them at a denormal number: the
/// recurrent weights are small, and only the gate that keeps the state has a bias.
template <class Parameters>
void let_fade(const std::string& kind, Parameters parameters) {
  for (auto& parameter : parameters) {
    const auto& [name, shape, values] = std::tie(parameter.name, parameter.shape, parameter.values);
    if (name.ends_with("recurrent_kernel")) {
      for (auto& value : values) value /= 2;
    }
    if (!name.ends_with("bias") && !name.ends_with("beta")) continue;
    std::fill(values.begin(), values.end(), 0);
    const KeepingGate keeping = keeping_gate(kind);
    const Index units = shape.back() / keeping.gates;
    if (name.ends_with("bias")) {
      std::fill_n(values.begin() + keeping.gate * units, units, keeping.bias);
    }
  }
}

/// Noise, then silence: (B, T, F).
template <class Scalar>
Tensor<Scalar> fading(Index batch, Index features) {
  auto x = random_tensor<Scalar>({batch, noise + silence<Scalar>, features}, 5);
  for (Index b = 0; b < batch; ++b) x.sequence(b).bottomRows(silence<Scalar>).setZero();
  return x;
}

/// The number of steps after which the state or the output held denormal numbers.
template <class Stream, class Scalar>
Index denormal_steps(Stream& stream, const Tensor<Scalar>& x) {
  Index count = 0;
  for (Index t = 0; t < x.steps(); ++t) {
    const std::span y(stream.step(x.data() + t * x.features()), std::size_t(stream.outputs()));
    if (has_denormals(stream.state()) || has_denormals(y)) ++count;
  }
  return count;
}

/// A stream that computes as the equations say.
template <class Scalar, Index F, Index U>
class ReadableStream {
 public:
  explicit ReadableStream(const LSTMCell<Scalar, F, U>& cell) : cell_(cell) {}

  const Scalar* step(const Scalar* x) {
    now_ = cell_.step(Eigen::Map<const Eigen::Vector<Scalar, F>>(x), now_);
    return now_.h.data();
  }
  [[nodiscard]] Index outputs() const { return U; }
  [[nodiscard]] State<Scalar> state() const { return {1, {{now_.c.begin(), now_.c.end()}}}; }

 private:
  LSTMCell<Scalar, F, U> cell_;
  LSTMState<Scalar, U> now_ = LSTMState<Scalar, U>::zero();
};

/// Whether f makes a number that is denormal or too small to be one, be it on the way only; nothing
/// in WebAssembly, where the processor does not tell.
template <class F>
std::optional<bool> underflows([[maybe_unused]] F f) {
#ifdef FE_UNDERFLOW
  std::feclearexcept(FE_UNDERFLOW);
  f();
  return std::fetestexcept(FE_UNDERFLOW) != 0;
#else
  return std::nullopt;
#endif
}

template <class Scalar, class Model>
void require_no_denormals(const Model& model, Index features) {
  Stream stream{model};
  CHECK(denormal_steps(stream, fading<Scalar>(1, features)) == 0);
  const std::vector<Scalar> zeros(static_cast<std::size_t>(features));
  CHECK(underflows([&] { (void)stream.step(zeros.data()); }) != true);
  for (const Index batch : {1, 3, 17}) {
    INFO("a batch of " << batch);
    auto state = model.network().zero_state(batch);
    const auto x = fading<Scalar>(batch, features);
    const auto y = detail::predict(model.forward_network(), x, {.state = &state});
    CHECK_FALSE(has_denormals(state));
    CHECK_FALSE(has_denormals(y.values()));
    const Tensor<Scalar> more({batch, 8, features});
    CHECK(underflows([&] {
            (void)detail::predict(model.forward_network(), more, {.state = &state});
          }) != true);
  }
}

template <class Scalar, template <class, Index, Index, bool> class Layer>
void require_no_denormals_in_stacks(const std::string& kind) {
  const auto check = [&](auto model) {
    let_fade(kind, model.parameters());
    require_no_denormals<Scalar>(model, 2);
  };
  INFO(kind);
  check(Sequential<Layer<Scalar, 2, 5, true>>{});
  check(Sequential<Layer<Scalar, 2, 20, true>, Layer<Scalar, 20, 8, true>>{});
  Sequential<Scalar> chosen_later;
  chosen_later.add(Input{Dynamic, 2});
  chosen_later.add(Layer<Scalar, Dynamic, Dynamic, true>{20});
  check(chosen_later);
  chosen_later.add(Layer<Scalar, Dynamic, Dynamic, true>{9});
  check(chosen_later);
}

}  // namespace

TEMPLATE_TEST_CASE("Denormals: the readable cell gets stuck, stacks of LSTM and GRU do not",
                   "[denormals]", float, double) {
  using Scalar = TestType;
  // The same weights and data, so that what follows would find denormal numbers if there were some.
  Sequential<LSTM<Scalar, 2, 5, true>> model;
  let_fade("LSTM", model.parameters());
  ReadableStream<Scalar, 2, 5> readable{model.template layer<0>().cell()};
  CHECK(denormal_steps(readable, fading<Scalar>(1, 2)) > 10);
  CHECK(underflows([&] { (void)readable.step(std::array<Scalar, 2>{}.data()); }) != false);
  require_no_denormals_in_stacks<Scalar, LSTM>("LSTM");
  require_no_denormals_in_stacks<Scalar, GRU>("GRU");
}

TEMPLATE_TEST_CASE("Denormals: no layer's state holds one", "[denormals]", float, double) {
  using Scalar = TestType;
  for (auto& one : test::layer_cases<Scalar>()) {
    if (!one.streams || one.layer.state_size() == 0) continue;
    DYNAMIC_SECTION(one.name) {
      let_fade(one.layer.kind(), one.layer.parameters());
      require_no_denormals<Scalar>(test::OneLayer<Scalar>(one), one.features);
    }
  }
}
