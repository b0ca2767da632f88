#include <strata/io/keras_definitions.hpp>

namespace strata {

#define STRATA_INSTANTIATE(S)                                                    \
  extern template class io::LayerMaker<S>;                                       \
  template io::Loaded<S> load_keras<S>(const io::Source&, const KerasOptions&);  \
  template io::Loaded<S> load_keras<S>(const KerasFolder&, const KerasOptions&); \
  template void io::load_keras_network(const io::Source&, Network<S>);

STRATA_INSTANTIATE(float)
STRATA_INSTANTIATE(double)

}  // namespace strata
