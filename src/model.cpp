#include <strata/model/beam_search_definitions.hpp>
#include <strata/model/ctc_decoding_definitions.hpp>
#include <strata/model/forward_network_definitions.hpp>
#include <strata/model/hand_over_definitions.hpp>
#include <strata/model/mixtures_definitions.hpp>
#include <strata/model/network_definitions.hpp>
#include <strata/model/predict_definitions.hpp>
#include <strata/model/sampling_definitions.hpp>
#include <strata/model/state_parts_definitions.hpp>
#include <strata/model/stream_checks_definitions.hpp>
#include <strata/model/stream_ids_definitions.hpp>
#include <strata/model/stream_rows_definitions.hpp>
#include <strata/model/summary_definitions.hpp>
#include <strata/model/text_state_definitions.hpp>
#include <strata/sequences_definitions.hpp>
#include <strata/support/threads_definitions.hpp>
#include <strata/tensor_print_definitions.hpp>

#include "messages.hpp"

namespace strata {

#define STRATA_INSTANTIATE(S)                                                                      \
  template class Network<S>;                                                                       \
  template class ForwardNetwork<S>;                                                                \
  template Tensor<S> detail::predict(const ForwardNetwork<S>&, const Tensor<S>&,                   \
                                     const PredictOptions<S>&);                                    \
  template Tensor<S> detail::predict(const ForwardNetwork<S>&, const ForwardNetwork<S>::Packed&,   \
                                     const Tensor<S>&, const PredictOptions<S>&);                  \
  template Tensor<S> detail::predict(const ForwardNetwork<S>&, const AnySource<S>&,                \
                                     const PredictOptions<S>&);                                    \
  template State<S> detail::hand_over(const Network<S>&, const State<S>&, const Network<S>&);      \
  template detail::StreamSizes detail::stream_sizes(const char*, const Network<S>&);               \
  template void detail::check_stream_state(const char*, const State<S>&, const State<S>&);         \
  template struct detail::StreamRows<S>;                                                           \
  template class detail::BatchedLayers<S>;                                                         \
  template std::vector<Index> detail::ctc_greedy(SequenceView<const S>, std::span<const bool>);    \
  template std::vector<std::vector<Index>> ctc_greedy(const Tensor<S>&, const Mask&);              \
  template std::vector<std::vector<Index>> ctc_beam_search(const Tensor<S>&, const Mask&,          \
                                                           const CTCBeamSearchOptions&);           \
  template std::vector<NamedState> detail::state_parts(const Network<S>&);                         \
  template State<S> detail::text_state(const Network<S>&, const std::vector<std::vector<Index>>&); \
  template std::string detail::summary(const Network<S>&, Precision);                              \
  template std::string to_string(const Tensor<S>&);                                                \
  template std::ostream& operator<<(std::ostream&, const Tensor<S>&);

STRATA_INSTANTIATE(float)
STRATA_INSTANTIATE(double)

}  // namespace strata
