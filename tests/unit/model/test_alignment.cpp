#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

#if __has_include(<sys/mman.h>)
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#define STRATA_TEST_HAS_FORK 1
#endif

#include <strata/strata.hpp>

#include "support/catch.hpp"

// Whatever the instruction set, objects of strata lie wherever malloc, a vector, the stack or
// another process may put them: none needs more alignment than the largest of the language's own
// types, and none needs a special allocator.

namespace {

using namespace strata;

template <class... T>
constexpr bool lie_anywhere = ((alignof(T) <= alignof(std::max_align_t)) && ...);

template <class S>
constexpr bool all_lie_anywhere =
    lie_anywhere<Tensor<S>, Rows<S>, Parameter<S>, State<S>>&& lie_anywhere<
        LSTMState<S>, LSTMState<S, 16>, LSTMState<S, 16, 4>, LSTMCell<S>, LSTMCell<S, 3, 8>,
        LSTMCell<S, 16, 16>>&& lie_anywhere<LSTM<S>, LSTM<S, 16, 16, true>, GRU<S, 16, 16, true>,
                                            SimpleRNN<S, 16, 16>, ResetBeforeGRU<S>,
                                            ExtendedLSTM<S>, CoupledLSTM<S>, LayerNormLSTM<S>,
                                            DeepTransitionRNN<S>, Bidirectional<LSTM<S, 16, 16>>>&&
        lie_anywhere<Dense<S>, Dense<S, 16, 16>, Embedding<S, 16, 16>, AttentionPooling<S, 16, 16>,
                     LayerNormalization<S, 16>, BatchNormalization<S, 16>, Masking<S>, Dropout<S>,
                     GaussianNoise<S>, MeanOverSteps<S>, RepeatVector<S>, Flatten<S>, LastStep<S>,
                     TimeDistributed<Dense<S, 16, 16>>, Residual<LSTM<S, 16, 16, true>>,
                     SkipConnections<LSTM<S, 16, 16, true>, LSTM<S, 32, 16, true>>,
                     AnyLayer<S>>&& lie_anywhere<typename LSTM<S, 16, 16, true>::Packed,
                                                 typename LSTM<S, 16, 16, true>::Tape,
                                                 typename BatchNormalization<S, 16>::Packed,
                                                 typename LayerNormalization<S, 16>::Packed,
                                                 typename Dense<S, 16, 16>::Packed>&&
            lie_anywhere<Sequential<S>, Sequential<LSTM<S, 16, 16, true>, Dense<S, 16, 16>>,
                         Stream<Sequential<S>>, Stream<Sequential<LSTM<S, 16, 16>>>,
                         StreamBatch<Sequential<S>>, StreamBatch<Sequential<LSTM<S, 16, 16>>>,
                         Optimizer<S>, Loss<S>, Metric<S>, PredictOptions<S>, EvaluateOptions<S>,
                         FitOptions<S>, Batch<S>, SampleWeights<S>, Gradients<S>>;
static_assert(all_lie_anywhere<float>);
static_assert(all_lie_anywhere<double>);
static_assert(lie_anywhere<Shape, Mask, StreamId, Random, History, Input, Sequential<>>);
// It would not hold of Eigen's own type.
static_assert(lie_anywhere<Eigen::Matrix<float, 16, 1>> == (EIGEN_MAX_STATIC_ALIGN_BYTES <= 16));

// No pointers: plain numbers, which may be copied as bytes and shared with other programs.
static_assert(std::is_trivially_copyable_v<LSTMCell<float, 3, 8>>);
static_assert(std::is_trivially_copyable_v<LSTMCell<double, 16, 16>>);
static_assert(sizeof(LSTMState<float, 8>) == 16 * sizeof(float));
static_assert(std::is_trivially_copyable_v<StreamId> && std::is_trivially_copyable_v<Shape>);

using Amp = Sequential<LSTM<float, 1, 20, return_sequences>, GRU<float, 20, 16, return_sequences>,
                       Dense<float, 16, 1>>;
using Cell = LSTMCell<float, 1, 16>;
using Numbers = std::vector<float>;

Tensor<float> make_input() {
  Tensor<float> x({3, 6, 1});
  Random random(5);
  for (float& value : x.values()) value = static_cast<float>(random.normal());
  return x;
}

const Tensor<float>& input() {
  static const Tensor<float> x = make_input();
  return x;
}

/// What an object computes.
template <class Model>
Numbers result(const Model& model) {
  const auto y = model.predict(input());
  Numbers numbers(y.values().begin(), y.values().end());
  Stream stream{model};
  const auto given = input();
  for (const float x : given.values()) numbers.push_back(stream(x));
  return numbers;
}
Numbers result(const Cell& cell) {
  auto state = LSTMState<float, 16>::zero();
  const auto given = input();
  for (const float x : given.values()) {
    state = cell.step(Eigen::Vector<float, 1>::Constant(x), state);
  }
  return {state.h.begin(), state.h.end()};
}
template <class Model>
Numbers result(const Stream<Model>& stream) {
  Stream<Model> own = stream;
  Numbers numbers;
  const auto given = input();
  for (const float x : given.values()) numbers.push_back(own(x));
  return numbers;
}
template <class Model>
Numbers result(const StreamBatch<Model>& streams) {
  StreamBatch<Model> own = streams;
  const StreamId id = own.join();
  Numbers numbers;
  const auto given = input();
  for (const float x : given.values()) {
    own.input(id)[0] = x;
    own.step();
    numbers.push_back(own.output(id)[0]);
  }
  return numbers;
}
Numbers result(const LSTMState<float, 16>& state) { return {state.c.begin(), state.c.end()}; }
Numbers result(const Tensor<float>& x) { return {x.values().begin(), x.values().end()}; }
Numbers result(const State<float>& state) { return state.layers[0]; }
Numbers result(const Mask& mask) { return {mask(0, 0) ? 1.f : 0.f, mask(1, 2) ? 1.f : 0.f}; }

Sequential<> chosen_later() {
  Sequential<> model;
  model.add(Input{Dynamic, 1});
  model.add(LSTM{20, return_sequences});
  model.add(BatchNormalization{});
  model.add(LayerNormalization{});
  model.add(Dense{1});
  return model;
}

Cell cell() {
  Cell made;
  Random random(3);
  for (float& value : made.kernel().reshaped()) value = static_cast<float>(random.normal());
  for (float& value : made.recurrent_kernel().reshaped()) {
    value = static_cast<float>(random.normal());
  }
  return made;
}

LSTMState<float, 16> state_of_cell() {
  return cell().step(Eigen::Vector<float, 1>::Constant(0.5f), LSTMState<float, 16>::zero());
}

State<float> state_of_stream() {
  Stream stream{Amp{}};
  (void)stream(0.5f);
  return stream.state();
}

Mask mask() {
  Mask made(2, 3);
  made.set(1, 2, false);
  return made;
}

template <class T>
Numbers result_by_value(T value) {
  return result(value);
}

template <class T>
void require_usable_anywhere(const T& object) {
  const Numbers expected = result(object);
  REQUIRE_FALSE(expected.empty());
  {
    INFO("in a vector that grows and shrinks");
    std::vector<T> many;
    for (int i = 0; i < 5; ++i) many.push_back(object);
    many.erase(many.begin() + 1);
    many.insert(many.begin(), object);
    const std::vector<T> copies = many;
    for (const T& copy : copies) CHECK(result(copy) == expected);
    for (const T& one : many) CHECK(result(one) == expected);
  }
  {
    INFO("as an argument");
    CHECK(result_by_value<T>(object) == expected);
  }
  {
    INFO("on the stack, between others");
    struct Between {
      char before;
      T value;
      char between;
      T other;
    };
    const Between here{'a', object, 'b', object};
    CHECK(result(here.value) == expected);
    CHECK(result(here.other) == expected);
  }
  INFO("at every address that is a multiple of " << alignof(T));
  constexpr std::size_t line = 64;
  std::vector<std::byte> memory(sizeof(T) + 2 * line);
  void* start = memory.data();
  std::size_t room = memory.size();
  REQUIRE(std::align(line, sizeof(T) + line, start, room));
  for (std::size_t offset = 0; offset < line; offset += alignof(T)) {
    INFO("offset " << offset);
    T* const placed = new (static_cast<std::byte*>(start) + offset) T(object);
    CHECK(result(*placed) == expected);
    std::destroy_at(placed);
  }
}

}  // namespace

