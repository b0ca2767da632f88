// A full disk stops no training: what cannot be written is said, and written later.

#include <optional>
#include <string>
#include <vector>

#include <strata/io/checkpoint.hpp>
#include <strata/io/safetensors.hpp>
#include <strata/io/safetensors/training_file.hpp>
#include <strata/strata.hpp>

#include "support/catch.hpp"
#include "support/contains.hpp"
#include "support/content.hpp"
#include "support/small_files.hpp"
#include "support/temporary_folder.hpp"

using namespace strata;
using test::Contains;

namespace {

/// Fills the disk after some epochs, and makes room after others.
struct Disk {
  int full_from;
  int room_from;
  std::vector<std::string>* warnings;
  std::optional<test::SmallFiles>* full;

  void on_epoch_end(TrainingRun&, int epoch, Logs&) const {
    if (epoch == full_from) full->emplace(1);
    if (epoch == room_from) full->reset();
  }
  void on_warning(TrainingRun&, const std::string& text) const { warnings->push_back(text); }
};

struct Result {
  std::vector<float> weights;
  std::vector<std::string> warnings;
};

Result trained(const test::TemporaryFolder& folder, int full_from, int room_from) {
  Tensor<float> x({40, 5, 2}), y({40, 1});
  Random random(1);
  for (float& value : x.values()) value = static_cast<float>(random.normal());
  for (float& value : y.values()) value = static_cast<float>(random.normal());
  Sequential<> model;
  model.add(Input{5, 2});
  model.add(LSTM{6});
  model.add(Dense{1});
  model.compile(Adam{}, MeanSquaredError{});
  Result result;
  std::optional<test::SmallFiles> full;
  model.fit(x, y,
            {.epochs = 5,
             .callbacks = {Disk{full_from, room_from, &result.warnings, &full},
                           CSVLogger{.filename = (folder / "log.csv").string()},
                           ModelCheckpoint{.path = (folder / "run.safetensors").string()}},
             .verbose = 0});
  const auto weights = model.weights();
  result.weights.assign(weights.begin(), weights.end());
  return result;
}

int lines_of(const std::string& text) {
  int lines = 0;
  for (const char c : text) lines += c == '\n' ? 1 : 0;
  return lines;
}

std::int64_t epochs_in(const test::TemporaryFolder& folder) {
  const TrainingState state = io::read_checkpoint((folder / "run.safetensors").string());
  return std::get<std::vector<std::int64_t>>(state.values.at("epoch")).front();
}

}  // namespace

TEST_CASE("a full disk for some epochs loses nothing", "[io][checkpoint][callbacks]") {
  const test::TemporaryFolder with_room, folder;
  const Result alone = trained(with_room, -1, -1);
  CHECK(alone.warnings.empty());
  const Result result = trained(folder, 2, 4);
  CHECK(result.weights == alone.weights);
  REQUIRE(result.warnings.size() == 4);
  CHECK(result.warnings[0] == Contains{"log.csv; the training goes on after epoch 2"});
  CHECK(result.warnings[1] == Contains{"ModelCheckpoint: "});
  CHECK(result.warnings[1] == Contains{"cannot be written"});
  CHECK(result.warnings[1] == Contains{"; the training goes on after 3 epochs"});
  CHECK(result.warnings[3] == Contains{"; the training goes on after 4 epochs"});
  CHECK(test::content((folder / "log.csv").string()) ==
        test::content((with_room / "log.csv").string()));
  CHECK(epochs_in(folder) == 5);
  CHECK(folder.count() == 2);
}

TEST_CASE("a full disk to the end leaves the files of before", "[io][checkpoint][callbacks]") {
  const test::TemporaryFolder with_room, folder;
  const Result result = trained(folder, 2, -1);
  CHECK(result.weights == trained(with_room, -1, -1).weights);
  REQUIRE(result.warnings.size() == 7);
  CHECK(result.warnings.back() == Contains{"log.csv; it lacks the last 3 lines"});
  CHECK(lines_of(test::content((folder / "log.csv").string())) == 3);
  CHECK(epochs_in(folder) == 2);
  CHECK(folder.count() == 2);
}
