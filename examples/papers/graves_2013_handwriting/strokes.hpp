#pragma once

#include <strata/strata.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

/// Drawings of characters as movements of a pen.
namespace papers {

/// A movement of a pen to its next point, and whether the stroke ends there.
using Movement = std::array<float, 3>;

struct Drawing {
  std::string alphabet;
  strata::Index character = 0;  ///< in its alphabet, from 0
  int drawer = 0;               ///< from 1
  std::vector<Movement> movements;
};

namespace detail {

/// A number drawn from [-limit, limit).
inline double jitter(strata::Random& random, double limit) {
  return limit * (2 * random.uniform() - 1);
}

/// Reads one drawing of Omniglot: "START", lines "x,y,milliseconds", "BREAK" at the end of a
/// stroke. The points lie on a lattice of pixels, which no density fits, so each is moved by up to
/// half a pixel.
inline std::vector<Movement> read_movements(const std::filesystem::path& path,
                                            strata::Random random) {
  std::ifstream file(path);
  std::vector<Movement> points;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("START")) continue;
    if (line.starts_with("BREAK")) {
      if (!points.empty()) points.back()[2] = 1;
      continue;
    }
    const char* at = line.data();
    const char* const end = at + line.size();
    Movement point{};
    for (int axis = 0; axis < 2; ++axis) {
      const auto [next, error] = std::from_chars(at, end, point[static_cast<std::size_t>(axis)]);
      if (error != std::errc{} || next == end || *next != ',') {
        throw std::runtime_error(path.string() + ": expected x,y,time, found " + line);
      }
      point[static_cast<std::size_t>(axis)] += static_cast<float>(jitter(random, 0.5));
      at = next + 1;
    }
    points.push_back(point);
  }
  std::vector<Movement> movements;
  for (std::size_t i = 1; i < points.size(); ++i) {
    movements.push_back(
        {points[i][0] - points[i - 1][0], points[i][1] - points[i - 1][1], points[i][2]});
  }
  return movements;
}

}  // namespace detail

/// Reads the unpacked strokes_background_small1.zip of Omniglot: ALPHABET/characterNN/CCCC_DD.txt,
/// where DD is the drawer. Throws std::runtime_error where there are no drawings.
inline std::vector<Drawing> read_omniglot(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    const auto& path = entry.path();
    if (path.extension() == ".txt" && path.parent_path().filename().string().starts_with("char")) {
      files.push_back(path);
    }
  }
  std::sort(files.begin(), files.end());
  std::vector<Drawing> drawings;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const std::string name = files[i].stem().string();
    if (name.size() != 7 || name[4] != '_') continue;
    const auto character = files[i].parent_path();
    drawings.push_back({character.parent_path().filename().string(),
                        std::stoi(character.filename().string().substr(9)) - 1,
                        std::stoi(name.substr(5)),
                        detail::read_movements(files[i], strata::Random(1).fork(i))});
    if (drawings.back().movements.empty()) drawings.pop_back();
  }
  if (drawings.empty()) {
    throw std::runtime_error(folder.string() + " has no drawings ALPHABET/characterNN/CCCC_DD.txt");
  }
  return drawings;
}

/// Drawings of two alphabets, circles and zigzags of one to three strokes, by 20 drawers whose
/// hands tremble and lean.
inline std::vector<Drawing> made_drawings() {
  std::vector<Drawing> drawings;
  strata::Random random(5);
  for (int drawer = 1; drawer <= 20; ++drawer) {
    const double size = 20 + detail::jitter(random, 5);
    for (const std::string alphabet : {"round", "zigzag"}) {
      for (strata::Index character = 0; character < 3; ++character) {
        Drawing drawing{alphabet, character, drawer, {}};
        for (strata::Index stroke = 0; stroke <= character; ++stroke) {
          for (int step = 0; step < 16; ++step) {
            const double turn = 2 * 3.14159265 * step / 16;
            const double dx = alphabet == "round" ? size * std::cos(turn) / 4 : size / 8;
            const double dy = alphabet == "round" ? size * std::sin(turn) / 4
                                                  : size * (step / 2 % 2 ? 1 : -1) / 4;
            drawing.movements.push_back({static_cast<float>(dx + detail::jitter(random, 0.5)),
                                         static_cast<float>(dy + detail::jitter(random, 0.5)),
                                         step == 15 ? 1.f : 0.f});
          }
        }
        drawings.push_back(std::move(drawing));
      }
    }
  }
  return drawings;
}

