#pragma once

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/layers/layer.hpp>

namespace strata {

/// A layer of any type, chosen at run time. It meets the layer concept by forwarding, so that the
/// run-time container runs the algorithms of the static one.
template <class Scalar>
class AnyLayer {
  struct PackedBase {
    virtual ~PackedBase() = default;
    virtual void step(const Scalar* x, Scalar* state, Scalar* y) const noexcept = 0;
  };

 public:
  using scalar_type = Scalar;

  struct Packed {
    std::shared_ptr<PackedBase> value;

    void step(const Scalar* x, Scalar* state, Scalar* y) const noexcept {
      value->step(x, state, y);
    }
  };
  struct Tape {
    std::shared_ptr<void> value;
  };

  template <class L>
    requires(!std::same_as<L, AnyLayer> && Layer<L>)
  explicit AnyLayer(L layer) : self_(std::make_unique<Model<L>>(std::move(layer))) {}

  AnyLayer(const AnyLayer& other) : self_(other.self_->clone()) {}
  AnyLayer(AnyLayer&&) noexcept = default;
  AnyLayer& operator=(const AnyLayer& other) {
    self_ = other.self_->clone();
    return *this;
  }
  AnyLayer& operator=(AnyLayer&&) noexcept = default;
  ~AnyLayer() = default;

  [[nodiscard]] Accepts accepts_input() const { return self_->accepts_input(); }
  [[nodiscard]] Returns returns_output() const { return self_->returns_output(); }
  [[nodiscard]] std::string kind() const { return self_->kind(); }
  [[nodiscard]] std::string describe() const { return self_->describe(); }
  [[nodiscard]] Index inputs() const { return self_->inputs(); }
  [[nodiscard]] Index output_features(Index features) const {
    return self_->output_features(features);
  }
  void build(Index features) { self_->build(features); }
  void initialize(const Random& random) { self_->initialize(random); }
  [[nodiscard]] std::vector<Parameter<Scalar>> parameters() { return self_->parameters(); }

  void pack(Packed& packed, bool training) const { self_->pack(packed, training); }
  void forward(const Packed& packed, const Tensor<Scalar>& x, Tensor<Scalar>& y) const {
    self_->forward(packed, x, y);
  }
  void forward(const Packed& packed, const Tensor<Scalar>& x, Tape& tape, Tensor<Scalar>& y,
               const Pass& pass) const {
    self_->forward(packed, x, tape, y, pass);
  }
  void backward(const Packed& packed, const Tensor<Scalar>& x, const Tensor<Scalar>& y,
                Tensor<Scalar>& dy, Tape& tape, std::span<Scalar> gradient,
                Tensor<Scalar>* dx) const {
    self_->backward(packed, x, y, dy, tape, gradient, dx);
  }
  void check_stream() const { self_->check_stream(); }
  [[nodiscard]] Index state_size() const { return self_->state_size(); }

  /// The layer itself, or null when it is of another type.
  template <class L>
  [[nodiscard]] L* as() noexcept {
    auto* model = dynamic_cast<Model<L>*>(self_.get());
    return model ? &model->layer : nullptr;
  }
  template <class L>
  [[nodiscard]] const L* as() const noexcept {
    const auto* model = dynamic_cast<const Model<L>*>(self_.get());
    return model ? &model->layer : nullptr;
  }

 private:
  struct Base {
    virtual ~Base() = default;
    [[nodiscard]] virtual std::unique_ptr<Base> clone() const = 0;
    [[nodiscard]] virtual Accepts accepts_input() const = 0;
    [[nodiscard]] virtual Returns returns_output() const = 0;
    [[nodiscard]] virtual std::string kind() const = 0;
    [[nodiscard]] virtual std::string describe() const = 0;
    [[nodiscard]] virtual Index inputs() const = 0;
    [[nodiscard]] virtual Index output_features(Index features) const = 0;
    virtual void build(Index features) = 0;
    virtual void initialize(const Random& random) = 0;
    [[nodiscard]] virtual std::vector<Parameter<Scalar>> parameters() = 0;
    virtual void pack(Packed& packed, bool training) const = 0;
    virtual void forward(const Packed& packed, const Tensor<Scalar>& x,
                         Tensor<Scalar>& y) const = 0;
    virtual void forward(const Packed& packed, const Tensor<Scalar>& x, Tape& tape,
                         Tensor<Scalar>& y, const Pass& pass) const = 0;
    virtual void backward(const Packed& packed, const Tensor<Scalar>& x, const Tensor<Scalar>& y,
                          Tensor<Scalar>& dy, Tape& tape, std::span<Scalar> gradient,
                          Tensor<Scalar>* dx) const = 0;
    virtual void check_stream() const = 0;
    [[nodiscard]] virtual Index state_size() const = 0;
  };

  template <class L>
  struct Model final : Base {
    explicit Model(L value) : layer(std::move(value)) {}

    struct PackedModel final : PackedBase {
      typename L::Packed packed;
      void step(const Scalar* x, Scalar* state, Scalar* y) const noexcept override {
        packed.step(x, state, y);
      }
    };
    static const typename L::Packed& unwrap(const Packed& packed) {
      return static_cast<const PackedModel&>(*packed.value).packed;
    }
    static typename L::Tape& unwrap(Tape& tape) {
      if (!tape.value) tape.value = std::make_shared<typename L::Tape>();
      return *static_cast<typename L::Tape*>(tape.value.get());
    }

    std::unique_ptr<Base> clone() const override { return std::make_unique<Model>(layer); }
    Accepts accepts_input() const override { return L::accepts; }
    Returns returns_output() const override { return L::returns; }
    std::string kind() const override { return layer.kind(); }
    std::string describe() const override { return layer.describe(); }
    Index inputs() const override { return layer.inputs(); }
    Index output_features(Index features) const override { return layer.output_features(features); }
    void build(Index features) override { layer.build(features); }
    void initialize(const Random& random) override { layer.initialize(random); }
    std::vector<Parameter<Scalar>> parameters() override { return layer.parameters(); }
    void pack(Packed& packed, bool training) const override {
      if (!packed.value) packed.value = std::make_shared<PackedModel>();
      layer.pack(static_cast<PackedModel&>(*packed.value).packed, training);
    }
    void forward(const Packed& packed, const Tensor<Scalar>& x, Tensor<Scalar>& y) const override {
      layer.forward(unwrap(packed), x, y);
    }
    void forward(const Packed& packed, const Tensor<Scalar>& x, Tape& tape, Tensor<Scalar>& y,
                 const Pass& pass) const override {
      layer.forward(unwrap(packed), x, unwrap(tape), y, pass);
    }
    void backward(const Packed& packed, const Tensor<Scalar>& x, const Tensor<Scalar>& y,
                  Tensor<Scalar>& dy, Tape& tape, std::span<Scalar> gradient,
                  Tensor<Scalar>* dx) const override {
      layer.backward(unwrap(packed), x, y, dy, unwrap(tape), gradient, dx);
    }
    void check_stream() const override { layer.check_stream(); }
    Index state_size() const override { return layer.state_size(); }

    L layer;
  };

  std::unique_ptr<Base> self_;
};

}  // namespace strata
