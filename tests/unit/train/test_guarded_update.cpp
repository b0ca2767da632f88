#include <chrono>
#include <cmath>
#include <condition_variable>
#include <limits>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <strata/strata.hpp>

#include "support/catch.hpp"
#include "support/error_text.hpp"

// A training step that is refused, or that ends in a number that is not finite, changes nothing:
// neither sizes nor weights nor the layers' own numbers nor the optimizer.

namespace {
namespace guarded_update {

using namespace strata;
using strata::test::error_text;

Tensor<float> filled(const Shape& shape, float value) {
  Tensor<float> tensor(shape);
  for (float& number : tensor.values()) number = value;
  return tensor;
}

Sequential<> unbuilt(Index units) {
  Sequential<> model;
  model.add(LSTM{units});
  model.add(Dense{1});
  return model;
}

Sequential<> unbuilt_encoder(Index units) {
  Sequential<> model;
  model.add(LSTM{units});
  return model;
}

/// An encoder and a decoder that no data has built, and a step that is refused.
struct Refused {
  Sequential<> encoder = unbuilt_encoder(4);
  Sequential<> decoder = unbuilt(4);
  Tensor<float> x = filled({3, 5, 2}, 0.5f);
  Tensor<float> given = filled({3, 4, 1}, 0.5f);
  Tensor<float> target = filled({3, 1}, 0.5f);
  EncoderDecoderMasks masks;

  std::string text() {
    EncoderDecoderTrainer trainer{encoder, decoder, Adam{}, MeanSquaredError{}};
    return error_text<Error>([&] { (void)trainer.step(x, given, target, masks); });
  }
  void check(const std::string& beginning) {
    const std::string found = text();
    INFO(found);
    CHECK(found.starts_with(beginning));
    CHECK_FALSE(encoder.is_built());
    CHECK_FALSE(decoder.is_built());
    CHECK(!encoder.input());
    CHECK(!decoder.input());
  }
};

/// An update that waits until a second thread takes part in it, for up to ten seconds.
struct Meeting {
  std::mutex mutex;
  std::condition_variable arrived;
  std::set<std::thread::id> threads;
};
struct WaitsForOthers {
  static constexpr const char* name = "WaitsForOthers";
  static constexpr bool elementwise = true;
  double learning_rate = 0.1;
  Clip clip{};
  std::shared_ptr<Meeting> meeting = std::make_shared<Meeting>();
  [[nodiscard]] std::size_t slots() const { return 0; }
  template <class Scalar>
  void update(const UpdateView<Scalar>& view, std::int64_t) const {
    // A parameter of one range has one thread.
    if (view.count < Index{detail::Threads::range_size}) return;
    std::unique_lock lock(meeting->mutex);
    meeting->threads.insert(std::this_thread::get_id());
    meeting->arrived.notify_all();
    meeting->arrived.wait_for(lock, std::chrono::seconds(10),
                              [&] { return meeting->threads.size() > 1; });
  }
};

/// Refuses the training.
struct Refuses {
  void on_train_begin(TrainingRun&) const { throw ValueError("Refuses: no"); }
};

/// Its moving variance becomes infinite in the first step.
struct Overflows : BatchNormalization<float> {
  void absorb(const Tape& tape) {
    BatchNormalization<float>::absorb(tape);
    const auto moving_variance = parameters().back();
    moving_variance.values[0] = std::numeric_limits<float>::infinity();
  }
};

std::vector<double> numbers_of(const Sequential<>& model) {
  std::vector<double> numbers;
  for (const float weight : model.weights()) numbers.push_back(weight);
  return numbers;
}

}  // namespace guarded_update
}  // namespace

TEST_CASE("EncoderDecoderTrainer: a refused step leaves unbuilt models", "[fit][guarded]") {
  using namespace guarded_update;
  SECTION("targets of another number of sequences") {
    Refused refused;
    refused.target = filled({2, 1}, 0.5f);
    refused.check("y: x has 3 samples, y has 2");
  }
  SECTION("targets that are not finite") {
    Refused refused;
    refused.target(1, 0) = std::numeric_limits<float>::infinity();
    refused.check("y(1, 0)");
  }
  SECTION("a mask that does not fit") {
    Refused refused;
    refused.masks.decoder = Mask(3, 7);
    refused.check("mask: x has the shape (3, 4, 1)");
  }
  SECTION("given data of another number of sequences") {
    Refused refused;
    refused.given = filled({2, 4, 1}, 0.5f);
    refused.target = filled({2, 1}, 0.5f);
    refused.check("given: x has 3 samples, given has 2");
  }
  SECTION("states of other sizes") {
    Refused refused;
    refused.decoder = unbuilt(5);
    refused.check("hand_over: layer 0 (LSTM, 4 units) of the encoder has a state of 8 numbers");
  }
  SECTION("a decoder that is larger than memory can be") {
    Refused refused;
    refused.decoder = unbuilt(Index{1} << 40);
    refused.check("layer 0 (LSTM, ");
  }
  SECTION("and a step that is not refused builds both") {
    Refused good;
    EncoderDecoderTrainer trainer{good.encoder, good.decoder, Adam{}, MeanSquaredError{}};
    CHECK(std::isfinite(trainer.step(good.x, good.given, good.target)));
    CHECK(good.encoder.is_built());
    CHECK(good.decoder.is_built());
  }
}

