// Files that are damaged, or made to do harm.

#include <zip.h>
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <strata/io/keras.hpp>
#include <strata/io/keras/archive.hpp>
#include <strata/io/keras/file.hpp>
#include <strata/layers/dense.hpp>

#include "support/catch.hpp"
#include "support/contains.hpp"
#include "support/error_text.hpp"
#include "support/golden.hpp"
#include "support/temporary_folder.hpp"

using namespace strata;
using test::Contains;
using test::error_text;

namespace {

const std::filesystem::path golden_files = STRATA_GOLDEN_DIR "/keras";
using Bytes = std::vector<std::byte>;

Bytes bytes_of(const std::string& name) {
  const io::Source source(golden_files / name);
  return {source.bytes().begin(), source.bytes().end()};
}

Bytes bytes_of_text(const std::string& text) {
  const auto* begin = reinterpret_cast<const std::byte*>(text.data());
  return {begin, begin + text.size()};
}

std::string load_error(const io::Source& from) {
  return error_text<FormatError>([&] { (void)io::read_keras_file(from); });
}

/// An archive of these files.
Bytes archive_of(const std::vector<std::pair<std::string, Bytes>>& files) {
  const test::TemporaryFolder folder;
  const std::string path = (folder / "model.keras").string();
  zip_t* const zip = zip_open(path.c_str(), ZIP_CREATE, nullptr);
  for (const auto& [name, content] : files) {
    zip_source_t* const source = zip_source_buffer(zip, content.data(), content.size(), 0);
    zip_file_add(zip, name.c_str(), source, 0);
  }
  zip_close(zip);
  const io::Source source(path);
  return {source.bytes().begin(), source.bytes().end()};
}

std::vector<std::pair<std::string, Bytes>> files_of(const std::string& name) {
  const Bytes bytes = bytes_of(name);
  const io::KerasArchive archive(bytes, io::Where(name));
  std::vector<std::pair<std::string, Bytes>> files;
  for (const char* one : {"metadata.json", "config.json", "model.weights.h5"}) {
    files.emplace_back(one, archive.read(one));
  }
  return files;
}

/// The message with which weights for Dense{1} over one feature are refused; the files are written
/// by tests/golden/hostile_hdf5.py.
std::string weights_error(const io::Source& from) {
  Sequential<Dense<float, 1, 1>> model;
  return error_text<FormatError>([&] { load_keras_weights(from, model); });
}
std::string weights_error(const char* name) {
  return weights_error(golden_files / "hostile" / (std::string(name) + ".weights.h5"));
}

}  // namespace

TEST_CASE("files of Keras that are cut off are refused", "[keras]") {
  for (const char* name : {"stack_2.keras", "keras_2.h5", "trained.keras"}) {
    const Bytes whole = bytes_of(name);
    for (std::size_t part = 0; part < 40; ++part) {
      const Bytes bytes(whole.begin(),
                        whole.begin() + static_cast<std::ptrdiff_t>(whole.size() * part / 40));
      INFO(name << ", " << bytes.size() << " bytes");
      CHECK_THROWS_AS(io::read_keras_file(bytes), FormatError);
    }
  }
  CHECK(load_error(bytes_of_text("{}")) ==
        "memory: this is neither a .keras archive nor an HDF5 file");
}

TEST_CASE("archives hold three files of possible sizes", "[keras]") {
  auto files = files_of("lstm.keras");
  CHECK(load_error(archive_of(files)) == "(nothing was thrown)");
  {
    auto more = files;
    more.emplace_back("assets/words.txt", bytes_of_text("a b c"));
    CHECK(load_error(archive_of(more)) ==
          Contains{"\"assets/words.txt\": expected only metadata.json, config.json and "
                   "model.weights.h5, found this file"});
  }
  {
    auto fewer = files;
    fewer.pop_back();
    CHECK(load_error(archive_of(fewer)) == Contains{"model.weights.h5: is missing in the archive"});
  }
  {
    auto newer = files;
    newer[0].second = bytes_of_text(R"({"keras_version": "4.1.0", "date_saved": "tomorrow"})");
    CHECK(load_error(archive_of(newer)) ==
          Contains{"metadata.json: keras_version: expected Keras 2 to 3"});
  }
  {
    auto other = files;
    other[1].second = bytes_of_text("{\"class_name\": ");
    CHECK(load_error(archive_of(other)) == Contains{"config.json: this is not JSON"});
  }
  // The size that the archive's directory tells of a file, made a lie.
  Bytes lie = bytes_of("lstm.keras");
  const std::string entry = "PK\x01\x02";
  for (std::size_t at = 0; at + 46 < lie.size(); ++at) {
    if (std::memcmp(lie.data() + at, entry.data(), 4) != 0) continue;
    for (std::size_t i = 24; i < 28; ++i) lie[at + i] = std::byte{0x7f};
  }
  CHECK(load_error(lie) == Contains{"memory: "});

  Bytes damaged = archive_of(files);
  std::size_t changed = 0;
  for (std::size_t at = 60; at < damaged.size() && changed < 50; at += damaged.size() / 50) {
    Bytes copy = damaged;
    copy[at] ^= std::byte{0x55};
    // Names and numbers of the archive are checked, and the rest has a checksum.
    const std::string text = load_error(copy);
    INFO(at << ": " << text);
    ++changed;
  }
  CHECK(changed > 20);
}

