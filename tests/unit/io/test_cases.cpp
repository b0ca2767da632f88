// Files of amplifiers and of PyTorch with which users once had trouble.

#include <cmath>
#include <string>
#include <vector>

#include <strata/io/nam.hpp>
#include <strata/io/pytorch.hpp>
#include <strata/io/rtneural.hpp>

#include "support/catch.hpp"
#include "support/contains.hpp"
#include "support/error_text.hpp"
#include "support/raw_case.hpp"

using namespace strata;

TEST_CASE("users' files of amplifiers", "[io][cases]") {
  const std::string cases = test::folder_of_cases();
  if (cases.empty()) return;
  const std::string aida = cases + "01-aidax-test-samples";
  const auto plain = load_rtneural(aida + "/plain.json");
  const auto with_samples = load_rtneural(aida + "/with_samples.json");
  CHECK(plain.weights() == with_samples.weights());
  test::check_raw_case(aida, with_samples, 1, 1);

  const std::string nam = cases + "07-nam-versions";
  for (const std::string name : {"v05", "v06", "v07", "channels"}) {
    test::check_raw_case(nam, load_nam(nam + "/" + name + ".nam").model, 1, 1);
  }
  const auto two = load_nam(nam + "/two_outputs.nam").model;
  const std::vector<float> x = test::raw_floats(nam + "/x.f32");
  const std::vector<float> y = test::raw_floats(nam + "/y.f32");
  const auto computed = two.predict(Tensor<float>({1, static_cast<Index>(x.size()), 1}, x));
  REQUIRE(computed.features() == 2);
  // Its outputs are y and 2 y.
  for (std::size_t t = 0; t < y.size(); ++t) {
    for (std::size_t k = 0; k < 2; ++k) {
      CHECK(std::abs(computed.values()[2 * t + k] - static_cast<float>(k + 1) * y[t]) < 1e-5f);
    }
  }
}

TEST_CASE("users' files of PyTorch", "[io][cases]") {
  const std::string cases = test::folder_of_cases();
  if (cases.empty()) return;
  test::check_raw_case(cases + "30-lstmcell", load_pytorch(cases + "30-lstmcell/m.safetensors"), 2,
                       1);
  CHECK(load_pytorch(cases + "pytorch_lstmcell/m.safetensors").size() == 3);
  for (const std::string name : {"one_in_one_out", "same_sizes"}) {
    const std::string text = test::error_text<FormatError>(
        [&] { (void)load_pytorch(cases + "28-torch-order/" + name + "/m.safetensors"); });
    CHECK(text == test::Contains{"{\"fc_in\", \"lstm\", \"fc_out\"}"});
    // And another order.
    CHECK(text.find("load_pytorch(") != text.rfind("load_pytorch("));
  }
  const std::string missing = cases + "pytorch_silent_missing_activation";
  CHECK(test::error_text<FormatError>([&] { (void)load_pytorch(missing + "/m.safetensors"); }) ==
        test::Contains{"{.modules = {\"lstm\", \"head.0\", ?, \"head.2\"}}"});
  test::check_raw_case(missing,
                       load_pytorch(missing + "/m.safetensors",
                                    {.modules = {"lstm", "head.0", Activation::relu, "head.2"}}),
                       2, 3);
}
