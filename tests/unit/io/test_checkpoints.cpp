// A training that goes on from a file ends with the bits of one that was never interrupted.

#if !defined(_WIN32) && !defined(__EMSCRIPTEN__)
#include <sys/wait.h>
#include <unistd.h>
#endif

#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <limits>
#include <string>
#include <system_error>
#include <vector>

#include <strata/io/checkpoint.hpp>
#include <strata/io/common/atomic_file.hpp>
#include <strata/io/safetensors.hpp>
#include <strata/io/safetensors/training_file.hpp>
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

using Model = Sequential<>;

struct Data {
  Tensor<float> x{{60, 5, 2}};
  Tensor<float> y{{60, 1}};

  Data() {
    Random random(1);
    for (float& value : x.values()) value = static_cast<float>(random.normal());
    for (float& value : y.values()) value = static_cast<float>(random.normal());
  }
};

/// Dropout, moving averages, moments: all that a training can remember.
Model model() {
  Model made;
  made.add(Input{Dynamic, 2});
  made.add(BatchNormalization<float>{});
  made.add(LSTM{6, return_sequences, {.dropout = 0.2}});
  made.add(Dropout{0.1});
  made.add(LSTM{4, {.recurrent_dropout = 0.2}});
  made.add(Dense{1});
  made.compile(Adam{.learning_rate = 1e-2}, MeanSquaredError{}, {MeanAbsoluteError{}});
  return made;
}

std::vector<Callback> callbacks(std::vector<Callback> more) {
  std::vector<Callback> list{EarlyStopping{.patience = 3},
                             ReduceLROnPlateau{.factor = 0.5, .patience = 1}};
  list.insert(list.end(), more.begin(), more.end());
  return list;
}

FitOptions<float> options(std::vector<Callback> more) {
  return {.epochs = 8,
          .batch_size = 8,
          .seed = 3,
          .validation_split = 0.2,
          .weight_noise = 0.01,
          .callbacks = callbacks(std::move(more)),
          .verbose = 0};
}

struct Crash {
  int epoch = 0;
  Index batch = 0;
  void on_batch_end(TrainingRun&, Index now, const Logs&) {
    if (counted++ == epoch * 6 + batch) throw Error("crash at " + std::to_string(now));
  }
  int counted = 0;
};

/// The same place in the list, without a crash.
struct NoCrash {
  void on_batch_end(TrainingRun&, Index, const Logs&) {}
};

void check_same(const History& a, const History& b) {
  REQUIRE(a.names() == b.names());
  for (const auto& name : a.names()) CHECK(a[name] == b[name]);
}

}  // namespace

TEST_CASE("a training goes on with the same bits", "[io][checkpoint]") {
  const Data data;
  const test::TemporaryFolder folder;
  const std::string path = (folder / "run.safetensors").string();
  const auto checkpoint = [&](Index every_batches, bool resume) {
    return ModelCheckpoint{.path = path, .resume = resume, .every_batches = every_batches};
  };

  Model whole = model();
  const History expected = whole.fit(data.x, data.y, options({checkpoint(0, false), NoCrash{}}));
  std::filesystem::remove(path);
  REQUIRE(expected.epochs() > 4);

  for (const Index every_batches : {0, 1, 4}) {
    for (const Crash crash : {Crash{2, 0}, Crash{2, 5}, Crash{3, 3}}) {
      INFO(every_batches << ", " << crash.epoch << ", " << crash.batch);
      std::filesystem::remove(path);
      Model first = model();
      CHECK_THROWS_AS(first.fit(data.x, data.y, options({checkpoint(every_batches, false), crash})),
                      Error);
      REQUIRE(std::filesystem::exists(path));
      Model second = model();
      const History history =
          second.fit(data.x, data.y, options({checkpoint(every_batches, true), NoCrash{}}));
      CHECK(second.weights() == whole.weights());
      check_same(history, expected);
    }
  }
  // Once more, when all is done: nothing changes.
  Model third = model();
  check_same(third.fit(data.x, data.y, options({checkpoint(0, true), NoCrash{}})), expected);
  CHECK(third.weights() == whole.weights());
}

