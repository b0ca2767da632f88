// A misspelt property of gates is an error, not a property that keeps its default.
// expect: read_h
#include <strata/strata.hpp>

struct OwnGates {
  static constexpr const char* kind = "OwnGates";
#ifdef STRATA_CONTROL
  static constexpr strata::GateLayout layout{.gates = 1, .reads_h = false};
#else
  static constexpr strata::GateLayout layout{.gates = 1, .read_h = false};
#endif
  auto operator()(auto& s) const { return strata::activate(strata::Activation::tanh, s.z[0]); }
};

int main() {
  const strata::GatedCell<OwnGates> cell(2);
  return cell.units() == 2 ? 0 : 1;
}
