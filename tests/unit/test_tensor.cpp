#include <array>
#include <concepts>
#include <limits>
#include <new>
#include <utility>
#include <vector>

#include <strata/base/sizes.hpp>
#include <strata/mask.hpp>
#include <strata/model/state.hpp>
#include <strata/tensor.hpp>

#include "support/catch.hpp"
#include "support/error_text.hpp"

// Tensor: what it owns, what it views, and how Eigen sees it.

namespace {

using namespace strata;
using strata::test::error_text;

/// (2, 3, 2) with the values 0, 1, 2, ... in C order.
Tensor<double> counted() {
  Tensor<double> x({2, 3, 2});
  for (std::size_t i = 0; i < x.values().size(); ++i) x.values()[i] = static_cast<double>(i);
  return x;
}

/// How many of the functions that point into a tensor compile on it.
template <class T>
constexpr int views = requires(T t) {
  static_cast<T&&>(t).values();
}
+ requires(T t) {
  static_cast<T&&>(t).data();
}
+ requires(T t) {
  static_cast<T&&>(t).matrix();
}
+ requires(T t) {
  static_cast<T&&>(t).sequence(0);
}
+ requires(T t) {
  static_cast<T&&>(t).step(0);
}
+ requires(T t) {
  static_cast<T&&>(t).rows(0, 1);
};
static_assert(views<Tensor<float>&> == 6);
static_assert(views<const Tensor<float>&> == 6);
static_assert(views<Tensor<float>> == 0);
static_assert(views<const Tensor<float>> == 0);
// A member of a temporary tensor returns a value, not a reference into the tensor.
static_assert(std::same_as<decltype(Tensor<float>()(0, 0)), float>);
static_assert(std::same_as<decltype(Tensor<float>().shape()), Shape>);

constexpr Index largest_index = std::numeric_limits<Index>::max();

}  // namespace

TEST_CASE("Tensor: a shape alone gives zeros") {
  const Tensor<float> x(Shape{2, 3});
  REQUIRE(x.rank() == 2);
  REQUIRE(x.shape() == Shape{2, 3});
  REQUIRE(x.size() == 6);
  REQUIRE(x.batch() == 2);
  REQUIRE(x.steps() == 1);
  REQUIRE(x.features() == 3);
  for (const float value : x.values()) REQUIRE(value == 0);
}

TEST_CASE("Tensor: an empty one has rank 0") {
  const Tensor<float> x;
  REQUIRE(x.rank() == 0);
  REQUIRE(x.empty());
  REQUIRE(x.size() == 0);
  REQUIRE(x.batch() == 0);
  REQUIRE(x.features() == 0);
  REQUIRE(x.values().empty());
  const Tensor<float> copy = x;
  REQUIRE(copy.empty());
}

TEST_CASE("Tensor: values lie in C order") {
  const Tensor<double> x = counted();
  for (Index b = 0, i = 0; b < 2; ++b) {
    for (Index t = 0; t < 3; ++t) {
      for (Index f = 0; f < 2; ++f, ++i) {
        REQUIRE(x(b, t, f) == static_cast<double>(i));
        REQUIRE(x.data()[i] == static_cast<double>(i));
      }
    }
  }
  const Tensor<float> y({2, 2}, {1, 2, 3, 4});
  REQUIRE(y(0, 1) == 2);
  REQUIRE(y(1, 0) == 3);
}

TEST_CASE("Tensor: a vector of values is taken, not copied") {
  std::vector<float> values{1, 2, 3};
  const float* const memory = values.data();
  const Tensor<float> x({3, 1}, std::move(values));
  REQUIRE(x.data() == memory);
}

TEST_CASE("Tensor: copies own their memory") {
  Tensor<double> x = counted();
  Tensor<double> copy = x;
  copy(0, 0, 0) = 7;
  REQUIRE(x(0, 0, 0) == 0);
  x = copy;
  copy(0, 0, 0) = 8;
  REQUIRE(x(0, 0, 0) == 7);
  x = std::as_const(x);
  REQUIRE(x(1, 2, 1) == 11);
}

