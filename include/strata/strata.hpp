#pragma once

/// The core of strata, in the order in which data flows.

#include <strata/version.hpp>

#include <strata/edit_distance.hpp>
#include <strata/error.hpp>
#include <strata/flush_denormals.hpp>
#include <strata/mask.hpp>
#include <strata/processor.hpp>
#include <strata/sample_weights.hpp>
#include <strata/sequence_view.hpp>
#include <strata/sequences.hpp>
#include <strata/shape.hpp>
#include <strata/tensor.hpp>
#include <strata/tensor_print.hpp>

#include <strata/activation.hpp>
#include <strata/initializers.hpp>
#include <strata/random.hpp>

#include <strata/layers/activate.hpp>
#include <strata/layers/all_outputs.hpp>
#include <strata/layers/attention_pooling.hpp>
#include <strata/layers/batch_normalization.hpp>
#include <strata/layers/bidirectional.hpp>
#include <strata/layers/deep_transition_rnn.hpp>
#include <strata/layers/dense.hpp>
#include <strata/layers/dropout.hpp>
#include <strata/layers/embedding.hpp>
#include <strata/layers/extended_lstm.hpp>
#include <strata/layers/gaussian_noise.hpp>
#include <strata/layers/gru.hpp>
#include <strata/layers/input.hpp>
#include <strata/layers/layer_norm_lstm.hpp>
#include <strata/layers/layer_normalization.hpp>
#include <strata/layers/lstm.hpp>
#include <strata/layers/lstm_cell.hpp>
#include <strata/layers/masking.hpp>
#include <strata/layers/mean_over_steps.hpp>
#include <strata/layers/normalization.hpp>
#include <strata/layers/recurrent.hpp>
#include <strata/layers/repeat_vector.hpp>
#include <strata/layers/reset_before_gru.hpp>
#include <strata/layers/reshape.hpp>
#include <strata/layers/residual.hpp>
#include <strata/layers/simple_rnn.hpp>
#include <strata/layers/skip_connections.hpp>
#include <strata/layers/time_distributed.hpp>
#include <strata/layers/window_lstm.hpp>
#include <strata/layers/window_stack.hpp>
#include <strata/recurrent/gated/gated_cell.hpp>

#include <strata/model/beam_search.hpp>
#include <strata/model/ctc_decoding.hpp>
#include <strata/model/hand_over.hpp>
#include <strata/model/mixtures.hpp>
#include <strata/model/sampling.hpp>
#include <strata/model/sequential.hpp>
#include <strata/model/series_windows.hpp>
#include <strata/model/standardizer.hpp>
#include <strata/model/state_parts.hpp>
#include <strata/model/stream.hpp>
#include <strata/model/stream_batch.hpp>
#include <strata/model/text_state.hpp>
#include <strata/model/transducer.hpp>
#include <strata/model/transducer_decoding.hpp>

#include <strata/train/callbacks.hpp>
#include <strata/train/csv_logger.hpp>
#include <strata/train/ctc.hpp>
#include <strata/train/dynamic_evaluation.hpp>
#include <strata/train/encoder_decoder.hpp>
#include <strata/train/fit.hpp>
#include <strata/train/forecast_losses.hpp>
#include <strata/train/label_error_rate.hpp>
#include <strata/train/losses.hpp>
#include <strata/train/metrics.hpp>
#include <strata/train/mixture_density.hpp>
#include <strata/train/optimizers.hpp>
#include <strata/train/pen_density.hpp>
#include <strata/train/progress_bar.hpp>
#include <strata/train/trainer.hpp>
#include <strata/train/transducer_trainer.hpp>
#include <strata/train/weight_rules.hpp>
