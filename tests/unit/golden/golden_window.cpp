#include <string>
#include <utility>
#include <vector>

#include <strata/strata.hpp>

#include "support/catch.hpp"
#include "support/golden.hpp"

// The window over a text, alone and in a stack, against its equations in PyTorch: outputs, states,
// gradients, and the outputs of streams.

namespace {

using namespace strata;
using namespace strata::test;

/// The parameters of a model of one layer, by the names of the file.
template <class Model>
auto parameters_of(Model& model, bool is_stack) {
  auto list = model.parameters();
  for (auto& parameter : list) {
    const std::size_t layer = parameter.name.find('.') + 1;
    parameter.name.replace(0, layer, is_stack ? "" : "0.");
  }
  return list;
}

/// The state with the texts of a case, without its other parts.
template <class Model>
State<typename Model::Scalar> state_of(const Model& model, const Golden& golden,
                                       const std::string& name) {
  const GoldenRecord& text = golden[name + ".text"];
  const Index places = text.shape[1];
  const Index characters = text.shape[2];
  std::vector<std::vector<Index>> texts(static_cast<std::size_t>(text.shape[0]));
  for (std::size_t i = 0; i < text.values.size(); ++i) {
    if (text.values[i] == 0) continue;
    const auto at = static_cast<Index>(i);
    texts[static_cast<std::size_t>(at / characters / places)].push_back(at % characters);
  }
  return text_state(model, texts);
}

/// Compares h, w, c and kappa of the first layer.
template <class Scalar>
void check_state(State<Scalar>& state, const Golden& golden, const std::string& name) {
  const GoldenRecord& expected = golden[name + ".state"];
  const Index size = expected.shape[1];
  for (Index b = 0; b < state.batch; ++b) {
    const Scalar* const numbers = state.rows(0, b).data;
    for (Index i = 0; i < size; ++i) {
      INFO("number " << i << " of the state of sequence " << b);
      require_close(numbers[i], expected.values[static_cast<std::size_t>(b * size + i)],
                    tolerance<Scalar>.values, "state");
    }
  }
}

template <class Model>
void check_window(Model model, const Golden& golden, const std::string& name, bool is_stack) {
  using Scalar = typename Model::Scalar;
  INFO(name);
  const auto parameters = parameters_of(model, is_stack);
  load_parameters(parameters, golden, name + ".weight.");
  const auto x = golden[name + ".x"].template tensor<Scalar>();
  const Mask mask = Mask::from_lengths(golden[name + ".lengths"].template flat<Index>(), x.steps());

  State<Scalar> state = state_of(model, golden, name);
  const State<Scalar> begin = state;
  require_tensor_close(model.predict(x, {.mask = mask, .state = &state}), golden, name + ".y",
                       tolerance<Scalar>.values);
  check_state(state, golden, name);

  const auto network = model.trainable_network();
  typename TrainableNetwork<Scalar>::Tape tape;
  State<Scalar> trained = begin;
  require_tensor_close(network.forward(x, tape, Random(), {.mask = &mask, .state = &trained}),
                       golden, name + ".y", tolerance<Scalar>.values);
  check_state(trained, golden, name);
  tape.derivative = golden[name + ".weighting"].template tensor<Scalar>();
  std::vector<Scalar> gradient(static_cast<std::size_t>(model.parameter_count()));
  Tensor<Scalar> dx;
  network.backward(x, tape, gradient, &dx);
  require_parameters_close<Scalar>(parameters, gradient, golden, name + ".grad.",
                                   tolerance<Scalar>.gradients);
  require_tensor_close(dx, golden, name + ".dx", tolerance<Scalar>.gradients);

  Stream stream{model};
  const auto features = static_cast<std::size_t>(x.features());
  for (Index b = 0; b < x.batch(); ++b) {
    stream.set_state(begin.part(b, 1));
    for (Index t = 0; t < x.steps() && mask(b, t); ++t) {
      const auto y = stream.step({x.data() + (b * x.steps() + t) * x.features(), features});
      for (std::size_t i = 0; i < y.size(); ++i) {
        const auto width = y.size();
        const auto row = static_cast<std::size_t>(b * x.steps() + t);
        require_close(y[i], golden[name + ".y"].values[row * width + i], tolerance<Scalar>.values,
                      "a step of a stream");
      }
    }
  }
}

}  // namespace

TEMPLATE_TEST_CASE("The window over a text is Graves'", "[golden][window]", float, double) {
  using Scalar = TestType;
  using Above = LSTM<Scalar, Dynamic, Dynamic, return_sequences>;
  const Golden golden = Golden::read("window.txt");
  const auto first = [&](const std::string& name) {
    const auto& text = golden[name + ".text"];
    return WindowLSTM<Scalar, true>{
        golden[name + ".units"].template flat<Index>()[0],
        {.characters = text.shape[2],
         .length = text.shape[1],
         .gaussians = golden[name + ".gaussians"].template flat<Index>()[0],
         .peepholes = golden.contains(name + ".weight.0.peephole_input")}};
  };
  const Input input{Dynamic, 2};
  check_window(Sequential{input, first("alone")}, golden, "alone", false);
  check_window(Sequential{input, first("no_peepholes")}, golden, "no_peepholes", false);
  check_window(Sequential{input, WindowStack{first("stack"), Above{4}, Above{3}}}, golden, "stack",
               true);
  check_window(Sequential{input, WindowStack{first("many_places"), Above{3}}}, golden,
               "many_places", true);
  CHECK(golden.unread().empty());
}
