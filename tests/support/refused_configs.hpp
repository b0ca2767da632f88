#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <strata/io/common/json.hpp>
#include <strata/io/keras/model.hpp>

#include "catch.hpp"
#include "contains.hpp"
#include "error_text.hpp"

namespace strata::test {

/// Checks that each named config of Keras in a file is refused with a text that has the given one
/// in it. Returns the configs of the file.
inline io::Json check_refused_configs(
    const std::filesystem::path& file,
    const std::vector<std::pair<std::string, std::string>>& expected) {
  const io::Source source(file);
  io::Json json = io::parse_json(source.text(), io::Where(file.filename().string()));
  for (const auto& [name, text] : expected) {
    INFO(name);
    REQUIRE(json.contains(name));
    const std::string config = json[name].dump();
    CHECK(error_text<FormatError>([&] {
            (void)io::keras_architecture(config, {}, io::Where("config.json"));
          }) == Contains{text});
  }
  return json;
}

}  // namespace strata::test
