#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <string>

#include <strata/io/common/self_test.hpp>
#include <strata/io/common/source.hpp>
#include <strata/io/safetensors/format.hpp>

#include "tolerance.hpp"

namespace strata::test {

/// How close the outputs of an imported model are to the original: to 1e-5 in float.
template <class Scalar>
inline constexpr Tolerance imported = tolerance<Scalar>.values;
template <>
inline constexpr Tolerance imported<float> = {1e-5, 0};

/// A safetensors file of an input and the output that the framework which wrote a model computes.
template <class Scalar>
struct Reference {
  Tensor<Scalar> input;
  Tensor<double> output;

  explicit Reference(const std::string& path) {
    const io::Source source(path);
    io::SafetensorsFile file = io::read_safetensors(source);
    input = io::tensor_of<Scalar>(file.arrays.take("input"), source.where());
    output = io::tensor_of<double>(file.arrays.take("output"), source.where());
    file.arrays.require_all_used();
  }

  template <class Model>
  void require_equal(const Model& model) const {
    const Tensor<Scalar> y = model.predict(input);
    REQUIRE(y.shape() == output.shape());
    // Zeros would hide a wrong weight.
    const auto& numbers = output.values();
    REQUIRE(std::any_of(numbers.begin(), numbers.end(),
                        [](double one) { return std::abs(one) > 0.01; }));
    require_close(y.values(), numbers, imported<Scalar>, "outputs");
  }
};

}  // namespace strata::test
