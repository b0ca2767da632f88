#include <strata/io/checkpoint_definitions.hpp>
#include <strata/io/common/option_reader_definitions.hpp>
#include <strata/io/common/source_definitions.hpp>
#include <strata/io/safetensors/training_file_definitions.hpp>
#include <strata/io/safetensors_definitions.hpp>

namespace strata {

#define STRATA_INSTANTIATE(S)                                                          \
  template class io::LayerMaker<S>;                                                    \
  template std::vector<std::byte> io::save_network_to_memory(const ForwardNetwork<S>&, \
                                                             const SaveOptions<S>&);   \
  template void io::save_network(const io::Path&, const ForwardNetwork<S>&,            \
                                 const SaveOptions<S>&);                               \
  template void io::save_network_weights(const io::Path&, const Network<S>&,           \
                                         const SaveWeightsOptions&);                   \
  template void io::load_network_weights(const io::Source&, ForwardNetwork<S>);        \
  template io::Loaded<S> load<S>(const io::Source&, const std::vector<OwnCell<S>>&);

STRATA_INSTANTIATE(float)
STRATA_INSTANTIATE(double)

}  // namespace strata
