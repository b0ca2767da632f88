#include <strata/io/header.hpp>

#include "formats.hpp"

strata::tool::Format strata::tool::header_format() {
  return {
      ".hpp",
      "a C++ header with the weights as constants",
      {},
      [](const std::string& path, const Sequential<>& model) { strata::save_header(path, model); }};
}
