// The survey of files: loads each model that models.py wrote, compares its output with that of its
// framework, and prints a row for each model and the sums.
//
//   survey FOLDER [FOLDER OF AMPLIFIERS...]

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <strata/io/keras.hpp>
#include <strata/io/nam.hpp>
#include <strata/io/onnx.hpp>
#include <strata/io/pytorch.hpp>
#include <strata/io/rtneural.hpp>
#include <strata/strata.hpp>

using namespace strata;
using Json = nlohmann::json;
namespace fs = std::filesystem;

namespace {

/// The largest difference between outputs, of numbers of size 1, that counts as agreement: sums in
/// float, in another order, of networks of a few layers.
constexpr float agreement = 2e-5f;

Tensor<float> read_tensor(const fs::path& folder, const Json& entry) {
  std::vector<Index> sizes = entry.at("shape");
  Index count = 1;
  for (const Index size : sizes) count *= size;
  std::vector<float> values(static_cast<std::size_t>(count));
  std::ifstream file(folder / entry.at("file").get<std::string>(), std::ios::binary);
  file.read(reinterpret_cast<char*>(values.data()), count * Index{sizeof(float)});
  if (!file) throw std::runtime_error(entry.dump() + " cannot be read");
  const Shape shape =
      sizes.size() == 3 ? Shape{sizes[0], sizes[1], sizes[2]} : Shape{sizes[0], sizes[1]};
  return Tensor<float>(shape, values);
}

/// An entry of .modules, as a user of load_pytorch writes it in C++.
PyTorchModule module_of(const std::string& text) {
  static const std::map<std::string, PyTorchModule> functions{
      {"last()", LastStep{}},
      {"mean()", MeanOverSteps{}},
      {"max()", MaxOverSteps{}},
      {"relu()", Activation::relu},
      {"tanh()", Activation::tanh},
      {"leaky()", ReLU{{.negative_slope = 0.2}}},
      {"elu()", Activation::elu},
      {"gelu()", Activation::gelu},
      {"silu()", Activation::silu},
      {"selu()", Activation::selu},
      {"mish()", Activation::mish},
      {"hardsigmoid()", Activation::hard_sigmoid},
      {"softplus()", Activation::softplus},
      {"relu6()", Activation::relu6},
      {"softmax()", Activation::softmax}};
  if (text.ends_with("()")) return functions.at(text);
  if (text.starts_with("+")) return PyTorchResidual{text.substr(1)};
  const auto colon = text.find(':');
  if (colon == std::string::npos) return text;
  const std::string kind = text.substr(0, colon);
  const std::string name = text.substr(colon + 1);
  if (kind == "prelu") return PyTorchPReLU{name};
  if (kind == "embedding") return PyTorchEmbedding{name};
  return PyTorchConv1d{name, {.padding = Padding::causal}};
}

Sequential<> load_model(const fs::path& path, const Json& entry) {
  const std::string framework = entry.at("framework");
  if (framework == "keras") return load_keras(path);
  if (framework == "onnx") return load_onnx(path);
  PyTorchOptions options;
  for (const Json& module : entry.at("modules")) {
    options.modules.push_back(module_of(module.get<std::string>()));
  }
  if (entry.value("relu", false)) options.nonlinearity = Activation::relu;
  options.without = entry.value("without", std::vector<std::string>());
  return load_pytorch(path, options);
}

struct Count {
  int models = 0;
  int agree = 0;
  int refused = 0;
  int wrong = 0;
  int chains = 0;
  int chains_agree = 0;
};

/// Prints a row and counts it.
void survey(const fs::path& folder, const Json& entry, Count& count) {
  const fs::path path = folder / entry.at("file").get<std::string>();
  const Tensor<float> x = read_tensor(folder, entry.at("x"));
  const Tensor<float> expected = read_tensor(folder, entry.at("y"));
  const bool chain = entry.at("chain");
  std::string result;
  bool agrees = false;
  try {
    const Sequential<> model = load_model(path, entry);
    const Tensor<float> y = model.predict(x);
    float largest = y.size() == expected.size() ? 0.0f : INFINITY;
    for (Index i = 0; i < std::min(y.size(), expected.size()); ++i) {
      const float size = std::max(1.0f, std::abs(expected.data()[i]));
      const float error = std::abs(y.data()[i] - expected.data()[i]) / size;
      largest = std::max(largest, std::isnan(error) ? INFINITY : error);
    }
    agrees = largest < entry.value("tolerance", agreement);
    char text[64];
    std::snprintf(text, sizeof text, "%s, %.1e", agrees ? "agrees" : "WRONG", largest);
    result = text;
    ++(agrees ? count.agree : count.wrong);
  } catch (const std::exception& error) {
    result = std::string("refused: ") + error.what();
    ++count.refused;
  }
  ++count.models;
  if (chain) {
    ++count.chains;
    count.chains_agree += agrees ? 1 : 0;
  }
  std::printf("%-8s %-22s %s %s\n", entry.at("framework").get<std::string>().c_str(),
              entry.at("name").get<std::string>().c_str(), chain ? "     " : "other",
              result.c_str());
}

/// Loads an amplifier by the reader that its file is for. Files with test samples check themselves.
void load_amplifier(const fs::path& path) {
  if (path.extension() == ".nam") {
    (void)load_nam(path);
    return;
  }
  std::ifstream file(path);
  const Json json = Json::parse(file);
  // Of trainers of amplifiers, and a plain state_dict.
  if (json.contains("state_dict") || json.contains("lstm.weight_ih_l0")) {
    (void)load_pytorch(path);
  } else {
    (void)load_rtneural(path);
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) {
    std::puts("usage: survey FOLDER [FOLDER OF AMPLIFIERS...]");
    return 2;
  }
  const fs::path folder = arguments[1];
  std::ifstream file(folder / "survey.json");
  const Json list = Json::parse(file);
  std::map<std::string, Count> counts;
  for (const Json& entry : list.at("models")) {
    survey(folder, entry, counts[entry.at("framework").get<std::string>()]);
  }
  for (int i = 2; i < count; ++i) {
    std::vector<fs::path> paths;
    for (const auto& one : fs::directory_iterator(arguments[i])) {
      const auto ending = one.path().extension();
      if (ending == ".nam" || ending == ".json") paths.push_back(one.path());
    }
    std::sort(paths.begin(), paths.end());
    for (const fs::path& path : paths) {
      Count& amplifiers = counts["amplifier"];
      ++amplifiers.models;
      std::string result = "loads";
      try {
        load_amplifier(path);
        ++amplifiers.agree;
      } catch (const std::exception& error) {
        result = std::string("refused: ") + error.what();
        ++amplifiers.refused;
      }
      std::printf("amplifier %-40s %s\n", path.filename().c_str(), result.c_str());
    }
  }
  std::printf("versions: %s\n", list.at("versions").dump().c_str());
  int wrong = 0;
  for (const auto& [name, one] : counts) {
    std::printf("%s: %d models, %d agree, %d refused, %d wrong; of %d chains %d agree\n",
                name.c_str(), one.models, one.agree, one.refused, one.wrong, one.chains,
                one.chains_agree);
    wrong += one.wrong;
  }
  return wrong == 0 ? 0 : 1;
}
