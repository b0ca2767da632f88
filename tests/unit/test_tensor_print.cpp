#include <iomanip>
#include <limits>
#include <sstream>
#include <vector>

#include <strata/tensor_print.hpp>

#include "support/catch.hpp"
#include "support/decimal_comma.hpp"

// Tensors print as NumPy arrays of the same type do. The expected texts are str(array) of NumPy
// 2.4.6.

namespace {

using namespace strata;

constexpr double no_number = std::numeric_limits<double>::quiet_NaN();
constexpr double inf = std::numeric_limits<double>::infinity();

template <class Scalar>
std::string text(const Tensor<Scalar>& x) {
  std::ostringstream out;
  out << x;
  return out.str();
}

template <class Scalar>
std::string printed(const Shape& shape, const std::vector<double>& values) {
  return text(Tensor<Scalar>(shape, std::vector<Scalar>(values.begin(), values.end())));
}

/// 0, 1, 2, ... times a factor.
template <class Scalar>
std::string counted(const Shape& shape, double factor) {
  Tensor<Scalar> x(shape);
  double i = 0;
  for (Scalar& value : x.values()) value = static_cast<Scalar>(factor * i++);
  return text(x);
}

}  // namespace

TEST_CASE("Tensor: prints as NumPy does") {
  SECTION("numbers of the same length") {
    REQUIRE(printed<float>({1, 3, 1}, {0.1, 0.2, 0.3}) == R"([[[0.1]
  [0.2]
  [0.3]]])");
  }
  SECTION("whole numbers end in a point") {
    REQUIRE(printed<float>({2, 3}, {1.0, 2.0, 3.0, 4.0, 5.0, 6.0}) == R"([[1. 2. 3.]
 [4. 5. 6.]])");
  }
  SECTION("points stand below each other") {
    REQUIRE(printed<float>({2, 2}, {-1.5, 2.25, 0.0, 100.0}) == R"([[ -1.5    2.25]
 [  0.   100.  ]])");
  }
  SECTION("nan and inf") {
    REQUIRE(printed<double>({2, 2}, {no_number, inf, -inf, 1.25}) == R"([[ nan  inf]
 [-inf 1.25]])");
  }
  SECTION("nan wider than the numbers") {
    REQUIRE(printed<float>({2, 2}, {no_number, 1.0, inf, -2.0}) == R"([[nan  1.]
 [inf -2.]])");
  }
  SECTION("the sign of zero") { REQUIRE(printed<float>({1, 2}, {-0.0, 0.0}) == R"([[-0.  0.]])"); }
  SECTION("a wide range, with powers of ten") {
    REQUIRE(printed<float>({2, 2}, {1e-05, 1.0, 1000.0, -2.5}) == R"([[ 1.0e-05  1.0e+00]
 [ 1.0e+03 -2.5e+00]])");
  }
  SECTION("large numbers, with powers of ten") {
    REQUIRE(printed<double>({2, 2}, {10000000000.0, 1.0, 2.0, 3.0}) == R"([[1.e+10 1.e+00]
 [2.e+00 3.e+00]])");
  }
  SECTION("exponents of three digits") {
    REQUIRE(printed<double>({1, 2}, {1e+100, -1e-05}) == R"([[ 1.e+100 -1.e-005]])");
  }
  SECTION("float goes to powers of ten at 1e6") {
    REQUIRE(printed<float>({2, 1}, {1000000.0, 999999.0}) == R"([[1.00000e+06]
 [9.99999e+05]])");
  }
  SECTION("double does not") {
    REQUIRE(printed<double>({2, 1}, {1000000.0, 999999.0}) == R"([[1000000.]
 [ 999999.]])");
  }
  SECTION("double does at 1e8") {
    REQUIRE(printed<double>({1, 1}, {100000000.0}) == R"([[1.e+08]])");
  }
  SECTION("float does below 1e-4 of a float") {
    REQUIRE(printed<float>({1, 2}, {0.0001, 0.01}) == R"([[0.0001 0.01  ]])");
  }
  SECTION("digits that tell a float from its neighbours") {
    REQUIRE(printed<float>({2, 2}, {1.0 / 3, 2.0 / 3, -1.0 / 7, 10.0}) ==
            R"([[ 0.33333334  0.6666667 ]
 [-0.14285715 10.        ]])");
  }
  SECTION("at most eight decimals of a double") {
    REQUIRE(printed<double>({2, 2}, {1.0 / 3, 2.0 / 3, -1.0 / 7, 10.0}) ==
            R"([[ 0.33333333  0.66666667]
 [-0.14285714 10.        ]])");
  }
  SECTION("more digits of a float where the exponents differ") {
    REQUIRE(printed<float>({2, 2}, {5.8220587, -1751.8005, 1073.1234, 0.0007}) ==
            R"([[ 5.8220587e+00 -1.7518005e+03]
 [ 1.0731234e+03  6.9999998e-04]])");
  }
  SECTION("a blank line between sequences") {
    REQUIRE(printed<double>({2, 2, 2}, {0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75}) ==
            R"([[[0.   0.25]
  [0.5  0.75]]

 [[1.   1.25]
  [1.5  1.75]]])");
  }
  SECTION("long rows are broken before column 75") {
    REQUIRE(counted<double>({1, 24}, 1.0 / 3) ==
            R"([[0.         0.33333333 0.66666667 1.         1.33333333 1.66666667
  2.         2.33333333 2.66666667 3.         3.33333333 3.66666667
  4.         4.33333333 4.66666667 5.         5.33333333 5.66666667
  6.         6.33333333 6.66666667 7.         7.33333333 7.66666667]])");
  }
  SECTION("long rows of sequences") {
    REQUIRE(counted<float>({1, 2, 20}, 0.125) ==
            R"([[[0.    0.125 0.25  0.375 0.5   0.625 0.75  0.875 1.    1.125 1.25
   1.375 1.5   1.625 1.75  1.875 2.    2.125 2.25  2.375]
  [2.5   2.625 2.75  2.875 3.    3.125 3.25  3.375 3.5   3.625 3.75
   3.875 4.    4.125 4.25  4.375 4.5   4.625 4.75  4.875]]])");
  }
  SECTION("rows as long as they may be") {
    REQUIRE(counted<float>({1, 30}, 0) ==
            R"([[0. 0. 0. 0. 0. 0. 0. 0. 0. 0. 0. 0. 0. 0. 0. 0. 0. 0. 0. 0. 0. 0. 0. 0.
  0. 0. 0. 0. 0. 0.]])");
  }
  SECTION("trailing blanks go at a break") {
    REQUIRE(counted<float>({1, 30}, 0.25) ==
            R"([[0.   0.25 0.5  0.75 1.   1.25 1.5  1.75 2.   2.25 2.5  2.75 3.   3.25
  3.5  3.75 4.   4.25 4.5  4.75 5.   5.25 5.5  5.75 6.   6.25 6.5  6.75
  7.   7.25]])");
  }
  SECTION("dots above 1000 values: rows") {
    REQUIRE(counted<double>({1001, 1}, 0.125) == R"([[  0.   ]
 [  0.125]
 [  0.25 ]
 ...
 [124.75 ]
 [124.875]
 [125.   ]])");
  }
  SECTION("dots above 1000 values: rows and columns") {
    REQUIRE(counted<float>({40, 30}, 0.125) ==
            R"([[0.00000e+00 1.25000e-01 2.50000e-01 ... 3.37500e+00 3.50000e+00
  3.62500e+00]
 [3.75000e+00 3.87500e+00 4.00000e+00 ... 7.12500e+00 7.25000e+00
  7.37500e+00]
 [7.50000e+00 7.62500e+00 7.75000e+00 ... 1.08750e+01 1.10000e+01
  1.11250e+01]
 ...
 [1.38750e+02 1.38875e+02 1.39000e+02 ... 1.42125e+02 1.42250e+02
  1.42375e+02]
 [1.42500e+02 1.42625e+02 1.42750e+02 ... 1.45875e+02 1.46000e+02
  1.46125e+02]
 [1.46250e+02 1.46375e+02 1.46500e+02 ... 1.49625e+02 1.49750e+02
  1.49875e+02]])");
  }
  SECTION("dots above 1000 values: sequences") {
    REQUIRE(counted<float>({200, 2, 3}, 0.125) == R"([[[0.00000e+00 1.25000e-01 2.50000e-01]
  [3.75000e-01 5.00000e-01 6.25000e-01]]

 [[7.50000e-01 8.75000e-01 1.00000e+00]
  [1.12500e+00 1.25000e+00 1.37500e+00]]

 [[1.50000e+00 1.62500e+00 1.75000e+00]
  [1.87500e+00 2.00000e+00 2.12500e+00]]

 ...

 [[1.47750e+02 1.47875e+02 1.48000e+02]
  [1.48125e+02 1.48250e+02 1.48375e+02]]

 [[1.48500e+02 1.48625e+02 1.48750e+02]
  [1.48875e+02 1.49000e+02 1.49125e+02]]

 [[1.49250e+02 1.49375e+02 1.49500e+02]
  [1.49625e+02 1.49750e+02 1.49875e+02]]])");
  }
  SECTION("no values: (0, 3)") { REQUIRE(printed<float>({0, 3}, {}) == "[]"); }
  SECTION("no values: (2, 0)") { REQUIRE(printed<float>({2, 0}, {}) == "[]"); }
  SECTION("no values: (2, 0, 3)") { REQUIRE(printed<float>({2, 0, 3}, {}) == "[]"); }
}

TEST_CASE("Tensor: the text does not depend on the locale or on the stream") {
  const test::DecimalComma locale;
  const Tensor<double> x({2, 2}, {1234.5, -0.25, 20, 1});
  const std::string expected = "[[ 1.2345e+03 -2.5000e-01]\n [ 2.0000e+01  1.0000e+00]]";
  std::ostringstream out;
  out << std::hex << std::showpos << std::uppercase << std::left << std::setprecision(2)
      << std::setfill('*') << std::setw(80) << x;
  CHECK(out.str() == expected);
  CHECK(text(Tensor<float>({1, 2}, {0.1f, 1.0f / 3})) == "[[0.1        0.33333334]]");
}

TEST_CASE("Tensor: 1000 values are printed whole") {
  REQUIRE(counted<float>({10, 10, 10}, 1).find("...") == std::string::npos);
  REQUIRE(counted<float>({10, 10, 11}, 1).find("...") != std::string::npos);
}

TEST_CASE("Tensor: an empty one prints as empty brackets") {
  REQUIRE(text(Tensor<float>()) == "[]");
}
