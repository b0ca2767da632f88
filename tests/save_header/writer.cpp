// Writes headers of models, and one header of their predictions.

#include <fstream>
#include <string>

#include <strata/io/common/literal.hpp>
#include <strata/io/header.hpp>

#include "models.hpp"

int main(int count, char** arguments) {
  if (count != 2) return 2;
  const std::string folder = std::string(arguments[1]) + "/";
  std::ofstream expected(folder + "expected.hpp");
  expected << "#pragma once\n";
  strata::test::for_each_header_model([&](const std::string& name, auto& model) {
    using Scalar = typename std::remove_reference_t<decltype(model)>::scalar_type;
    // Weights that start at zero or one would hide mistakes.
    strata::Random random(7);
    auto weights = model.weights();
    for (Scalar& weight : weights) weight += static_cast<Scalar>(0.1 * random.uniform());
    model.set_weights(weights);
    strata::save_header(folder + name + "_model.hpp", model, {.name = name});
    expected << "inline constexpr double " << name << "_output[] = {";
    const auto x = strata::test::header_input<Scalar>(model.input()->features());
    const auto y = model.predict(x);
    for (const Scalar value : y.values()) {
      expected << strata::io::literal(static_cast<double>(value)) << ", ";
    }
    expected << "};\n";
  });
  return expected ? 0 : 1;
}
