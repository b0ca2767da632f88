// Writes headers of models, and one header of their predictions.

#include <cstddef>
#include <fstream>
#include <string>
#include <vector>

#include <strata/io/common/literal.hpp>
#include <strata/io/common/scaled_columns.hpp>
#include <strata/io/header.hpp>

#include "models.hpp"

namespace {

/// Rounds a model's weights as a header of 16-bit integers does.
template <class Model>
void round_to_integers(Model& model) {
  using Scalar = typename Model::scalar_type;
  std::vector<Scalar> weights;
  for (const auto& parameter : model.parameters()) {
    if (!strata::io::is_reducible(parameter)) {
      weights.insert(weights.end(), parameter.values.begin(), parameter.values.end());
      continue;
    }
    const auto scaled = strata::io::scaled_columns(parameter);
    for (std::size_t i = 0; i < scaled.integers.size(); ++i) {
      weights.push_back(static_cast<Scalar>(scaled.integers[i]) *
                        static_cast<Scalar>(scaled.scales[i % scaled.scales.size()]));
    }
  }
  model.set_weights(weights);
}

}  // namespace

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
    const auto x = strata::test::header_input<Scalar>(model.input()->features());
    const auto write = [&](const std::string& header, strata::Precision precision) {
      strata::save_header(folder + header + "_model.hpp", model,
                          {.name = header, .precision = precision});
    };
    const auto expect = [&](const std::string& header) {
      expected << "inline constexpr double " << header << "_output[] = {";
      const auto y = model.predict(x);
      for (const Scalar value : y.values()) {
        expected << strata::io::literal(static_cast<double>(value)) << ", ";
      }
      expected << "};\n";
    };
    write(name, strata::Precision::full);
    expect(name);
    write(name + "_int16", strata::Precision::int16);
    round_to_integers(model);
    expect(name + "_int16");
  });
  return expected ? 0 : 1;
}
