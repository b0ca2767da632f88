#include <strata/io/onnx_definitions.hpp>

namespace strata {

#define STRATA_INSTANTIATE(S)                                                             \
  extern template class io::LayerMaker<S>;                                                \
  template io::Loaded<S> load_onnx<S>(const io::Source&, const OnnxOptions&);             \
  template void io::load_onnx_network(const io::Source&, Network<S>, const OnnxOptions&); \
  template std::vector<std::byte> io::save_onnx_network_to_memory(const Network<S>&);     \
  template void io::save_onnx_network(const io::Path&, const Network<S>&);

STRATA_INSTANTIATE(float)
STRATA_INSTANTIATE(double)

}  // namespace strata
