#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <strata/tensor.hpp>

#include "support/catch.hpp"
#include "support/reference.hpp"

namespace strata::test {

/// Little-endian float32 numbers.
inline std::vector<float> raw_floats(const std::string& path) {
  const auto size = static_cast<std::size_t>(std::filesystem::file_size(path));
  std::vector<float> numbers(size / sizeof(float));
  std::ifstream file(path, std::ios::binary);
  file.read(reinterpret_cast<char*>(numbers.data()),
            static_cast<std::streamsize>(numbers.size() * sizeof(float)));
  REQUIRE(file);
  return numbers;
}

/// Checks that a model computes y.f32 of x.f32 in a folder, where x is (batch, T, features).
template <class Model>
void check_raw_case(const std::string& folder, const Model& model, Index batch, Index features) {
  const std::vector<float> x = raw_floats(folder + "/x.f32");
  const std::vector<float> y = raw_floats(folder + "/y.f32");
  const Index steps = static_cast<Index>(x.size()) / batch / features;
  const auto computed = model.predict(Tensor<float>({batch, steps, features}, x));
  const std::vector<double> expected(y.begin(), y.end());
  require_close(computed.values(), expected, imported<float>, folder);
}

/// The folder of files with which users once had trouble. They are not part of strata: cmake
/// -DSTRATA_CASES=<folder> says where they are. Empty, with a warning, where they are not.
inline std::string folder_of_cases() {
  const std::string folder = STRATA_CASES;
  if (!folder.empty() && std::filesystem::exists(folder)) return folder + "/";
  WARN("skipped: without the users' files; -DSTRATA_CASES=<folder> says where they are");
  return {};
}

}  // namespace strata::test
