#include <string>
#include <vector>

#include <strata/strata.hpp>

#include "support/catch.hpp"
#include "support/contains.hpp"
#include "support/error_text.hpp"
#include "support/ranges.hpp"

// text_state, and what a WindowLSTM and a WindowStack refuse.

namespace {

using namespace strata;
using strata::test::Contains;
using strata::test::error_text;

Sequential<WindowLSTM<float, true>, Dense<float>> reader_of_texts() {
  return Sequential{Input{Dynamic, 2},
                    WindowLSTM{3, return_sequences, {.characters = 2, .length = 4}}, Dense{1}};
}

}  // namespace

TEST_CASE("Text states: a text is rows of an identity matrix behind the rest of the state",
          "[text_state]") {
  const auto model = reader_of_texts();
  const State<float> state = text_state(model, {{0, 1, 1}, {}});
  REQUIRE(state.batch == 2);
  // h, window, c, kappa; then L = 4 places of V = 2 numbers.
  std::vector<float> expected(3 + 2 + 3 + 10, 0.f);
  const std::vector<float> none(expected.size() + 8, 0.f);
  expected.insert(expected.end(), {1, 0, 0, 1, 0, 1, 0, 0});
  expected.insert(expected.end(), none.begin(), none.end());
  CHECK(state.layers[0] == expected);
  CHECK(state.layers[1].empty());
}

TEST_CASE("Text states: refusals name the text", "[text_state][errors]") {
  const auto model = reader_of_texts();
  const auto text = [&](const std::vector<std::vector<Index>>& texts) {
    return error_text<ValueError>([&] { (void)text_state(model, texts); });
  };
  CHECK(text({{0}, {0, 1, 0, 1, 0}}) ==
        "text_state: text 1 has 5 characters, but the layer reads up to 4");
  CHECK(text({{0, 2}}) == "text_state: character 1 of text 0 must be in [0, 2), found 2");
  CHECK(text({{-1}}) == "text_state: character 0 of text 0 must be in [0, 2), found -1");
  CHECK(text({}) == "text_state: expects at least one text, found none");
  const Sequential plain{Input{Dynamic, 2}, LSTM{3}};
  CHECK(error_text<ValueError>([&] { (void)text_state(plain, {{0}}); }) ==
        "text_state: expects a model with one layer that reads a text, found 0");
  const Sequential unknown{WindowLSTM{3, {.characters = 2, .length = 4}}};
  CHECK_THROWS_AS((void)text_state(unknown, {{0}}), StateError);
}

TEST_CASE("WindowLSTM: sizes and options that make no sense are refused", "[text_state][errors]") {
  const auto text = [](const WindowLSTMOptions& options) {
    return error_text<Error>([&] { WindowLSTM layer(3, options); });
  };
  CHECK(text({}) == Contains{"WindowLSTM: characters"});
  CHECK(text({.characters = 2}) == Contains{"WindowLSTM: length"});
  CHECK(text({.characters = 2, .length = 2, .gaussians = 0}) == Contains{"WindowLSTM: gaussians"});
  CHECK(text({.characters = 2, .length = 2, .advance = 0}) ==
        "WindowLSTM: advance must be above 0 and finite, found 0");
  CHECK(text({.characters = Index{1} << 40, .length = Index{1} << 40}) ==
        Contains{"is more than memory can hold"});
}

TEST_CASE("A text moves into the output of a window, and a state of zeros leaves it empty",
          "[text_state]") {
  auto model = reader_of_texts();
  model.initialize(2);
  const Tensor<float> x({1, 6, 2}, std::vector<float>(12, 0.3f));
  State<float> with_text = text_state(model, {{1, 0}});
  const Tensor<float> read = model.predict(x, {.state = &with_text});
  const Tensor<float> empty = model.predict(x);
  CHECK_FALSE(test::equal(read.values(), empty.values()));
  State<float> zeros = text_state(model, {{}});
  const Tensor<float> of_zeros = model.predict(x, {.state = &zeros});
  CHECK(test::equal(of_zeros.values(), empty.values()));
}
