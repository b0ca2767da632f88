#include <algorithm>
#include <atomic>
#include <cfenv>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <iterator>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <strata/model/shards.hpp>
#include <strata/strata.hpp>

#include "support/catch.hpp"
#include "support/error_text.hpp"
#include "support/layer_cases.hpp"
#include "support/ranges.hpp"
#include "support/values_of.hpp"

// set_threads: the numbers that it takes, when threads run and how their exceptions reach the
// caller, and that fit and its relatives compute the same bits with any number of threads. The laws
// over all layers are in laws_threads.cpp.

namespace {

using namespace strata;
using strata::test::error_text;
using strata::test::random_tensor;

/// How many threads this process has, 0 where the system does not tell.
std::size_t running_threads() {
  const std::filesystem::path tasks = "/proc/self/task";
#if defined(_WIN32)
  // Under wine the folder is there and tells of another process.
  return 0;
#endif
  if (!std::filesystem::exists(tasks)) return 0;
  const std::filesystem::directory_iterator first(tasks);
  return static_cast<std::size_t>(std::distance(begin(first), end(first)));
}

/// A thread that has been joined may be listed for a moment more.
bool comes_to(std::size_t threads) {
  for (int attempt = 0; attempt < 500; ++attempt) {
    if (running_threads() == threads) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

Sequential<> stack(double dropout = 0) {
  Sequential<> model;
  model.add(Input{Dynamic, 3});
  model.add(LSTM{9, return_sequences, {.dropout = dropout, .recurrent_dropout = dropout}});
  model.add(Dropout{dropout});
  model.add(GRU{7});
  model.add(Dense{2});
  return model;
}

/// Adam that wants to see a whole parameter at once.
struct WholeAdam : Adam {
  static constexpr bool elementwise = false;
};

/// Gives its input back, and throws on a sample that begins with -1; the text is its second value.
class Refuses : public detail::PlainLayer<float> {
 public:
  static constexpr Accepts accepts = Accepts::samples;
  static constexpr Returns returns = Returns::same;
  struct Packed {
    void step(const float*, float*, float*, WeightOrder) const noexcept {}
  };
  struct Tape {};

  std::string kind() const { return "Refuses"; }
  std::string describe() const { return kind(); }
  Index output_features(Index features) const { return features; }
  void pack(Packed&, bool) const {}
  void forward(const Packed&, const Tensor<float>& x, Tensor<float>& y, const Pass<float>&) const {
    for (Index b = 0; b < x.batch(); ++b) {
      if (x(b, 0) == -1) throw std::runtime_error(std::to_string(x(b, 1)));
    }
    y = x;
  }
  void forward(const Packed& packed, const Tensor<float>& x, Tape&, Tensor<float>& y,
               const Pass<float>& pass) const {
    forward(packed, x, y, pass);
  }
  void backward(const Packed&, const Tensor<float>&, const Tensor<float>&, Tensor<float>& dy, Tape&,
                std::span<float>, Tensor<float>* dx, const Pass<float>&) const {
    if (dx) *dx = std::as_const(dy);
  }
};

}  // namespace

TEST_CASE("set_threads: 1 without a call, at least 1, kept by copies", "[threads]") {
  Sequential<> model = stack();
  REQUIRE(model.threads() == 1);
  REQUIRE(error_text<ValueError>([&] { model.set_threads(0); }) ==
          "set_threads: needs at least 1 thread, found 0");
  REQUIRE_THROWS_AS(model.set_threads(-3), ValueError);
  REQUIRE(model.threads() == 1);
  model.set_threads(3);
  REQUIRE(model.threads() == 3);
  Sequential<> copy = model;
  REQUIRE(copy.threads() == 3);
  copy.set_threads(2);
  REQUIRE(model.threads() == 3);
  const Sequential<> moved = std::move(copy);
  REQUIRE(moved.threads() == 2);
  Sequential fixed{LSTM<float, 2, 3>{}, Dense<float, 3, 1>{}};
  fixed.set_threads(4);
  REQUIRE(fixed.threads() == 4);
  fixed.set_threads(1);
  REQUIRE(fixed.threads() == 1);
}

TEST_CASE("Threads start with the first work for them and end with the model", "[threads]") {
  const std::size_t before = running_threads();
  if (before == 0) {
    WARN("skipped: this system has no /proc/self/task to count threads");
    return;
  }
#ifdef __SANITIZE_THREAD__
  WARN("skipped: the thread sanitizer has a thread of its own");
  return;
#endif
  const auto x = random_tensor<float>({64, 5, 3}, 1);
  const auto y = random_tensor<float>({64, 2}, 2);
  {
    Sequential<> model = stack();
    model.compile(Adam{}, MeanSquaredError{});
    model.fit(x, y, {.verbose = 0});
    (void)model.predict(x);
    REQUIRE(running_threads() == before);

    model.set_threads(3);
    Stream stream{model};
    (void)stream.step(std::vector<float>{1, 2, 3});
    const Sequential<> copy = model;
    REQUIRE(running_threads() == before);

    (void)model.predict(x);
    REQUIRE(running_threads() == before + 2);
    model.fit(x, y, {.verbose = 0});
    (void)model.evaluate(x, y);
    REQUIRE(running_threads() == before + 2);

    (void)copy.predict(x);
    REQUIRE(running_threads() == before + 4);
    model.set_threads(1);
    REQUIRE(comes_to(before + 2));
    (void)model.predict(x);
    REQUIRE(running_threads() == before + 2);
  }
  REQUIRE(comes_to(before));
}

TEST_CASE("fit and its relatives: the same bits with any number of threads", "[threads]") {
  const auto x = random_tensor<float>({70, 6, 3}, 3);
  const auto y = random_tensor<float>({70, 2}, 4);
  std::vector<Index> lengths(70);
  for (std::size_t b = 0; b < lengths.size(); ++b) lengths[b] = static_cast<Index>(1 + b % 6);
  const Mask mask = Mask::from_lengths(lengths, 6);

  struct Result {
    std::vector<double> losses;
    std::vector<double> figures;
    std::vector<float> numbers;
    bool operator==(const Result&) const = default;
  };
  const auto compiled = [](int threads, double dropout = 0) {
    Sequential<> model = stack(dropout);
    model.set_threads(threads);
    model.compile(Adam{.learning_rate = 0.01, .clip = {.global_norm = 0.5}}, MeanSquaredError{},
                  {MeanAbsoluteError{}}, {.regularizers = {{"kernel", L2{0.01}}}});
    return model;
  };
  const auto trained = [&](int threads, double dropout, const FitOptions<float>& options) {
    Sequential<> model = compiled(threads, dropout);
    const History history = model.fit(x, y, options);
    Result result;
    for (const auto& name : history.names()) {
      const auto& series = history[name];
      result.losses.insert(result.losses.end(), series.begin(), series.end());
    }
    const Evaluation evaluation = model.evaluate(x, y, {.batch_size = 50, .mask = options.mask});
    result.figures = {evaluation.loss, evaluation["mae"]};
    result.numbers = model.weights();
    const auto prediction = model.predict(x, {.batch_size = 33, .mask = options.mask});
    result.numbers.insert(result.numbers.end(), prediction.values().begin(),
                          prediction.values().end());
    return result;
  };
  const auto same = [&](double dropout, FitOptions<float> options) {
    options.verbose = 0;
    const Result one = trained(1, dropout, options);
    for (const int threads : {2, 3, 5}) {
      INFO(threads << " threads");
      CHECK(trained(threads, dropout, options) == one);
    }
    return one;
  };
  SECTION("plain") { same(0, {.epochs = 2}); }
  SECTION("dropout") {
    const Result result = same(0.3, {.epochs = 2, .batch_size = 64});
    CHECK(result != same(0.3, {.epochs = 2, .batch_size = 64, .seed = 1}));
  }
  SECTION("masks and validation") {
    same(0.2, {.epochs = 2, .batch_size = 40, .validation_split = 0.4, .mask = mask});
  }
  SECTION("states") {
    same(0, {.epochs = 2,
             .batch_size = 35,
             .shuffle = false,
             .mask = mask,
             .stateful = true,
             .truncate = 2});
  }
  SECTION("weight noise") { same(0, {.batch_size = 70, .weight_noise = 0.1}); }
  SECTION("train_on_batch and test_on_batch, with states") {
    const auto batches = [&](int threads) {
      Sequential<> model = compiled(threads);
      Result result;
      State<float> state;
      for (int step = 0; step < 2; ++step) {
        result.losses.push_back(model.train_on_batch(x, y, {.mask = mask, .state = &state}).loss);
      }
      result.losses.push_back(model.test_on_batch(x, y, {.state = &state}).loss);
      (void)model.predict(x, {.batch_size = 32, .state = &state});
      for (const auto& layer : state.layers) {
        result.numbers.insert(result.numbers.end(), layer.begin(), layer.end());
      }
      return result;
    };
    for (const int threads : {2, 3, 5}) CHECK(batches(threads) == batches(1));
  }
  SECTION("a loop of one's own") {
    const auto steps = [&](int threads) {
      Sequential<> model = stack(0.1);
      model.set_threads(threads);
      Trainer trainer{model, SGD{.momentum = 0.9}, MeanSquaredError{}};
      std::vector<double> losses;
      for (int step = 0; step < 3; ++step) losses.push_back(trainer.step(x, y));
      return losses;
    };
    for (const int threads : {2, 3, 5}) CHECK(steps(threads) == steps(1));
  }
  SECTION("an encoder and a decoder") {
    const auto steps = [&](int threads) {
      Sequential<> encoder = stack(0.1);
      Sequential<> decoder = stack(0.1);
      encoder.set_threads(threads);
      decoder.set_threads(threads);
      EncoderDecoderTrainer trainer{encoder, decoder, Adam{}, MeanSquaredError{}};
      Result result;
      for (int step = 0; step < 3; ++step) {
        result.losses.push_back(trainer.step(x, x, y, {mask, mask}));
      }
      result.numbers = encoder.weights();
      const auto more = decoder.weights();
      result.numbers.insert(result.numbers.end(), more.begin(), more.end());
      return result;
    };
    for (const int threads : {2, 3, 5}) CHECK(steps(threads) == steps(1));
  }
}

TEST_CASE("Encoder and decoder: the gradient of a batch is the mean of its halves'", "[threads]") {
  const auto x = random_tensor<float>({40, 6, 3}, 3);
  const auto given = random_tensor<float>({40, 4, 3}, 4);
  const auto target = random_tensor<float>({40, 2}, 5);
  // SGD with a rate of 1 subtracts the gradient from the weights. Half of the batch is one shard,
  // all of it are several.
  const auto gradient = [&](Index first, Index count) {
    Sequential<> encoder = stack();
    Sequential<> decoder = stack();
    encoder.build({Dynamic, 3});
    decoder.build({Dynamic, 3});
    const auto weights = [&] {
      std::vector<float> all = encoder.weights();
      const auto more = decoder.weights();
      all.insert(all.end(), more.begin(), more.end());
      return all;
    };
    std::vector<float> all = weights();
    EncoderDecoderTrainer trainer{encoder, decoder, SGD{.learning_rate = 1}, MeanSquaredError{}};
    (void)trainer.step(x.rows(first, count), given.rows(first, count), target.rows(first, count));
    const auto after = weights();
    for (std::size_t i = 0; i < all.size(); ++i) all[i] -= after[i];
    return all;
  };
  REQUIRE(detail::shards_of(20).size() == 1);
  REQUIRE(detail::shards_of(40).size() > 1);
  const auto whole = gradient(0, 40);
  const auto first = gradient(0, 20);
  const auto second = gradient(20, 20);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    // Weights of up to 1, whose last bit the difference has: 6e-8 for each of three.
    REQUIRE(std::abs(whole[i] - 0.5f * (first[i] + second[i])) < 1e-6f);
  }
}

TEST_CASE("A mask that a layer makes is joined from the shards", "[threads]") {
  Tensor<float> ids({50, 4});
  Random random(1);
  for (float& id : ids.values()) id = static_cast<float>(random.below(5));
  const auto y = random_tensor<float>({50, 4, 2}, 2);
  const auto losses = [&](int threads) {
    Sequential<> model;
    model.add(Embedding{5, 3, {.mask_zero = true}});
    model.add(LSTM{4, return_sequences});
    model.add(Dense{2});
    model.build(Input(4));
    model.set_threads(threads);
    model.compile(Adam{}, MeanSquaredError{});
    const double before = model.test_on_batch(ids, y).loss;
    // Sample by sample there are no shards; each weighs as many steps as count.
    double sum = 0;
    Index count = 0;
    for (Index b = 0; b < ids.batch(); ++b) {
      Index counted = 0;
      for (Index t = 0; t < 4; ++t) counted += ids.rows(b, 1)(0, t) != 0;
      sum += model.test_on_batch(ids.rows(b, 1), y.rows(b, 1)).loss * static_cast<double>(counted);
      count += counted;
    }
    CHECK(before == Approx(sum / static_cast<double>(count)).epsilon(1e-5));
    const double trained = model.train_on_batch(ids, y).loss;
    // Prediction combines divisions that training cannot.
    CHECK(trained == Approx(before).epsilon(1e-6));
    return std::pair{trained, model.test_on_batch(ids, y).loss};
  };
  CHECK(losses(2) == losses(1));
}

TEST_CASE("A parameter is updated in ranges as it is as a whole", "[threads][own_code]") {
  const auto x = random_tensor<float>({30, 301}, 1);
  const auto y = random_tensor<float>({30, 203}, 2);
  const auto trained = [&](Optimizer<float> optimizer, int threads) {
    Sequential model{Dense{203}};
    model.set_threads(threads);
    Trainer trainer{model, std::move(optimizer), MeanSquaredError{}};
    for (int step = 0; step < 3; ++step) trainer.step(x, y);
    return model.weights();
  };
  const auto expected = trained(WholeAdam{}, 1);
  REQUIRE(expected.size() > detail::Threads::range_size);
  // In parentheses, since Catch would print both lists of 61,306 numbers.
  for (const int threads : {1, 2, 3}) CHECK((trained(Adam{}, threads) == expected));
  CHECK((trained(WholeAdam{}, 2) == expected));
}

TEST_CASE("An exception in a thread reaches the caller, the first sample's", "[threads]") {
  Sequential<> model;
  model.add(Input{2});
  model.add(Dense{2});
  model.add(Refuses{});
  model.set_weights(std::vector<float>{1, 0, 0, 1, 0, 0});
  model.set_threads(3);
  model.compile(SGD{}, MeanSquaredError{});
  Tensor<float> good({100, 2});
  const Tensor<float> before = model.predict(good);
  Tensor<float> bad = good;
  for (const Index b : {Index{99}, Index{60}, Index{30}}) {
    bad(b, 0) = -1;
    bad(b, 1) = static_cast<float>(b);
    for (int attempt = 0; attempt < 20; ++attempt) {
      const auto number = std::to_string(static_cast<float>(b));
      CHECK(error_text<std::runtime_error>([&] { (void)model.predict(bad); }) == number);
      CHECK(error_text<std::runtime_error>([&] { model.train_on_batch(bad, good); }) == number);
    }
  }
  CHECK(test::equal(test::values_of(model.predict(good)), before.values()));
  const auto weights = model.weights();
  model.fit(good, random_tensor<float>({100, 2}, 1), {.verbose = 0});
  CHECK(model.weights() != weights);
}

TEST_CASE("A diverging step with threads keeps the last good weights", "[threads]") {
  const auto x = random_tensor<float>({64, 5, 3}, 1);
  const auto y = random_tensor<float>({64, 2}, 2);
  const auto kept = [&](int threads) {
    Sequential<> model = stack();
    model.set_threads(threads);
    model.compile(SGD{.learning_rate = 1e30}, MeanSquaredError{});
    REQUIRE_THROWS_AS(model.fit(x, y, {.epochs = 9, .verbose = 0}), ValueError);
    return model.weights();
  };
  const auto weights = kept(1);
  CHECK(test::all_of(weights, [](float weight) { return std::isfinite(weight); }));
  CHECK(kept(2) == weights);

  Sequential<> encoder = stack();
  Sequential<> decoder = stack();
  EncoderDecoderTrainer trainer{encoder, decoder, SGD{.learning_rate = 1e38}, MeanSquaredError{}};
  REQUIRE_THROWS_AS(
      [&] {
        for (int step = 0; step < 9; ++step) (void)trainer.step(x, x, y);
      }(),
      ValueError);
  for (const auto* model : {&encoder, &decoder}) {
    CHECK(test::all_of(model->weights(), [](float weight) { return std::isfinite(weight); }));
  }
}

TEST_CASE("One constant model with threads predicts in several threads at once", "[threads]") {
  Sequential<> building = stack();
  building.set_threads(2);
  const Sequential<> model = building;
  const auto x = random_tensor<float>({96, 5, 3}, 1);
  const auto expected = building.predict(x);
  std::vector<std::thread> users;
  std::atomic<int> wrong = 0;
  for (int user = 0; user < 4; ++user) {
    users.emplace_back([&, user] {
      const Sequential<> own = model;
      for (int call = 0; call < 10; ++call) {
        const auto y = user % 2 == 0 ? model.predict(x) : own.predict(x);
        if (!test::equal(y.values(), expected.values())) ++wrong;
      }
    });
  }
  for (auto& user : users) user.join();
  REQUIRE(wrong == 0);
}

TEST_CASE("Fits in several threads with the same options do what they do alone", "[threads]") {
  Tensor<float> x({32, 4, 1});
  Tensor<float> y({32, 1});
  Random random(1);
  for (float& value : x.values()) value = static_cast<float>(random.normal());
  for (Index b = 0; b < 32; ++b) y(b, 0) = x(b, 3, 0);
  const FitOptions<float> options{
      .epochs = 40,
      .validation_split = 0.5,
      .callbacks = {EarlyStopping{.patience = 2}, ReduceLROnPlateau{.patience = 1}},
      .verbose = 0};
  // Rates at which the validation loss rises soon, in different epochs.
  const auto fit = [&](double rate) {
    Sequential<> model;
    model.add(LSTM{3});
    model.add(Dense{1});
    model.compile(SGD{.learning_rate = rate}, MeanSquaredError{});
    const std::size_t epochs = model.fit(x, y, options).epochs();
    return std::pair(epochs, model.weights());
  };
  const std::vector<double> rates{2, 3};
  std::vector<std::pair<std::size_t, std::vector<float>>> together(rates.size());
  std::thread first([&] { together[0] = fit(rates[0]); });
  together[1] = fit(rates[1]);
  first.join();
  for (std::size_t i = 0; i < rates.size(); ++i) {
    const auto alone = fit(rates[i]);
    INFO("rate " << rates[i] << ", " << alone.first << " epochs");
    CHECK(together[i] == alone);
    CHECK(alone.first < 40);
  }
}

TEST_CASE("ThreadPool: every task once, also from within a task", "[threads]") {
  const detail::Threads threads = detail::make_threads(4);
  for (const std::size_t tasks : std::vector<std::size_t>{0, 1, 2, 3, 50, 1000}) {
    std::vector<int> runs(tasks);
    threads.run(tasks, [&](std::size_t i) { ++runs[i]; });
    REQUIRE(test::count(runs, 1) == static_cast<std::ptrdiff_t>(tasks));
  }
  std::vector<std::vector<int>> inner(20, std::vector<int>(20));
  threads.run(inner.size(), [&](std::size_t i) {
    threads.run(inner[i].size(), [&](std::size_t k) { ++inner[i][k]; });
  });
  for (const auto& runs : inner) REQUIRE(test::count(runs, 1) == 20);

  std::vector<int> covered(100000);
  threads.run_ranges(covered.size(), [&](std::size_t first, std::size_t count) {
    for (std::size_t i = first; i < first + count; ++i) ++covered[i];
  });
  REQUIRE(test::count(covered, 1) == 100000);
}

TEST_CASE("ThreadPool: tasks round as the caller does", "[threads]") {
  const detail::Threads threads = detail::make_threads(3);
  const auto thirds = [&] {
    std::vector<double> all(200);
    threads.run(all.size(), [&](std::size_t i) {
      volatile double three = 3;
      volatile double third = 1 / three;
      all[i] = third;
      std::this_thread::sleep_for(std::chrono::microseconds(20));
    });
    std::sort(all.begin(), all.end());
    return std::pair{all.front(), all.back()};
  };
  const auto nearest = thirds();
  REQUIRE(nearest.first == nearest.second);
  std::fesetround(FE_UPWARD);
  const auto upward = thirds();
  std::fesetround(FE_TONEAREST);
  REQUIRE(upward.first == upward.second);
  REQUIRE(upward.first > nearest.first);
  REQUIRE(thirds() == nearest);
}

TEST_CASE("Shards: an even number of nearly equal parts, by the size of the batch", "[threads]") {
  const auto sizes = [](Index batch) {
    std::vector<Index> list;
    Index next = 0;
    for (const auto& shard : detail::shards_of(batch)) {
      REQUIRE(shard.first == next);
      list.push_back(shard.count);
      next += shard.count;
    }
    REQUIRE(next == batch);
    return list;
  };
  using List = std::vector<Index>;
  REQUIRE(sizes(1) == List{1});
  REQUIRE(sizes(23) == List{23});
  REQUIRE(sizes(24) == List{12, 12});
  REQUIRE(sizes(32) == List{16, 16});
  REQUIRE(sizes(33) == List{16, 17});
  REQUIRE(sizes(64) == List{32, 32});
  REQUIRE(sizes(65) == List{16, 16, 16, 17});
  for (Index batch = 1; batch < 300; ++batch) {
    const auto list = sizes(batch);
    REQUIRE((list.size() == 1 || list.size() % 2 == 0));
    REQUIRE(list.back() - list.front() <= 1);
    REQUIRE(list.back() <= 32);
  }
}

namespace {

/// A layer that takes something over from a batch, and does not say whether it mixes sequences.
struct Absorbs : Refuses {
  static constexpr LayerTraits traits{.absorb = true};
  void absorb(Tape&) {}
};

/// The same, and it says.
struct AbsorbsAlone : Absorbs {
  static constexpr LayerTraits traits{.absorb = true, .mixes_sequences = false};
};

template <class L>
constexpr bool mixes = detail::mixes_sequences_of<L>();
using Normalized = BatchNormalization<float>;
using Sequence = LSTM<float, Dynamic, Dynamic, return_sequences>;
static_assert(!mixes<Dense<float>> && !mixes<Sequence> && !mixes<Refuses>);
static_assert(mixes<Normalized> && mixes<TimeDistributed<Normalized>>);
static_assert(mixes<Residual<Normalized>> && !mixes<Residual<Sequence>>);
static_assert(mixes<SkipConnections<Sequence, Normalized>>);
static_assert(!mixes<SkipConnections<Sequence>> && !mixes<TimeDistributed<Dense<float>>>);
static_assert(!mixes<Bidirectional<Sequence>>);
static_assert(mixes<Absorbs> && !mixes<AbsorbsAlone>);

}  // namespace