TEST_CASE("a stateful training goes on with the same bits", "[io][checkpoint]") {
  const Data data;
  const test::TemporaryFolder folder;
  const std::string path = (folder / "run.safetensors").string();
  const auto fit = [&](Sequential<double>& one, std::vector<Callback> more) {
    Tensor<double> x({60, 5, 2});
    Tensor<double> y({60, 1});
    test::copy(data.x.values(), x.data());
    test::copy(data.y.values(), y.data());
    one.compile(SGD{.momentum = 0.9}, MeanSquaredError{});
    one.fit(x, y,
            {.epochs = 3,
             .batch_size = 10,
             .shuffle = false,
             .stateful = true,
             .callbacks = std::move(more),
             .verbose = 0});
  };
  const auto fresh = [] {
    Sequential<double> one;
    one.add(GRU{4});
    one.add(Dense{1});
    return one;
  };
  auto whole = fresh();
  fit(whole, {NoCrash{}, NoCrash{}});
  auto first = fresh();
  const ModelCheckpoint checkpoint{.path = path, .resume = true, .every_batches = 1};
  CHECK_THROWS_AS(fit(first, {checkpoint, Crash{1, 2}}), Error);
  auto second = fresh();
  fit(second, {checkpoint, NoCrash{}});
  CHECK(second.weights() == whole.weights());
}

TEST_CASE("a checkpoint is a model", "[io][checkpoint]") {
  const Data data;
  const test::TemporaryFolder folder;
  const std::string path = (folder / "run.safetensors").string();
  Model trained = model();
  trained.fit(data.x, data.y,
              {.epochs = 2, .callbacks = {ModelCheckpoint{.path = path}}, .verbose = 0});
  const Sequential<> again = load(path);
  CHECK(again.weights() == trained.weights());
  Model other = model();
  load_weights(path, other);
  CHECK(other.weights() == trained.weights());
}

TEST_CASE("which epochs are kept", "[io][checkpoint]") {
  const Data data;
  const test::TemporaryFolder folder;
  Model one = model();
  const auto path = [&](const std::string& name) { return (folder / name).string(); };
  History history =
      one.fit(data.x, data.y,
              {.epochs = 6,
               .validation_split = 0.3,
               .callbacks = {ModelCheckpoint{.path = path("{epoch}"), .every_epochs = 2},
                             ModelCheckpoint{.path = path("best"), .save_best_only = true}},
               .verbose = 0});
  CHECK(std::filesystem::exists(path("2")));
  CHECK(std::filesystem::exists(path("6")));
  CHECK(folder.count() == 4);
  const auto& losses = history["val_loss"];
  const auto best = std::min_element(losses.begin(), losses.end()) - losses.begin() + 1;
  const TrainingState state = io::read_checkpoint(path("best"));
  CHECK(std::get<std::vector<std::int64_t>>(state.values.at("epoch")) ==
        std::vector<std::int64_t>{best});
}

TEST_CASE("a checkpoint that cannot be looked for is refused", "[io][checkpoint]") {
  const Data data;
  const test::TemporaryFolder folder;
  Model one = model();
  const auto error = [&](const std::string& path) {
    const ModelCheckpoint checkpoint{.path = path, .resume = true};
    return error_text<FileError>(
        [&] { one.fit(data.x, data.y, {.epochs = 1, .callbacks = {checkpoint}, .verbose = 0}); });
  };
  const std::string long_name = (folder / std::string(300, 'a')).string();
  const auto file = (folder / "file").string();
  io::write_file(file, "");
#if defined(_WIN32)
  // Windows says of both that nothing is there, and refuses to write to them.
  CHECK(error(long_name) == Contains{"aaa: cannot be written: "});
  CHECK(error(file + "/run.safetensors") == Contains{"cannot be written beside its place: "});
#else
  const auto reason = [](int number) { return std::generic_category().message(number); };
  CHECK(error(long_name) == Contains{"aaa: cannot be looked for: " + reason(ENAMETOOLONG)});
  CHECK(error(file + "/run.safetensors") == Contains{"cannot be looked for: " + reason(ENOTDIR)});
#endif
}

