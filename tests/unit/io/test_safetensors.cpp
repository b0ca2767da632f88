// strata's own files: which are refused, and with which messages.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

#include <strata/io/header.hpp>
#include <strata/io/safetensors.hpp>
#include <strata/io/safetensors/format.hpp>
#include <strata/strata.hpp>

#include "support/catch.hpp"
#include "support/contains.hpp"
#include "support/error_text.hpp"
#include "support/ranges.hpp"
#include "support/temporary_folder.hpp"

using namespace strata;
using test::Contains;
using test::error_text;

namespace {

using Bytes = std::vector<std::byte>;

/// A file of this header and `data` zeros.
Bytes file_of(const std::string& header, std::size_t data = 0) {
  Bytes bytes(8 + header.size() + data);
  io::write_word(static_cast<std::uint64_t>(header.size()), bytes.data());
  std::memcpy(bytes.data() + 8, header.data(), header.size());
  return bytes;
}

std::string refusal(const std::string& header, std::size_t data = 0) {
  return error_text<FormatError>([&] { (void)io::read_safetensors(file_of(header, data)); });
}

using Amp = Sequential<LSTM<float, 1, 3, return_sequences>, Dense<float, 3, 1>>;

/// The header of a file, changed, before its data.
template <class Change>
Bytes with_header(const Bytes& file, Change change) {
  const auto length = static_cast<std::size_t>(io::read_word<std::uint64_t>(file.data()));
  auto header = io::Json::parse(io::Source(file).text().substr(8, length));
  change(header);
  Bytes changed = file_of(header.dump());
  changed.insert(changed.end(), file.begin() + static_cast<std::ptrdiff_t>(8 + length), file.end());
  return changed;
}

/// The model's JSON in the metadata, changed.
template <class Change>
std::string refused_model(const Bytes& file, Change change) {
  const Bytes changed = with_header(file, [&](io::Json& header) {
    auto model = io::Json::parse(header["__metadata__"]["strata.model"].get<std::string>());
    change(model);
    header["__metadata__"]["strata.model"] = model.dump();
  });
  return error_text<FormatError>([&] { (void)load(changed); });
}

}  // namespace

TEST_CASE("a model is saved and loaded by one call each", "[io]") {
  const test::TemporaryFolder folder;
  const auto path = folder / "model.safetensors";
  Sequential model{Input{Dynamic, 2}, LSTM{4, return_sequences}, LSTM{3}, Dense{1}};
  save(path, model);
  Sequential<> again = load(path);
  CHECK(again.weights() == model.weights());
  CHECK(folder.count() == 1);
  CHECK(load<double>(path).predict(Tensor<double>({1, 2, 2})).shape() == Shape{1, 1});
  const Bytes bytes = save_to_memory(model);
  CHECK(load({bytes, "the built-in model"}).weights() == model.weights());
  CHECK(error_text<FormatError>([&] {
          (void)load({Bytes(9), "the built-in model"});
        }) == Contains{"the built-in model: header: this is not JSON"});
  CHECK(error_text<StateError>([&] { save(path, Sequential<>()); }) == Contains{"not known yet"});
}

