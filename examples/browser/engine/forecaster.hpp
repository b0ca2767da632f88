#pragma once

#include <strata/strata.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <numbers>
#include <span>
#include <utility>
#include <vector>

// The network of examples/05_forecast.cpp, trained one epoch at a time, so that the page can draw
// what it has learned in between.

namespace page {

using strata::Index;
using strata::Tensor;

class Forecaster {
 public:
  static constexpr Index window = 40;          // values that a forecast looks at
  static constexpr Index shown = 240;          // values of the picture
  static constexpr Index before = 60;          // of the picture, before the free run begins
  static constexpr Index picture_begin = 680;  // in the test part: a collapse lies ahead

  struct Epoch {
    int number;  // from 1
    double loss;
    double val_loss;
    double error;  // NRMSE of the forecasts of the test part: 1 is the error of its mean
  };

  /// `series`: the first 70 % are trained, 15 % validate, 15 % test. The learning rate falls to 0
  /// over `epochs`, by a cosine.
  Forecaster(std::span<const float> series, int epochs, std::uint64_t seed) : epochs_(epochs) {
    const auto count = static_cast<Index>(series.size());
    const Index train_end = count * 70 / 100;
    const Index test_begin = count * 85 / 100;
    const Eigen::VectorXd raw =
        Eigen::Map<const Eigen::VectorXf>(series.data(), count).cast<double>();
    const double mean = raw.head(train_end).mean();
    const double deviation = std::sqrt((raw.head(train_end).array() - mean).square().mean());
    series_ = ((raw.array() - mean) / deviation).cast<float>();
    train_ = cut(window, train_end);
    validation_ = cut(train_end, test_begin);
    test_ = cut(test_begin, count);
    truth_ = series_.tail(count - test_begin);
    picture_ = truth_.segment(picture_begin, shown);
    one_step_.resize(shown);
    free_run_.resize(shown - before);

    model_.add(strata::Input{window, 1});
    model_.add(strata::LSTM{32, strata::return_sequences});
    model_.add(strata::LSTM{32});
    model_.add(strata::Dense{1});
    model_.initialize(seed);
    model_.compile(strata::Adam{.learning_rate = 5e-3}, strata::MeanSquaredError{});
  }

  /// `on_batch` is called with the number of batches that are done.
  Epoch train_epoch(const std::function<void(Index)>& on_batch) {
    const auto cosine = [&](int epoch, double) {
      const double part = static_cast<double>(epoch) / epochs_;
      return 5e-3 * 0.5 * (1 + std::cos(std::numbers::pi * std::min(part, 1.0)));
    };
    const auto history =
        model_.fit(train_.x, train_.y,
                   {.epochs = epoch_ + 1,
                    .batch_size = batch_size,
                    .validation_data = {{validation_.x, validation_.y}},
                    .callbacks = {strata::LearningRateScheduler{cosine}, OnBatch{&on_batch}},
                    .verbose = 0,
                    .initial_epoch = epoch_});
    ++epoch_;
    return {epoch_, history["loss"].back(), history["val_loss"].back(), forecast()};
  }

  [[nodiscard]] Index batches() const { return (train_.x.batch() + batch_size - 1) / batch_size; }
  /// Of the picture: the truth and the forecasts of each next value, and the network's own run,
  /// which begins `before` values later.
  [[nodiscard]] const Eigen::VectorXf& picture() const { return picture_; }
  [[nodiscard]] const Eigen::VectorXf& one_step() const { return one_step_; }
  [[nodiscard]] const Eigen::VectorXf& free_run() const { return free_run_; }
  [[nodiscard]] const strata::Sequential<>& model() const { return model_; }

 private:
  static constexpr Index batch_size = 32;

  struct Samples {
    Tensor<float> x;  // (B, 40, 1)
    Tensor<float> y;  // (B, 1)
  };

  struct OnBatch {
    const std::function<void(Index)>* call;
    void on_batch_end(strata::TrainingRun&, Index batch, const strata::Logs&) {
      (*call)(batch + 1);
    }
  };

  // One sample for each value from `first` to before `last`.
  [[nodiscard]] Samples cut(Index first, Index last) const {
    Samples samples{Tensor<float>({last - first, window, 1}), Tensor<float>({last - first, 1})};
    for (Index i = first; i < last; ++i) {
      samples.x.sequence(i - first) = series_.segment(i - window, window);
      samples.y(i - first, 0) = series_(i);
    }
    return samples;
  }

  double forecast() {
    const Tensor<float> next = model_.predict(test_.x);
    const Eigen::VectorXf forecasts = next.matrix();
    one_step_ = forecasts.segment(picture_begin, shown);
    // Each forecast becomes the newest value of its window.
    const Index begin = series_.size() - truth_.size() + picture_begin + before;
    Eigen::VectorXf run(window + free_run_.size());
    run.head(window) = series_.segment(begin - window, window);
    Tensor<float> x({1, window, 1});
    for (Index t = 0; t < free_run_.size(); ++t) {
      x.sequence(0) = run.segment(t, window);
      run(window + t) = model_.predict(x)(0, 0);
    }
    free_run_ = run.tail(free_run_.size());
    const float spread = std::sqrt((truth_.array() - truth_.mean()).square().mean());
    return std::sqrt((forecasts - truth_).array().square().mean()) / spread;
  }

  int epochs_;
  int epoch_ = 0;
  Eigen::VectorXf series_, truth_, picture_, one_step_, free_run_;
  Samples train_, validation_, test_;
  strata::Sequential<> model_;
};

}  // namespace page
