#pragma once

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#if defined(_WIN32)
#include <io.h>

#include <strata/support/windows.hpp>
#else
#include <sys/ioctl.h>
#include <unistd.h>
#endif

#include <strata/base/message.hpp>
#include <strata/target.hpp>
#include <strata/train/callback.hpp>
#include <strata/train/progress_bar.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// Seconds of a clock that never goes back.
[[nodiscard]] inline double steady_seconds() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

}  // namespace strata::detail::inline STRATA_RUNTIME

namespace strata::inline STRATA_RUNTIME {

STRATA_INLINE void ProgressBar::on_train_begin(TrainingRun&) {
  memory = {};
  memory.moves = !lines && is_terminal();
}

STRATA_INLINE void ProgressBar::on_epoch_begin(TrainingRun& run, int epoch) {
  memory.epoch_began = detail::steady_seconds();
  memory.last_drawn = 0;
  memory.drawn_width = 0;
  memory.epoch = epoch;
  if (memory.moves) print(title(run) + "\n");
}

STRATA_INLINE void ProgressBar::on_batch_end(TrainingRun& run, Index batch, const Logs& logs) {
  constexpr double shortest_pause = 0.05;
  const double now = detail::steady_seconds();
  if (!memory.moves || now - memory.last_drawn < shortest_pause) return;
  memory.last_drawn = now;
  const double done = static_cast<double>(batch + 1) / static_cast<double>(run.batches());
  const double left = seconds() / done * (1 - done);
  draw(rows_of(count(batch + 1, run), done, duration(left) + " left", logs).front());
}

STRATA_INLINE void ProgressBar::on_epoch_end(TrainingRun& run, int, Logs& logs) {
  const double step = seconds() / static_cast<double>(run.batches());
  const std::string time = duration(seconds()) + " " + duration(step) + "/step";
  if (!memory.moves) {
    std::string line = title(run) + " - " + time;
    for (const auto& [name, value] : logs) line += figure(name, value);
    print(line + "\n");
    return;
  }
  std::vector<std::string> rows = rows_of(count(run.batches(), run), 1, time, logs);
  draw(rows.front());
  for (std::size_t i = 1; i < rows.size(); ++i) print("\n" + rows[i]);
  print("\n");
}

STRATA_INLINE bool ProgressBar::is_terminal() const {
#if defined(_WIN32)
  return _isatty(_fileno(out)) != 0;
#else
  return isatty(fileno(out)) != 0;
#endif
}

STRATA_INLINE std::size_t ProgressBar::columns() const {
  int width = 0;
#if defined(_WIN32)
  const auto console = reinterpret_cast<HANDLE>(_get_osfhandle(_fileno(out)));
  CONSOLE_SCREEN_BUFFER_INFO info{};
  if (::GetConsoleScreenBufferInfo(console, &info)) width = info.dwSize.X;
#else
  winsize size{};
  if (ioctl(fileno(out), TIOCGWINSZ, &size) == 0) width = size.ws_col;
#endif
  if (const char* text = width > 0 ? nullptr : std::getenv("COLUMNS")) {
    (void)std::from_chars(text, text + std::char_traits<char>::length(text), width);
  }
  constexpr std::size_t unlimited = 10000;
  return width > 0 ? static_cast<std::size_t>(width - 1) : unlimited;
}

STRATA_INLINE std::vector<std::string> ProgressBar::rows_of(const std::string& count, double done,
                                                            const std::string& time,
                                                            const Logs& logs) const {
  const std::size_t limit = columns();
  const std::size_t needed = count.size() + time.size() + 2;
  const std::size_t cells =
      std::min<std::size_t>(20, limit > needed ? limit - needed : std::size_t{0});
  std::vector<std::string> rows{cut(count + " " + bar(done, cells) + " " + time, limit)};
  std::size_t width = width_of(rows.back());
  for (const auto& [name, value] : logs) {
    std::string text = figure(name, value);
    if (width + width_of(text) > limit) {
      if (count.size() + width_of(text) <= limit) text = std::string(count.size(), ' ') + text;
      rows.emplace_back();
      width = 0;
    }
    rows.back() += text;
    width += width_of(text);
  }
  return rows;
}

STRATA_INLINE std::size_t ProgressBar::width_of(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins_character));
}

STRATA_INLINE bool ProgressBar::begins_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
}

STRATA_INLINE std::string ProgressBar::cut(const std::string& text, std::size_t width) {
  std::size_t characters = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (begins_character(text[i]) && characters++ == width) return text.substr(0, i);
  }
  return text;
}

STRATA_INLINE double ProgressBar::seconds() const {
  return detail::steady_seconds() - memory.epoch_began;
}

STRATA_INLINE std::string ProgressBar::title(const TrainingRun& run) const {
  return "Epoch " + std::to_string(memory.epoch + 1) + "/" + std::to_string(run.epochs());
}

STRATA_INLINE std::string ProgressBar::count(Index batch, const TrainingRun& run) {
  const std::string all = std::to_string(run.batches());
  const std::string done = std::to_string(batch);
  return std::string(all.size() - (std::min)(all.size(), done.size()), ' ') + done + "/" + all;
}

STRATA_INLINE std::string ProgressBar::bar(double done, std::size_t width) {
  const auto full = static_cast<std::size_t>(std::lround(done * static_cast<double>(width)));
  std::string text;
#if defined(_WIN32)
  const bool is_utf8 = ::GetConsoleOutputCP() == CP_UTF8;
#else
  constexpr bool is_utf8 = true;
#endif
  const char* const done_part = is_utf8 ? "━" : "=";
  const char* const open_part = is_utf8 ? "╌" : "-";
  for (std::size_t i = 0; i < width; ++i) text += i < full ? done_part : open_part;
  return text;
}

STRATA_INLINE std::string ProgressBar::duration(double seconds) {
  const auto number = [](double value, int digits) {
    return detail::number_text(value, digits, detail::NumberStyle::fixed);
  };
  if (seconds < 1e-3) return number(seconds * 1e6, 0) + "us";
  if (seconds < 1) return number(seconds * 1e3, 0) + "ms";
  if (seconds < 60) return number(seconds, 1) + "s";
  const auto whole = static_cast<Index>(seconds);
  const std::string rest = std::to_string(whole % 60);
  return std::to_string(whole / 60) + (rest.size() == 1 ? ":0" : ":") + rest;
}

STRATA_INLINE std::string ProgressBar::figure(const std::string& name, double value) {
  const double size = std::abs(value);
  const bool fixed = size == 0 || size >= 1e-3;
  return " - " + name + ": " +
         detail::number_text(value, 4,
                             fixed ? detail::NumberStyle::fixed : detail::NumberStyle::scientific);
}

STRATA_INLINE void ProgressBar::draw(const std::string& row) {
  const std::size_t width = width_of(row);
  const std::size_t rest = memory.drawn_width - (std::min)(memory.drawn_width, width);
  print("\r" + row + std::string(rest, ' '));
  memory.drawn_width = width;
}

STRATA_INLINE void ProgressBar::print(const std::string& text) const {
  std::fputs(text.c_str(), out);
  std::fflush(out);
}

}  // namespace strata::inline STRATA_RUNTIME
