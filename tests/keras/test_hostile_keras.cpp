// Files that are damaged, or made to do harm.

#include <hdf5.h>
#include <zip.h>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <strata/io/keras.hpp>
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

const std::filesystem::path models = STRATA_GOLDEN_DIR "/keras";
using Bytes = std::vector<std::byte>;

Bytes bytes_of(const std::string& name) {
  const io::Source source(models / name);
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

/// A file of weights for Dense{1} over one feature, changed by f(file) before it is closed.
std::string weights_error(const std::function<void(hid_t)>& f) {
  const test::TemporaryFolder folder;
  const std::string path = (folder / "some.weights.h5").string();
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  for (const char* name : {"layers", "layers/dense", "layers/dense/vars"}) {
    H5Gclose(H5Gcreate2(file, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  }
  f(file);
  H5Fclose(file);
  Sequential<Dense<float, 1, 1>> model;
  return error_text<FormatError>([&] { load_keras_weights(path, model); });
}

void add(hid_t file, const char* name, std::vector<hsize_t> sizes, hid_t plan = H5P_DEFAULT,
         hid_t type = H5T_IEEE_F32LE, bool write = true) {
  const hid_t space = H5Screate_simple(static_cast<int>(sizes.size()), sizes.data(), nullptr);
  const hid_t dataset = H5Dcreate2(file, name, type, space, H5P_DEFAULT, plan, H5P_DEFAULT);
  hsize_t count = 1;
  for (const hsize_t size : sizes) count *= size;
  if (write) {
    const std::vector<float> zeros(count);
    H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, zeros.data());
  }
  H5Dclose(dataset);
  H5Sclose(space);
}

constexpr const char* kernel = "layers/dense/vars/0";
constexpr const char* bias = "layers/dense/vars/1";

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
  CHECK(weights_error([](hid_t file) {
          add(file, kernel, {1, 1});
          add(file, bias, {1});
        }) == "(nothing was thrown)");
  CHECK(weights_error([](hid_t file) {
          H5Lcreate_external("/etc/passwd", "/x", file, kernel, H5P_DEFAULT, H5P_DEFAULT);
        }) == Contains{"layers/dense/vars/0: links out of their place are not followed"});
  CHECK(weights_error([](hid_t file) {
          H5Lcreate_soft("/layers", file, kernel, H5P_DEFAULT, H5P_DEFAULT);
        }) == Contains{"links out of their place are not followed"});
  CHECK(weights_error([](hid_t file) {
          const hid_t plan = H5Pcreate(H5P_DATASET_CREATE);
          H5Pset_external(plan, "/etc/passwd", 0, 4);
          add(file, kernel, {1, 1}, plan, H5T_IEEE_F32LE, false);
          H5Pclose(plan);
        }) == Contains{"layers/dense/vars/0: the array lies outside of the file"});
  CHECK(weights_error([](hid_t file) {
          H5Lcreate_hard(file, "/layers", file, "layers/dense/again", H5P_DEFAULT, H5P_DEFAULT);
        }) == Contains{"groups are nested too deep"});
}

TEST_CASE("HDF5 arrays hold as many numbers as they say", "[keras]") {
  CHECK(weights_error([](hid_t file) {
          add(file, kernel, {1 << 20, 1 << 20}, H5P_DEFAULT, H5T_IEEE_F32LE, false);
        }) == Contains{"the array of 4398046511104 bytes is not in the file, which has 0 for it"});
  CHECK(weights_error([](hid_t file) {
          const hid_t plan = H5Pcreate(H5P_DATASET_CREATE);
          const hsize_t piece[] = {1 << 10, 1 << 10};
          H5Pset_chunk(plan, 2, piece);
          H5Pset_deflate(plan, 9);
          add(file, kernel, {1 << 10, 1 << 10}, plan);
          add(file, bias, {1});
          H5Pclose(plan);
        }) == Contains{"expected (1, 1), found (1024, 1024)"});
  CHECK(weights_error([](hid_t file) {
          add(file, kernel, {1, 1}, H5P_DEFAULT, H5T_STD_I32LE, false);
        }) == Contains{"layers/dense/vars/0: expected numbers of float16, bfloat16, float32 or "
                       "float64, found another type of 4 bytes"});
  CHECK(weights_error([](hid_t file) {
          const hid_t plan = H5Pcreate(H5P_DATASET_CREATE);
          const hsize_t piece[] = {4};
          H5Pset_chunk(plan, 1, piece);
          H5Pset_nbit(plan);
          add(file, bias, {4}, plan);
          add(file, kernel, {1, 1});
          H5Pclose(plan);
        }) == Contains{"expected no filter but deflate, shuffle and fletcher32, found filter 5"});
  CHECK(weights_error([](hid_t file) {
          add(file, kernel, {1, 1});
        }) == Contains{"layer 0 (Dense): bias: there is no array"});
  CHECK(weights_error([](hid_t file) {
          add(file, kernel, {1, 1});
          add(file, bias, {1});
          add(file, "layers/dense/vars/2", {1});
        }) == Contains{"the model has no place for these arrays of the file: layers/dense/vars/2"});
}

TEST_CASE("HDF5 keeps its printer of errors", "[keras]") {
  H5E_auto2_t before = nullptr;
  void* data_before = nullptr;
  H5Eget_auto2(H5E_DEFAULT, &before, &data_before);
  (void)load_keras(models / "lstm.keras");
  H5E_auto2_t after = nullptr;
  void* data_after = nullptr;
  H5Eget_auto2(H5E_DEFAULT, &after, &data_after);
  CHECK(before == after);
  CHECK(data_before == data_after);
}
