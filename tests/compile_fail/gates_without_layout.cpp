// Gates say what a unit has.
// expect: the gates of a cell say what a unit has
#include <strata/strata.hpp>

struct OwnGates {
  static constexpr const char* kind = "OwnGates";
#ifdef STRATA_CONTROL
  static constexpr strata::GateLayout layout{.gates = 1};
#else
  static constexpr int gates = 1;
#endif
  auto operator()(auto& s) const { return strata::activate(strata::Activation::tanh, s.z[0]); }
};

int main() {
  const strata::GatedCell<OwnGates> cell(2);
  return cell.units() == 2 ? 0 : 1;
}
