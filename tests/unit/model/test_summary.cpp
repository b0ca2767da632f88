#include <strata/layers/dense.hpp>
#include <strata/layers/dropout.hpp>
#include <strata/layers/lstm.hpp>
#include <strata/model/sequential.hpp>
#include <strata/model/summary_definitions.hpp>

#include "support/catch.hpp"

using namespace strata;

TEST_CASE("summary: layers, shapes and numbers of parameters in Keras' frame", "[summary]") {
  Sequential<> model;
  model.add(Input{40, 1});
  model.add(LSTM{64, return_sequences});
  model.add(Dropout{0.2});
  model.add(LSTM{32});
  model.add(Dense{1});
  REQUIRE(model.summary() == R"(Model: "sequential"
┏━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓
┃ Layer (type)         ┃ Output Shape      ┃       Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩
│ lstm (LSTM)          │ (None, 40, 64)    │        16,896 │
├──────────────────────┼───────────────────┼───────────────┤
│ dropout (Dropout)    │ (None, 40, 64)    │             0 │
├──────────────────────┼───────────────────┼───────────────┤
│ lstm_1 (LSTM)        │ (None, 32)        │        12,416 │
├──────────────────────┼───────────────────┼───────────────┤
│ dense (Dense)        │ (None, 1)         │            33 │
└──────────────────────┴───────────────────┴───────────────┘
 Total params: 29,345
 Trainable params: 29,345
 Non-trainable params: 0
)");
}

TEST_CASE("summary: the precision of each layer", "[summary][int16]") {
  Sequential<> model;
  model.add(Input{40, 1});
  model.add(LSTM{64, return_sequences});
  model.add(LSTM{32, {.activation = Activation::relu}});
  model.add(Dense{1});
  REQUIRE(model.summary(Precision::int16) == R"(Model: "sequential"
┏━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓
┃ Layer (type)         ┃ Output Shape      ┃ Precision ┃       Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩
│ lstm (LSTM)          │ (None, 40, 64)    │ int16     │        16,896 │
├──────────────────────┼───────────────────┼───────────┼───────────────┤
│ lstm_1 (LSTM)        │ (None, 32)        │ full      │        12,416 │
├──────────────────────┼───────────────────┼───────────┼───────────────┤
│ dense (Dense)        │ (None, 1)         │ full      │            33 │
└──────────────────────┴───────────────────┴───────────┴───────────────┘
 Total params: 29,345
 Trainable params: 29,345
 Non-trainable params: 0
)");
  REQUIRE(model.summary(Precision::half).find("│ half      │        12,416 │") !=
          std::string::npos);

  Sequential<> other;
  other.add(Input{40, 1});
  other.add(Dense{1});
  REQUIRE_THROWS_AS(other.summary(Precision::half), ValueError);
  // Sizes and weights may decide.
  const Sequential open{LSTM{50}, Dense{1}};
  REQUIRE(open.summary(Precision::int16).find("│ ?         │") != std::string::npos);
}

TEST_CASE("summary: before the sizes are known", "[summary]") {
  const Sequential model{LSTM{50, return_sequences}, LSTM{50}, Dense{1}};
  REQUIRE(model.summary() == R"(Model: "sequential"
┏━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓
┃ Layer (type)         ┃ Output Shape      ┃       Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩
│ lstm (LSTM)          │ ?                 │             ? │
├──────────────────────┼───────────────────┼───────────────┤
│ lstm_1 (LSTM)        │ ?                 │             ? │
├──────────────────────┼───────────────────┼───────────────┤
│ dense (Dense)        │ ?                 │             ? │
└──────────────────────┴───────────────────┴───────────────┘
 Total params: ?
 Trainable params: ?
 Non-trainable params: 0
)");
}

TEST_CASE("summary: numbers and sizes of any length", "[summary]") {
  // Orthogonal weights would take a second.
  const Sequential wide{Input{Dynamic, 1000}, LSTM{1000, {.recurrent_initializer = Zeros{}}}};
  REQUIRE(wide.summary().find("│     8,004,000 │") != std::string::npos);
  REQUIRE(wide.summary().find("│ (None, 1000)      │") != std::string::npos);
  // Steps that are left open print as Keras prints them.
  const Sequential<LSTM<float, 2, 3, return_sequences>> open;
  REQUIRE(open.summary().find("│ (None, None, 3)   │") != std::string::npos);
  REQUIRE(detail::with_commas(0) == "0");
  REQUIRE(detail::with_commas(999) == "999");
  REQUIRE(detail::with_commas(1000) == "1,000");
  REQUIRE(detail::with_commas(1234567) == "1,234,567");
}

TEST_CASE("summary: a model without layers", "[summary]") {
  REQUIRE(Sequential<>().summary().find("Total params: ?") != std::string::npos);
}
