#pragma once

#include <cctype>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

#include <strata/base/message.hpp>
#include <strata/error.hpp>
#include <strata/io/common/atomic_file.hpp>
#include <strata/io/common/layer_code.hpp>
#include <strata/io/common/literal.hpp>
#include <strata/io/common/scaled_columns.hpp>
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

/// Writes an array of constants a few thousand at a time, so that the text of a large model is
/// never in memory as a whole.
class ArrayCode {
 public:
  /// `text` is written ahead of the array.
  ArrayCode(AtomicFile& file, std::string text, const std::string& type, const char* name)
      : file_(file), text_(std::move(text) + "inline constexpr " + type + " " + name + "[] = {") {}

  void add(const std::string& constant) {
    text_ += (count_++ % 4 == 0 ? "\n    " : " ") + constant + ",";
    if (count_ % 4096 == 0) file_.write(std::exchange(text_, {}));
  }
  /// The end of the array. C++ has no arrays of length 0.
  void finish() { file_.write(text_ + (count_ == 0 ? "0" : "") + "};\n\n"); }

 private:
  AtomicFile& file_;
  std::string text_;
  std::size_t count_ = 0;
};

/// Writes all weights as constants, behind `text`, and returns the code that gives them to the
/// model `made`.
template <class Scalar>
[[nodiscard]] std::string write_numbers(AtomicFile& file, const Network<Scalar>& network,
                                        const std::string& scalar, std::string text) {
  ArrayCode weights(file, std::move(text), scalar, "weights");
  for (const auto& parameter : network.parameters()) {
    for (const Scalar value : parameter.values) weights.add(literal(value));
  }
  weights.finish();
  return network.parameter_count() > 0 ? "  made.set_weights(weights);\n" : "";
}

/// The same with matrices as 16-bit integers.
template <class Scalar>
[[nodiscard]] std::string write_integers(AtomicFile& file, const Network<Scalar>& network,
                                         const std::string& scalar, std::string text) {
  ArrayCode integers(file, std::move(text), "std::int16_t", "integers");
  for (const auto& parameter : network.parameters()) {
    if (!is_reducible(parameter)) continue;
    for (const std::int16_t integer : scaled_columns(parameter).integers) {
      integers.add(std::to_string(integer));
    }
  }
  integers.finish();
  std::string code = "  using Scalar = " + scalar + R"(;
  std::vector<Scalar> weights;
  const std::int16_t* integer = integers;
  const Scalar* number = numbers;
  [[maybe_unused]] const auto matrix = [&](int rows, int columns) {
    for (int i = 0; i < rows * columns; ++i) {
      weights.push_back(static_cast<Scalar>(*integer++) * number[i % columns]);
    }
    number += columns;
  };
  [[maybe_unused]] const auto vector = [&](int count) {
    weights.insert(weights.end(), number, number + count);
    number += count;
  };
)";
  // Of a matrix its scales, of a vector its numbers.
  ArrayCode numbers(file, "", scalar, "numbers");
  for (const auto& parameter : network.parameters()) {
    if (is_reducible(parameter)) {
      for (const float scale : scaled_columns(parameter).scales) {
        numbers.add(literal(static_cast<Scalar>(scale)));
      }
      const Index columns = parameter.shape.back();
      code += "  matrix(" + std::to_string(parameter.shape.size() / columns) + ", " +
              std::to_string(columns) + ");\n";
    } else {
      for (const Scalar value : parameter.values) numbers.add(literal(value));
      code += "  vector(" + std::to_string(parameter.values.size()) + ");\n";
    }
  }
  numbers.finish();
  return code + "  made.set_weights(weights);\n";
}

template <class Scalar>
void write_header(AtomicFile& file, const Network<Scalar>& network, const std::string& name,
                  Precision precision) {
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
  if (precision == Precision::int16) text += "#include <cstdint>\n#include <vector>\n\n";
  for (const std::string& header : coder.headers()) text += "#include <" + header + ">\n";
  text += "#include <strata/model/sequential.hpp>\n\nnamespace " + name + " {\n\n";
  text += "using Model = strata::Sequential<" + types + ">;\n\n";
  const std::string copy_weights = precision == Precision::int16
                                       ? write_integers(file, network, scalar, std::move(text))
                                       : write_numbers(file, network, scalar, std::move(text));
  text = "/// The model with its weights.\ninline Model model() {\n";
  text += "  Model made(strata::Input(" + input + ")" + values + ");\n" + copy_weights;
  file.write(text + "  return made;\n}\n\n}  // namespace " + name + "\n");
}

template <class Scalar>
void save_network_header(const Path& path, const Network<Scalar>& network,
                         const HeaderOptions& options) {
  const std::string name = options.name.empty() ? text_of(system_path(path).stem()) : options.name;
  check_identifier(name);
  if (options.precision == Precision::half) {
    throw ValueError("save_header: precision must be full or int16, found half");
  }
  for (const auto& parameter : network.parameters()) {
    const std::string found = detail::first_non_finite(parameter);
    if (found.empty()) continue;
    detail::fail<ValueError>(
        {"save_header: ", parameter.name, ": expected finite numbers, found ", found});
  }
  AtomicFile file(path);
  write_header(file, network, name, options.precision);
  file.commit();
}

}  // namespace strata::inline STRATA_RUNTIME::io
