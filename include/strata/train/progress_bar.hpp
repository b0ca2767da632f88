#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <string>

#if defined(_WIN32)
#include <io.h>
#else
#include <unistd.h>
#endif

#include <strata/target.hpp>
#include <strata/train/callback.hpp>

namespace strata::inline STRATA_TARGET {

/// Shows a training as it goes, as Keras does. On a terminal a bar moves through each epoch, with
/// the time left; in a log, or with `lines`, each epoch is one line at its end.
struct ProgressBar {
  bool lines = false;
  std::FILE* out = stdout;

  struct Memory {
    using Clock = std::chrono::steady_clock;
    Clock::time_point epoch_began;
    Clock::time_point last_drawn;
    std::size_t drawn_width = 0;
    int epoch = 0;
  } memory{};

  void on_train_begin(TrainingRun&) {
    memory = {};
    lines = lines || !is_terminal();
  }

  void on_epoch_begin(TrainingRun& run, int epoch) {
    memory.epoch_began = Memory::Clock::now();
    memory.last_drawn = {};
    memory.drawn_width = 0;
    memory.epoch = epoch;
    if (!lines) print(title(run) + "\n");
  }

  void on_batch_end(TrainingRun& run, Index batch, const Logs& logs) {
    using namespace std::chrono_literals;
    const auto now = Memory::Clock::now();
    if (lines || now - memory.last_drawn < 50ms) return;
    memory.last_drawn = now;
    const double done = static_cast<double>(batch + 1) / static_cast<double>(run.batches());
    const double left = seconds() / done * (1 - done);
    draw(count(batch + 1, run) + " " + bar(done) + " " + duration(left) + " left" + figures(logs));
  }

  void on_epoch_end(TrainingRun& run, int, Logs& logs) {
    const double step = seconds() / static_cast<double>(run.batches());
    const std::string time = duration(seconds()) + " " + duration(step) + "/step";
    if (lines) {
      print(title(run) + " - " + time + figures(logs) + "\n");
    } else {
      draw(count(run.batches(), run) + " " + bar(1) + " " + time + figures(logs));
      print("\n");
    }
  }

 private:
  [[nodiscard]] bool is_terminal() const {
#if defined(_WIN32)
    return _isatty(_fileno(out)) != 0;
#else
    return isatty(fileno(out)) != 0;
#endif
  }

  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(Memory::Clock::now() - memory.epoch_began).count();
  }

  [[nodiscard]] std::string title(const TrainingRun& run) const {
    return "Epoch " + std::to_string(memory.epoch + 1) + "/" + std::to_string(run.epochs());
  }

  [[nodiscard]] static std::string count(Index batch, const TrainingRun& run) {
    const std::string all = std::to_string(run.batches());
    const std::string done = std::to_string(batch);
    return std::string(all.size() - std::min(all.size(), done.size()), ' ') + done + "/" + all;
  }

  [[nodiscard]] static std::string bar(double done) {
    constexpr int width = 20;
    const int full = static_cast<int>(std::lround(done * width));
    std::string text;
    for (int i = 0; i < width; ++i) text += i < full ? "━" : "╌";
    return text;
  }

  [[nodiscard]] static std::string duration(double seconds) {
    char text[32];
    if (seconds < 1e-3) {
      std::snprintf(text, sizeof text, "%.0fus", seconds * 1e6);
    } else if (seconds < 1) {
      std::snprintf(text, sizeof text, "%.0fms", seconds * 1e3);
    } else if (seconds < 60) {
      std::snprintf(text, sizeof text, "%.1fs", seconds);
    } else {
      std::snprintf(text, sizeof text, "%d:%02d", static_cast<int>(seconds / 60),
                    static_cast<int>(seconds) % 60);
    }
    return text;
  }

  [[nodiscard]] static std::string figures(const Logs& logs) {
    std::string text;
    for (const auto& [name, value] : logs) {
      char number[32];
      const double size = std::abs(value);
      std::snprintf(number, sizeof number, size == 0 || size >= 1e-3 ? "%.4f" : "%.4e", value);
      text += " - " + name + ": " + number;
    }
    return text;
  }

  void draw(const std::string& line) {
    const std::size_t rest = memory.drawn_width - std::min(memory.drawn_width, line.size());
    print("\r" + line + std::string(rest, ' '));
    memory.drawn_width = line.size();
  }

  void print(const std::string& text) const {
    std::fputs(text.c_str(), out);
    std::fflush(out);
  }
};

}  // namespace strata::inline STRATA_TARGET
