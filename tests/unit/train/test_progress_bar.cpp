#include <algorithm>
#include <chrono>
#include <cstdio>
#include <initializer_list>
#include <regex>
#include <string>
#include <thread>

#include <strata/train/progress_bar.hpp>

#include "support/catch.hpp"
#include "support/decimal_comma.hpp"
#include "support/terminal.hpp"

// What ProgressBar writes: lines to a file, a moving bar to a terminal.

namespace {

using namespace strata;

struct Batches final : TrainingRun {
  Batches(int epochs, Index batches) : TrainingRun(epochs, batches) {}
  double learning_rate() const override { return 0; }
  void set_learning_rate(double) override {}
  std::vector<double> weights() const override { return {}; }
  void set_weights(const std::vector<double>&) override {}
};

/// Two epochs of 12 batches, from epoch `first`. The first batches are slow enough to be drawn.
void play(Callback bar, int first = 0) {
  Batches run(first + 2, 12);
  Logs logs;
  logs.set("loss", 0.25);
  logs.set("mae", 1e-5);
  bar.on_train_begin(run);
  for (int epoch = first; epoch < first + 2; ++epoch) {
    bar.on_epoch_begin(run, epoch);
    for (Index batch = 0; batch < run.batches(); ++batch) {
      if (batch < 2) std::this_thread::sleep_for(std::chrono::milliseconds(60));
      bar.on_batch_end(run, batch, logs);
    }
    Logs end = logs;
    end.set("val_loss", 0);
    bar.on_epoch_end(run, epoch, end);
  }
  bar.on_train_end(run);
}

std::string written_to_file(bool lines) {
  std::FILE* const file = std::tmpfile();
  REQUIRE(file);
  play(ProgressBar{.lines = lines, .out = file}, 3);
  std::rewind(file);
  std::string text;
  for (int c = std::fgetc(file); c != EOF; c = std::fgetc(file)) text += static_cast<char>(c);
  std::fclose(file);
  return text;
}

}  // namespace

TEST_CASE("ProgressBar: a line for each epoch where there is no terminal", "[callbacks]") {
  // Numbers have a point in every locale.
  const test::DecimalComma comma;
  const std::regex expected(
      "Epoch 4/5 - [0-9]+ms [0-9]+ms/step - loss: 0\\.2500 - mae: 1\\.0000e-05 - val_loss: "
      "0\\.0000\n"
      "Epoch 5/5 - [0-9]+ms [0-9]+ms/step - loss: 0\\.2500 - mae: 1\\.0000e-05 - val_loss: "
      "0\\.0000\n");
  for (const bool lines : {true, false}) {
    const std::string text = written_to_file(lines);
    INFO(text);
    REQUIRE(std::regex_match(text, expected));
  }
}

#if defined(__linux__)

TEST_CASE("ProgressBar: a moving bar on a terminal", "[callbacks]") {
  test::Terminal terminal;
  if (!terminal.out()) return;
  play(ProgressBar{.out = terminal.out()});
  const std::string text = terminal.written();
  INFO(text);
  REQUIRE(text.starts_with("Epoch 1/2\r\n\r"));
  REQUIRE(text.find("\r\nEpoch 2/2\r\n\r") != std::string::npos);
  // Numbers of batches are set to the right, and 12 in two places.
  REQUIRE(std::regex_search(
      text,
      std::regex("\r 1/12 (━){2}(╌){18} [0-9.]+m?s left - loss: 0\\.2500 - mae: 1\\.0000e-05")));
  REQUIRE(std::regex_search(
      text, std::regex("\r12/12 (━){20} [0-9]+ms [0-9]+ms/step - loss: 0\\.2500 - mae: "
                       "1\\.0000e-05 - val_loss: 0\\.0000 *\r\n")));
  // Two epochs, each with a title and one line that is drawn over and over.
  REQUIRE(std::count(text.begin(), text.end(), '\n') == 4);
  REQUIRE(std::count(text.begin(), text.end(), '\r') > 8);
}

TEST_CASE("ProgressBar: no row is wider than the terminal", "[callbacks]") {
  for (const unsigned short columns : std::initializer_list<unsigned short>{60, 20}) {
    test::Terminal terminal(columns);
    if (!terminal.out()) return;
    play(ProgressBar{.out = terminal.out()});
    const std::string text = terminal.written();
    INFO(text);
    // Rows begin at \r and \n; the bar's cells have three bytes, of which two go on with a
    // character.
    unsigned short width = 0;
    unsigned short widest = 0;
    for (const char c : text) {
      if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) ++width;
      if (c == '\r' || c == '\n') width = 0;
      widest = std::max(widest, width);
    }
    REQUIRE(widest < columns);
    REQUIRE(widest > columns / 2);
    // Every figure is there at the end of the epoch.
    REQUIRE(text.find(" - val_loss: 0.0000") != std::string::npos);
    if (columns < 60) continue;
    REQUIRE(std::regex_search(
        text, std::regex("\r12/12 (━)+ [0-9]+ms [0-9]+ms/step - loss: 0\\.2500 *\r\n"
                         "      - mae: 1\\.0000e-05 - val_loss: 0\\.0000\r\n")));
  }
}

TEST_CASE("ProgressBar: asked for lines it gives lines, on a terminal too", "[callbacks]") {
  test::Terminal terminal;
  if (!terminal.out()) return;
  play(ProgressBar{.lines = true, .out = terminal.out()});
  const std::string text = terminal.written();
  REQUIRE(text.starts_with("Epoch 1/2 - "));
  REQUIRE(text.find("━") == std::string::npos);
}

#endif