TEST_CASE("weights go into a model of known type", "[io]") {
  const test::TemporaryFolder folder;
  const auto path = folder / "amp.safetensors";
  Amp trained;
  trained.initialize(5);
  save_weights(path, trained);
  Amp amp;
  load_weights(path, amp);
  CHECK(amp.weights() == trained.weights());
  // The file of a whole model serves as well, and a run-time model.
  save(path, trained);
  Sequential<double> slow;
  slow.add(Input{Dynamic, 1});
  slow.add(LSTM{3, return_sequences});
  slow.add(Dense{1});
  load_weights(path, slow);
  CHECK(test::equal(slow.weights(), trained.weights()));

  const auto error = [&](auto model) {
    const auto before = model.weights();
    const std::string text = error_text<FormatError>([&] { load_weights(path, model); });
    CHECK(model.weights() == before);
    return text;
  };
  CHECK(error(Sequential<LSTM<float, 1, 4, return_sequences>, Dense<float, 4, 1>>()) ==
        Contains{"amp.safetensors: layer 0 (LSTM): units: expected 4, found 3"});
  CHECK(error(Sequential<LSTM<float, 1, 3, return_sequences>>()) ==
        Contains{"expected the model's 1 layers, found 2"});
  CHECK(error(Sequential<GRU<float, 1, 3, true>, Dense<float, 3, 1>>()) ==
        Contains{"layer 0 (GRU): expected GRU, found LSTM"});
  CHECK(error(Sequential(LSTM<float, 1, 3, return_sequences>({.activation = Activation::relu}),
                         Dense<float, 3, 1>())) ==
        Contains{"layer 0 (LSTM): activation: expected \"relu\", found \"tanh\""});
  CHECK(error(Sequential(LSTM<float, 2, 3, return_sequences>(), Dense<float, 3, 1>())) ==
        Contains{"lstm.kernel: expected (2, 12), found (1, 12)"});

  // Options that only training uses may differ.
  Sequential other{LSTM<float, 1, 3, return_sequences>({.dropout = 0.5}), Dropout{0.5},
                   Dense<float, 3, 1>()};
  load_weights(path, other);
  CHECK(other.weights() == trained.weights());

  save_weights(path, trained);
  CHECK(error_text<FormatError>([&] { (void)load(path); }) ==
        Contains{"the metadata has no strata.model: these are weights alone"});
  CHECK(error(Sequential<LSTM<float, 1, 3, return_sequences>>()) ==
        Contains{"the model has no place for these arrays of the file: dense.bias, dense.kernel"});
  CHECK(error(Sequential<LSTM<float, 1, 3, return_sequences>, Dense<float, 3, 3>,
                         Dense<float, 3, 1>>()) == Contains{"dense.kernel: expected (3, 3)"});
  Sequential<> unbuilt;
  unbuilt.add(LSTM{3});
  CHECK_THROWS_AS(load_weights(path, unbuilt), StateError);
}

