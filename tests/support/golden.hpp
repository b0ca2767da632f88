#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <strata/contracts/parameter.hpp>
#include <strata/tensor.hpp>

#include "ranges.hpp"
#include "tolerance.hpp"

#ifndef STRATA_GOLDEN_DIR
#define STRATA_GOLDEN_DIR STRATA_TEST_DIR "/golden"
#endif

namespace strata::test {

/// One record of a golden file. A single number has the shape ().
struct GoldenRecord {
  Shape shape;
  std::vector<double> values;

  [[nodiscard]] double value() const {
    if (values.size() != 1) throw std::runtime_error("a golden record is not a single number");
    return values.front();
  }

  template <class Scalar>
  [[nodiscard]] std::vector<Scalar> flat() const {
    std::vector<Scalar> converted(values.size());
    std::transform(values.begin(), values.end(), converted.begin(),
                   [](double value) { return static_cast<Scalar>(value); });
    return converted;
  }

  /// For records of rank 2 and 3.
  template <class Scalar>
  [[nodiscard]] Tensor<Scalar> tensor() const {
    return Tensor<Scalar>(shape, flat<Scalar>());
  }
};

/// The values of one file of tests/golden, by name. It remembers the records that were read, so
/// that a test can tell that it left none out.
class Golden {
 public:
  /// A file of the folder STRATA_GOLDEN_DIR. Throws std::runtime_error when it is missing or
  /// broken.
  [[nodiscard]] static Golden read(const std::string& name) {
    Golden golden(name);
    std::ifstream file(STRATA_GOLDEN_DIR "/" + name);
    if (!file) golden.fail("cannot be read in " STRATA_GOLDEN_DIR);
    std::string line;
    while (std::getline(file, line)) {
      if (line.empty() || line.front() == '#') continue;
      golden.read_record(line, file);
    }
    if (golden.names_.empty()) golden.fail("has no records");
    return golden;
  }

  [[nodiscard]] bool contains(const std::string& name) const { return records_.contains(name); }

  /// Throws std::runtime_error, with the name, when there is no such record.
  [[nodiscard]] const GoldenRecord& operator[](const std::string& name) const {
    const auto found = records_.find(name);
    if (found == records_.end()) fail("has no record named " + name);
    unread_.erase(name);
    return found->second;
  }

  /// Every c for which there is a record c + "." + ending, in the order of the file.
  [[nodiscard]] std::vector<std::string> cases(const std::string& ending) const {
    std::vector<std::string> found;
    for (const auto& name : names_) {
      if (name.ends_with("." + ending)) {
        found.push_back(name.substr(0, name.size() - ending.size() - 1));
      }
    }
    return found;
  }

  /// The names that start with a prefix, without it.
  [[nodiscard]] std::vector<std::string> endings(const std::string& prefix) const {
    std::vector<std::string> found;
    for (const auto& name : names_) {
      if (name.starts_with(prefix)) found.push_back(name.substr(prefix.size()));
    }
    return found;
  }

  /// The names of the records that were not read.
  [[nodiscard]] const std::set<std::string>& unread() const noexcept { return unread_; }

 private:
  explicit Golden(std::string file) : file_(std::move(file)) {}

  [[noreturn]] void fail(const std::string& what) const {
    throw std::runtime_error("golden file " + file_ + " " + what);
  }

  /// "name sizes..." is the line; the values follow.
  void read_record(const std::string& line, std::istream& file) {
    std::istringstream words(line);
    std::string name;
    words >> name;
    GoldenRecord record;
    std::vector<Index> sizes;
    std::size_t count = 1;
    for (Index size = 0; words >> size;) {
      sizes.push_back(size);
      count *= static_cast<std::size_t>(size);
    }
    switch (sizes.size()) {
      case 0:
        break;
      case 1:
        record.shape = {sizes[0]};
        break;
      case 2:
        record.shape = {sizes[0], sizes[1]};
        break;
      case 3:
        record.shape = {sizes[0], sizes[1], sizes[2]};
        break;
      default:
        fail("has more than three sizes for " + name);
    }
    if (!words.eof()) fail("has no sizes in the line: " + line);
    std::string number;
    while (record.values.size() < count && file >> number) {
      // Not >> to a double, which refuses the denormal numbers that strtod reads.
      char* end = nullptr;
      record.values.push_back(std::strtod(number.c_str(), &end));
      if (end != number.c_str() + number.size()) fail("has " + number + " among " + name);
    }
    if (record.values.size() != count) fail("ends within " + name);
    std::string rest;
    std::getline(file, rest);
    if (!rest.empty()) fail("has more values than its sizes say for " + name);
    if (!records_.emplace(name, std::move(record)).second) fail("has two records named " + name);
    names_.push_back(name);
    unread_.insert(name);
  }

  std::string file_;
  std::map<std::string, GoldenRecord> records_;
  std::vector<std::string> names_;
  mutable std::set<std::string> unread_;
};

/// Sets parameters to the records prefix + name, whose shapes must be the parameters'.
template <class Scalar>
void load_parameters(const std::vector<Parameter<Scalar>>& parameters, const Golden& golden,
                     const std::string& prefix) {
  for (const auto& parameter : parameters) {
    const GoldenRecord& record = golden[prefix + parameter.name];
    INFO(prefix << parameter.name);
    REQUIRE(parameter.shape == record.shape);
    copy(record.flat<Scalar>(), parameter.values.begin());
  }
}

/// Compares numbers in the order of the parameters with the records prefix + name.
template <class Scalar>
void require_parameters_close(const std::vector<Parameter<Scalar>>& parameters,
                              std::span<const Scalar> numbers, const Golden& golden,
                              const std::string& prefix, const Tolerance& allowed) {
  for (const auto& parameter : parameters) {
    const auto count = static_cast<std::size_t>(parameter.shape.size());
    require_close(numbers.first(count), golden[prefix + parameter.name].values, allowed,
                  prefix + parameter.name);
    numbers = numbers.subspan(count);
  }
  REQUIRE(numbers.empty());
}

/// Compares shape and values.
template <class Scalar>
void require_tensor_close(const Tensor<Scalar>& actual, const Golden& golden,
                          const std::string& name, const Tolerance& allowed) {
  INFO(name);
  REQUIRE(actual.shape() == golden[name].shape);
  require_close(actual.values(), golden[name].values, allowed, name);
}

/// The largest difference between a model's output for x and the record y; infinity where the
/// shapes differ, or one of the numbers is not a number.
template <class Model>
[[nodiscard]] double largest_difference(const Model& model, const GoldenRecord& x,
                                        const GoldenRecord& y) {
  const auto found = model.predict(x.tensor<typename Model::scalar_type>());
  const auto expected = y.tensor<double>();
  if (found.shape() != expected.shape()) return INFINITY;
  double largest = 0;
  for (Index i = 0; i < found.size(); ++i) {
    const double error = std::abs(static_cast<double>(found.data()[i]) - expected.data()[i]);
    if (std::isnan(error)) return INFINITY;
    largest = std::max(largest, error);
  }
  return largest;
}

}  // namespace strata::test
