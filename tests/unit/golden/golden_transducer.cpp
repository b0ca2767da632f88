#include <string>
#include <vector>

#include <strata/strata.hpp>

#include "support/catch.hpp"
#include "support/golden.hpp"

// The loss of a transducer and its gradients, against torchaudio.

namespace {

using namespace strata;
using namespace strata::test;

/// torchaudio computes in float32: sums of up to 20 x 10 places of numbers about 50.
constexpr Tolerance of_float32{2e-5, 2e-6};

}  // namespace

TEST_CASE("The loss and the gradients of a transducer are torchaudio's", "[golden][transducer]") {
  const Golden golden = Golden::read("transducer.txt");
  const auto cases = golden.cases("loss");
  REQUIRE(cases.size() == 3);
  for (const auto& name : cases) {
    INFO(name);
    const auto x = golden[name + ".x"].tensor<double>();
    const auto labels = golden[name + ".labels"].tensor<double>();
    const std::vector<Index> lengths = golden[name + ".lengths"].flat<Index>();
    const auto weight = [&](const char* of) {
      return golden[name + ".weight." + of].flat<double>();
    };
    std::vector<double> dense = weight("kernel");
    const std::vector<double> bias = weight("bias");
    dense.insert(dense.end(), bias.begin(), bias.end());
    const std::vector<double> embeddings = weight("embeddings");
    const auto classes = static_cast<Index>(bias.size());

    Transducer model{Sequential{Input{Dynamic, x.features()}, Dense<double>{classes}},
                     Sequential{Input{Dynamic}, Embedding<double>{classes, classes}},
                     Sequential{Input{classes}, Activate<double>{Activation::linear}}};
    model.encoder.set_weights(dense);
    model.prediction.set_weights(embeddings);
    TransducerTrainer trainer{model, SGD{.learning_rate = 1}};
    const double loss = trainer.step(x, labels, {.mask = Mask::from_lengths(lengths, x.steps())});
    require_close(loss, golden[name + ".loss"].value(), of_float32, "loss");

    std::vector<double> by_dense = golden[name + ".grad.kernel"].flat<double>();
    const std::vector<double> by_bias = golden[name + ".grad.bias"].flat<double>();
    by_dense.insert(by_dense.end(), by_bias.begin(), by_bias.end());
    const auto check = [&](const std::vector<double>& before, const std::vector<double>& after,
                           const std::vector<double>& expected) {
      for (std::size_t i = 0; i < before.size(); ++i) {
        INFO("weight " << i);
        require_close(before[i] - after[i], expected[i], of_float32, "gradient");
      }
    };
    check(dense, model.encoder.weights(), by_dense);
    check(embeddings, model.prediction.weights(), golden[name + ".grad.embeddings"].flat<double>());
  }
  CHECK(golden.unread().empty());
}
