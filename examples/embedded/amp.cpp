// On the device: a network of fixed sizes, from a header, runs sample by sample. Here it prints
// what it computes, so that run.sh can compare the device with the computer; a pedal would do
//
//   for (float& sample : block) sample = stream(sample);
//
// in the interrupt of its converter. Compiled with -fno-exceptions -fno-rtti: an error ends in
// the handler. Once the stream is made, there are no errors.

#include AMP_HEADER

#include <strata/model/stream.hpp>

#include <cstdio>
#include <cstdlib>

int main() {
  strata::set_error_handler([](const strata::Error& error) {
    std::printf("error: %s\n", error.what());
    std::abort();
  });
  static const auto model = amp::model();
  static strata::Stream stream{model};
  // A triangle of whole numbers, so that every machine computes the same samples.
  int level = 0;
  int step = 7;
  for (int i = 0; i < 1000; ++i) {
    if (level > 93 || level < -93) step = -step;
    level += step;
    const float y = stream(static_cast<float>(level) / 100.0f);
    std::printf("%.9g\n", static_cast<double>(y));
  }
}
