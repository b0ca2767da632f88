#include <cmath>
#include <limits>

#include "support/catch.hpp"
#include "support/golden.hpp"

// The reader of golden files, and the comparison that all golden tests rest on.

using namespace strata;
using namespace strata::test;

TEST_CASE("Golden: a record has its shape and its values", "[golden][reader]") {
  const Golden golden = Golden::read("optimizers.txt");
  CHECK(golden["start.a"].shape == Shape{3, 4});
  CHECK(golden["start.a"].values.size() == 12);
  CHECK(golden["start.b"].shape == Shape{5});
  CHECK(golden["gradients.a"].tensor<float>().shape() == Shape{6, 3, 4});
  CHECK_THROWS_WITH(golden["start.b"].value(), "a golden record is not a single number");
  CHECK(golden.contains("adam.a"));
  CHECK(golden.unread().contains("adam.a"));
  CHECK_FALSE(golden.unread().contains("start.a"));
}

TEST_CASE("Golden: what is missing is named", "[golden][reader]") {
  const Golden golden = Golden::read("optimizers.txt");
  CHECK_THROWS_WITH(golden["start.c"], "golden file optimizers.txt has no record named start.c");
  CHECK_THROWS_WITH(Golden::read("nothing.txt"),
                    Catch::StartsWith("golden file nothing.txt cannot be read"));
}

TEST_CASE("Golden: numbers that are not close are told apart", "[golden][reader]") {
  const Tolerance allowed{.absolute = 1e-3, .relative = 1e-2};
  const auto share = [&](double actual, double expected) {
    return compare(std::span(&actual, 1), std::span(&expected, 1), allowed).share;
  };
  CHECK(share(1.010, 1) <= 1);
  CHECK(share(1.012, 1) > 1);
  CHECK(share(-1, 1) > 1);
  CHECK(share(0.0009, 0) <= 1);
  CHECK(share(0.0011, 0) > 1);
  CHECK(share(std::nan(""), 1) > 1);
  CHECK(share(1, std::nan("")) > 1);
  CHECK(share(std::numeric_limits<double>::infinity(), 1) > 1);

  const std::vector<float> actual{1, 2, 3.5F, 4};
  const std::vector<double> expected{1, 2, 3, 4.01};
  const Comparison worst = compare(std::span(actual), std::span(expected), allowed);
  CHECK(worst.index == 2);
  CHECK(worst.message == "at 2 of 4: found 3.5, expected 3; error 0.5, allowed 0.031");
}