TEST_CASE("a checkpoint of weights that are not finite is refused", "[io][checkpoint]") {
  const Data data;
  const test::TemporaryFolder folder;
  const std::string path = (folder / "run.safetensors").string();
  Model one = model();
  one.fit(data.x, data.y,
          {.epochs = 1, .callbacks = {ModelCheckpoint{.path = path}}, .verbose = 0});
  TrainingState state = io::read_checkpoint(path);
  std::get<std::vector<float>>(state.weights.back().values)[0] =
      std::numeric_limits<float>::infinity();
  io::write_checkpoint(path, state);
  CHECK(error_text<FormatError>([&] { (void)io::read_checkpoint(path); }) ==
        Contains{"run.safetensors: lstm_1.recurrent_kernel: expected finite numbers, found inf"});
  CHECK(io::read_checkpoint({path, allow_non_finite}).weights.size() == state.weights.size());
}

TEST_CASE("a checkpoint of another training is refused", "[io][checkpoint]") {
  const Data data;
  const test::TemporaryFolder folder;
  const std::string path = (folder / "run.safetensors").string();
  const ModelCheckpoint checkpoint{.path = path, .resume = true};
  Model first = model();
  first.fit(data.x, data.y, {.epochs = 1, .callbacks = {checkpoint}, .verbose = 0});
  const auto error = [&](FitOptions<float> how, Model second = model()) {
    how.verbose = 0;
    return error_text<ValueError>([&] { second.fit(data.x, data.y, how); });
  };
  CHECK(error({.batch_size = 16, .callbacks = {checkpoint}}) ==
        Contains{"settings.batch_size: was 32 when the state was kept, and is 16 now"});
  CHECK(error({.seed = 4, .callbacks = {checkpoint}}) == Contains{"settings.seed"});
  CHECK(error({.callbacks = {checkpoint, EarlyStopping{.monitor = "loss"}}}) ==
        Contains{"settings.callbacks"});
  Model other = model();
  other.compile(SGD{}, MeanSquaredError{}, {MeanAbsoluteError{}});
  CHECK(error({.callbacks = {checkpoint}}, other) ==
        Contains{"optimizer.name: was Adam when the state was kept, and is SGD now"});
  Model wider;
  wider.add(LSTM{4});
  wider.add(Dense{1});
  wider.compile(Adam{}, MeanSquaredError{}, {MeanAbsoluteError{}});
  CHECK(error({.callbacks = {checkpoint}}, wider) == Contains{"has no lstm.kernel of the shape"});

  Model plain = model();
  save(path, plain);
  CHECK(error_text<FormatError>([&] {
          plain.fit(data.x, data.y, {.callbacks = {checkpoint}, .verbose = 0});
        }) == Contains{"holds a model but no training that could go on"});
  const auto impossible = [&](ModelCheckpoint one) { return error({.callbacks = {one}}); };
  CHECK(impossible({}) == Contains{"the path is empty"});
  CHECK(impossible({.path = "{epoch}", .resume = true}) == Contains{"resume needs one file"});
  CHECK(impossible({.path = "x", .every_batches = -1}) == Contains{"at least 0"});
  CHECK(impossible({.path = path, .save_best_only = true}) ==
        "ModelCheckpoint: there is no figure named val_loss; there are: loss mae; figures of "
        "validation need .validation_split or .validation_data");
}

namespace {

/// A figure that does not say whether large or small is better: 3, not a number, 1, 2, 4.
struct Given {
  [[nodiscard]] std::vector<Figure> figures() const { return {{"given"}}; }
  void on_epoch_end(TrainingRun&, int epoch, Logs& logs) const {
    const std::vector<double> values{3, std::numeric_limits<double>::quiet_NaN(), 1, 2, 4};
    logs.set("given", values[static_cast<std::size_t>(epoch)]);
  }
};

}  // namespace

