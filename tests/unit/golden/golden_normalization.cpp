#include <cmath>
#include <string>
#include <type_traits>
#include <vector>

#include <strata/strata.hpp>

#include "support/catch.hpp"
#include "support/error_text.hpp"
#include "support/golden.hpp"
#include "support/ranges.hpp"
#include "support/values_of.hpp"

// Normalization against Keras, and what is its own: adapt.

namespace normalization_tests {

using namespace strata;
using namespace strata::test;

/// Outputs in prediction and training, and derivatives by x.
template <class L>
void check_normalization(const Golden& golden, const std::string& name, const L& layer) {
  using Scalar = typename L::scalar_type;
  const auto x = golden[name + ".x"].template tensor<Scalar>();
  typename L::Packed packed;
  typename L::Tape tape;
  Tensor<Scalar> y;
  layer.pack(packed, true);
  layer.forward(packed, x, y, {});
  require_tensor_close(y, golden, name + ".y", tolerance<Scalar>.values);
  layer.forward(packed, x, tape, y, {});
  require_tensor_close(y, golden, name + ".y", tolerance<Scalar>.values);
  auto dy = golden[name + ".weighting"].template tensor<Scalar>();
  Tensor<Scalar> dx;
  layer.backward(packed, x, y, dy, tape, {}, &dx, {});
  require_tensor_close(dx, golden, name + ".grad.x", tolerance<Scalar>.gradients);
}

/// The numbers of mean and variance of a model that begins with Normalization of two features.
template <class Model>
std::vector<float> moments(const Model& model) {
  auto weights = model.weights();
  weights.resize(4);
  return weights;
}

Tensor<float> data() { return Tensor<float>({4, 2}, {1, 10, 3, 10, 5, 30, 7, 30}); }

}  // namespace normalization_tests

TEMPLATE_TEST_CASE("Normalization with adapt is Keras'", "[golden][normalization]", float, double) {
  using namespace normalization_tests;
  using Scalar = TestType;
  const Golden golden = Golden::read("normalization.txt");
  int cases = 0;
  for (const auto& name : golden.cases("weighting")) {
    INFO(name);
    const bool invert = name.ends_with("inverse");
    const auto& mean = golden[name + ".mean"].values;
    const auto& variance = golden[name + ".variance"].values;
    if (name.starts_with("given.")) {
      const Normalization<Scalar> given{{.mean = mean, .variance = variance, .invert = invert}};
      Normalization<Scalar> layer = given;
      layer.build(3);
      CHECK(layer.parameters().empty());
      check_normalization(golden, name, layer);
    } else {
      Normalization<Scalar> layer{{.invert = invert}};
      layer.adapt(golden[name + ".data"].template tensor<Scalar>());
      const auto parameters = layer.parameters();
      REQUIRE(parameters.size() == 2);
      CHECK_FALSE(parameters[0].trainable);
      CHECK_FALSE(parameters[1].trainable);
      require_close(parameters[0].values, mean, tolerance<Scalar>.values, "mean");
      require_close(parameters[1].values, variance, tolerance<Scalar>.values, "variance");
      check_normalization(golden, name, layer);
    }
    ++cases;
  }
  CHECK(cases == 10);
  Normalization<Scalar, 3> fixed;
  fixed.adapt(golden["adapted.rank3.data"].template tensor<Scalar>());
  check_normalization(golden, "adapted.rank3", fixed);
  check_normalization(golden, "adapted.rank3", fixed.template to_dynamic<Scalar>());
  CHECK(golden.unread().empty());
}

TEST_CASE("Normalization is adapted in both containers", "[normalization]") {
  using namespace normalization_tests;
  const auto x = data();
  Sequential model{Normalization{}, Dense{1}};
  model.layer<0>().adapt(x);
  Sequential<> chosen;
  chosen.add(Normalization{});
  chosen.add(Dense{1});
  chosen.layer<Normalization<float>>(0).adapt(x);
  CHECK_THROWS_AS(chosen.layer<Dense<float>>(0), ValueError);
  model.build(Input{2});
  chosen.build(Input{2});
  CHECK(model.weights() == chosen.weights());
  CHECK(test::equal(values_of(model.predict(x)), values_of(chosen.predict(x))));
  CHECK(chosen.summary() == model.summary());
  CHECK(model.summary().find("Non-trainable params: 4") != std::string::npos);

  // Neither a draw of weights nor training changes mean and variance.
  const std::vector<float> expected{4, 20, 5, 100};
  model.initialize(3);
  CHECK(moments(model) == expected);
  model.compile(Adam{}, MeanSquaredError{});
  model.fit(x, Tensor<float>({4, 1}), {.epochs = 2, .verbose = 0});
  CHECK(moments(model) == expected);
  // A model that is built can be adapted too, and anew.
  chosen.layer<Normalization<float>>(0).adapt(Tensor<float>({1, 2}, {2, 3}));
  CHECK(moments(chosen) == std::vector<float>{2, 3, 0, 0});
}

TEST_CASE("Normalization changes nothing before it is adapted", "[normalization]") {
  using namespace normalization_tests;
  Sequential model{Input{2}, Normalization{}};
  CHECK(test::equal(values_of(model.predict(data())), values_of(data())));
}

TEST_CASE("Normalization: what it cannot be adapted to, and cannot be", "[normalization]") {
  using namespace normalization_tests;
  Normalization<float> layer;
  layer.adapt(data());
  const Normalization<float> before = layer;
  const auto refused = [&]<class Error>(std::type_identity<Error>, const Tensor<float>& x) {
    const std::string text = error_text<Error>([&] { layer.adapt(x); });
    Normalization<float> kept = before;
    CHECK(test::equal(layer.parameters()[0].values, kept.parameters()[0].values));
    CHECK(test::equal(layer.parameters()[1].values, kept.parameters()[1].values));
    return text;
  };
  const std::type_identity<ShapeError> shape;
  const std::type_identity<ValueError> value;
  CHECK(refused(shape, Tensor<float>()) ==
        "Normalization: adapt: x is empty: its shape is " + to_string(Tensor<float>().shape()));
  CHECK(refused(shape, Tensor<float>({2, 3})) ==
        "Normalization: adapt: expects 2 features, found x of (2, 3)");
  CHECK(refused(value, Tensor<float>({1, 2}, {1, INFINITY})) ==
        "Normalization: adapt: x(0, 1) is infinite");
  CHECK(refused(value, Tensor<float>({2, 2}, {1, 3e38f, 1, -3e38f})) ==
        "Normalization: adapt: the variance of feature 1 of x is larger than numbers can be");
  CHECK(error_text<StateError>([] {
          Normalization<float> given{{.mean = {0}, .variance = {1}}};
          given.adapt(data());
        }) == "Normalization: adapt: mean and variance are given by the options");
  CHECK(error_text<ValueError>([] { Normalization{{.mean = {0}}}; }) ==
        "Normalization: mean and variance must have the same size, found 1 and 0 numbers");
  CHECK(error_text<ValueError>([] { Normalization{{.mean = {0}, .variance = {-1}}}; }) ==
        "Normalization: mean must be finite and variance at least 0, found 0 and -1");
  CHECK(error_text<ShapeError>([] {
          Normalization<float, 3>{{.mean = {0, 1}, .variance = {1, 1}}};
        }) == "expects 3 features, found 2");
}