TEST_CASE("HDF5 files reach for nothing outside of themselves", "[keras]") {
  CHECK(weights_error("whole") == "(nothing was thrown)");
  CHECK(weights_error("external_link") ==
        Contains{"external links; strata reads that of Keras' own"});
  CHECK(weights_error("soft_link") == Contains{"0: is a link to another place or file"});
  CHECK(weights_error("external_array") ==
        Contains{"layers/dense/vars/0: the array lies in another file"});
  CHECK(weights_error("loop") == Contains{"groups are nested too deep"});
}

TEST_CASE("HDF5 arrays hold as many numbers as they say", "[keras]") {
  CHECK(weights_error("unallocated") ==
        Contains{"layers/dense/vars/0: the array of 4398046511104 bytes is not in the file, which "
                 "has 0 for it"});
  CHECK(weights_error("compressed") == Contains{"layers/dense/vars/0: the array is compressed"});
  CHECK(weights_error("in_pieces") == Contains{"layers/dense/vars/0: the array is in pieces"});
  CHECK(weights_error("whole_numbers") ==
        Contains{"layers/dense/vars/0: expected numbers of float16, bfloat16, float32 or float64, "
                 "found whole numbers of 4 bytes"});
  CHECK(weights_error("without_bias") == Contains{"layer 0 (Dense): bias: there is no array"});
  CHECK(weights_error("one_too_many") ==
        Contains{"the model has no place for these arrays of the file: layers/dense/vars/2"});
  for (const char* name : {"newer_layout", "tracked_order"}) {
    CHECK(weights_error(name) ==
          Contains{"the HDF5 file has the newer layout, which h5py writes with track_order=True, "
                   "libver=\"latest\" or external links"});
  }
}

TEST_CASE("HDF5 arrays do not overlap", "[keras]") {
  Bytes bytes = bytes_of("hostile/whole.weights.h5");
  // Both arrays have 4 bytes. A layout of version 3, in one piece: its address, then its size.
  const unsigned char size[] = {4, 0, 0, 0, 0, 0, 0, 0};
  std::vector<std::size_t> addresses;
  for (std::size_t at = 0; at + 18 <= bytes.size(); ++at) {
    const bool is_layout = bytes[at] == std::byte{3} && bytes[at + 1] == std::byte{1};
    if (is_layout && std::memcmp(bytes.data() + at + 10, size, 8) == 0) addresses.push_back(at + 2);
  }
  REQUIRE(addresses.size() == 2);
  std::memcpy(bytes.data() + addresses[0], bytes.data() + addresses[1], 8);
  CHECK(weights_error(bytes) == Contains{"layers/dense/vars/1: the array overlaps another one"});
}

TEST_CASE("HDF5 arrays may be big-endian and of any precision", "[keras]") {
  Sequential<Dense<float, 1, 1>> model;
  load_keras_weights(golden_files / "hostile" / "big_endian.weights.h5", model);
  CHECK(model.weights() == std::vector<float>{2, 0.5f});
}

TEST_CASE("every byte of a file of weights may be wrong", "[keras]") {
  const Bytes whole = bytes_of("hostile/whole.weights.h5");
  int refused = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const std::byte change : {std::byte{0xff}, std::byte{0x01}, std::byte{0x80}}) {
      Bytes bytes = whole;
      bytes[at] ^= change;
      refused += weights_error(bytes) == "(nothing was thrown)" ? 0 : 1;
    }
  }
  CHECK(refused > 1000);
}

TEST_CASE("every byte of a list of names beyond ASCII may be wrong", "[keras]") {
  const Bytes whole = bytes_of("kinds/many_names.h5");
  CHECK(load_error(whole) == "(nothing was thrown)");
  int refused = 0;
  for (const char* const signature : {"FRHP", "BTHD", "BTLF", "FHDB"}) {
    INFO(signature);
    const Bytes letters = bytes_of_text(signature);
    const auto found = std::search(whole.begin(), whole.end(), letters.begin(), letters.end());
    REQUIRE(found != whole.end());
    const auto begin = static_cast<std::size_t>(found - whole.begin());
    for (std::size_t at = begin; at < std::min(begin + 160, whole.size()); ++at) {
      for (const std::byte change : {std::byte{0xff}, std::byte{0x01}, std::byte{0x80}}) {
        Bytes bytes = whole;
        bytes[at] ^= change;
        refused += load_error(bytes) == "(nothing was thrown)" ? 0 : 1;
      }
    }
  }
  CHECK(refused > 500);
}
