// Compiled for several instruction sets, with TARGETS_WORK the name of the function.

#include "unit.hpp"

#include <algorithm>
#include <span>
#include <string>

#include <strata/strata.hpp>

namespace {

using namespace strata;

template <class Scalar>
Tensor<Scalar> data(const Shape& shape) {
  Tensor<Scalar> tensor(shape);
  std::size_t place = 0;
  for (Scalar& value : tensor.values()) value = static_cast<Scalar>(targets::number(place++));
  return tensor;
}

/// Writes numbers, as many as there is room for.
class Out {
 public:
  Out(double* to, std::size_t room) : to_(to), room_(room) {}

  template <class Range>
  void write(const Range& values) {
    for (const auto value : values) {
      if (size_ < room_) to_[size_] = static_cast<double>(value);
      ++size_;
    }
  }
  [[nodiscard]] std::size_t size() const { return std::min(size_, room_); }

 private:
  double* to_;
  std::size_t room_;
  std::size_t size_ = 0;
};

/// Predicts with weights that are given, and trains.
template <class Model>
void work_with(Model& model, Out& out) {
  using Scalar = typename Model::Scalar;
  std::size_t place = 0;
  for (auto& parameter : model.parameters()) {
    for (Scalar& value : parameter.values) {
      value = static_cast<Scalar>(0.4 + 0.3 * targets::number(place++));
    }
  }
  const auto x = data<Scalar>({7, 5, 3});
  const auto prediction = model.predict(x);
  out.write(prediction.values());
  model.compile(Adam{.learning_rate = 1e-2, .clip = {.global_norm = 0.5}}, MeanSquaredError{},
                {RootMeanSquaredError{}},
                {.regularizers = {{"kernel", L1L2{1e-4, 1e-3}}},
                 .constraints = {{"bias", MinMaxNorm{.rate = 0.5}}}});
  const auto y = data<Scalar>({7, 2});
  const History history = model.fit(x, y,
                                    {.epochs = 2,
                                     .batch_size = 4,
                                     .validation_split = 0.2,
                                     .weight_noise = 0.01,
                                     .callbacks = {CosineDecay{.minimum = 0.1}},
                                     .verbose = 0});
  for (const std::string& figure : history.names()) out.write(history[figure]);
  out.write(model.weights());
}

template <class Model>
void stream_through(const Model& model, Out& out) {
  const auto x = data<typename Model::Scalar>({1, 5, 3});
  Stream stream{model};
  StreamBatch streams{model};
  const StreamId id = streams.join();
  for (Index t = 0; t < x.steps(); ++t) {
    const auto* const now = x.data() + t * x.features();
    out.write(std::span(stream.step(now), std::size_t(stream.outputs())));
    std::copy_n(now, x.features(), streams.input(id).begin());
    streams.step();
    out.write(streams.output(id));
  }
}

template <class Scalar>
void work_with_cell(Out& out) {
  LSTMCell<Scalar, 3, 16> cell;
  std::size_t place = 0;
  for (Scalar& value : cell.kernel().reshaped()) value = Scalar(targets::number(place++));
  for (Scalar& value : cell.recurrent_kernel().reshaped()) value = Scalar(targets::number(place++));
  auto state = LSTMState<Scalar, 16>::zero();
  for (int t = 0; t < 3; ++t) state = cell.step(Eigen::Vector<Scalar, 3>::Constant(1), state);
  out.write(state.h);
}

/// Layers of every kind of arithmetic.
void work_with_layers(Out& out) {
  Sequential<LSTM<float, 3, 20>, Dense<float, 20, 2>> fixed;
  work_with(fixed, out);
  stream_through(fixed, out);

  Sequential<LSTM<double, 3, 20>, Dense<double, 20, 2>> twofold;
  stream_through(twofold, out);

  Sequential<float> later;
  later.add(Input{Dynamic, 3});
  later.add(GRU{9, return_sequences});
  later.add(Residual{LSTM{9, return_sequences, {.activation = Activation::softplus}}});
  later.add(LayerNormalization{});
  later.add(BatchNormalization{});
  later.add(LSTM{20});
  later.add(Dense{2, Activation::sigmoid});
  work_with(later, out);
  stream_through(later, out);

  Sequential<float> whole;
  whole.add(Input{Dynamic, 3});
  whole.add(
      SkipConnections{LSTM{4, return_sequences, {.dropout = 0.2}}, LSTM{3, return_sequences}});
  whole.add(AttentionPooling{5});
  whole.add(RepeatVector{2});
  whole.add(MeanOverSteps{});
  whole.add(Dense{2});
  work_with(whole, out);
}

}  // namespace

std::size_t TARGETS_WORK(double* to, std::size_t room) {
  Out out(to, room);
  work_with_cell<float>(out);
  work_with_cell<double>(out);
  work_with_layers(out);
  return out.size();
}
