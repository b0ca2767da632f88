#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

/// Pictures as SVG files, light or dark as the reader's browser is.
namespace papers {

struct Line {
  std::string name;
  std::vector<double> x = {};
  std::vector<double> y = {};
  bool dashed = false;
};

struct Chart {
  std::string title;
  std::string x_label;
  std::string y_label;
  std::vector<Line> lines = {};
  bool logarithmic = false;  ///< of y, all of which is then above 0
};

struct Point {
  double x = 0;
  double y = 0;  ///< grows upwards
};

struct PenDrawing {
  std::string caption;
  std::vector<std::vector<Point>> strokes;
};

namespace detail {

inline constexpr std::array<const char*, 8> colours = {"#3b7dd8", "#e0662d", "#2f9e62", "#b0559c",
                                                       "#c9982b", "#7a6be0", "#d14a5b", "#3aa3b5"};

inline std::string number(double value, int digits = 6) {
  char text[40];
  std::snprintf(text, sizeof text, "%.*g", digits, value);
  return text;
}

inline std::string escaped(const std::string& text) {
  std::string result;
  for (const char letter : text) {
    switch (letter) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      default:
        result += letter;
    }
  }
  return result;
}

inline void check_finite(double value, const std::string& where) {
  if (!std::isfinite(value)) {
    throw std::invalid_argument("drawing: a value of \"" + where + "\" is not finite");
  }
}

/// A range of values on an axis, and where it is divided.
struct Scale {
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  bool logarithmic = false;
  std::vector<double> ticks = {};