TEST_CASE("Tensor: moves keep the memory and leave nothing behind") {
  Tensor<double> x = counted();
  const double* const memory = std::as_const(x).data();
  Tensor<double> y = std::move(x);
  REQUIRE(std::as_const(y).data() == memory);
  REQUIRE(x.empty());  // NOLINT: what is left is specified
  Tensor<double> z({1, 1}, {5});
  z = std::move(y);
  REQUIRE(std::as_const(z).data() == memory);
  REQUIRE(z.shape() == Shape{2, 3, 2});
  REQUIRE(y.empty());  // NOLINT: what is left is specified
}

TEST_CASE("Tensor: a view shares the user's memory") {
  std::array<float, 6> memory{0, 1, 2, 3, 4, 5};
  auto x = Tensor<float>::view(memory.data(), {3, 2});
  REQUIRE(x.data() == memory.data());
  x(2, 1) = 50;
  REQUIRE(memory[5] == 50);
  memory[0] = 10;
  REQUIRE(x(0, 0) == 10);

  Tensor<float> copy = x;
  REQUIRE(std::as_const(copy).data() != memory.data());
  copy(0, 0) = -1;
  REQUIRE(memory[0] == 10);

  Tensor<float> moved = std::move(x);
  REQUIRE(std::as_const(moved).data() == memory.data());
}

TEST_CASE("Tensor: a view of const memory is only read") {
  const std::array<float, 4> memory{0, 1, 2, 3};
  auto x = Tensor<float>::view(memory.data(), {2, 1, 2});
  REQUIRE(std::as_const(x).data() == memory.data());
  REQUIRE(std::as_const(x)(1, 0, 1) == 3);
  const std::string text = "this tensor views memory that may not be written; copy it";
  REQUIRE(error_text<ValueError>([&] { (void)x.data(); }) == text);
  REQUIRE(error_text<ValueError>([&] { x(0, 0, 0) = 1; }) == text);
  REQUIRE(error_text<ValueError>([&] { (void)x.values(); }) == text);
  REQUIRE(error_text<ValueError>([&] { (void)x.matrix(); }) == text);
  REQUIRE(error_text<ValueError>([&] { (void)x.sequence(0); }) == text);
  REQUIRE(error_text<ValueError>([&] { (void)x.step(0); }) == text);
  auto moved = std::move(x);
  REQUIRE(error_text<ValueError>([&] { (void)moved.data(); }) == text);
  Tensor<float> copy = moved;
  copy(0, 0, 0) = 9;
  REQUIRE(memory[0] == 0);
  moved.resize({1, 1});
  moved(0, 0) = 9;
  REQUIRE(memory[0] == 0);
}

TEST_CASE("Tensor: resizing a view gives it memory of its own") {
  std::array<float, 2> memory{1, 2};
  auto x = Tensor<float>::view(memory.data(), {1, 2});
  x.resize({1, 2});
  x(0, 0) = 5;
  REQUIRE(memory[0] == 1);
}

TEST_CASE("Tensor: Eigen sees samples, sequences and steps") {
  Tensor<double> x = counted();
  const Tensor<double>& c = x;
  REQUIRE(c.matrix().rows() == 6);
  REQUIRE(c.matrix().cols() == 2);
  REQUIRE(c.matrix()(4, 1) == 9);
  REQUIRE(c.sequence(1).rows() == 3);
  REQUIRE(c.sequence(1).cols() == 2);
  REQUIRE(c.sequence(1)(2, 0) == 10);
  REQUIRE(c.step(2).rows() == 2);
  REQUIRE(c.step(2).cols() == 2);
  REQUIRE(c.step(2)(0, 1) == 5);
  REQUIRE(c.step(2)(1, 0) == 10);

  x.step(1).setConstant(-1);
  REQUIRE(c(0, 1, 0) == -1);
  REQUIRE(c(1, 1, 1) == -1);
  REQUIRE(c(0, 0, 1) == 1);
  REQUIRE(c(0, 2, 0) == 4);
  x.sequence(0).row(0) << 30, 31;
  REQUIRE(c(0, 0, 1) == 31);
  x.matrix() *= 2;
  REQUIRE(c(1, 2, 1) == 22);

  const Tensor<float> flat({2, 3}, {0, 1, 2, 3, 4, 5});
  REQUIRE(flat.matrix().rows() == 2);
  REQUIRE(flat.matrix()(1, 2) == 5);
}

