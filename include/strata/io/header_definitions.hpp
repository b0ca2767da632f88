#pragma once

#include <cctype>
#include <concepts>
#include <filesystem>
#include <string>
#include <utility>

#include <strata/base/message.hpp>
#include <strata/error.hpp>
#include <strata/io/common/atomic_file.hpp>
#include <strata/io/common/layer_code.hpp>
#include <strata/io/common/literal.hpp>
#include <strata/io/header.hpp>
#include <strata/model/network.hpp>
#include <strata/model/non_finite.hpp>
#include <strata/target.hpp>
#include <strata/version.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// Throws ValueError unless the name is of letters, digits and underscores and does not begin with
/// a digit, as C++ asks of the name of a namespace.
STRATA_INLINE void check_identifier(const std::string& name) {
  bool valid = !name.empty() && !(name[0] >= '0' && name[0] <= '9');
  for (const char letter : name) {
    valid = valid && (std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '_');
  }
  if (!valid) {
    throw ValueError("save_header: \"" + name +
                     "\" cannot be the name of a namespace; give one by .name");
  }
}

/// Writes the text of the header, one parameter of the model at a time, so that the text of a large
/// model is never in memory as a whole.
template <class Scalar>
void write_header(AtomicFile& file, const Network<Scalar>& network, const std::string& name) {
  const std::string scalar = std::same_as<Scalar, float> ? "float" : "double";
  LayerCoder coder(scalar);
  std::string types;
  std::string values;
  for (const auto& layer : network.layers()) {
    const LayerCode code = coder.code(layer.description(), layer.inputs());
    types += (types.empty() ? "" : ",\n                                 ") + code.type;
    values += ",\n             " + code.value;
  }
  const Shape shape = network.input()->shape();
  std::string input;
  for (Index axis = 1; axis < shape.rank(); ++axis) {
    input += axis > 1 ? ", " : "";
    input += shape[axis] == Dynamic ? "strata::Dynamic" : std::to_string(shape[axis]);
  }
  const Index count = network.parameter_count();
  std::string text = "#pragma once\n\n// Written by strata " + std::string(version_string) +
                     ": a model of " + std::to_string(count) + " weights.\n\n";
  for (const std::string& header : coder.headers()) text += "#include <" + header + ">\n";
  text += "#include <strata/model/sequential.hpp>\n\nnamespace " + name + " {\n\n";
  text += "using Model = strata::Sequential<" + types + ">;\n\n";
  text += "inline constexpr " + scalar + " weights[] = {";
  std::size_t i = 0;
  for (const auto& parameter : network.parameters()) {
    for (const Scalar value : parameter.values) {
      text += (i++ % 4 == 0 ? "\n    " : " ") + literal(value) + ",";
    }
    file.write(std::exchange(text, {}));
  }
  // C++ has no arrays of length 0.
  if (count == 0) text += "0";
  text += "};\n\n/// The model with its weights.\ninline Model model() {\n";
  text += "  Model made(strata::Input(" + input + ")" + values + ");\n";
  if (count > 0) text += "  made.set_weights(weights);\n";
  file.write(text + "  return made;\n}\n\n}  // namespace " + name + "\n");
}

template <class Scalar>
void save_network_header(const Path& path, const Network<Scalar>& network,
                         const HeaderOptions& options) {
  const std::filesystem::path file_path(path.text());
  const std::string name = options.name.empty() ? file_path.stem().string() : options.name;
  check_identifier(name);
  for (const auto& parameter : network.parameters()) {
    const std::string found = detail::first_non_finite(parameter);
    if (found.empty()) continue;
    detail::fail<ValueError>(
        {"save_header: ", parameter.name, ": expected finite numbers, found ", found});
  }
  AtomicFile file(file_path);
  write_header(file, network, name);
  file.commit();
}

}  // namespace strata::inline STRATA_RUNTIME::io
