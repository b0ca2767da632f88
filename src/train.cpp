#include <strata/train/callbacks_definitions.hpp>
#include <strata/train/csv_logger_definitions.hpp>
#include <strata/train/ctc_definitions.hpp>
#include <strata/train/dynamic_evaluation_definitions.hpp>
#include <strata/train/encoder_decoder_definitions.hpp>
#include <strata/train/fit_definitions.hpp>
#include <strata/train/history_definitions.hpp>
#include <strata/train/monitor_definitions.hpp>
#include <strata/train/optimizer_definitions.hpp>
#include <strata/train/progress_bar_definitions.hpp>
#include <strata/train/schedules_definitions.hpp>
#include <strata/train/state_visitor_definitions.hpp>
#include <strata/train/trainable_network_definitions.hpp>
#include <strata/train/training_run_definitions.hpp>
#include <strata/train/transducer_trainer_definitions.hpp>

namespace strata {
namespace detail {

#define STRATA_INSTANTIATE(S)                                                                     \
  template Owned<Training<S>> training_of(Optimizer<S>, Loss<S>, std::vector<Metric<S>>,          \
                                          const WeightRules&);                                    \
  template Owned<Training<S>> training_of(Optimizer<S>, Loss<S>, std::vector<Metric<S>>);         \
  template Optimizer<S>& optimizer_of(Training<S>&) noexcept;                                     \
  template History fit(const TrainableNetwork<S>&, Training<S>*, const Tensor<S>&,                \
                       const Tensor<S>&, const FitOptions<S>&);                                   \
  template History fit(const TrainableNetwork<S>&, Training<S>*, const AnySource<S>&,             \
                       const FitOptions<S>&);                                                     \
  template Evaluation evaluate(const ForwardNetwork<S>&, const Training<S>*, const Tensor<S>&,    \
                               const Tensor<S>&, const EvaluateOptions<S>&);                      \
  template Evaluation evaluate(const ForwardNetwork<S>&, const Training<S>*, const AnySource<S>&, \
                               const EvaluateOptions<S>&);                                        \
  template Evaluation train_on_batch(const TrainableNetwork<S>&, Training<S>*, const Tensor<S>&,  \
                                     const Tensor<S>&, const BatchOptions<S>&);                   \
  template const std::vector<Metric<S>>& metrics_of(const Training<S>&) noexcept;                 \
  template double train_on_batch(const TrainableNetwork<S>&, Training<S>&, const Tensor<S>&,      \
                                 const Tensor<S>&, const BatchOptions<S>&, const Random&,         \
                                 Totals<S>&);                                                     \
  template Gradients<S> gradients_of(const TrainableNetwork<S>&, Training<S>&, const Tensor<S>&,  \
                                     const Tensor<S>&, const BatchOptions<S>&, const Random&,     \
                                     std::uint64_t, Totals<S>&);                                  \
  template void apply_gradients(const TrainableNetwork<S>&, Training<S>&, const Gradients<S>&);   \
  template void check_ctc_target(SequenceView<const S>, Index, bool);                             \
  template double ctc_loss(SequenceView<const S>, std::span<const bool>, SequenceView<const S>,   \
                           SequenceView<S>, bool);                                                \
  template Evaluation dynamic_evaluation(TrainableNetwork<S>, Optimizer<S>, Loss<S>,              \
                                         const Tensor<S>&, const Tensor<S>&,                      \
                                         const DynamicEvaluationOptions<S>&);                     \
  template Owned<TransducerTraining<S>> transducer_training_of(Optimizer<S>);                     \
  template Optimizer<S>& optimizer_of(TransducerTraining<S>&) noexcept;                           \
  template double transducer_step(TransducerTraining<S>&, const TransducerNetworks<S>&,           \
                                  const Tensor<S>&, const Tensor<S>&, const TransducerOptions&,   \
                                  const Random&, bool);                                           \
  template Owned<EncoderDecoderTraining<S>> encoder_decoder_training_of(Optimizer<S>, Loss<S>);   \
  template Optimizer<S>& optimizer_of(EncoderDecoderTraining<S>&) noexcept;                       \
  template double encoder_decoder_step(EncoderDecoderTraining<S>&, const TrainableNetwork<S>&,    \
                                       const TrainableNetwork<S>&, const Tensor<S>&,              \
                                       const Tensor<S>&, const Tensor<S>&,                        \
                                       const EncoderDecoderMasks&, const Random&);

STRATA_INSTANTIATE(float)
STRATA_INSTANTIATE(double)

}  // namespace detail

template class Optimizer<float>;
template class Optimizer<double>;
template class TrainableNetwork<float>;
template class TrainableNetwork<double>;

}  // namespace strata
