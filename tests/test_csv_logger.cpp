#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <strata/train/csv_logger.hpp>

#include "support/catch.hpp"
#include "support/error_text.hpp"

namespace {

using namespace strata;
using strata::test::error_text;

struct NoTraining final : TrainingRun {
  NoTraining() : TrainingRun(2, 1) {}
  double learning_rate() const override { return 0; }
  void set_learning_rate(double) override {}
  std::vector<double> weights() const override { return {}; }
  void set_weights(const std::vector<double>&) override {}
};

/// A file that is removed at the end of the test.
struct File {
  explicit File(const char* name) : path((std::filesystem::temp_directory_path() / name).string()) {
    std::filesystem::remove(path);
  }
  ~File() { std::filesystem::remove(path); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  [[nodiscard]] std::string content() const {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }

  std::string path;
};

/// Two epochs.
void log(Callback logger, double loss = 0.5) {
  NoTraining run;
  Logs logs;
  logs.set("loss", loss);
  logs.set("val_loss", 0.25);
  logger.on_train_begin(run);
  logger.on_epoch_end(run, 0, logs);
  logs.set("loss", 1.0 / 3);
  logger.on_epoch_end(run, 1, logs);
  logger.on_train_end(run);
}

}  // namespace

TEST_CASE("CSVLogger: a line for each epoch", "[callbacks]") {
  const File file("strata_test_csv_logger.csv");
  log(CSVLogger{.filename = file.path});
  const std::string expected = "epoch,loss,val_loss\n0,0.5,0.25\n1,0.333333333,0.25\n";
  REQUIRE(file.content() == expected);
  SECTION("a new training begins a new file") {
    log(CSVLogger{.filename = file.path});
    REQUIRE(file.content() == expected);
  }
  SECTION("or goes on, without a second header") {
    log(CSVLogger{.filename = file.path, .append = true}, 7);
    REQUIRE(file.content() == expected + "0,7,0.25\n1,0.333333333,0.25\n");
  }
}

TEST_CASE("CSVLogger: append to no file writes the header", "[callbacks]") {
  const File file("strata_test_csv_logger_append.csv");
  log(CSVLogger{.filename = file.path, .append = true});
  REQUIRE(file.content() == "epoch,loss,val_loss\n0,0.5,0.25\n1,0.333333333,0.25\n");
}

TEST_CASE("CSVLogger: separator, figures that go and figures that come", "[callbacks]") {
  const File file("strata_test_csv_logger_columns.csv");
  Callback logger = CSVLogger{.filename = file.path, .separator = ";"};
  NoTraining run;
  Logs first;
  first.set("loss", 1);
  first.set("mae", 2);
  Logs second;
  second.set("other", 5);
  second.set("mae", 1e-30);
  logger.on_train_begin(run);
  logger.on_epoch_end(run, 0, first);
  // Each line is there as soon as its epoch is over.
  REQUIRE(file.content() == "epoch;loss;mae\n0;1;2\n");
  logger.on_epoch_end(run, 1, second);
  logger.on_train_end(run);
  REQUIRE(file.content() == "epoch;loss;mae\n0;1;2\n1;NA;1e-30\n");
}

TEST_CASE("CSVLogger: files that cannot be written", "[callbacks]") {
  REQUIRE(error_text<FileError>([] { log(CSVLogger{.filename = "/no/such/folder/log.csv"}); }) ==
          "CSVLogger: cannot open /no/such/folder/log.csv");
#if defined(__linux__)
  REQUIRE(error_text<FileError>([] { log(CSVLogger{.filename = "/dev/full"}); }) ==
          "CSVLogger: cannot write to /dev/full");
#endif
}
