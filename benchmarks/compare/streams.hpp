#pragma once

#include <vector>

#include "../shared.hpp"

namespace bench {

/// Seconds of a stream's step, each a mean over a block: `layers` LSTM layers, the first of one
/// input, and Dense 1. With sizes fixed by the type there are only those of fixed_streams.
std::vector<double> measure_fixed_stream(Index layers, Index units, double seconds);
std::vector<double> measure_dynamic_stream(Index layers, Index units, double seconds,
                                           strata::Precision precision);
/// Seconds of a step of `streams` such streams in a StreamBatch.
std::vector<double> measure_stream_batch(Index layers, Index units, Index streams, double seconds,
                                         strata::Precision precision);
/// Of the faster of its variants; none where the units do not fill whole registers.
std::vector<double> measure_prototype(Index layers, Index units, double seconds);

/// The outputs of the first steps of such a stream.
std::vector<double> stream_outputs(Index layers, Index units, Index steps,
                                   strata::Precision precision);

}  // namespace bench