TEST_CASE("weights in 16 bits", "[io]") {
  const test::TemporaryFolder folder;
  const auto path = folder / "amp.safetensors";
  Amp trained;
  trained.initialize(5);
  Amp amp;
  const auto text = [&] {
    std::ifstream file(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  for (const Precision precision : {Precision::half, Precision::int16}) {
    INFO(name(precision));
    save_weights(path, trained, {.precision = precision});
    load_weights(path, amp);
    auto found = std::as_const(amp).parameters();
    auto expected = std::as_const(trained).parameters();
    for (std::size_t p = 0; p < found.size(); ++p) {
      INFO(found[p].name);
      const bool matrix = found[p].shape.rank() >= 2;
      const auto columns = static_cast<std::size_t>(found[p].shape.back());
      bool same = true;
      for (std::size_t i = 0; i < found[p].values.size(); ++i) {
        const double w = expected[p].values[i];
        double largest = 0;
        for (std::size_t j = i % columns; j < found[p].values.size(); j += columns) {
          largest = std::max(largest, std::abs(double(expected[p].values[j])));
        }
        // Half of a unit: of 11 bits, or of the scale; and the rounding of the product to float.
        const double half_unit =
            precision == Precision::half ? std::ldexp(std::abs(w), -11) : 0.5 * largest / 32767;
        CHECK(std::abs(found[p].values[i] - w) <= half_unit + std::ldexp(largest, -23));
        same = same && found[p].values[i] == expected[p].values[i];
      }
      // Vectors keep their bits. A column of one weight is its scale.
      const bool one_row = found[p].values.size() == columns;
      CHECK(same == (!matrix || (precision == Precision::int16 && one_row)));
    }
    CHECK(text() == Contains{precision == Precision::half ? "\"F16\"" : "\"I16\""});
  }
  // What was rounded once is not changed by a second time.
  for (const Precision precision : {Precision::half, Precision::int16}) {
    save_weights(path, trained, {.precision = precision});
    load_weights(path, amp);
    const auto once = amp.weights();
    save_weights(path, amp, {.precision = precision});
    load_weights(path, amp);
    CHECK(amp.weights() == once);
  }
  const auto refusal = [&](Precision precision, float weight) {
    auto weights = trained.weights();
    weights[1] = weight;
    Amp other;
    other.set_weights(weights, allow_non_finite);
    return error_text<ValueError>([&] { save_weights(path, other, {.precision = precision}); });
  };
  CHECK(refusal(Precision::half, 70000.0f) ==
        "save_weights: lstm.kernel: expected numbers that half can hold, found 70000");
  CHECK(refusal(Precision::int16, std::numeric_limits<float>::infinity()) ==
        "save_weights: lstm.kernel: expected numbers that int16 can hold, found inf");
  const auto load_error = [&](const std::string& header, std::size_t bytes) {
    return error_text<FormatError>([&] { load_weights(file_of(header, bytes), amp); });
  };
  CHECK(load_error(R"({"lstm.kernel":{"dtype":"I16","shape":[1,12],"data_offsets":[0,24]}})", 24) ==
        Contains{"lstm.kernel: expected float16, bfloat16, float32 or float64, found int16"});
  CHECK(load_error(R"({"lstm.kernel":{"dtype":"I16","shape":[1,12],"data_offsets":[8,32]},)"
                   R"("lstm.kernel.scale":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})",
                   32) == Contains{"lstm.kernel.scale: expected (12,), found (2,)"});
}

TEST_CASE("other types of numbers are converted", "[io]") {
  io::SafetensorsWriter writer;
  const std::vector<double> kernel{0.5, -1.25};
  writer.add("dense.kernel", {2, 1}, std::span<const double>(kernel));
  Sequential<Dense<float, 2, 1>> model(Dense<float, 2, 1>({.use_bias = false}));
  load_weights(writer.bytes(), model);
  CHECK(model.weights() == std::vector<float>{0.5f, -1.25f});
  // bfloat16 and float16, 1 and -2
  Bytes file =
      file_of(R"({"dense.kernel":{"dtype":"BF16","shape":[2,1],"data_offsets":[0,4]}})", 4);
  const auto set = [&](std::array<int, 4> bytes) {
    for (std::size_t i = 0; i < 4; ++i) file[file.size() - 4 + i] = std::byte(bytes[i]);
  };
  set({0x80, 0x3f, 0x00, 0xc0});
  load_weights(file, model);
  CHECK(model.weights() == std::vector<float>{1, -2});
  file = with_header(file, [](io::Json& header) { header["dense.kernel"]["dtype"] = "F16"; });
  set({0x00, 0x3c, 0x00, 0xc0});
  load_weights(file, model);
  CHECK(model.weights() == std::vector<float>{1, -2});
  file = with_header(file, [](io::Json& header) { header["dense.kernel"]["dtype"] = "I16"; });
  CHECK(error_text<FormatError>([&] { load_weights(file, model); }) ==
        Contains{"dense.kernel: expected float16, bfloat16, float32 or float64, found int16"});
}

TEST_CASE("weights that are not finite are refused by name", "[io]") {
  Amp model;
  std::vector<float> weights = model.weights();
  const std::vector<float> good = weights;
  // The recurrent kernel has the sizes (3, 12), after the kernel of (1, 12).
  weights[12 + 2 * 12 + 5] = std::numeric_limits<float>::quiet_NaN();
  CHECK(
      error_text<ValueError>([&] { model.set_weights(weights); }) ==
      "set_weights: lstm.recurrent_kernel: expected finite numbers, found nan at (2, 5); where it "
      "is meant, call set_weights(weights, strata::allow_non_finite)");
  CHECK(model.weights() == good);
  CHECK(error_text<ShapeError>([&] { model.set_weights(std::span(weights).first(40)); }) ==
        Contains{"found 40 numbers"});
  const auto same_bits = [&](const auto& found) {
    return std::memcmp(found.data(), weights.data(), weights.size() * sizeof(float)) == 0;
  };
  model.set_weights(weights, allow_non_finite);
  CHECK(same_bits(model.weights()));

  const test::TemporaryFolder folder;
  const auto path = folder / "nan.safetensors";
  save(path, model);
  const std::string expected =
      "nan.safetensors: lstm.recurrent_kernel: expected finite numbers, found nan at (2, 5); where "
      "it is meant, read {file, strata::allow_non_finite}";
  CHECK(error_text<FormatError>([&] { (void)load(path); }) == Contains{expected});
  // Whatever the model had before stays.
  CHECK(error_text<FormatError>([&] { load_weights(path, model); }) == Contains{expected});
  CHECK(same_bits(model.weights()));
  CHECK(same_bits(load({path, allow_non_finite}).weights()));
  const Bytes bytes = save_to_memory(model);
  Amp other;
  load_weights({bytes, allow_non_finite}, other);
  CHECK(same_bits(other.weights()));
  CHECK(error_text<FormatError>([&] {
          (void)load({bytes, "built in"});
        }) == Contains{"built in: lstm.recurrent_kernel"});
  CHECK(same_bits(load({bytes, "built in", allow_non_finite}).weights()));
  CHECK(error_text<ValueError>([&] { save_header(folder / "nan.hpp", model); }) ==
        "save_header: lstm.recurrent_kernel: expected finite numbers, found nan at (2, 5)");
  CHECK(folder.count() == 1);

  CHECK(error_text<ValueError>([&] {
          save_header(folder / "half.hpp", model, {.precision = Precision::half});
        }) == "save_header: precision must be full or int16, found half");

  weights = good;
  weights.back() = -std::numeric_limits<float>::infinity();
  CHECK(error_text<ValueError>([&] { model.set_weights(weights); }) ==
        Contains{"dense.bias: expected finite numbers, found -inf at (0,)"});
}

TEST_CASE("a damaged safetensors file is refused", "[io][hostile]") {
  CHECK(error_text<FormatError>([] { (void)io::read_safetensors(Bytes(7)); }) ==
        Contains{"memory: expected a safetensors file of 8 bytes or more, found 7 bytes"});
  for (const std::uint64_t length :
       {std::uint64_t{3}, std::uint64_t{1} << 40, std::numeric_limits<std::uint64_t>::max()}) {
    Bytes bytes(10);
    io::write_word(length, bytes.data());
    CHECK(error_text<FormatError>([&] { (void)io::read_safetensors(bytes); }) ==
          Contains{"header length: expected at most the 2 bytes that follow"});
  }
  CHECK(io::read_safetensors(file_of("{}")).arrays.names().empty());
  CHECK(io::read_safetensors(file_of("{}   ")).arrays.names().empty());
  CHECK(refusal("[]") == Contains{"header: expected an object"});
  CHECK(refusal("{} {}") == Contains{"header: this is not JSON"});
  CHECK(refusal(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},
                    "a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
                4) == Contains{"the key \"a\" twice"});
  const auto tensor = [](const std::string& what, std::size_t data) {
    return refusal(R"({"a":{)" + what + "}}", data);
  };
  CHECK(tensor(R"("dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4])", 4) ==
        Contains{"\"a\": dtype: expected a type that strata reads, found \"F8_E4M3\""});
  CHECK(tensor(R"("dtype":"F32","shape":[1])", 4) == Contains{"data_offsets: is missing"});
  CHECK(tensor(R"("dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1)", 4) ==
        Contains{"these settings are not known: \"x\""});
  CHECK(tensor(R"("dtype":"F32","shape":[2],"data_offsets":[0,4])", 4) ==
        Contains{"\"a\": expected 8 bytes for the sizes (2,) of float32, found 4"});
  CHECK(tensor(R"("dtype":"F32","shape":[1],"data_offsets":[0,8])", 4) ==
        Contains{"data_offsets: expected a begin and an end within 4 bytes, found (0, 8)"});
  CHECK(tensor(R"("dtype":"F32","shape":[1],"data_offsets":[4,0])", 4) == Contains{"data_offsets"});
  CHECK(tensor(R"("dtype":"F32","shape":[1],"data_offsets":[-4,0])", 4) ==
        Contains{"data_offsets"});
  CHECK(tensor(R"("dtype":"F32","shape":[1],"data_offsets":[0,18446744073709551615])", 4) ==
        Contains{"data_offsets"});
  CHECK(tensor(R"("dtype":"F32","shape":[-1],"data_offsets":[0,4])", 4) ==
        Contains{"sizes of at least 0"});
  // On a 32-bit machine a single size is too large.
  const Contains too_large{sizeof(Index) == 8 ? "more than memory can hold" : "at most 2147483647"};
  CHECK(tensor(R"("dtype":"F32","shape":[4294967296,4294967296,4],"data_offsets":[0,0])", 0) ==
        too_large);
  CHECK(tensor(R"("dtype":"F32","shape":[9223372036854775807],"data_offsets":[0,4])", 4) ==
        too_large);
  CHECK(tensor(R"("dtype":"F32","shape":[1.5],"data_offsets":[0,4])", 4) ==
        Contains{"shape: expected a whole number"});
  // Gaps, overlaps, and bytes that belong to nothing.
  const auto two = [](const std::string& a, const std::string& b) {
    return refusal(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":)" + a +
                       R"(},"b":{"dtype":"F32","shape":[1],"data_offsets":)" + b + "}}",
                   8);
  };
  CHECK(two("[4,8]", "[0,4]") == "(nothing was thrown)");
  CHECK(two("[0,4]", "[0,4]") == Contains{"\"b\": expected its data to begin at 4"});
  CHECK(two("[0,4]", "[2,6]") == Contains{"\"b\": expected its data to begin at 4"});
  CHECK(tensor(R"("dtype":"F32","shape":[1],"data_offsets":[4,8])", 8) ==
        Contains{"expected its data to begin at 0"});
  CHECK(tensor(R"("dtype":"F32","shape":[1],"data_offsets":[0,4])", 8) ==
        Contains{"expected the tensors to end with the file, after 8 bytes, found 4"});
  CHECK(refusal(R"({"__metadata__":{"a":1}})") ==
        Contains{"__metadata__: \"a\": expected a text, found 1"});
  CHECK(refusal("{\"a\":" + std::string(100000, '[')) == Contains{"nested deeper than 64"});
}

