#pragma once

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace strata::test {

/// All bytes of a file.
inline std::string content(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace strata::test