TEST_CASE("Tensor: rows are a view of some samples") {
  const Tensor<double> x = counted();
  auto part = x.rows(1, 1);
  REQUIRE(part.shape() == Shape{1, 3, 2});
  REQUIRE(std::as_const(part).data() == x.data() + 6);
  REQUIRE_THROWS_AS(part.data(), ValueError);
  REQUIRE(x.rows(2, 0).empty());
  REQUIRE(x.rows(0, 2).shape() == x.shape());
  const Tensor<float> flat({3, 2}, {0, 1, 2, 3, 4, 5});
  const auto last = flat.rows(1, 2);
  REQUIRE(last.data() == flat.data() + 2);
  REQUIRE(last(0, 0) == 2);
  REQUIRE(last(1, 1) == 5);
}

TEST_CASE("Tensor: resize takes a new shape and keeps memory that suffices") {
  Tensor<float> x(Shape{4, 2});
  const float* const memory = std::as_const(x).data();
  x.resize({2, 2, 2});
  REQUIRE(x.shape() == Shape{2, 2, 2});
  REQUIRE(std::as_const(x).data() == memory);
}

TEST_CASE("Tensor: errors say what was found") {
  REQUIRE(error_text<ShapeError>([] { Tensor<float> x(Shape{4}); }) ==
          "a tensor has rank 2, (B, F), or 3, (B, T, F); found the shape (4,)");
  REQUIRE(error_text<ShapeError>([] { Tensor<float> x(Shape{}); }) ==
          "a tensor has rank 2, (B, F), or 3, (B, T, F); found the shape ()");
  REQUIRE(error_text<ShapeError>([] {
            Tensor<float> x({2, -3});
          }) == "a size is negative in the shape (2, -3)");
  REQUIRE(error_text<ShapeError>([] {
            Tensor<float> x({2, 2}, {1, 2, 3});
          }) == "the shape (2, 2) holds 4 values, found 3");
  REQUIRE(error_text<ShapeError>([] {
            Tensor<float> x({1, 2, 3, 4}, {});
          }) == "a shape has at most 3 sizes, found 4");
  float value = 0;
  REQUIRE(error_text<ShapeError>([&] { (void)Tensor<float>::view(&value, {1}); }) ==
          "a tensor has rank 2, (B, F), or 3, (B, T, F); found the shape (1,)");
  const Tensor<double> x = counted();
  REQUIRE(error_text<ShapeError>([&] { (void)x.rows(1, 2); }) ==
          "samples 1 to 3 of a tensor of 2 samples");
  REQUIRE(error_text<ShapeError>([&] { (void)x.rows(-1, 1); }) ==
          "samples -1 to 0 of a tensor of 2 samples");
  REQUIRE(error_text<ShapeError>([&] { (void)x.rows(0, -1); }) ==
          "samples 0 to -1 of a tensor of 2 samples");
  Tensor<float> kept({1, 2}, {3, 4});
  REQUIRE_THROWS_AS(kept.resize({7}), ShapeError);
  REQUIRE(kept.shape() == Shape{1, 2});
  REQUIRE(std::as_const(kept)(0, 1) == 4);
}

TEST_CASE("Shape: sizes, comparison and text") {
  const Shape shape{32, 40, 1};
  REQUIRE(shape.rank() == 3);
  REQUIRE(shape[1] == 40);
  REQUIRE(shape.back() == 1);
  REQUIRE(shape.size() == 1280);
  REQUIRE(Shape{}.size() == 0);
  REQUIRE(Shape{2, 3} != Shape{3, 2});
  REQUIRE(Shape{2, 3} != Shape{2, 3, 1});
  REQUIRE(Shape{2} != Shape{2, 0});
  REQUIRE(to_string(shape) == "(32, 40, 1)");
  REQUIRE(to_string(Shape{5}) == "(5,)");
  REQUIRE(to_string(Shape{}) == "()");
  REQUIRE(to_string(Shape{Dynamic, 3}) == "(None, 3)");
}

