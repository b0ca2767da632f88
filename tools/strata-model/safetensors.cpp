#include <strata/io/pytorch.hpp>
#include <strata/io/safetensors.hpp>
#include <strata/io/safetensors/format.hpp>

#include "formats.hpp"

strata::tool::Format strata::tool::safetensors_format() {
  return {".safetensors", "strata's own files; a PyTorch state_dict is read",
          [](const std::string& path) {
            const io::Source source(path);
            const auto metadata = io::read_safetensors(source).metadata;
            const bool is_own = metadata.contains("strata.model");
            return is_own ? load(source) : load_pytorch(source);
          },
          [](const std::string& path, const Sequential<>& model) { save(path, model); }};
}
