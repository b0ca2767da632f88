#include <algorithm>
#include <cmath>
#include <concepts>
#include <limits>
#include <map>
#include <memory>
#include <vector>

#include <strata/strata.hpp>

#include "support/catch.hpp"
#include "support/error_text.hpp"
#include "support/layer_cases.hpp"
#include "support/one_layer.hpp"
#include "support/ranges.hpp"
#include "support/tolerance.hpp"
#include "support/values_of.hpp"

// StreamBatch: many streams at once, with the numbers of Stream, whoever joins and leaves.

namespace {

using namespace strata;
using strata::test::error_text;
using strata::test::require_close;
using strata::test::tolerance;

template <class Scalar>
Sequential<Scalar> stack(Index features) {
  Sequential<Scalar> model;
  model.add(Input{Dynamic, features});
  model.add(LSTM{9, return_sequences});
  model.add(Residual{GRU{9, return_sequences}});
  model.add(LayerNormalization{});
  model.add(Dense{5, Activation::tanh});
  model.add(LSTM{20});
  model.add(Dense{3, Activation::softmax});
  return model;
}

template <class Range>
auto copy_of(const Range& range) {
  return std::vector(range.begin(), range.end());
}

/// The outputs of a stream of step-wise inputs x, with `others` more streams in the batch.
template <class Model, class Scalar>
std::vector<Scalar> among(const Model& model, const Tensor<Scalar>& x, Index others) {
  StreamBatch streams{model};
  std::vector<StreamId> ids;
  for (Index i = 0; i <= others; ++i) ids.push_back(streams.join());
  // Not always in the first row.
  const StreamId mine = ids[static_cast<std::size_t>(others / 2)];
  Random random(static_cast<std::uint64_t>(others));
  std::vector<Scalar> outputs;
  for (Index t = 0; t < x.batch(); ++t) {
    for (const StreamId id : ids) {
      const auto from = id == mine ? t : random.below(x.batch());
      std::copy_n(x.data() + from * streams.inputs(), streams.inputs(), streams.input(id).begin());
    }
    streams.step();
    const auto y = streams.output(mine);
    outputs.insert(outputs.end(), y.begin(), y.end());
  }
  return outputs;
}

using WideAmp = Sequential<LSTM<float, 2, 7, return_sequences>, Dense<float, 7, 1>>;

}  // namespace

TEMPLATE_TEST_CASE("StreamBatch: every layer gives what it gives in a Stream", "[stream]", float,
                   double) {
  using Scalar = TestType;
  for (const auto& one : test::layer_cases<Scalar>()) {
    if (!one.streams) continue;
    DYNAMIC_SECTION(one.name) {
      const test::OneLayer<Scalar> model(one);
      const Index steps = 4;
      for (const Index count : {1, 2, 5, 14}) {
        INFO(count << " streams");
        const auto x = one.input(count, steps, 3);
        const Index features = x.size() / (count * steps);
        StreamBatch streams{model};
        std::vector<StreamId> ids;
        std::vector<Stream<test::OneLayer<Scalar>>> singles;
        for (Index b = 0; b < count; ++b) {
          ids.push_back(streams.join());
          singles.emplace_back(model);
        }
        REQUIRE(streams.inputs() == features);
        REQUIRE(streams.outputs() == singles[0].outputs());
        for (Index t = 0; t < steps; ++t) {
          for (std::size_t b = 0; b < ids.size(); ++b) {
            std::copy_n(x.data() + (Index(b) * steps + t) * features, features,
                        streams.input(ids[b]).begin());
          }
          streams.step();
          for (std::size_t b = 0; b < ids.size(); ++b) {
            const auto y = singles[b].step(streams.input(ids[b]));
            require_close(streams.output(ids[b]), y, tolerance<Scalar>.values);
          }
        }
        for (std::size_t b = 0; b < ids.size(); ++b) {
          const auto found = streams.state(ids[b]);
          REQUIRE(found.batch == 1);
          REQUIRE(found.layers[0].size() == singles[b].state().layers[0].size());
          if (found.layers[0].empty()) continue;
          require_close(found.layers[0], singles[b].state().layers[0], tolerance<Scalar>.values);
        }
      }
    }
  }
}

