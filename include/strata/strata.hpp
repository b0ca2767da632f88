#pragma once

/// The core of strata, in the order in which data flows.

#include <strata/version.hpp>

#include <strata/error.hpp>
#include <strata/shape.hpp>
#include <strata/tensor.hpp>
#include <strata/tensor_print.hpp>

#include <strata/activation.hpp>
#include <strata/initializers.hpp>
#include <strata/random.hpp>

#include <strata/layers/dense.hpp>
#include <strata/layers/dropout.hpp>
#include <strata/layers/input.hpp>
#include <strata/layers/lstm.hpp>
#include <strata/layers/lstm_cell.hpp>

#include <strata/model/sequential.hpp>
#include <strata/model/stream.hpp>

#include <strata/train/callbacks.hpp>
#include <strata/train/csv_logger.hpp>
#include <strata/train/fit.hpp>
#include <strata/train/losses.hpp>
#include <strata/train/metrics.hpp>
#include <strata/train/optimizers.hpp>
#include <strata/train/progress_bar.hpp>
