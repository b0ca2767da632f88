#include <cstdio>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <strata/train/csv_logger.hpp>

#include "support/catch.hpp"
#include "support/content.hpp"
#include "support/decimal_comma.hpp"
#include "support/error_text.hpp"
#include "support/temporary_folder.hpp"

namespace {

using namespace strata;
using strata::test::error_text;

struct NoTraining final : TrainingRun {
  explicit NoTraining(std::vector<Figure> known = {})
      : TrainingRun(2, 1), known_(std::move(known)) {}
  double learning_rate() const override { return 0; }
  void set_learning_rate(double) override {}
  std::vector<double> weights() const override { return {}; }
  void set_weights(const std::vector<double>&) override {}
  std::vector<Figure> figures() const override { return known_; }
  void warn(const std::string& text) override { warning = text; }

  std::string warning;

 private:
  std::vector<Figure> known_;
};

/// A file of its own folder, which is removed at the end of the test.
struct File {
  [[nodiscard]] std::string content() const { return strata::test::content(path); }
  void write(const std::string& text) const { std::ofstream(path) << text; }

  strata::test::TemporaryFolder folder;
  std::string path = (folder / "log.csv").string();
};

/// Two epochs. Returns the last warning.
std::string log(Callback logger, double loss = 0.5) {
  NoTraining run;
  Logs logs;
  logs.set("loss", loss);
  logs.set("val_loss", 0.25);
  logger.on_train_begin(run);
  logger.on_epoch_end(run, 0, logs);
  logs.set("loss", 1.0 / 3);
  logger.on_epoch_end(run, 1, logs);
  logger.on_train_end(run);
  return run.warning;
}

}  // namespace

TEST_CASE("CSVLogger: a line for each epoch", "[callbacks]") {
  const File file;
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
  const File file;
  log(CSVLogger{.filename = file.path, .append = true});
  REQUIRE(file.content() == "epoch,loss,val_loss\n0,0.5,0.25\n1,0.333333333,0.25\n");
}

TEST_CASE("CSVLogger: separator, figures that go and figures that come", "[callbacks]") {
  const File file;
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
  REQUIRE(run.warning == "CSVLogger: " + file.path +
                             " has no column for other, which came after the first epoch or is new "
                             "to the file; it is not written");
}

TEST_CASE("CSVLogger: append keeps to the columns of the file", "[callbacks]") {
  const File file;
  const std::string before = "epoch,val_loss,loss\n0,1,2\n";
  file.write(before);
  const auto refusal = [&](const std::string& separator, std::vector<Figure> figures) {
    CSVLogger logger{.filename = file.path, .separator = separator, .append = true};
    NoTraining run(std::move(figures));
    return error_text<ValueError>([&] { logger.on_train_begin(run); });
  };
  SECTION("by their names") {
    log(CSVLogger{.filename = file.path, .append = true}, 7);
    REQUIRE(file.content() == before + "0,0.25,7\n1,0.25,0.333333333\n");
  }
  SECTION("a figure without a column is refused before the training") {
    REQUIRE(refusal(",", {{"loss"}, {"mae"}}) ==
            "CSVLogger: " + file.path +
                " has no column for mae; its columns are epoch,val_loss,loss. Choose another file, "
                "or begin this one anew without .append");
    REQUIRE(file.content() == before);
  }
  SECTION("so is another separator") {
    NoTraining run;
    CSVLogger logger{.filename = file.path, .separator = ";", .append = true};
    REQUIRE(error_text<FormatError>([&] { logger.on_train_begin(run); }) ==
            "CSVLogger: the first line of " + file.path +
                " is \"epoch,val_loss,loss\"; expected epoch and the names of figures, with the "
                "separator \";\"");
    REQUIRE(file.content() == before);
  }
  SECTION("a last line that was cut off is removed") {
    file.write(before + "1,0.5");
    NoTraining run;
    Logs logs;
    logs.set("loss", 3);
    CSVLogger logger{.filename = file.path, .append = true};
    logger.on_train_begin(run);
    REQUIRE(run.warning ==
            "CSVLogger: the last line of " + file.path + " was cut off and is removed: 1,0.5");
    logger.on_epoch_end(run, 1, logs);
    logger.on_train_end(run);
    REQUIRE(file.content() == before + "1,NA,3\n");
  }
  SECTION("also where it is the header") {
    file.write("epoch,lo");
    log(CSVLogger{.filename = file.path, .append = true});
    REQUIRE(file.content() == "epoch,loss,val_loss\n0,0.5,0.25\n1,0.333333333,0.25\n");
  }
  SECTION("separators and names that would break the table are refused") {
    REQUIRE(refusal("", {}) ==
            "CSVLogger: the separator must be text that no number contains, found \"\"");
    REQUIRE(refusal(".", {}) ==
            "CSVLogger: the separator must be text that no number contains, found \".\"");
    REQUIRE(refusal(",", {{"a,b"}}) ==
            "CSVLogger: the figure \"a,b\" has the separator \",\" or a line's end in its name; "
            "choose another separator");
  }
}

TEST_CASE("CSVLogger: what a file holds stays until the first epoch is over", "[callbacks]") {
  const File file;
  file.write("kept\n");
  NoTraining run;
  Logs logs;
  logs.set("loss", 1);
  CSVLogger logger{.filename = file.path};
  logger.on_train_begin(run);
  REQUIRE(file.content() == "kept\n");
  // Nobody else may write it meanwhile.
  CSVLogger other{.filename = file.path, .append = true};
  REQUIRE(error_text<FileError>([&] { other.on_train_begin(run); }) ==
          "CSVLogger: " + file.path +
              " is being written by another one; give each training a file of its own");
  logger.on_epoch_end(run, 0, logs);
  REQUIRE(file.content() == "epoch,loss\n0,1\n");
  logger.on_train_end(run);
  other.on_train_begin(run);
}

TEST_CASE("CSVLogger: numbers have a point in every locale", "[callbacks]") {
  const File file;
  const test::DecimalComma comma;
  log(CSVLogger{.filename = file.path});
  REQUIRE(file.content() == "epoch,loss,val_loss\n0,0.5,0.25\n1,0.333333333,0.25\n");
}

TEST_CASE("CSVLogger: files that cannot be written", "[callbacks]") {
  REQUIRE(error_text<FileError>([] { log(CSVLogger{.filename = "/no/such/folder/log.csv"}); }) ==
          "CSVLogger: cannot open /no/such/folder/log.csv");
#if defined(__linux__)
  REQUIRE(log(CSVLogger{.filename = "/dev/full"}) ==
          "CSVLogger: cannot write to /dev/full; it lacks the last 3 lines");
#endif
}
