// The parts that all readers of files share.

#include <bit>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <sstream>
#include <string_view>

#include <strata/io/common/arrays.hpp>
#include <strata/io/common/assign.hpp>
#include <strata/io/common/atomic_file.hpp>
#include <strata/io/common/element.hpp>
#include <strata/io/common/layer_code.hpp>
#include <strata/io/common/literal.hpp>
#include <strata/io/common/numbers.hpp>
#include <strata/io/common/object_reader.hpp>
#include <strata/io/common/source.hpp>
#include <strata/io/header.hpp>
#include <strata/io/safetensors/format.hpp>

#include "support/catch.hpp"
#include "support/contains.hpp"
#include "support/content.hpp"
#include "support/decimal_comma.hpp"
#include "support/error_text.hpp"
#include "support/growth.hpp"
#include "support/temporary_folder.hpp"

using namespace strata;
using namespace strata::io;
using test::Contains;
using test::content;
using test::error_text;

namespace {

const Where here("file");

std::string format_error(const std::function<void()>& f) { return error_text<FormatError>(f); }

std::vector<std::byte> bytes_of(std::initializer_list<int> values) {
  std::vector<std::byte> bytes;
  for (const int value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

}  // namespace

TEST_CASE("a source is a file or memory, with a name", "[io]") {
  const test::TemporaryFolder folder;
  const std::string path = (folder / "weights.bin").string();
  std::ofstream(path, std::ios::binary) << "\x01\x02\x03";
  CHECK(Source(path).bytes().size() == 3);
  CHECK(Source(path.c_str()).name() == path);
  CHECK(Source(path).text() == "\x01\x02\x03");
  CHECK(Source(std::string_view(path)).name() == path);
  CHECK(Source(std::filesystem::path(path)).name() == path);
  CHECK(Source(std::filesystem::directory_entry(path)).name() == path);

  const unsigned char memory[] = {7, 8};
  CHECK(Source(memory).name() == "memory");
  CHECK(Source(std::span(memory), "the built-in model").name() == "the built-in model");
  CHECK(Source(memory).bytes()[1] == std::byte{8});

  CHECK(error_text<FileError>([&] { Source(folder / "none"); }) == Contains{"none: cannot be"});
  CHECK(error_text<FileError>([&] { (void)Source(folder.path()).bytes(); }) ==
        Contains{"is a folder"});
  CHECK(error_text<FileError>([&] { Source(path, 2); }) == Contains{"larger than 2 bytes"});
  CHECK(Source(path, 3).bytes().size() == 3);
}

TEST_CASE("a file that is none of a format is refused by its begin", "[io]") {
  const test::TemporaryFolder folder;
  const auto path = folder / "sparse";
  std::ofstream(path) << std::string(16, '\0');
  if (sizeof(std::size_t) < 8) {
    WARN("skipped: files of 20 GB need a machine of 64 bits");
    return;
  }
  // On the disk it takes one block; memory could not hold it.
  std::error_code error;
  std::filesystem::resize_file(path, std::uintmax_t{20'000'000'000}, error);
  if (error) {
    WARN("no file of 20 GB can be made here: " << error.message());
    return;
  }
  const Source source(path);
  CHECK(source.size() == std::uintmax_t{20'000'000'000});
  CHECK(source.head(8).size() == 8);
  CHECK(format_error([&] { (void)read_safetensors(source); }) == Contains{"this is not JSON"});
  CHECK(format_error([&] { (void)read_json(source); }) ==
        Contains{"sparse: this is not JSON, which begins with { or ["});
  // A header that says nothing of all that follows.
  std::fstream(path, std::ios::in | std::ios::out | std::ios::binary)
      << '\2' << std::string(7, '\0') << "{}";
  CHECK(format_error([&] { (void)read_safetensors(Source(path)); }) ==
        Contains{"the tensors to end with the file, after 19999999990 bytes, found 0"});
}

TEST_CASE("the begin of a source is read alone", "[io]") {
  const test::TemporaryFolder folder;
  const auto path = folder / "weights.bin";
  std::ofstream(path, std::ios::binary) << "\x01\x02\x03";
  const Source source(path);
  const Source copy = source;
  CHECK(source.head(2).size() == 2);
  CHECK(copy.head(9).size() == 3);
  CHECK(source.bytes()[2] == std::byte{3});
  CHECK(source.size() == 3);
  const std::vector<std::byte> memory = bytes_of({1, 2, 3});
  CHECK(Source(memory).head(2).size() == 2);
  CHECK(Source(memory).head(9).size() == 3);
}

TEST_CASE("floats of 16 bits are read exactly", "[io]") {
  const auto half = [](std::initializer_list<int> bytes) {
    return read_floating(Element::float16, bytes_of(bytes).data());
  };
  CHECK(half({0x00, 0x3c}) == 1.0);
  CHECK(half({0x55, 0x35}) == 0.333251953125);
  CHECK(from_bfloat16(0x3f80) == 1.0f);
  CHECK(from_bfloat16(0xc049) == -3.140625f);
}

TEST_CASE("arrays are used once and none is left over", "[io]") {
  NamedArrays arrays(here);
  arrays.add("kernel", {2, 2}, std::vector<double>{1, 2, 3, 4});
  arrays.add("half", Element::float16, {2}, bytes_of({0x00, 0x3c, 0x00, 0xc0}));
  CHECK(format_error([&] { arrays.add("kernel", {1}, std::vector<double>{1}); }) ==
        "file: kernel: there are two arrays of this name");
  CHECK(format_error([&] { arrays.add("short", Element::float32, {2}, bytes_of({0})); }) ==
        "file: short: expected 8 bytes for the sizes (2,) of float32, found 1");
  CHECK(format_error([&] { arrays.add("x", Element::float32, {-1}, {}); }) ==
        "file: x: expected sizes of at least 0, found (-1,)");
  const Index large = std::numeric_limits<Index>::max() / 2;
  CHECK(format_error([&] {
          arrays.add("x", Element::float32, {large, large, large}, {});
        }) == Contains{"more than memory can hold"});

  CHECK(numbers_of(arrays.take("half"), here).values == std::vector<double>{1, -2});
  CHECK(format_error([&] { arrays.take("bias"); }) ==
        Contains{"file: bias: there is no such array; there are: half, kernel"});
  CHECK(format_error([&] { arrays.require_all_used(); }) ==
        "file: the model has no place for these arrays of the file: kernel");
  (void)arrays.take("kernel");
  arrays.require_all_used();
}

TEST_CASE("gates, transposes and slices", "[io]") {
  const Numbers gates{{2, 4}, {1, 2, 3, 4, 5, 6, 7, 8}};
  CHECK(permute_gates(gates, {0, 2, 3, 1}, here).values ==
        std::vector<double>{1, 3, 4, 2, 5, 7, 8, 6});
  CHECK(permute_gates(gates, {1, 0}, here).values == std::vector<double>{3, 4, 1, 2, 7, 8, 5, 6});
  const int last[] = {1};
  CHECK(permute_gates(gates, 2, last, here).shape == std::vector<Index>{2, 2});
  CHECK(permute_gates(gates, 2, last, here).values == std::vector<double>{3, 4, 7, 8});
  CHECK(transposed(gates, here).values == std::vector<double>{1, 5, 2, 6, 3, 7, 4, 8});
  CHECK(row(gates, 1, here).values == std::vector<double>{5, 6, 7, 8});
  CHECK(sum(row(gates, 0, here), row(gates, 1, here), here).values ==
        std::vector<double>{6, 8, 10, 12});
  CHECK(stacked(row(gates, 0, here), row(gates, 1, here), here).shape == gates.shape);
  CHECK_THROWS_AS(permute_gates(gates, {0, 1, 2}, here), FormatError);
  CHECK_THROWS_AS(slice(gates, 1, 2, here), FormatError);
  CHECK_THROWS_AS(transposed(row(gates, 0, here), here), FormatError);
  CHECK_THROWS_AS(sum(gates, row(gates, 0, here), here), FormatError);
  CHECK_THROWS_AS(reshaped(gates, {3, 3}, here), FormatError);
}

TEST_CASE("numbers become weights of the model's scalar", "[io]") {
  std::vector<float> weights(2);
  const Parameter<float> parameter{"kernel", {1, 2}, weights};
  assign(parameter, Numbers{{1, 2}, {0.1, -3}}, here);
  CHECK(weights == std::vector<float>{0.1f, -3.0f});
  CHECK(format_error([&] {
          assign(parameter, Numbers{{2, 1}, {1, 2}}, here);
        }) == "file: expected (1, 2), found (2, 1)");
  CHECK(format_error([&] {
          assign(parameter, Numbers{{1, 2}, {1, 1e300}}, here);
        }) == Contains{"expected numbers that float32 can hold"});

  NamedArrays arrays(here);
  arrays.add("kernel", {1, 2}, std::vector<double>{5, 6});
  assign_all<float>({parameter}, arrays);
  CHECK(weights == std::vector<float>{5, 6});
  arrays.require_all_used();
  const ArrayView whole{Element::int64, {1, 2}, {}};
  CHECK(format_error([&] { assign(parameter, whole, here); }) ==
        Contains{"expected float16, bfloat16, float32 or float64, found int64"});
}

TEST_CASE("JSON is strict", "[io]") {
  const auto error = [](const std::string& text) {
    return format_error([&] { (void)parse_json(text, here); });
  };
  CHECK(parse_json(R"({"a": [1, {"a": 2}], "b": {"a": 3}})", here)["b"]["a"] == 3);
  CHECK(error(R"({"a": 1, "a": 2})") == Contains{"the key \"a\" twice"});
  CHECK(error(R"({"b": {"a": 1}, "c": [{"d": 1, "d": 1}]})") == Contains{"the key \"d\" twice"});
  CHECK(error("{} x") == Contains{"this is not JSON"});
  CHECK(error("[1,]") == Contains{"this is not JSON"});
  CHECK(error("[NaN]") == Contains{"this is not JSON"});
  CHECK(error("[1e999]") == Contains{"this is not JSON"});
  CHECK(error("[\"\xff\"]") == Contains{"this is not JSON"});
  CHECK(error("") == Contains{"this is not JSON"});
  const auto nested = [](int depth) {
    return std::string(static_cast<std::size_t>(depth), '[') +
           std::string(static_cast<std::size_t>(depth), ']');
  };
  CHECK_NOTHROW(parse_json(nested(max_json_depth), here));
  CHECK(error(nested(max_json_depth + 1)) == Contains{"nested deeper than 64 levels"});
  CHECK(error(std::string(1000000, '[')) == Contains{"nested deeper"});

  std::string many = "{\"0\": 0";
  for (std::size_t i = 1; i <= max_json_keys; ++i) many += ", \"" + std::to_string(i) + "\": 0";
  CHECK(error(many + "}") == Contains{"an object of the JSON has more than 10000 keys"});

  CHECK(read_integer(Json(7), here, 0, 7) == 7);
  CHECK(format_error([] { (void)read_integer(Json(8), here, 0, 7); }) ==
        "file: expected a whole number of at least 0 and at most 7, found 8");
  CHECK_THROWS_AS(read_integer(Json(1.5), here), FormatError);
  CHECK_THROWS_AS(read_integer(Json(std::numeric_limits<std::uint64_t>::max()), here), FormatError);
}

TEST_CASE("JSON is read in a time that grows with its length alone", "[io]") {
  CHECK(test::growth(4000, [](int count) {
          std::string text = "[";
          for (int i = 0; i < count; ++i) text += R"({"a":[{},1]},)";
          CHECK(parse_json(text + "{}]", here).size() == static_cast<std::size_t>(count) + 1);
        }) < test::linear_growth);
}

TEST_CASE("numbers have points whatever the locale", "[io]") {
  const test::DecimalComma locale;
  const Json json = parse_json("[0.5, -1.25e-3, 12345678901234567890, -7]", here);
  CHECK(json[0].get<double>() == 0.5);
  CHECK(json[1].get<double>() == -1.25e-3);
  CHECK(json.dump() == "[0.5,-0.00125,12345678901234567890,-7]");
  CHECK(literal(0.1f) == "0x1.99999ap-4f");
  CHECK(literal(-1234.5) == "-0x1.34ap+10");
  CHECK(literal(-0.0) == "-0x0p+0");
  LayerDescription dropout{"Dropout"};
  dropout.add("rate", 0.25).add("same_for_all_steps", false);
  CHECK(LayerCoder("float").code(dropout, 3).value.find(',') == std::string::npos);
  CHECK(format_error([] { (void)converted<float>(1.5e300, here); }) ==
        "file: expected numbers that float32 can hold, found 1.5e+300");
}

TEST_CASE("every key of an object is asked for", "[io]") {
  const Json json = parse_json(
      R"({"units": 3, "use_bias": true, "name": "x", "rates": [1, 2], "l2": null, "odd": 1})",
      here);
  ObjectReader reader(json, here);
  CHECK(reader.integer("units", 1) == 3);
  CHECK(reader.get<bool>("use_bias"));
  CHECK(reader.get<std::vector<Index>>("rates") == std::vector<Index>{1, 2});
  CHECK(reader.get<double>("dropout", 0.5) == 0.5);
  reader.require("l2", nullptr);
  reader.ignore({"name"});
  CHECK(format_error([&] { reader.finish(); }) ==
        "file: these settings are not known: \"odd\" (1)");
  CHECK(format_error([&] { reader.require("odd", 2); }) == "file: odd: expected 2, found 1");
  reader.finish();
  CHECK(format_error([&] { (void)reader.raw("missing"); }) == "file: missing: is missing");
  CHECK(format_error([&] { (void)reader.get<bool>("units"); }) ==
        "file: units: expected true or false, found 3");
  CHECK(format_error([&] { ObjectReader(json["rates"], here); }) ==
        "file: expected an object, found a list of 2");
}

TEST_CASE("names of a file are shown safely", "[io]") {
  CHECK(in_quotes("a\nb\x7f") == "\"a\\x0ab\\x7f\"");
  CHECK(in_quotes(std::string(200, 'x')).size() == 85);
}

TEST_CASE("a file is written whole or not at all", "[io]") {
  const test::TemporaryFolder folder;
  const auto path = folder / "model";
  write_file(path, "first");
  CHECK(content(path) == "first");
  {
    AtomicFile file(path);
    file.write("second");
    CHECK(content(path) == "first");
  }
  CHECK(content(path) == "first");
  CHECK(folder.count() == 1);

  CHECK(error_text<FileError>([&] { write_file(folder / "none" / "x", "a"); }) ==
        Contains{"cannot be written"});
  CHECK(error_text<FileError>([&] { write_file(folder.path(), "a"); }) ==
        Contains{"is no file to write to"});
}
