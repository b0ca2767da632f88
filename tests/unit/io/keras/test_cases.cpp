// Files of Keras with which users once had trouble.

#include <string>

#include <strata/io/keras.hpp>

#include "support/catch.hpp"
#include "support/raw_case.hpp"

using namespace strata;

TEST_CASE("users' files of Keras", "[keras][cases]") {
  const std::string cases = test::folder_of_cases();
  if (cases.empty()) return;
  const auto check = [&](const std::string& folder, const std::string& file) {
    test::check_raw_case(cases + folder, load_keras(cases + folder + "/" + file), 2, 2);
  };
  check("12-keras-backslash", "slash.keras");
  check("12-keras-backslash", "backslash.keras");
  check("13-keras-config-list", "object.h5");
  check("13-keras-config-list", "list.h5");
  check("19-keras-2.13-stacked", "control.keras");
  check("19-keras-2.13-stacked", "keras_2_13.keras");
}
