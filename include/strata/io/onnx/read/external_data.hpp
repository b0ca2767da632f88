#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <strata/error.hpp>
#include <strata/io/common/path.hpp>
#include <strata/io/common/source.hpp>
#include <strata/io/common/where.hpp>
#include <strata/io/onnx/graph/model.hpp>
#include <strata/io/onnx/graph/options.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// Reads the numbers that a model keeps in other files: https://onnx.ai, "external data". The name
/// of such a file comes from the model, which may be anybody's. So only plain names are followed,
/// into the folder of the model.
class OnnxExternalReader {
 public:
  /// Gives their bytes to all tensors of a model whose numbers are in other files. Throws FileError
  /// where such a file cannot be read; FormatError on a name that is not plain, on a place that the
  /// file does not have, on a model in memory whose file is not given, and on a given file that the
  /// model has no tensor in.
  static void read(OnnxModel& model, const Source& from, const OnnxOptions& options) {
    OnnxExternalReader reader(from, options);
    for (OnnxTensor& tensor : model.graph.initializers) reader.read(tensor);
    for (OnnxNode& node : model.graph.nodes) {
      for (OnnxAttribute& attribute : node.attributes) {
        if (auto* const tensor = std::get_if<OnnxTensor>(&attribute.value)) reader.read(*tensor);
      }
    }
    for (const OnnxExternalFile& file : options.external_data) {
      if (!reader.files_.contains(file.name)) {
        from.where().refuse("external_data gives the file " + in_quotes(file.name) +
                            ", and no tensor of the model is in a file of this name");
      }
    }
  }

 private:
  struct File {
    Source source;
    /// How many bytes tensors may still take. Tensors may share their numbers; without a bound, a
    /// small file could ask for any amount of memory.
    std::uintmax_t left;
  };

  OnnxExternalReader(const Source& from, const OnnxOptions& options)
      : from_(&from), options_(&options) {}

  void read(OnnxTensor& tensor) {
    if (!tensor.external) return;
    const OnnxExternalPlace place = std::move(*std::exchange(tensor.external, std::nullopt));
    const Where where = from_->where().in("tensor " + in_quotes(tensor.name));
    File& file = file_of(place.file, where);
    const std::uintmax_t size = file.source.size();
    if (place.offset > size || place.length > size - place.offset) {
      where.expected(std::to_string(place.length) + " bytes from byte " +
                         std::to_string(place.offset) + " on in the file " + in_quotes(place.file),
                     "a file of " + std::to_string(size) + " bytes");
    }
    if (place.length > file.left) {
      where.refuse("the tensors in the file " + in_quotes(place.file) +
                   " are many times as large as the file");
    }
    file.left -= place.length;
    const auto bytes =
        file.source.bytes().subspan(static_cast<std::size_t>(place.offset), place.length);
    tensor.bytes.assign(bytes.begin(), bytes.end());
  }

  [[nodiscard]] File& file_of(const std::string& name, const Where& where) {
    if (const auto found = files_.find(name); found != files_.end()) return found->second;
    Source source = open(name, where);
    constexpr std::uintmax_t times = 16;
    const std::uintmax_t left = times * source.size();
    return files_.emplace(name, File{std::move(source), left}).first->second;
  }

  [[nodiscard]] Source open(const std::string& name, const Where& where) const {
    for (const OnnxExternalFile& given : options_->external_data) {
      if (given.name == name) return given.data;
    }
    if (!is_plain(name)) {
      where.refuse("its numbers are in the file " + in_quotes(name) +
                   ", which is no plain name of a file beside the model");
    }
    if (!from_->is_file()) {
      where.refuse("its numbers are in the file " + in_quotes(name) +
                   ", which a model in memory has not beside it; give its bytes by "
                   ".external_data = {{" +
                   in_quotes(name) + ", bytes}}");
    }
    const std::size_t slash = from_->name().find_last_of(path_separators);
    const std::string folder =
        slash == std::string::npos ? std::string() : from_->name().substr(0, slash + 1);
    try {
      return Source(Path(folder + name), Source::max_size);
    } catch (const FileError& error) {
      throw FileError(where.text() + ": its numbers are in the file " + in_quotes(name) +
                      ", which must lie beside the model: " + error.what());
    }
  }

  /// Whether a name leads to a file of the same folder on every system.
  [[nodiscard]] static bool is_plain(std::string_view name) noexcept {
    if (name.empty() || name == "." || name == "..") return false;
    for (const char letter : name) {
      const bool is_control = static_cast<unsigned char>(letter) < 0x20;
      if (letter == '/' || letter == '\\' || letter == ':' || is_control) return false;
    }
    return true;
  }

  const Source* from_;
  const OnnxOptions* options_;
  std::map<std::string, File> files_;
};

}  // namespace strata::inline STRATA_RUNTIME::io
