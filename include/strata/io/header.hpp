#pragma once

#include <cctype>
#include <cmath>
#include <concepts>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include <strata/error.hpp>
#include <strata/io/atomic_file.hpp>
#include <strata/io/layer_code.hpp>
#include <strata/model/network.hpp>
#include <strata/target.hpp>
#include <strata/version.hpp>

// A model as a C++ header, for programs that have no file to read.

namespace strata::inline STRATA_TARGET {

/// Options of save_header.
struct HeaderOptions {
  /// The namespace of what the header holds; empty: the file's name.
  std::string name = {};
};

namespace io {

/// Throws ValueError unless it can be the name of a namespace.
inline void check_identifier(const std::string& name) {
  bool valid = !name.empty() && std::isdigit(static_cast<unsigned char>(name[0])) == 0;
  for (const char letter : name) {
    valid = valid && (std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '_');
  }
  if (!valid) {
    throw ValueError("save_header: \"" + name +
                     "\" cannot be the name of a namespace; give one by .name");
  }
}

/// Exactly the number, as C++ reads it.
template <class Scalar>
[[nodiscard]] std::string literal(Scalar value) {
  char text[48];
  std::snprintf(text, sizeof text, "%a%s", static_cast<double>(value),
                std::same_as<Scalar, float> ? "f" : "");
  return text;
}

/// The text of the header.
template <class Model>
[[nodiscard]] std::string header_text(const Model& model, const std::string& name) {
  using Scalar = typename Model::scalar_type;
  check_identifier(name);
  const std::vector<Scalar> weights = model.weights();
  const std::string scalar = std::same_as<Scalar, float> ? "float" : "double";
  const auto network = model.network();
  LayerCoder coder(scalar);
  std::string types;
  std::string values;
  for (const auto& layer : network.layers()) {
    const LayerCode code = coder.code(layer.description(), layer.inputs());
    types += (types.empty() ? "" : ",\n                                 ") + code.type;
    values += ",\n             " + code.value;
  }
  const Shape shape = model.input()->shape();
  std::string input;
  for (Index axis = 1; axis < shape.rank(); ++axis) {
    input += axis > 1 ? ", " : "";
    input += shape[axis] == Dynamic ? "strata::Dynamic" : std::to_string(shape[axis]);
  }
  std::string text = "#pragma once\n\n// Written by strata " + std::string(version_string) +
                     ": a model of " + std::to_string(weights.size()) + " weights.\n\n";
  for (const std::string& header : coder.headers()) text += "#include <" + header + ">\n";
  text += "#include <strata/model/sequential.hpp>\n\nnamespace " + name + " {\n\n";
  text += "using Model = strata::Sequential<" + types + ">;\n\n";
  text += "inline constexpr " + scalar + " weights[] = {";
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (!std::isfinite(weights[i])) {
      throw ValueError("save_header: weight " + std::to_string(i) + " is not finite");
    }
    text += (i % 4 == 0 ? "\n    " : " ") + literal(weights[i]) + ",";
  }
  // An array has at least one number.
  if (weights.empty()) text += "0";
  text += "};\n\n/// The model with its weights.\n[[nodiscard]] inline Model model() {\n";
  text += "  Model made(strata::Input(" + input + ")" + values + ");\n";
  if (!weights.empty()) text += "  made.set_weights(weights);\n";
  return text + "  return made;\n}\n\n}  // namespace " + name + "\n";
}

}  // namespace io

/// Writes a C++ header with the model's type, all sizes of which are fixed where the layers have
/// such types, its weights as constants, and a function that makes it:
///
///   save_header("amp.hpp", model);                     // here
///   const amp::Model model = amp::model();             // elsewhere, with amp.hpp included
///
/// Throws StateError before the model is built, ValueError on layers that do not describe
/// themselves, on weights that are not finite, and on a name that C++ cannot have; FileError when
/// the file cannot be written.
template <class Model>
void save_header(const std::filesystem::path& path, const Model& model,
                 const HeaderOptions& options = {}) {
  io::write_file(
      path, io::header_text(model, options.name.empty() ? path.stem().string() : options.name));
}

}  // namespace strata::inline STRATA_TARGET