TEST_CASE("Trainer and fit: a refused step leaves an unbuilt model", "[fit][guarded]") {
  using namespace guarded_update;
  const auto x = filled({3, 5, 2}, 0.5f);
  const auto y = filled({3, 1}, 0.5f);
  Sequential<> model = unbuilt(4);
  SECTION("a weight rule that names no parameter") {
    Trainer trainer{model, Adam{}, MeanSquaredError{}, {.constraints = {{"lsmt.bias", MaxNorm{}}}}};
    CHECK(error_text<ValueError>([&] { (void)trainer.step(x, y); }) ==
          "compile: the model has no parameter named lsmt.bias");
    CHECK_FALSE(model.is_built());
  }
  SECTION("a state of other sequences") {
    Sequential<> built = unbuilt(4);
    built.build({Dynamic, 2});
    State<float> state = built.zero_state(2);
    Trainer trainer{model, Adam{}, MeanSquaredError{}};
    CHECK(error_text<ShapeError>([&] { (void)trainer.step(x, y, {.state = &state}); }) ==
          "state: expects 3 sequences, found 2");
    CHECK_FALSE(model.is_built());
  }
  SECTION("a callback that refuses") {
    model.compile(Adam{}, MeanSquaredError{});
    CHECK(error_text<ValueError>([&] {
            (void)model.fit(x, y, {.callbacks = {Refuses{}}, .verbose = 0});
          }) == "Refuses: no");
    CHECK_FALSE(model.is_built());
  }
  CHECK(!model.input());
  // Weights are those of a model that nobody has tried to train.
  model.build({Dynamic, 2});
  Sequential<> fresh = unbuilt(4);
  fresh.build({Dynamic, 2});
  CHECK(model.weights() == fresh.weights());
}

TEST_CASE("Moving statistics that are not finite are put back with the weights", "[fit][guarded]") {
  using namespace guarded_update;
  auto x = filled({3, 5, 2}, 0.5f);
  for (Index b = 0; b < 3; ++b) x(b, 0, 0) = static_cast<float>(b);
  const auto y = filled({3, 1}, 0.5f);
  const std::string text = "a weight is not finite after the update; the weights are kept";

  Sequential<> normalizing;
  normalizing.add(Input{Dynamic, 2});
  normalizing.add(AnyLayer<float>(Overflows()));
  normalizing.add(LSTM{4});
  const auto encoder_before = normalizing.weights();

  SECTION("in an encoder") {
    Sequential<> decoder = unbuilt(4);
    decoder.build({Dynamic, 1});
    const auto decoder_before = decoder.weights();
    EncoderDecoderTrainer trainer{normalizing, decoder, Adam{}, MeanSquaredError{}};
    CHECK(error_text<ValueError>([&] {
            (void)trainer.step(x, filled({3, 4, 1}, 0.5f), y);
          }).starts_with(text));
    CHECK(normalizing.weights() == encoder_before);
    CHECK(decoder.weights() == decoder_before);
    CHECK(trainer.optimizer().iterations() == 0);
  }
  normalizing.add(Dense{1});
  const auto before = normalizing.weights();
  SECTION("in a model with a trainer") {
    Trainer trainer{normalizing, Adam{}, MeanSquaredError{}};
    CHECK(error_text<ValueError>([&] { (void)trainer.step(x, y); }).starts_with(text));
    CHECK(normalizing.weights() == before);
    CHECK(trainer.optimizer().iterations() == 0);
  }
  SECTION("in a model that fit trains") {
    normalizing.compile(Adam{}, MeanSquaredError{});
    CHECK(error_text<ValueError>([&] {
            (void)normalizing.fit(x, y, {.verbose = 0});
          }).starts_with(text));
    CHECK(normalizing.weights() == before);
  }
}

TEST_CASE("EncoderDecoderTrainer: updates use the threads of the decoder too", "[fit][guarded]") {
  using namespace guarded_update;
  Sequential<> encoder = unbuilt_encoder(128);
  Sequential<> decoder = unbuilt(128);
  decoder.set_threads(2);
  const WaitsForOthers rule;
  EncoderDecoderTrainer trainer{encoder, decoder, rule, MeanSquaredError{}};
  (void)trainer.step(filled({1, 1, 1}, 0.5f), filled({1, 1, 1}, 0.5f), filled({1, 1}, 0.5f));
  CHECK(rule.meeting->threads.size() == 2);
}

TEST_CASE("fit: noise leaves the weights that are not trained as they are", "[fit][guarded]") {
  using namespace guarded_update;
  Sequential<> model = unbuilt(4);
  model.build({Dynamic, 2});
  const auto before = numbers_of(model);
  model.compile(SGD{.learning_rate = 0}, MeanSquaredError{});
  model.fit(filled({3, 5, 2}, 0.5f), filled({3, 1}, 0.5f), {.weight_noise = 0.5, .verbose = 0});
  CHECK(numbers_of(model) == before);
}