TEST_CASE("Alignment: cells and states", "[alignment]") {
  require_usable_anywhere(cell());
  require_usable_anywhere(state_of_cell());
}

TEST_CASE("Alignment: models", "[alignment]") {
  require_usable_anywhere(Amp{});
  require_usable_anywhere(chosen_later());
}

TEST_CASE("Alignment: streams", "[alignment]") {
  require_usable_anywhere(Stream{Amp{}});
  require_usable_anywhere(Stream{chosen_later()});
  require_usable_anywhere(StreamBatch{Amp{}});
}

TEST_CASE("Alignment: tensors, masks and states of models", "[alignment]") {
  require_usable_anywhere(input());
  require_usable_anywhere(mask());
  require_usable_anywhere(state_of_stream());
}

#ifdef STRATA_TEST_HAS_FORK

namespace {

/// Memory that child processes share, for one T.
template <class T>
class Shared {
 public:
  explicit Shared(const T& value)
      : memory_(mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {
    REQUIRE(memory_ != MAP_FAILED);
    // Not at the beginning, which is aligned for anything.
    value_ = new (static_cast<std::byte*>(memory_) + alignof(T)) T(value);
  }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
  ~Shared() {
    std::destroy_at(value_);
    munmap(memory_, size);
  }
  T& operator*() { return *value_; }
  T* operator->() { return value_; }

 private:
  static constexpr std::size_t size = alignof(T) + sizeof(T);

  void* memory_;
  T* value_;
};

/// Runs f in a child process, which says whether f returned true.
template <class F>
void require_in_child(F f) {
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    bool good = false;
    try {
      good = f();
    } catch (...) {
    }
    _exit(good ? 0 : 1);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) == 0);
}

}  // namespace

TEST_CASE("Alignment: a cell and its state in memory shared by processes", "[alignment]") {
  Shared<Cell> shared(cell());
  Shared<LSTMState<float, 16>> state(LSTMState<float, 16>::zero());
  const Numbers expected = result(*shared);
  require_in_child([&] {
    const auto given = input();
    for (const float x : given.values()) {
      *state = shared->step(Eigen::Vector<float, 1>::Constant(x), *state);
    }
    return result(*shared) == expected;
  });
  CHECK(Numbers(state->h.begin(), state->h.end()) == expected);
}

TEST_CASE("Alignment: a model of fixed sizes in memory shared by processes", "[alignment]") {
  Shared<Amp> shared(Amp{});
  const Numbers expected = result(*shared);
  require_in_child([&] { return result(*shared) == expected; });
  Amp other;
  other.initialize(7);
  REQUIRE(result(other) != expected);
  require_in_child([&] {
    shared->set_weights(other.weights());
    return true;
  });
  CHECK(result(*shared) == result(other));
}

#endif
