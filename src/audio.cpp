#include <strata/io/nam_definitions.hpp>
#include <strata/io/rtneural_definitions.hpp>

namespace strata {

#define STRATA_INSTANTIATE(S)                                            \
  template NAMModel<S> load_nam<S>(const io::Source&);                   \
  template State<S> io::load_nam_network(const io::Source&, Network<S>); \
  template io::Loaded<S> load_rtneural<S>(const io::Source&);            \
  template void io::load_rtneural_network(const io::Source&, ForwardNetwork<S>);

STRATA_INSTANTIATE(float)
STRATA_INSTANTIATE(double)

}  // namespace strata
