#include <strata/io/pytorch_definitions.hpp>

namespace strata {

#define STRATA_INSTANTIATE(S)                                                       \
  template io::Loaded<S> load_pytorch<S>(const io::Source&, const PyTorchOptions&); \
  template void io::load_pytorch_network(const io::Source&, ForwardNetwork<S>,      \
                                         const PyTorchOptions&);

STRATA_INSTANTIATE(float)
STRATA_INSTANTIATE(double)

}  // namespace strata