TEST_CASE("which way the monitored figure of a checkpoint gets better", "[io][checkpoint]") {
  const Data data;
  const test::TemporaryFolder folder;
  const auto kept = [&](ModelCheckpoint checkpoint, int first_epoch) {
    checkpoint.path = (folder / "best.{epoch}").string();
    checkpoint.save_best_only = true;
    checkpoint.monitor = "given";
    Model one = model();
    one.fit(data.x, data.y,
            {.epochs = 5,
             .callbacks = {Given{}, checkpoint},
             .verbose = 0,
             .initial_epoch = first_epoch});
    std::string epochs;
    for (const char epoch : {'1', '2', '3', '4', '5'}) {
      if (std::filesystem::remove(folder / (std::string("best.") + epoch))) epochs += epoch;
    }
    return epochs;
  };
  CHECK(kept({.path = "", .mode = Mode::max}, 0) == "15");
  CHECK(kept({.path = "", .mode = Mode::min}, 0) == "13");
  // An epoch whose figure is not a number is not kept, not even the first.
  CHECK(kept({.path = "", .mode = Mode::min}, 1) == "3");
  // Of the epochs that are due.
  CHECK(kept({.path = "", .every_epochs = 2, .mode = Mode::max}, 2) == "4");
  CHECK(error_text<ValueError>([&] { (void)kept({.path = ""}, 0); }) ==
        Contains{"ModelCheckpoint: whether given gets better by growing or by shrinking"});
}

TEST_CASE("a later training of one model goes on with the same bits", "[io][checkpoint]") {
  const Data data;
  const test::TemporaryFolder folder;
  const auto two_fits = [&](const std::string& name, const Callback& crash) {
    Model one = model();
    one.fit(data.x, data.y, {.verbose = 0});
    const ModelCheckpoint checkpoint{.path = (folder / name).string(), .resume = true};
    one.fit(data.x, data.y, {.epochs = 3, .callbacks = {checkpoint, crash}, .verbose = 0});
    return one.weights();
  };
  const auto whole = two_fits("whole", NoCrash{});
  struct CrashAt {
    void on_epoch_begin(TrainingRun&, int epoch) const {
      if (epoch == 2) throw Error("crash");
    }
  };
  CHECK_THROWS_AS(two_fits("parts", CrashAt{}), Error);
  // The epochs trained come from the file, whatever the program has trained before.
  Model rest = model();
  const ModelCheckpoint checkpoint{.path = (folder / "parts").string(), .resume = true};
  rest.fit(data.x, data.y, {.epochs = 3, .callbacks = {checkpoint, NoCrash{}}, .verbose = 0});
  CHECK(rest.weights() == whole);
}

#if defined(_WIN32) || defined(__EMSCRIPTEN__)

TEST_CASE("a training killed at any moment goes on with the same bits", "[io][checkpoint]") {
  WARN("skipped: this system has no fork");
}

#else

namespace {

/// Trains in another process, which is killed after a while. Whether it ended before.
bool train_and_kill(const Data& data, const std::string& path, std::chrono::microseconds after) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    Model one = model();
    const ModelCheckpoint checkpoint{.path = path, .resume = true, .every_batches = 1};
    try {
      one.fit(data.x, data.y, options({checkpoint}));
    } catch (...) {
      ::_exit(1);
    }
    ::_exit(0);
  }
  ::usleep(static_cast<useconds_t>(after.count()));
  ::kill(child, SIGKILL);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE((WIFSIGNALED(status) || WEXITSTATUS(status) == 0));
  return WIFEXITED(status);
}

}  // namespace

TEST_CASE("a training killed at any moment goes on with the same bits", "[io][checkpoint]") {
  const Data data;
  const test::TemporaryFolder folder;
  const std::string path = (folder / "run.safetensors").string();
  Model whole = model();
  const ModelCheckpoint silent{.path = (folder / "other").string(), .every_epochs = 0};
  const History expected = whole.fit(data.x, data.y, options({silent}));
  Random random(static_cast<std::uint64_t>(::getpid()));
  int kills = 0;
  while (kills < 50 &&
         !train_and_kill(data, path, std::chrono::microseconds(2000 + random.below(20000)))) {
    ++kills;
  }
  Model last = model();
  const ModelCheckpoint checkpoint{.path = path, .resume = true, .every_batches = 1};
  const History history = last.fit(data.x, data.y, options({checkpoint}));
  INFO(kills << " kills");
  CHECK(kills > 0);
  CHECK(last.weights() == whole.weights());
  check_same(history, expected);
}

#endif