TEST_CASE("a model that is not what it says is refused", "[io][hostile]") {
  Sequential model{Input{4, 2}, LSTM{3, return_sequences}, Dense{1}};
  const Bytes file = save_to_memory(model);
  using io::Json;
  CHECK(refused_model(file, [](Json&) {}) == "(nothing was thrown)");
  CHECK(refused_model(file, [](Json& m) { m["layers"][0]["kind"] = "Conv2D"; }) ==
        Contains{"memory: layer 0 (Conv2D): strata 0.1.0 has no layer of this kind"});
  CHECK(refused_model(file, [](Json& m) { m["layers"][0]["options"]["peephole"] = true; }) ==
        Contains{"layer 0 (LSTM): these settings are not known: \"peephole\""});
  CHECK(refused_model(file, [](Json& m) {
          m["layers"][0]["options"]["activation"] = "hardswish";
        }) == Contains{"layer 0 (LSTM): activation: expected one of linear, relu"});
  CHECK(refused_model(file, [](Json& m) { m["layers"][0]["options"]["units"] = -1; }) ==
        Contains{"layer 0 (LSTM): units: expected a size from 1"});
  CHECK(refused_model(file, [](Json& m) { m["layers"][0]["options"].erase("units"); }) ==
        Contains{"layer 0 (LSTM): units: is missing"});
  CHECK(refused_model(file, [](Json& m) { m["layers"][0]["options"]["dropout"] = 2; }) ==
        Contains{"layer 0 (LSTM): LSTM: dropout"});
  CHECK(refused_model(file, [](Json& m) { m["layers"][0]["options"]["use_bias"] = 1; }) ==
        Contains{"use_bias: expected true or false"});
  CHECK(refused_model(file, [](Json& m) { m["layers"][0]["options"]["units"] = 1 << 23; }) ==
        Contains{"has a matrix of the sizes (2, 8388608), but all arrays of the file together"});
  CHECK(refused_model(file, [](Json& m) { m["layers"][0]["options"]["units"] = 4; }) ==
        Contains{"lstm.kernel: expected (2, 16), found (2, 12)"});
  CHECK(refused_model(file, [](Json& m) {
          m["layers"][0]["options"]["return_sequences"] = false;
        }) == "(nothing was thrown)");
  CHECK(refused_model(file, [](Json& m) { m["layers"].erase(1); }) ==
        Contains{"no place for these arrays of the file: dense.bias, dense.kernel"});
  CHECK(refused_model(file, [](Json& m) { m["layers"].push_back(m["layers"][1]); }) ==
        Contains{"dense_1.kernel: there is no such array"});
  CHECK(refused_model(file, [](Json& m) { m["layers"] = Json::array(); }) ==
        Contains{"the model has no layers"});
  CHECK(refused_model(file, [](Json& m) { m["layers"][1]["layers"] = m["layers"]; }) ==
        Contains{"layer 1 (Dense): expected 0 inner layers, found 2"});
  CHECK(refused_model(file, [](Json& m) { m["layers"][0]["kind"] = "Residual"; }) ==
        Contains{"layer 0 (Residual): expected 1 inner layers, found 0"});
  CHECK(refused_model(file, [](Json& m) { m["optimizer"] = 1; }) ==
        Contains{"these settings are not known: \"optimizer\""});
  CHECK(refused_model(file, [](Json& m) {
          m["input"] = {1, 2, 3};
        }) == Contains{"input: expected"});
  CHECK(refused_model(file, [](Json& m) { m.erase("input"); }) == Contains{"has no input"});

  const auto metadata = [&](const char* key, const char* value) {
    const Bytes changed =
        with_header(file, [&](Json& header) { header["__metadata__"][key] = value; });
    return error_text<FormatError>([&] { (void)load(changed); });
  };
  CHECK(metadata("strata.format_version", "2") ==
        Contains{"metadata: strata.format_version: expected at most 1, which strata 0.1.0 reads, "
                 "found \"2\", written by strata \"0.1.0\""});
  CHECK(metadata("strata.format_version", "x") == Contains{"expected at most 1"});
  CHECK(metadata("strata.future", "x") == Contains{"\"strata.future\": is not known"});
  CHECK(metadata("author", "me") == "(nothing was thrown)");
}