TEMPLATE_TEST_CASE("StreamBatch: the same bits, whoever else is there", "[stream]", float, double) {
  using Scalar = TestType;
  for (const auto& one : test::layer_cases<Scalar>()) {
    if (!one.streams) continue;
    DYNAMIC_SECTION(one.name) {
      const test::OneLayer<Scalar> model(one);
      const auto x = one.layer.accepts() == Accepts::ids ? one.input(5, 1, 3) : one.input(1, 5, 3);
      const auto steps = Tensor<Scalar>(Shape{5, x.size() / 5}, copy_of(x.values()));
      const auto alone = among(model, steps, 0);
      for (const Index others : {1, 2, 3, 4, 6, 9, 13, 24, 48, 49, 200}) {
        INFO(others << " others");
        CHECK(among(model, steps, others) == alone);
      }
    }
  }
}

TEMPLATE_TEST_CASE("StreamBatch: joining, leaving and stepping in any order", "[stream]", float,
                   double) {
  using Scalar = TestType;
  const auto model = stack<Scalar>(4);
  StreamBatch streams{model};
  struct Session {
    StreamId id;
    Stream<Sequential<Scalar>> single;
  };
  std::vector<Session> sessions;
  std::vector<StreamId> gone;
  Random random(5);
  const auto new_input = [&](Session& session) {
    const auto x = streams.input(session.id);
    for (Scalar& value : x) value = Scalar(random.normal());
    (void)session.single.step(x);
  };
  std::size_t most = 0;
  for (int round = 0; round < 300; ++round) {
    const double action = random.uniform();
    if (action < 0.35) {
      sessions.push_back({streams.join(), Stream{model}});
    } else if (action < 0.55 && !sessions.empty()) {
      const auto leaves = static_cast<std::size_t>(random.below(Index(sessions.size())));
      streams.leave(sessions[leaves].id);
      gone.push_back(sessions[leaves].id);
      std::swap(sessions[leaves], sessions.back());
      sessions.pop_back();
    } else if (action < 0.6 && !sessions.empty()) {
      auto& session = sessions[static_cast<std::size_t>(random.below(Index(sessions.size())))];
      streams.reset(session.id);
      session.single.reset();
    } else if (action < 0.8) {
      for (auto& session : sessions) new_input(session);
      streams.step();
    } else {
      std::vector<StreamId> some;
      for (std::size_t i = sessions.size(); i-- > 0;) {
        if (random.uniform() < 0.4) continue;
        new_input(sessions[i]);
        some.push_back(sessions[i].id);
      }
      streams.step(some);
    }
    most = std::max(most, sessions.size());
    REQUIRE(streams.size() == Index(sessions.size()));
    REQUIRE(streams.ids().size() == sessions.size());
    for (const auto& session : sessions) {
      REQUIRE(streams.contains(session.id));
      const auto found = streams.state(session.id);
      const auto& expected = session.single.state();
      for (std::size_t i = 0; i < expected.layers.size(); ++i) {
        if (expected.layers[i].empty()) continue;
        require_close(found.layers[i], expected.layers[i], tolerance<Scalar>.values);
      }
    }
    for (const StreamId id : gone) REQUIRE_FALSE(streams.contains(id));
  }
  REQUIRE(most > 20);
  REQUIRE(gone.size() > 40);
  // And the outputs.
  for (auto& session : sessions) {
    const auto x = streams.input(session.id);
    for (Scalar& value : x) value = Scalar(random.normal());
  }
  streams.step();
  for (auto& session : sessions) {
    require_close(streams.output(session.id), session.single.step(streams.input(session.id)),
                  tolerance<Scalar>.values);
  }
}

