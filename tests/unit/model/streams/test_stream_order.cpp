#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/io/common/erased_joined_stack.hpp>
#include <strata/strata.hpp>

#include "support/catch.hpp"

// A stream tells every layer in which order to read its weights, also a layer within another one.

using namespace strata;

namespace {

/// Outputs, for every feature, 1 where a step asks it to read the weights in descending order and 0
/// otherwise.
class TellsOrder : public detail::PlainLayer<float> {
 public:
  static constexpr Accepts accepts = Accepts::any;
  static constexpr Returns returns = Returns::same;

  struct Packed {
    Index features = 0;

    void step(const float*, float*, float* y, WeightOrder order) const noexcept {
      std::fill_n(y, features, order == WeightOrder::descending ? 1.0f : 0.0f);
    }
  };
  struct Tape {};

  std::string kind() const { return "TellsOrder"; }
  std::string describe() const { return kind(); }
  Index output_features(Index features) const { return features; }
  void pack(Packed& packed, bool) const { packed.features = inputs(); }
  void forward(const Packed&, const Tensor<float>& x, Tensor<float>& y, const Pass<float>&) const {
    y = x;
  }
  void forward(const Packed& packed, const Tensor<float>& x, Tape&, Tensor<float>& y,
               const Pass<float>& pass) const {
    forward(packed, x, y, pass);
  }
  void backward(const Packed&, const Tensor<float>&, const Tensor<float>&, Tensor<float>& dy, Tape&,
                std::span<float>, Tensor<float>* dx, const Pass<float>&) const {
    if (dx) *dx = std::as_const(dy);
  }
};

/// What each of the model's layers is asked for in four steps of zeros.
template <class Model>
std::vector<std::vector<float>> orders_in_stream(const Model& model) {
  Stream stream{model};
  const std::vector<float> zeros(static_cast<std::size_t>(stream.inputs()));
  std::vector<std::vector<float>> steps;
  for (int t = 0; t < 4; ++t) {
    const auto y = stream.step(typename decltype(stream)::In(zeros));
    steps.emplace_back(y.begin(), y.end());
  }
  return steps;
}

/// Turning from step to step, and the same for all `outputs` of a step.
std::vector<std::vector<float>> turning(std::size_t outputs) {
  const std::vector<float> descending(outputs, 1), ascending(outputs, 0);
  return {descending, ascending, descending, ascending};
}

}  // namespace

TEST_CASE("A stream turns the order of reading weights, also for layers within layers",
          "[stream][order]") {
  const Input input{Dynamic, 1};
  CHECK(orders_in_stream(Sequential{input, TellsOrder{}}) == turning(1));
  CHECK(orders_in_stream(Sequential{input, Residual{TellsOrder{}}}) == turning(1));
  CHECK(orders_in_stream(Sequential{input, TimeDistributed{TellsOrder{}}}) == turning(1));
  CHECK(orders_in_stream(Sequential{input, SkipConnections{TellsOrder{}, TellsOrder{}}}) ==
        turning(3));
  CHECK(orders_in_stream(Sequential{
            input, Residual{SkipConnections{TimeDistributed{Residual{TellsOrder{}}}}}}) ==
        turning(1));
}

TEST_CASE("Layers of any type pass the order of reading weights on", "[stream][order]") {
  Sequential<> model;
  model.add(Input{Dynamic, 1});
  SECTION("Residual") { model.add(Residual{TellsOrder{}}); }
  SECTION("SkipConnections") { model.add(SkipConnections{TellsOrder{}}); }
  SECTION("TimeDistributed") { model.add(TimeDistributed{TellsOrder{}}); }
  CHECK(orders_in_stream(model) == turning(1));
}

TEST_CASE("Layers within layers keep turning at steps that do not count", "[stream][order]") {
  const Input input{Dynamic, 1};
  CHECK(orders_in_stream(Sequential{input, Masking{}, Residual{TellsOrder{}}}) == turning(1));
  CHECK(orders_in_stream(Sequential{input, Masking{}, SkipConnections{TellsOrder{}}}) ==
        turning(1));
}
