#include <strata/layers/lstm.hpp>

#include "support/catch.hpp"
#include "support/dual.hpp"
#include "support/golden.hpp"

// One step of an LSTM from a given state, against keras.layers.LSTMCell.

namespace {

using namespace strata;
using namespace strata::test;

/// The activations of a case: "hard_sigmoid_relu.b2f2u3" is hard_sigmoid and, of the gates, relu.
std::pair<Activation, Activation> activations_of(const std::string& name) {
  const std::string pair = name.substr(0, name.find('.'));
  for (int a = 0; a < static_cast<int>(Activation::softmax); ++a) {
    for (int r = 0; r < static_cast<int>(Activation::softmax); ++r) {
      const auto activation = static_cast<Activation>(a);
      const auto recurrent = static_cast<Activation>(r);
      const std::string both = std::string(strata::name(activation)) + "_";
      if (both + std::string(strata::name(recurrent)) == pair) return {activation, recurrent};
    }
  }
  FAIL("no activations in the name of the case " << name);
  return {};
}

template <class Scalar>
using Columns = Eigen::Matrix<Scalar, Dynamic, Dynamic>;

/// A record of rank 2, (B, F), as F x B: one column for each sample.
template <class Scalar>
Columns<Scalar> columns(const GoldenRecord& record) {
  const auto values = record.tensor<Scalar>();
  return values.matrix().transpose();
}

template <class Matrix>
std::span<const typename Matrix::Scalar> values(const Matrix& matrix) {
  return {matrix.data(), static_cast<std::size_t>(matrix.size())};
}

template <class Cell>
void load_cell(Cell& cell, const Golden& golden, const std::string& name) {
  const auto set = [&](auto to, const std::string& part) {
    const GoldenRecord& record = golden[name + "." + part];
    REQUIRE(to.size() == static_cast<Index>(record.values.size()));
    std::copy(record.values.begin(), record.values.end(), to.data());
  };
  set(cell.kernel(), "kernel");
  set(cell.recurrent_kernel(), "recurrent_kernel");
  set(cell.bias(), "bias");
  std::tie(cell.activation, cell.recurrent_activation) = activations_of(name);
}

template <class Scalar, Index Inputs, Index Units>
void check_cell(const Golden& golden, const std::string& name) {
  INFO(name);
  const Columns<Scalar> x = columns<Scalar>(golden[name + ".x"]);
  LSTMState<Scalar, Units, Dynamic> state;
  state.h = columns<Scalar>(golden[name + ".h"]);
  state.c = columns<Scalar>(golden[name + ".c"]);
  LSTMCell<Scalar, Inputs, Units> cell(x.rows(), state.h.rows());
  load_cell(cell, golden, name);

  const auto next = cell.step(x, state);
  require_close(values(next.h), golden[name + ".h_next"].values, tolerance<Scalar>.values, "h");
  require_close(values(next.c), golden[name + ".c_next"].values, tolerance<Scalar>.values, "c");
}

}  // namespace

TEMPLATE_TEST_CASE("LSTMCell: a step is that of Keras", "[golden][cell]", float, double) {
  const Golden golden = Golden::read("cell.txt");
  const auto cases = golden.cases("h_next");
  REQUIRE(cases.size() == 19);
  for (const auto& name : cases) check_cell<TestType, Dynamic, Dynamic>(golden, name);
  check_cell<TestType, 1, 8>(golden, "tanh_sigmoid.b3f1u8");
  check_cell<TestType, 4, 9>(golden, "tanh_sigmoid.b2f4u9");
  check_cell<TestType, 2, 3>(golden, "hard_sigmoid_relu.b2f2u3");
}

TEMPLATE_TEST_CASE("LSTM: a step of one sample is that of Keras", "[golden][cell]", float, double) {
  using Scalar = TestType;
  const Golden golden = Golden::read("cell.txt");
  for (const auto& name : golden.cases("h_next")) {
    INFO(name);
    const auto x = golden[name + ".x"].template tensor<Scalar>();
    const auto h = golden[name + ".h"].template tensor<Scalar>();
    const auto c = golden[name + ".c"].template tensor<Scalar>();
    const auto [activation, recurrent] = activations_of(name);
    LSTM<Scalar> layer(h.features(), {.activation = activation, .recurrent_activation = recurrent});
    layer.build(x.features());
    load_parameters(layer.parameters(), golden, name + ".");
    typename LSTM<Scalar>::Packed packed;
    layer.pack(packed, false);

    const Index units = h.features();
    std::vector<Scalar> h_next;
    std::vector<Scalar> c_next;
    for (Index b = 0; b < x.batch(); ++b) {
      std::vector<Scalar> state(h.data() + b * units, h.data() + (b + 1) * units);
      state.insert(state.end(), c.data() + b * units, c.data() + (b + 1) * units);
      std::vector<Scalar> y(static_cast<std::size_t>(units));
      packed.step(x.data() + b * x.features(), state.data(), y.data(), WeightOrder::ascending);
      REQUIRE(std::equal(y.begin(), y.end(), state.begin()));
      h_next.insert(h_next.end(), y.begin(), y.end());
      c_next.insert(c_next.end(), state.begin() + units, state.end());
    }
    require_close(h_next, golden[name + ".h_next"].values, tolerance<Scalar>.values, "h");
    require_close(c_next, golden[name + ".c_next"].values, tolerance<Scalar>.values, "c");
  }
}

TEST_CASE("LSTMCell: its derivatives, by dual numbers, are those of Keras", "[golden][cell]") {
  const Golden golden = Golden::read("cell.txt");
  const auto cases = golden.cases("h_weighting");
  REQUIRE(cases.size() == 17);
  for (const auto& name : cases) {
    INFO(name);
    Columns<Dual> x = columns<Dual>(golden[name + ".x"]);
    LSTMState<Dual, Dynamic, Dynamic> state;
    state.h = columns<Dual>(golden[name + ".h"]);
    state.c = columns<Dual>(golden[name + ".c"]);
    LSTMCell<Dual> cell(x.rows(), state.h.rows());
    load_cell(cell, golden, name);
    const auto& h_weighting = golden[name + ".h_weighting"].values;
    const auto& c_weighting = golden[name + ".c_weighting"].values;

    const auto check = [&](auto&& numbers, const std::string& part) {
      std::vector<double> gradient;
      for (Index i = 0; i < numbers.size(); ++i) {
        numbers.data()[i].slope = 1;
        const auto next = cell.step(x, state);
        numbers.data()[i].slope = 0;
        double sum = 0;
        for (std::size_t k = 0; k < h_weighting.size(); ++k) {
          sum += h_weighting[k] * next.h.data()[k].slope + c_weighting[k] * next.c.data()[k].slope;
        }
        gradient.push_back(sum);
      }
      require_close(gradient, golden[name + ".grad." + part].values, tolerance<double>.gradients,
                    part);
    };
    check(x, "x");
    check(state.h, "h");
    check(state.c, "c");
    check(cell.kernel(), "kernel");
    check(cell.recurrent_kernel(), "recurrent_kernel");
    check(cell.bias(), "bias");
  }
}