TEST_CASE("StreamBatch: a step of some leaves the others where they are", "[stream]") {
  const auto model = stack<float>(2);
  StreamBatch streams{model};
  std::vector<StreamId> ids;
  for (int i = 0; i < 9; ++i) {
    ids.push_back(streams.join());
    test::fill(streams.input(ids.back()), 0.1f * float(i + 1));
  }
  streams.step();
  StreamBatch all = streams;
  all.step();
  const auto before = streams;
  const std::vector<StreamId> some{ids[7], ids[2], ids[3]};
  streams.step(some);
  for (const StreamId id : ids) {
    const bool stepped = detail::contains(some, id);
    const auto& expected = stepped ? all : before;
    CHECK(streams.state(id) == expected.state(id));
    CHECK(test::equal(streams.output(id), expected.output(id)));
  }
  SECTION("each once, or nothing happens") {
    const auto kept = streams;
    const std::vector<StreamId> twice{ids[0], ids[1], ids[0]};
    CHECK(error_text<ValueError>([&] { streams.step(twice); }) ==
          "StreamBatch: step: the stream with the serial number 1 is named twice");
    streams.leave(ids[4]);
    const std::vector<StreamId> stale{ids[0], ids[4]};
    CHECK(error_text<ValueError>([&] { streams.step(stale); }) ==
          "StreamBatch: step: the stream with the serial number 5 is not there; it has left, or "
          "its id is that of another StreamBatch");
    CHECK(streams.state(ids[0]) == kept.state(ids[0]));
    CHECK(streams.state(ids[1]) == kept.state(ids[1]));
    streams.step(std::span(twice).last(2));
    CHECK(streams.state(ids[0]) != kept.state(ids[0]));
  }
  SECTION("none") {
    const auto kept = streams;
    streams.step(std::span<const StreamId>());
    for (const StreamId id : ids) CHECK(streams.state(id) == kept.state(id));
  }
}

TEST_CASE("StreamBatch: rows of numbers in the order of ids()", "[stream]") {
  const auto model = stack<float>(2);
  StreamBatch streams{model};
  std::vector<StreamId> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(streams.join());
  REQUIRE(test::equal(streams.ids(), ids));
  streams.leave(ids[1]);
  // The last one takes the row.
  REQUIRE(copy_of(streams.ids()) == std::vector{ids[0], ids[4], ids[2], ids[3]});
  StreamBatch by_id = streams;
  const auto x = test::random_tensor<float>({4, 2}, 3);
  Tensor<float> y({4, 3});
  streams.step(x.values(), y.values());
  for (Index row = 0; row < 4; ++row) {
    const StreamId id = streams.ids()[static_cast<std::size_t>(row)];
    CHECK(test::equal(streams.input(id), test::values_of(x.rows(row, 1))));
    CHECK(test::equal(streams.output(id), test::values_of(y.rows(row, 1))));
    test::copy(test::values_of(x.rows(row, 1)), by_id.input(id).begin());
  }
  by_id.step();
  for (const StreamId id : streams.ids()) {
    CHECK(test::equal(by_id.output(id), streams.output(id)));
  }
  const auto kept = streams;
  CHECK(error_text<ShapeError>([&] { streams.step(x.values().first(6), y.values()); }) ==
        "StreamBatch: step: x: expects 8, found 6");
  CHECK(error_text<ShapeError>([&] { streams.step(x.values(), y.values().first(11)); }) ==
        "StreamBatch: step: y: expects 12, found 11");
  for (const StreamId id : streams.ids()) CHECK(streams.state(id) == kept.state(id));
}