  void include(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  /// The place of a value, 0 at the low end and 1 at the high end.
  [[nodiscard]] double place(double value) const {
    if (logarithmic) return std::log(value / low) / std::log(high / low);
    return (value - low) / (high - low);
  }
  /// Divides a linear scale at multiples of 1, 2 or 5 times a power of ten.
  void divide(bool whole_ends) {
    if (!(high > low)) {
      const double room = low == 0 ? 1 : std::abs(low) / 10;
      low -= room;
      high += room;
    }
    const double wanted = (high - low) / 5;
    const double power = std::pow(10, std::floor(std::log10(wanted)));
    const double leading = wanted / power;
    const double step = power * (leading < 1.5 ? 1 : leading < 3.5 ? 2 : leading < 7.5 ? 5 : 10);
    if (whole_ends) {
      low = std::floor(low / step + 1e-9) * step;
      high = std::ceil(high / step - 1e-9) * step;
    }
    for (double at = std::ceil(low / step - 1e-9); at * step <= high + step * 1e-9; ++at) {
      ticks.push_back(at * step + 0.0);
    }
  }
  /// Divides a logarithmic scale at powers of ten, and between them where there are few.
  void divide_logarithmic() {
    logarithmic = true;
    low = low > 0 ? low : 1;
    high = std::max(high, low * 1.05);
    const double first = std::floor(std::log10(low));
    const double last = std::ceil(std::log10(high));
    const double every = std::ceil((last - first) / 8);
    for (double power = first; power <= last; power += every) {
      for (const double factor : {1.0, 2.0, 5.0}) {
        if (factor > 1 && last - first > 3) break;
        const double tick = factor * std::pow(10, power);
        if (tick >= low * 0.999 && tick <= high * 1.001) ticks.push_back(tick);
      }
    }
  }
};

/// An SVG file that is being written.
class Picture {
 public:
  Picture(double width, double height) {
    add("<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 " + number(width) + " " +
        number(height) + "' width='" + number(width) + R"('>
<style>
  svg { --paper: #fdfdfb; --ink: #1f2832; --soft: #5d6874; --rule: #e3e5e2 }
  @media (prefers-color-scheme: dark) {
    svg { --paper: #14181d; --ink: #eceff2; --soft: #a3adb8; --rule: #2c333b }
  }
  text { font: 14px 'Helvetica Neue', Helvetica, Arial, sans-serif; fill: var(--soft) }
  .title { font-size: 19px; font-weight: 600; fill: var(--ink) }
  .rule { stroke: var(--rule); stroke-width: 1 }
  .line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round }
  .pen { fill: none; stroke: var(--ink); stroke-width: 2; stroke-linejoin: round;
         stroke-linecap: round }
</style>
<rect width='100%' height='100%' style='fill: var(--paper)'/>)");
  }

  void add(const std::string& element) { text_ += element + '\n'; }

  void text(double x, double y, const std::string& words, const std::string& attributes = "") {
    add("<text x='" + number(x) + "' y='" + number(y) + "' " + attributes + ">" + escaped(words) +
        "</text>");
  }
  void rule(Point from, Point to) {
    add("<line class='rule' x1='" + number(from.x) + "' y1='" + number(from.y) + "' x2='" +
        number(to.x) + "' y2='" + number(to.y) + "'/>");
  }
  void polyline(const std::vector<Point>& points, const std::string& attributes) {
    std::string places;
    for (const Point& point : points) places += number(point.x) + ',' + number(point.y) + ' ';
    add("<polyline " + attributes + " points='" + places + "'/>");
  }
  void dot(Point at, double radius, const std::string& style) {
    add("<circle cx='" + number(at.x) + "' cy='" + number(at.y) + "' r='" + number(radius) +
        "' style='" + style + "'/>");
  }

  void save(const std::filesystem::path& path) const {
    std::ofstream file(path, std::ios::binary);
    file << text_ << "</svg>\n";
    file.close();
    if (!file) throw std::runtime_error("drawing: cannot write " + path.string());
  }

 private:
  std::string text_;
};

inline void draw(Picture& picture, const Chart& chart, double top) {
  constexpr double left = 84, width = 560, height = 280;
  Scale across, up;
  for (const Line& line : chart.lines) {
    const std::string where = chart.title + ": " + line.name;
    if (line.x.empty() || line.x.size() != line.y.size()) {
      throw std::invalid_argument("drawing: \"" + where + "\" has " +
                                  std::to_string(line.x.size()) + " x and " +
                                  std::to_string(line.y.size()) + " y; as many of both are drawn");
    }
    for (std::size_t i = 0; i < line.x.size(); ++i) {
      check_finite(line.x[i], where);
      check_finite(line.y[i], where);
      if (chart.logarithmic && line.y[i] <= 0) {
        throw std::invalid_argument("drawing: a value of \"" + where +
                                    "\" is not above 0, which a logarithmic axis needs");
      }
      across.include(line.x[i]);
      up.include(line.y[i]);
    }
  }
  if (chart.lines.empty()) {
    throw std::invalid_argument("drawing: the chart \"" + chart.title + "\" has no lines");
  }
  across.divide(false);
  chart.logarithmic ? up.divide_logarithmic() : up.divide(true);
  const auto at = [&](double x, double y) {
    return Point{left + width * across.place(x), top + 56 + height * (1 - up.place(y))};
  };

  picture.text(left, top + 24, chart.title, "class='title'");
  picture.text(left, top + 46, chart.y_label);
  for (const double tick : up.ticks) {
    picture.rule(at(across.low, tick), at(across.high, tick));
    picture.text(left - 10, at(0, tick).y + 5, number(tick), "text-anchor='end'");
  }
  const double bottom = top + 56 + height;
  picture.rule({left, bottom}, {left + width, bottom});
  for (const double tick : across.ticks) {
    const double x = left + width * across.place(tick);
    picture.rule({x, bottom}, {x, bottom + 5});
    picture.text(x, bottom + 22, number(tick), "text-anchor='middle'");
  }
  picture.text(left + width / 2, bottom + 46, chart.x_label, "text-anchor='middle'");

  for (std::size_t i = 0; i < chart.lines.size(); ++i) {
    const Line& line = chart.lines[i];
    const std::string colour = colours[i % colours.size()];
    const std::string look =
        "class='line' style='stroke: " + colour + (line.dashed ? "; stroke-dasharray: 6 6'" : "'");
    std::vector<Point> points;
    for (std::size_t k = 0; k < line.x.size(); ++k) points.push_back(at(line.x[k], line.y[k]));
    picture.polyline(points, look);
    if (points.size() <= 24) {
      for (const Point& point : points) picture.dot(point, 3.2, "fill: " + colour);
    }
    const double y = top + 66 + 24 * static_cast<double>(i);
    picture.polyline({{left + width + 24, y}, {left + width + 50, y}}, look);
    picture.text(left + width + 60, y + 5, line.name);
  }
}

}  // namespace detail

/// Draws charts one below the other. Throws std::invalid_argument on a value that is not finite, a
/// line without points, and a value of at most 0 on a logarithmic axis.
inline void draw_charts(const std::filesystem::path& path, const std::vector<Chart>& charts) {
  std::size_t longest = 0, most = 0;
  for (const Chart& chart : charts) {
    most = std::max(most, chart.lines.size());
    for (const Line& line : chart.lines) longest = std::max(longest, line.name.size());
  }
  const double each = std::max(420.0, 100 + 24 * static_cast<double>(most));
  detail::Picture picture(740 + 7.5 * static_cast<double>(longest),
                          each * static_cast<double>(charts.size()) + 10);
  for (std::size_t i = 0; i < charts.size(); ++i) {
    detail::draw(picture, charts[i], 10 + each * static_cast<double>(i));
  }
  picture.save(path);
}

/// Draws pen drawings in a grid, each with its caption below it and all at the same scale, so that
/// `cell_width` by `cell_height` pixels hold the largest. Throws as draw_charts.
inline void draw_pen(const std::filesystem::path& path, const std::string& title,
                     const std::vector<PenDrawing>& drawings, std::size_t columns,
                     double cell_width = 130, double cell_height = 130) {
  if (columns == 0) throw std::invalid_argument("drawing: a grid has at least one column");
  std::vector<detail::Scale> across(drawings.size()), up(drawings.size());
  double scale = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < drawings.size(); ++i) {
    for (const auto& stroke : drawings[i].strokes) {
      for (const Point& point : stroke) {
        detail::check_finite(point.x, drawings[i].caption);
        detail::check_finite(point.y, drawings[i].caption);
        across[i].include(point.x);
        up[i].include(point.y);
      }
    }
    const double wide = across[i].high - across[i].low, high = up[i].high - up[i].low;
    if (wide > 0) scale = std::min(scale, cell_width / wide);
    if (high > 0) scale = std::min(scale, cell_height / high);
  }
  if (!std::isfinite(scale)) scale = 1;