/// Divides the movements of all drawings by their standard deviation in those of the drawers up to
/// `last_drawer`.
inline void standardise(std::vector<Drawing>& drawings, int last_drawer) {
  for (std::size_t axis = 0; axis < 2; ++axis) {
    double sum = 0, squares = 0, count = 0;
    for (const Drawing& drawing : drawings) {
      if (drawing.drawer > last_drawer) continue;
      for (const Movement& movement : drawing.movements) {
        sum += movement[axis];
        squares += movement[axis] * movement[axis];
        ++count;
      }
    }
    const auto deviation =
        static_cast<float>(std::sqrt(squares / count - sum / count * sum / count));
    for (Drawing& drawing : drawings) {
      for (Movement& movement : drawing.movements) movement[axis] /= deviation;
    }
  }
}

/// Characters as class numbers: the text of a drawing is its alphabet and its number in the
/// alphabet.
class Script {
 public:
  explicit Script(const std::vector<Drawing>& drawings) {
    for (const Drawing& drawing : drawings) {
      alphabets_.try_emplace(drawing.alphabet, 0);
      numbers_ = std::max(numbers_, drawing.character + 1);
    }
    strata::Index next = 0;
    for (auto& [name, id] : alphabets_) id = next++;
  }
  [[nodiscard]] strata::Index size() const {
    return static_cast<strata::Index>(alphabets_.size()) + numbers_;
  }
  [[nodiscard]] std::vector<strata::Index> text(const Drawing& drawing) const {
    return {alphabets_.at(drawing.alphabet),
            static_cast<strata::Index>(alphabets_.size()) + drawing.character};
  }

 private:
  std::map<std::string, strata::Index> alphabets_;
  strata::Index numbers_ = 0;
};

/// Some drawings of about equal length, filled up to the longest.
struct DrawingBatch {
  strata::Tensor<float> x;  ///< (B, T, 3): the movement before; the pen is up before the first
  strata::Tensor<float> y;  ///< (B, T, 3): the movement
  strata::Mask mask;
  std::vector<std::vector<strata::Index>> texts;
};

/// The drawings of drawers `first` to `last` in batches of up to `size`, short ones first.
inline std::vector<DrawingBatch> batches_of(const std::vector<Drawing>& drawings,
                                            const Script& script, int first, int last,
                                            strata::Index size) {
  using strata::Index;
  std::vector<const Drawing*> chosen;
  for (const Drawing& drawing : drawings) {
    if (drawing.drawer >= first && drawing.drawer <= last) chosen.push_back(&drawing);
  }
  std::stable_sort(chosen.begin(), chosen.end(), [](const Drawing* a, const Drawing* b) {
    return a->movements.size() < b->movements.size();
  });
  std::vector<DrawingBatch> batches;
  for (std::size_t begin = 0; begin < chosen.size(); begin += static_cast<std::size_t>(size)) {
    const std::size_t end = std::min(chosen.size(), begin + static_cast<std::size_t>(size));
    const auto steps = static_cast<Index>(chosen[end - 1]->movements.size());
    const auto count = static_cast<Index>(end - begin);
    DrawingBatch batch{
        strata::Tensor<float>({count, steps, 3}), strata::Tensor<float>({count, steps, 3}), {}, {}};
    std::vector<Index> lengths;
    for (Index b = 0; b < count; ++b) {
      const Drawing& drawing = *chosen[begin + static_cast<std::size_t>(b)];
      batch.x(b, 0, 2) = 1;
      for (std::size_t t = 0; t < drawing.movements.size(); ++t) {
        for (Index i = 0; i < 3; ++i) {
          const float number = drawing.movements[t][static_cast<std::size_t>(i)];
          batch.y(b, static_cast<Index>(t), i) = number;
          if (t + 1 < drawing.movements.size()) batch.x(b, static_cast<Index>(t) + 1, i) = number;
        }
      }
      lengths.push_back(static_cast<Index>(drawing.movements.size()));
      batch.texts.push_back(script.text(drawing));
    }
    batch.mask = strata::Mask::from_lengths(lengths, steps);
    batches.push_back(std::move(batch));
  }
  return batches;
}

}  // namespace papers