TEST_CASE("StreamBatch: sizes fixed by the type", "[stream][own_code]") {
  const WideAmp amp;
  StreamBatch streams{amp};
  static_assert(decltype(streams)::In::extent == 2);
  static_assert(decltype(streams)::Out::extent == 1);
  static_assert(std::copyable<StreamBatch<WideAmp>>);
  static_assert(std::is_trivially_copyable_v<StreamId>);
  Sequential<float> chosen;
  std::apply([&](const auto&... layer) { (chosen.add(layer), ...); }, amp.layers());
  StreamBatch same{chosen};
  Stream single{amp};
  const StreamId id = streams.join();
  const StreamId other = same.join();
  for (int t = 0; t < 5; ++t) {
    streams.input(id)[0] = same.input(other)[0] = 0.3f * float(t);
    streams.input(id)[1] = same.input(other)[1] = -1.0f;
    streams.step();
    same.step();
    CHECK(test::equal(streams.output(id), same.output(other)));
    require_close(copy_of(streams.output(id)), copy_of(single.step(streams.input(id))),
                  tolerance<float>.values);
  }
}

TEST_CASE("StreamBatch: states go from and to a Stream", "[stream]") {
  const auto model = stack<float>(2);
  const std::vector<float> x{0.7f, -0.4f};
  Stream single{model};
  for (int t = 0; t < 4; ++t) (void)single.step(x);
  StreamBatch streams{model};
  const StreamId fresh = streams.join();
  const StreamId moved = streams.join(single.state());
  CHECK(streams.state(moved) == single.state());
  CHECK(streams.state(fresh) == model.zero_state());
  CHECK(test::all_of(streams.output(moved), [](float y) { return y == 0; }));
  test::copy(x, streams.input(moved).begin());
  streams.step();
  require_close(streams.output(moved), single.step(x), tolerance<float>.values);

  single.set_state(streams.state(moved));
  streams.step();
  require_close(streams.output(moved), single.step(x), tolerance<float>.values);
  streams.set_state(fresh, streams.state(moved));
  CHECK(streams.state(fresh) == streams.state(moved));

  SECTION("reset, of one and of all") {
    streams.reset(moved);
    CHECK(streams.state(moved) == model.zero_state());
    CHECK(streams.state(fresh) != model.zero_state());
    streams.reset();
    CHECK(streams.state(fresh) == model.zero_state());
  }
  SECTION("the state of another model") {
    const auto before = streams.state(fresh);
    auto wrong = before;
    wrong.layers.pop_back();
    CHECK(error_text<ShapeError>([&] { streams.set_state(fresh, wrong); }) ==
          "StreamBatch: set_state: the number of layers: expects 6, found 5");
    CHECK(error_text<ShapeError>([&] { (void)streams.join(model.zero_state(2)); }) ==
          "StreamBatch: set_state: the number of sequences: expects 1, found 2");
    CHECK(streams.size() == 2);
    CHECK(streams.state(fresh) == before);
  }
}

TEST_CASE("StreamBatch: what is not an id is NaN in its own stream only", "[stream]") {
  Sequential<float> model;
  model.add(Embedding{6, 4});
  model.add(LSTM{5});
  model.add(Dense{2});
  StreamBatch streams{model};
  StreamBatch healthy{model};
  std::vector<StreamId> ids;
  for (int i = 0; i < 3; ++i) {
    ids.push_back(streams.join());
    REQUIRE(healthy.join() == ids.back());
    streams.input(ids.back())[0] = healthy.input(ids.back())[0] = float(i + 1);
  }
  streams.input(ids[1])[0] = 6;
  streams.step();
  healthy.step();
  CHECK(std::isnan(streams.output(ids[1])[0]));
  CHECK(test::equal(streams.output(ids[0]), healthy.output(ids[0])));
  CHECK(test::equal(streams.output(ids[2]), healthy.output(ids[2])));
  streams.reset(ids[1]);
  streams.input(ids[1])[0] = 2;
  streams.step();
  CHECK(std::isfinite(streams.output(ids[1])[0]));
  // A row that NaN was in does not spoil who comes after.
  streams.input(ids[2])[0] = -1;
  streams.step();
  streams.leave(ids[2]);
  streams.step();
  CHECK(std::isfinite(streams.output(ids[0])[0]));
  const StreamId next = streams.join();
  streams.step();
  CHECK(std::isfinite(streams.output(next)[0]));
}

