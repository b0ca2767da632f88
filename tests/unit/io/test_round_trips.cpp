// A model that is saved and loaded again computes the same bits, for every kind of layer and both
// scalars.

#include <set>
#include <string>
#include <vector>

#include <strata/io/common/description_json.hpp>
#include <strata/io/common/model_file.hpp>
#include <strata/io/safetensors.hpp>

#include "support/catch.hpp"
#include "support/contains.hpp"
#include "support/error_text.hpp"
#include "support/layer_cases.hpp"
#include "support/ranges.hpp"
#include "support/recurrent_cases.hpp"

using namespace strata;
using test::Contains;
using test::error_text;

namespace {

template <class Scalar>
Sequential<Scalar> model_of(const test::LayerCase<Scalar>& one) {
  Sequential<Scalar> model(std::vector<AnyLayer<Scalar>>{one.layer});
  const Shape shape = one.input(1, 6, 1).shape();
  model.network().build_empty(shape.rank() == 2 ? Input(shape[1]) : Input(shape[1], shape[2]));
  return model;
}

std::string layers_of(const io::Architecture& architecture) {
  return io::to_json(architecture)["layers"].dump();
}

template <class A, class B>
bool same_bits(const Tensor<A>& a, const Tensor<B>& b) {
  return a.shape() == b.shape() && test::equal(a.values(), b.values());
}

}  // namespace

TEMPLATE_TEST_CASE("a loaded model has the bits of the saved one", "[io][round_trip][own_code]",
                   float, double) {
  std::set<std::string> kinds;
  auto cases = test::layer_cases<TestType>();
  cases.push_back({"Reshape", AnyLayer<TestType>(Reshape<TestType>{9, 2}), 3});
  cases.back().layer.build(3);
  for (const auto& one : cases) {
    INFO(one.name);
    const auto model = model_of(one);
    kinds.insert(one.layer.description().kind);
    const auto bytes = save_to_memory(model);
    const auto again = load<TestType>(
        bytes, {own_cell<test::ForgetGates, TestType>(), own_cell<test::RichGates, TestType>()});
    CHECK(again.weights() == model.weights());
    CHECK(layers_of(io::architecture_of(again.network())) ==
          layers_of(io::architecture_of(model.network())));
    CHECK(again.input()->shape() == model.input()->shape());
    const auto x = one.input(3, 6, 5);
    CHECK(same_bits(again.predict(x), model.predict(x)));
    CHECK(save_to_memory(again) == bytes);
  }
  // All that there are. A new one needs an entry in io/common/registry.hpp, and is one more here.
  CHECK(kinds.size() == 38);
}

TEMPLATE_TEST_CASE("a loaded model trains to the bits of the saved one", "[io][round_trip]", float,
                   double) {
  using Scalar = TestType;
  using Sequence = LSTM<Scalar, Dynamic, Dynamic, true>;
  Sequential model{Input{6, 3},
                   Residual{SkipConnections{Dropout<Scalar>{0.2}}},
                   Residual{Sequence{3}},
                   SkipConnections{Sequence{4}, TimeDistributed{Dense<Scalar>{2, Activation::tanh}},
                                   Residual{BatchNormalization<Scalar>{}}},
                   Bidirectional{GRU<Scalar>{3, {.dropout = 0.1}}, Merge::mul},
                   Dense<Scalar>{2}};
  auto again = load<Scalar>(save_to_memory(model));
  const auto x = test::random_tensor<Scalar>({40, 6, 3}, 1);
  const auto y = test::random_tensor<Scalar>({40, 2}, 2);
  const FitOptions<Scalar> options{.epochs = 2, .verbose = 0};
  model.compile(Adam{}, MeanSquaredError{});
  again.compile(Adam{}, MeanSquaredError{});
  model.fit(x, y, options);
  again.fit(x, y, options);
  CHECK(again.weights() == model.weights());
}

namespace {

/// Gates with a setting that the description of the layer does not contain.
struct ScaledGates {
  static constexpr const char* kind = "ScaledGates";
  static constexpr GateLayout layout{.gates = 1};
  float scale = 0.5f;

  template <class Step>
  auto operator()(Step& s) const {
    return activate(Activation::tanh, s.z[0]) + s.h;
  }
};

}  // namespace

TEST_CASE("a cell of one's own is saved where it can be, and refused by name otherwise", "[io]") {
  Sequential own{Input{Dynamic, 2}, Recurrent{GatedCell<test::ForgetGates>{3}, return_sequences},
                 Bidirectional{Recurrent{GatedCell<test::ForgetGates>{2}}}};
  const auto bytes = save_to_memory(own);
  CHECK(error_text<FormatError>([&] { (void)load(bytes); }) ==
        Contains{"layer 0 (Recurrent): cell: a cell of a user's own, \"ForgetGates\""});
  const auto again = load(bytes, {own_cell<test::ForgetGates>()});
  CHECK(again.weights() == own.weights());
  const auto x = test::random_tensor<float>({2, 4, 2}, 3);
  CHECK(same_bits(again.predict(x), own.predict(x)));

  Sequential lost{Input{Dynamic, 2},
                  Residual{Recurrent{GatedCell<ScaledGates>{2}, return_sequences}}};
  CHECK(error_text<ValueError>([&] { (void)save_to_memory(lost); }) ==
        Contains{"the layer ScaledGates does not say what it is made of"});
}

TEST_CASE("initializers are kept with their settings", "[io]") {
  for (const Initializer& one :
       {Initializer(Zeros{}), Initializer(Constant{0.25}), Initializer(RandomUniform{-0.1, 0.2}),
        Initializer(RandomNormal{0.1, 0.3}), Initializer(HeNormal{}), Initializer(Orthogonal{2})}) {
    const io::Json json = io::to_json(one);
    CHECK(io::to_json(io::initializer_of(json, io::Where("file"))) == json);
    const Dense<float> layer(2, {.kernel_initializer = one});
    CHECK(io::to_json(layer.description())["options"]["kernel_initializer"] == json);
  }
}

TEST_CASE("the shape of the data is kept", "[io]") {
  Sequential<> model;
  model.add(Input{Dynamic, 2});
  model.add(LSTM{3});
  const Sequential<> again = load(save_to_memory(model));
  CHECK(again.input()->shape() == Shape{Dynamic, Dynamic, 2});
  Sequential ids{Input{Dynamic}, Embedding{5, 2}, LSTM{3}};
  CHECK(load(save_to_memory(ids)).input()->shape() == Shape{Dynamic, Dynamic});
}

TEST_CASE("a mask that a layer inside a wrapper makes reaches the layers behind a loaded wrapper",
          "[io]") {
  Sequential<> model;
  model.add(Input{Dynamic, 1});
  model.add(Residual{Masking{}});
  model.add(LSTM{2, return_sequences});
  model.initialize(3);
  const Sequential<> again = load(save_to_memory(model));
  Stream stream{model};
  Stream loaded{again};
  for (const float x : {0.5F, 0.0F, -0.25F}) {
    const float* const expected = stream.step(&x);
    const float* const found = loaded.step(&x);
    CHECK(std::equal(found, found + 2, expected));
  }
}
