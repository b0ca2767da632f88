// A model of Keras as the files of a folder, on disk and in memory.

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <strata/io/keras.hpp>
#include <strata/io/keras/archive.hpp>

#include "support/catch.hpp"
#include "support/contains.hpp"
#include "support/error_text.hpp"
#include "support/golden.hpp"
#include "support/loaders.hpp"
#include "support/ranges.hpp"
#include "support/temporary_folder.hpp"
#include "support/values_of.hpp"

using namespace strata;
using test::Contains;
using test::error_text;

namespace {

const std::string archive_path = STRATA_GOLDEN_DIR "/keras/lstm_sequences.keras";

void write_file(const std::filesystem::path& path, const std::vector<std::byte>& bytes) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), std::ssize(bytes));
}

void require_the_model_of_the_archive(const Sequential<>& found) {
  const Sequential<> expected = load_keras(archive_path);
  REQUIRE(found.parameters().size() == expected.parameters().size());
  for (std::size_t i = 0; i < found.parameters().size(); ++i) {
    CHECK(found.parameters()[i].name == expected.parameters()[i].name);
    CHECK(test::equal(found.parameters()[i].values, expected.parameters()[i].values));
  }
}

}  // namespace

TEST_CASE("a model of Keras in a folder is the one in the archive", "[keras_folder]") {
  const io::Source source(archive_path);
  const io::KerasArchive archive(source.bytes(), source.where());
  const auto metadata = archive.read(io::keras_metadata);
  const auto config = archive.read(io::keras_config);
  const auto weights = archive.read(io::keras_weights);

  require_the_model_of_the_archive(load_keras(KerasFolder{metadata, config, weights}));
  CHECK(error_text<FormatError>([&] {
          (void)load_keras(KerasFolder{metadata, config, metadata, "dropped.keras"});
        }) == Contains{"dropped.keras: model.weights.h5: "});

  const test::TemporaryFolder folder;
  const auto model = folder / "model";
  std::filesystem::create_directory(model);
  write_file(model / io::keras_metadata, metadata);
  write_file(model / io::keras_config, config);
  CHECK(error_text<FileError>([&] { (void)load_keras(model); }) ==
        Contains{"model.weights.h5: cannot be opened"});
  write_file(model / io::keras_weights, weights);
  std::ofstream(model / "README.md") << "what the hub shows of the model";
  require_the_model_of_the_archive(load_keras(model));
  Sequential<> own = load_keras(archive_path);
  own.initialize(7);
  load_keras_weights(model, own);
  require_the_model_of_the_archive(own);
}