static_assert(std::movable<Tensor<float>> && std::copyable<Tensor<float>>);
static_assert(std::is_nothrow_move_constructible_v<Tensor<float>>);
static_assert(std::is_nothrow_move_assignable_v<Tensor<float>>);

TEST_CASE("Tensor: sizes whose product overflows") {
  const Index half = largest_index / 2 + 1;
  const std::string text =
      "the shape (4611686018427387904, 4, 1) has more elements than memory has addresses";
  const Shape shape{half, 4, 1};
  REQUIRE(shape.size() == largest_index);
  REQUIRE(error_text<ShapeError>([&] { Tensor<float> x(shape); }) == text);
  REQUIRE(error_text<ShapeError>([&] { Tensor<float> x(shape, std::vector<float>{}); }) == text);
  float value = 0;
  REQUIRE(error_text<ShapeError>([&] { (void)Tensor<float>::view(&value, shape); }) == text);
  // Of no elements, but its rows cannot be counted.
  REQUIRE_THROWS_AS(Tensor<float>({half, 4, 0}), ShapeError);
  Tensor<float> kept({1, 2}, {3, 4});
  REQUIRE_THROWS_AS(kept.resize(shape), ShapeError);
  REQUIRE(kept.shape() == Shape{1, 2});
  REQUIRE(std::as_const(kept)(0, 1) == 4);
  REQUIRE_THROWS_AS(Mask(half, 4), ShapeError);
  REQUIRE_THROWS_AS(Mask::from_lengths(std::vector<Index>(4, 1), half), ShapeError);
}

TEST_CASE("Tensor: ranges whose end overflows") {
  Tensor<float> x({3, 2});
  const std::string end = std::to_string(largest_index);
  REQUIRE(error_text<ShapeError>([&] { (void)x.rows(1, largest_index); }) ==
          "samples 1 to " + end + " of a tensor of 3 samples");
  REQUIRE(error_text<ShapeError>([&] { (void)x.rows(largest_index, 1); }) ==
          "samples " + end + " to " + end + " of a tensor of 3 samples");
  const Mask mask(3, 2);
  REQUIRE(error_text<ShapeError>([&] { (void)mask.rows(2, 2); }) ==
          "sequences 2 to 4 of a mask of 3 sequences");
  REQUIRE(error_text<ShapeError>([&] { (void)mask.part(0, 3, largest_index, 1); }) ==
          "steps " + end + " to " + end + " of a mask of 2 steps");
  REQUIRE(mask.part(1, 2, 1, 1) == Mask(2, 1));
  State<float> state{2, {std::vector<float>(8, 1.0f)}};
  REQUIRE(error_text<ValueError>([&] { state.reset(largest_index, 1); }) ==
          "sequences " + end + " to " + end + " of a state of 2 sequences");
  REQUIRE(error_text<ValueError>([&] { state.reset(1, largest_index); }) ==
          "sequences 1 to " + end + " of a state of 2 sequences");
  // Not a whole number for each sequence.
  REQUIRE_THROWS_AS(state.set_part(0, {2, {std::vector<float>(9)}}), ShapeError);
  REQUIRE(state == State<float>{2, {std::vector<float>(8, 1.0f)}});
}

TEST_CASE("Tensor: memory that is not there") {
  // Without asking for it, which a sanitizer would not survive.
  REQUIRE(error_text<MemoryError>(
              [] { sizes::allocate(1000000000, 4, []() -> int { throw std::bad_alloc(); }); }) ==
          "there is no memory for 1000000000 elements of 4 bytes each, 4 GB; choose smaller sizes");
  std::vector<double> numbers{1, 2};
  REQUIRE(
      error_text<MemoryError>([&] { sizes::resize(numbers, largest_index); }) ==
      "there is no memory for 9223372036854775807 elements of 8 bytes each, 7.3787e+10 GB; choose "
      "smaller sizes");
  REQUIRE(numbers == std::vector<double>{1, 2});
}