TEST_CASE("nested layers are as deep as JSON may be", "[io][hostile]") {
  Sequential model{Input{4, 2}, Residual{Dense{2}}};
  const std::string error = refused_model(save_to_memory(model), [](io::Json& m) {
    for (int i = 0; i < 40; ++i) {
      m["layers"][0] = {{"kind", "Residual"}, {"layers", {m["layers"][0]}}};
    }
  });
  CHECK(error == Contains{"nested deeper than 64 levels"});
}

TEST_CASE("a file tests the model that it makes", "[io]") {
  Sequential model{Input{Dynamic, 2}, LSTM{3}, Dense{2}};
  Tensor<float> x({2, 3, 2});
  Random random(3);
  for (float& value : x.values()) value = static_cast<float>(random.normal());
  const Bytes file = save_to_memory(model, {.self_test = x});
  CHECK(load(file).weights() == model.weights());
  CHECK(load<double>(file).size() == 2);

  // Another number among the weights, which lie before the numbers of the self-test.
  Bytes other = file;
  const auto length = static_cast<std::size_t>(io::read_word<std::uint64_t>(file.data()));
  other[8 + length + 2] ^= std::byte{0x40};
  CHECK(error_text<FormatError>([&] { (void)load(other); }) ==
        Contains{"self-test: the model computes other numbers than it should: output"});
  Sequential same{Input{Dynamic, 2}, LSTM{3}, Dense{2}};
  same.initialize(9);
  const auto before = same.weights();
  CHECK_THROWS_AS(load_weights(other, same), FormatError);
  CHECK(same.weights() == before);
  load_weights(file, same);
  CHECK(same.weights() == model.weights());

  const Bytes tolerant = with_header(
      other, [](io::Json& header) { header["__metadata__"]["strata.self_test_tolerance"] = "10"; });
  CHECK_NOTHROW(load(tolerant));
  const Bytes nonsense = with_header(
      file, [](io::Json& header) { header["__metadata__"]["strata.self_test_tolerance"] = "-1"; });
  CHECK(error_text<FormatError>([&] { (void)load(nonsense); }) ==
        Contains{"strata.self_test_tolerance: expected a number above 0"});
  const Bytes half = with_header(file, [](io::Json& header) {
    header["x"] = header["self_test.output"];
    header.erase("self_test.output");
  });
  CHECK(error_text<FormatError>([&] { (void)load(half); }) ==
        Contains{"self_test.output: there is no such array"});
}

