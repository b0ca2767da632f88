#include <strata/io/common/object_reader.hpp>
#include <strata/strata.hpp>

int main() {
  const auto json = strata::io::parse_json(R"({"units": 3})", strata::io::Where("memory"));
  strata::io::ObjectReader reader(json, strata::io::Where("memory"));
  return reader.integer("units") == 3 ? 0 : 1;
}
