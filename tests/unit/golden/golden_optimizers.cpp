#include <map>

#include <strata/train/adaptive_optimizers.hpp>
#include <strata/train/optimizers.hpp>

#include "support/catch.hpp"
#include "support/golden.hpp"

// Two variables after each of six updates with given gradients, against Keras.

namespace {

using namespace strata;
using namespace strata::test;

template <class Scalar>
std::map<std::string, Optimizer<Scalar>> optimizers() {
  std::map<std::string, Optimizer<Scalar>> all{
      {"sgd", SGD{}},
      {"sgd_momentum", SGD{.learning_rate = 0.05, .momentum = 0.9}},
      {"sgd_nesterov", SGD{.learning_rate = 0.05, .momentum = 0.9, .nesterov = true}},
      {"rmsprop", RMSprop{}},
      {"rmsprop_momentum", RMSprop{.learning_rate = 0.01, .rho = 0.8, .momentum = 0.5}},
      {"rmsprop_centered", RMSprop{.learning_rate = 0.01, .centered = true}},
      {"rmsprop_centered_momentum",
       RMSprop{.learning_rate = 0.01, .momentum = 0.9, .epsilon = 1e-3, .centered = true}},
      {"adam", Adam{}},
      {"adam_options", Adam{.learning_rate = 0.02, .beta_1 = 0.8, .beta_2 = 0.95, .epsilon = 1e-3}},
      {"adam_amsgrad", Adam{.learning_rate = 0.02, .beta_2 = 0.7, .amsgrad = true}},
      {"adamw", AdamW{}},
      {"adamw_options", AdamW{.learning_rate = 0.02, .weight_decay = 0.25}},
      {"adamw_amsgrad",
       AdamW{.learning_rate = 0.02, .weight_decay = 0.1, .beta_2 = 0.7, .amsgrad = true}},
      {"adagrad", Adagrad{.initial_accumulator_value = 0.125}},
      {"adagrad_options",
       Adagrad{.learning_rate = 0.1, .initial_accumulator_value = 0.5, .epsilon = 1e-3}},
      {"adadelta", Adadelta{}},
      {"adadelta_options", Adadelta{.learning_rate = 1, .rho = 0.75, .epsilon = 1e-3}},
      {"adamax", Adamax{}},
      {"adamax_options",
       Adamax{.learning_rate = 0.02, .beta_1 = 0.75, .beta_2 = 0.5, .epsilon = 1e-3}},
      {"nadam", Nadam{}},
      {"nadam_options",
       Nadam{.learning_rate = 0.02, .beta_1 = 0.75, .beta_2 = 0.875, .epsilon = 1e-3}},
      {"lion", Lion{}},
      {"lion_options", Lion{.learning_rate = 0.02, .beta_1 = 0.5, .beta_2 = 0.75}},
  };
  const std::map<std::string, Clip> clips{
      {"clip_value", {.value = 0.5}},
      {"clip_norm", {.norm = 1.5}},
      {"clip_global_norm", {.global_norm = 2}},
  };
  for (const auto& [name, clip] : clips) {
    all.emplace("sgd_" + name, SGD{.learning_rate = 0.125, .clip = clip});
    all.emplace("rmsprop_" + name, RMSprop{.learning_rate = 0.01, .clip = clip});
    all.emplace("adam_" + name, Adam{.learning_rate = 0.01, .clip = clip});
    all.emplace("adamw_" + name, AdamW{.learning_rate = 0.01, .clip = clip});
  }
  return all;
}

}  // namespace

TEMPLATE_TEST_CASE("Optimizers: every update is that of Keras", "[golden][optimizers]", float,
                   double) {
  using Scalar = TestType;
  const Golden golden = Golden::read("optimizers.txt");
  const std::vector<std::string> variables{"a", "b"};
  for (auto [name, optimizer] : optimizers<Scalar>()) {
    std::map<std::string, std::vector<Scalar>> now;
    std::vector<Parameter<Scalar>> parameters;
    for (const auto& variable : variables) {
      const GoldenRecord& start = golden["start." + variable];
      now[variable] = start.template flat<Scalar>();
      parameters.push_back({variable, start.shape, now[variable]});
    }
    const Index steps = golden["gradients.a"].shape[0];
    REQUIRE(steps == 6);
    for (Index step = 0; step < steps; ++step) {
      INFO(name << ", update " << step + 1);
      const auto part = [&](const GoldenRecord& record) {
        const std::size_t size = record.values.size() / static_cast<std::size_t>(steps);
        return std::span(record.values).subspan(static_cast<std::size_t>(step) * size, size);
      };
      std::vector<Scalar> gradient;
      for (const auto& variable : variables) {
        for (const double value : part(golden["gradients." + variable])) {
          gradient.push_back(static_cast<Scalar>(value));
        }
      }
      optimizer.update(parameters, gradient);
      for (const auto& variable : variables) {
        // Keras rounds the 0.96 of Nadam to float32, which moves six steps of 0.02 by up to 2e-9.
        const Tolerance allowed = name.starts_with("nadam") && sizeof(Scalar) == 8
                                      ? Tolerance{3e-9, 0}
                                      : tolerance<Scalar>.values;
        require_close(now[variable], part(golden[name + "." + variable]), allowed, variable);
      }
    }
    CHECK(optimizer.iterations() == steps);
  }
  CHECK(golden.unread().empty());
}
