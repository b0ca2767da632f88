#include <strata/io/header_definitions.hpp>

namespace strata::io {

template void save_network_header(const Path&, const Network<float>&, const HeaderOptions&);
template void save_network_header(const Path&, const Network<double>&, const HeaderOptions&);

}  // namespace strata::io
