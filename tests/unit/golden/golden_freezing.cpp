#include <strata/strata.hpp>

#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/golden.hpp"

// Trainings with frozen layers, against Keras' fit.

namespace {

using namespace strata;
using namespace strata::test;

template <class S>
void check_frozen(const Golden& golden, const std::string& name,
                  const std::vector<std::string>& frozen) {
  INFO(name);
  Sequential<S> model;
  model.add(Input{4, 2});
  model.add(LSTM{3, return_sequences});
  model.add(BatchNormalization{{.momentum = 0.75}});
  model.add(LSTM{3});
  model.add(Dense{2});
  load_parameters(model.parameters(), golden, name + ".initial.");
  for (const std::string& layer : frozen) model.set_trainable(layer, false);
  model.compile(Adam{.learning_rate = 0.05, .clip = {.global_norm = 0.1}}, MeanSquaredError{}, {},
                {.regularizers = {{"lstm.kernel", L2{1.0 / 128}}, {"lstm_1.kernel", L2{1.0 / 128}}},
                 .constraints = {{"dense.kernel", MaxNorm{0.5}}}});
  const History history =
      model.fit(golden[name + ".x"].template tensor<S>(), golden[name + ".y"].template tensor<S>(),
                {.epochs = 2, .batch_size = 3, .shuffle = false, .verbose = 0});
  require_close(history["loss"], golden[name + ".loss"].values, tolerance<S>.training);
  require_parameters_close<S>(model.parameters(), model.weights(), golden, name + ".final.",
                              tolerance<S>.training);
}

}  // namespace

TEMPLATE_TEST_CASE("Frozen layers are left alone as by Keras", "[golden][training]", float,
                   double) {
  using S = TestType;
  const Golden golden = Golden::read("freezing.txt");
  check_frozen<S>(golden, "first", {"lstm"});
  check_frozen<S>(golden, "normalization", {"batch_normalization"});
  check_frozen<S>(golden, "middle", {"batch_normalization", "lstm_1"});
  check_frozen<S>(golden, "last", {"dense"});
  check_frozen<S>(golden, "all_but_last", {"lstm", "batch_normalization", "lstm_1"});
  CHECK(golden.unread().empty());
}