TEST_CASE("StreamBatch: ids of streams that are not there", "[stream]") {
  const auto model = stack<float>(2);
  StreamBatch streams{model};
  CHECK(streams.empty());
  CHECK_FALSE(streams.contains(StreamId()));
  CHECK(error_text<ValueError>([&] { (void)streams.input(StreamId()); }) ==
        "StreamBatch: input: this id names no stream; join gives one");
  const StreamId first = streams.join();
  streams.leave(first);
  const StreamId second = streams.join();
  // The same slot, and yet another stream.
  REQUIRE(first.slot == second.slot);
  CHECK(streams.contains(second));
  const auto stale = [](const std::string& function) {
    return "StreamBatch: " + function +
           ": the stream with the serial number 1 is not there; it has left, or its id is that of "
           "another StreamBatch";
  };
  CHECK(error_text<ValueError>([&] { streams.leave(first); }) == stale("leave"));
  CHECK(error_text<ValueError>([&] { (void)streams.input(first); }) == stale("input"));
  CHECK(error_text<ValueError>([&] { (void)streams.output(first); }) == stale("output"));
  CHECK(error_text<ValueError>([&] { (void)streams.state(first); }) == stale("state"));
  CHECK(error_text<ValueError>([&] { streams.set_state(first, {}); }) == stale("set_state"));
  CHECK(error_text<ValueError>([&] { streams.reset(first); }) == stale("reset"));
  CHECK_FALSE(streams.contains({99, 1}));
  CHECK(streams.size() == 1);
}

TEST_CASE("StreamBatch: without streams a step does nothing", "[stream]") {
  const auto model = stack<float>(2);
  StreamBatch streams{model};
  streams.step();
  streams.step(std::span<const float>(), std::span<float>());
  streams.step(std::span<const StreamId>());
  streams.reset();
  CHECK(streams.size() == 0);
  CHECK(streams.ids().empty());
  CHECK(streams.inputs() == 2);
  CHECK(streams.outputs() == 3);
}

TEST_CASE("StreamBatch: it needs the model no more, and copies are independent", "[stream]") {
  auto model = std::make_unique<Sequential<float>>(stack<float>(2));
  StreamBatch expected{*model};
  StreamBatch streams{*model};
  const StreamId id = streams.join();
  REQUIRE(expected.join() == id);
  streams.input(id)[0] = expected.input(id)[0] = 1;
  expected.step();
  SECTION("new weights") { model->initialize(99); }
  SECTION("its end") { model.reset(); }
  const auto copy = streams;
  streams.step();
  CHECK(test::equal(streams.output(id), expected.output(id)));
  CHECK(copy.state(id) == Stream{stack<float>(2)}.state());
  auto moved = std::move(streams);
  CHECK(test::equal(moved.output(id), expected.output(id)));
}

/// Both kinds of stream give what predict gives, step after step.
template <class Model>
void check_masked(const Model& model, const Tensor<float>& x) {
  const bool ids = x.rank() == 2;
  const Index steps = ids ? x.features() : x.steps();
  const Index features = ids ? 1 : x.features();
  const auto y = model.predict(x);
  Stream stream{model};
  StreamBatch streams{model};
  (void)streams.join();
  const StreamId id = streams.join();
  for (Index t = 0; t < steps; ++t) {
    INFO("step " << t);
    const auto step = x.values().subspan(static_cast<std::size_t>(t * features),
                                         static_cast<std::size_t>(features));
    const auto expected = y.values().subspan(static_cast<std::size_t>(t * y.features()),
                                             static_cast<std::size_t>(y.features()));
    test::copy(step, streams.input(id).begin());
    streams.step();
    require_close(stream.step(step), expected, tolerance<float>.values);
    require_close(streams.output(id), expected, tolerance<float>.values);
  }
}

