#pragma once

#include <concepts>
#include <utility>

#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME {

/// A transducer (Graves 2012; Graves, Mohamed & Hinton 2013, section 3.2): an encoder reads the
/// input sequence x, a prediction network reads the labels emitted so far, and an output network
/// scores, for each step t of x and each number u of labels, the blank and the next label by the
/// sum of both outputs. Unlike CTC it knows the labels before, and may emit several labels at a
/// step.
///
///   Sequential encoder{Bidirectional{LSTM{48, return_sequences}}, Dense{64}};
///   Sequential prediction{Embedding{classes, 16}, LSTM{48, return_sequences}, Dense{64}};
///   Sequential output{Activate{Activation::tanh}, Dense{classes}};
///   Transducer model{encoder, prediction, output};
///
/// With Dense as the last layer of both networks, the joint is the hidden layer of the paper: h is
/// the tanh of the sum of two products, the logits are a product of h. Class 0 is the blank; it is
/// also the input of the prediction network before the first label. The three models are ordinary
/// models: they may have been trained before (the encoder with CTC, the prediction network to
/// predict the next label), and are saved and loaded by themselves.
template <class Encoder, class Prediction, class Output>
struct Transducer {
  using scalar_type = typename Encoder::scalar_type;
  static_assert(std::same_as<scalar_type, typename Prediction::scalar_type> &&
                    std::same_as<scalar_type, typename Output::scalar_type>,
                "strata: the three models of a Transducer must have the same scalar type");

  /// x (B, T, F) to (B, T, J).
  Encoder encoder;
  /// Labels (B, U + 1) of class numbers, or one-hot (B, U + 1, C), to (B, U + 1, J).
  Prediction prediction;
  /// Rows (N, J) to the logits of the classes, (N, C).
  Output output;

  Transducer(Encoder encoder_model, Prediction prediction_model, Output output_model)
      : encoder(std::move(encoder_model)),
        prediction(std::move(prediction_model)),
        output(std::move(output_model)) {}
};

}  // namespace strata::inline STRATA_RUNTIME