TEST_CASE("A file keeps what is frozen, and the learning rates by name", "[io]") {
  Sequential<> model;
  model.add(Input{4, 1});
  model.add(LSTM{3});
  model.add(Dense{1});
  const std::vector<std::byte> plain = save_to_memory(model);
  model.compile(Adam{}, MeanSquaredError{}, {}, {.rates = {{"dense.bias", 0.25}}});
  model.set_trainable("lstm", false);
  model.set_trainable("lstm.bias", true);
  const std::vector<std::byte> file = save_to_memory(model);
  const Sequential<> again = load(file);
  const auto found = again.parameters();
  const auto expected = std::as_const(model).parameters();
  REQUIRE(found.size() == 5);
  for (std::size_t i = 0; i < found.size(); ++i) {
    CHECK(found[i].trainable == expected[i].trainable);
    CHECK(found[i].rate == expected[i].rate);
  }
  CHECK(!found[0].trainable);
  CHECK(found[2].trainable);
  CHECK(found[4].rate == 0.25);
  CHECK(load(plain).parameter_count() == again.parameter_count());

  const auto refused = [&](const char* key, const io::Json& value) {
    return refused_model(file, [&](io::Json& json) { json[key] = value; });
  };
  using io::Json;
  CHECK(refused("trainable", Json::array({Json::array({"gru", false})})) ==
        Contains{"set_trainable: the model has no parameter named gru"});
  CHECK(refused("trainable", Json::array({Json::array({"lstm", 1})})) ==
        Contains{"trainable: expected true or false, found 1"});
  CHECK(refused("rates", Json::array({Json::array({"lstm", -1})})) ==
        Contains{"rates: expected a factor of at least 0, found -1"});
  CHECK(refused("rates", Json::array({Json::array({"lstm"})})) ==
        Contains{"rates: expected [name, value], found [\"lstm\"]"});
}