TEST_CASE("StreamBatch: other weights, the same states", "[stream]") {
  const auto model = stack<float>(2);
  auto other = model;
  other.initialize(7);
  const std::vector<float> x{0.5f, -1, 0.25f, 2};
  const auto stepped = [&](StreamBatch<Sequential<float>> streams) {
    std::vector<float> y(6);
    streams.step(x, y);
    return y;
  };
  StreamBatch streams{model};
  const StreamId first = streams.join();
  (void)streams.join();
  (void)stepped(streams);
  std::vector<float> y(6);
  streams.step(x, y);
  const auto unchanged = stepped(streams);

  // What the other model computes after these states.
  StreamBatch of_other{other};
  for (const StreamId id : streams.ids()) (void)of_other.join(streams.state(id));
  const auto expected = stepped(of_other);
  REQUIRE(expected != unchanged);

  const auto state = streams.state(first);
  StreamBatch swapped = streams;
  StreamBatch fresh{other};
  swapped.swap_weights(fresh);
  CHECK(swapped.state(first) == state);
  CHECK(stepped(swapped) == expected);
  // The others have got the weights of the first.
  for (const StreamId id : streams.ids()) (void)fresh.join(streams.state(id));
  CHECK(stepped(fresh) == unchanged);

  // A copy that shares the weights keeps them.
  const StreamBatch copy = streams;
  streams.update(other);
  CHECK(streams.state(first) == state);
  CHECK(stepped(streams) == expected);
  CHECK(stepped(copy) == unchanged);

  const auto wider = stack<float>(3);
  StreamBatch of_wider{wider};
  CHECK(error_text<ShapeError>([&] { streams.update(wider); }) ==
        "StreamBatch: update: the inputs of a layer: expects 2, found 3");
  CHECK(error_text<ShapeError>([&] { streams.swap_weights(of_wider); }) ==
        "StreamBatch: swap_weights: the inputs of a layer: expects 2, found 3");
  CHECK(stepped(streams) == expected);
}

TEST_CASE("StreamBatch: masked steps are passed over as in predict, as by a Stream", "[stream]") {
  auto x = test::random_tensor<float>({1, 7, 2}, 8);
  for (const Index t : {0, 3, 4, 6}) x.sequence(0).row(t).setZero();
  Sequential<> model;
  model.add(Input{Dynamic, 2});
  model.add(Masking{});
  model.add(LSTM{5, return_sequences});
  model.add(SkipConnections{GRU{4, return_sequences}, SimpleRNN{3, return_sequences}});
  model.add(Residual{LSTM{7, return_sequences}});
  model.add(LSTM{4, return_sequences, {.zero_output_for_mask = true}});
  model.add(Dense{2});
  check_masked(model, x);
  Sequential<> words;
  words.add(Embedding{5, 3, {.mask_zero = true}});
  words.add(LSTM{4, return_sequences});
  check_masked(words, Tensor<float>({1, 6}, {0, 1, 0, 0, 3, 0}));
  Sequential<> last;
  last.add(Input{Dynamic, 2});
  last.add(Masking{});
  last.add(LastStep{});
  CHECK(error_text<ValueError>([&] { Stream stream{last}; }) ==
        "Stream: layer 1 (LastStep): LastStep takes the last step that counts, which a stream does "
        "not keep; leave out the layer that masks steps, and do not make those steps");
}

TEST_CASE("StreamBatch: models that it refuses", "[stream]") {
  Sequential<float> model;
  model.add(LSTM{4});
  CHECK(error_text<StateError>([&] { StreamBatch streams{model}; }) ==
        "StreamBatch: the model's sizes are not known yet; build or fit it first");
  Sequential<float> backwards;
  backwards.add(Input{Dynamic, 1});
  backwards.add(LSTM{6, {.go_backwards = true}});
  CHECK(error_text<ValueError>([&] { StreamBatch streams{backwards}; }) ==
        "StreamBatch: layer 0 (LSTM, 6 units): go_backwards needs the whole sequence, which a "
        "stream does not have");
}