  constexpr double margin = 28, gap = 18, caption = 30, head = 62;
  const double across_cells = static_cast<double>(columns);
  const double down_cells = std::ceil(static_cast<double>(drawings.size()) / across_cells);
  detail::Picture picture(2 * margin + across_cells * (cell_width + gap) - gap,
                          head + down_cells * (cell_height + caption + gap) + margin - gap);
  picture.text(margin, 38, title, "class='title'");
  for (std::size_t i = 0; i < drawings.size(); ++i) {
    const double left = margin + static_cast<double>(i % columns) * (cell_width + gap);
    const double top = head + static_cast<double>(i / columns) * (cell_height + caption + gap);
    for (const auto& stroke : drawings[i].strokes) {
      std::vector<Point> points;
      for (const Point& point : stroke) {
        points.push_back(
            {left + cell_width / 2 + scale * (point.x - (across[i].low + across[i].high) / 2),
             top + cell_height / 2 - scale * (point.y - (up[i].low + up[i].high) / 2)});
      }
      picture.polyline(points, "class='pen'");
      if (points.size() == 1) picture.dot(points[0], 1.4, "fill: var(--ink)");
    }
    picture.text(left + cell_width / 2, top + cell_height + 20, drawings[i].caption,
                 "text-anchor='middle'");
  }
  picture.save(path);
}

}  // namespace papers
