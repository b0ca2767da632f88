// Files of ONNX with which users once had trouble.

#include <filesystem>
#include <string>
#include <vector>

#include <strata/io/onnx.hpp>
#include <strata/model/stream.hpp>

#include "support/catch.hpp"
#include "support/raw_case.hpp"

using namespace strata;

TEST_CASE("users' files of ONNX", "[onnx][cases]") {
  const std::string cases = test::folder_of_cases();
  if (cases.empty()) return;
  const Stream stream{load_onnx(cases + "onnx_stateful/m.onnx")};
  // Two LSTM layers of 8 units and a Dense layer.
  CHECK(stream.state().layers ==
        std::vector<std::vector<float>>{std::vector<float>(16), std::vector<float>(16), {}});
  (void)load_onnx(cases + "onnx_chosen_output_other_branch/m.onnx", {.output = "y1"});
  CHECK(load_onnx(cases + "onnx_normalization_message/m.onnx").summary().find("Normalization") !=
        std::string::npos);

  const std::string external = cases + "36-onnx-external";
  for (const std::string name : {"/m.onnx", "/one_file.onnx"}) {
    if (std::filesystem::exists(external + name)) {
      test::check_raw_case(external, load_onnx(external + name), 2, 2);
    } else {
      WARN("skipped: " << external << name << " has not been made by its make.py");
    }
  }
}
