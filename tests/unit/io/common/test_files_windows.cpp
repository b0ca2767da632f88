// Files on Windows: names beyond ASCII, files that are written whole or not at all.

#include <windows.h>

#include <filesystem>
#include <fstream>
#include <string>

#include <strata/io/common/atomic_file.hpp>
#include <strata/io/safetensors.hpp>
#include <strata/strata.hpp>

#include "support/catch.hpp"
#include "support/contains.hpp"
#include "support/content.hpp"
#include "support/error_text.hpp"
#include "support/temporary_folder.hpp"

using namespace strata;
using namespace strata::io;
using test::Contains;
using test::content;
using test::error_text;

TEST_CASE("names of files are wide, or text in UTF-8", "[io]") {
  const test::TemporaryFolder folder;
  const auto wide =
      folder.path() / std::filesystem::path(u8"gr\u00f6\u00dfe-\u6a21\u578b.safetensors");
  Sequential model{Input{3}, Dense{2}};
  save(wide, model);
  REQUIRE(std::filesystem::exists(wide));
  CHECK(load(wide).weights() == model.weights());
  const std::string utf8 = text_of(wide);
  CHECK(load(utf8).weights() == model.weights());
  CHECK(error_text<FileError>([&] { (void)load(utf8 + "x"); }) == Contains{utf8});
}

TEST_CASE("what another program writes is no leftover, what it left is", "[io]") {
  const test::TemporaryFolder folder;
  const auto path = folder / "model";
  {
    AtomicFile file(path);
    file.write("half");
    remove_leftovers(path);
    CHECK(folder.count() == 1);
  }
  CHECK(folder.count() == 0);
  std::ofstream(folder / temporary_name("model", true)) << "half";
  std::ofstream(folder / temporary_name("models", true)) << "half";
  remove_leftovers(path);
  CHECK(folder.count() == 1);
}

TEST_CASE("a file that may not be written stays", "[io]") {
  const test::TemporaryFolder folder;
  const auto path = folder / "model";
  write_file(path, "first");
  REQUIRE(::SetFileAttributesW(path.c_str(), FILE_ATTRIBUTE_READONLY) != 0);
  CHECK(error_text<FileError>([&] { write_file(path, "second"); }) ==
        Contains{"model: cannot be written: "});
  CHECK(content(path) == "first");
  REQUIRE(::SetFileAttributesW(path.c_str(), FILE_ATTRIBUTE_NORMAL) != 0);
  write_file(path, "third");
  CHECK(content(path) == "third");
}
