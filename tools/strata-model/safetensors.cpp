#include <strata/io/safetensors.hpp>

#include "formats.hpp"

strata::tool::Format strata::tool::safetensors_format() {
  return {".safetensors", "strata's own files",
          [](const std::string& path) { return strata::load(path); },
          [](const std::string& path, const Sequential<>& model) { strata::save(path, model); }};
}
