#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <strata/io/common/where.hpp>
#include <strata/io/onnx/graph/budget.hpp>
#include <strata/io/onnx/graph/model.hpp>
#include <strata/io/onnx/graph/value.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// One node while it is read. A reader asks for the node's operands and attributes; finish()
/// refuses the node if it has one that nobody asked for. Every function throws FormatError, naming
/// the node, where an operand or attribute is of another kind than the caller asks for.
class OnnxCall {
 public:
  using Values = std::map<std::string, OnnxValue>;

  /// Node, values and budget must outlive the call. `number`: the node's place in the graph, for
  /// messages.
  OnnxCall(const OnnxNode& node, std::size_t number, const Values& values, Index opset,
           OnnxBudget& budget, const Where& where)
      : node_(&node),
        values_(&values),
        opset_(opset),
        budget_(&budget),
        where_(where.in("node " + std::to_string(number) + " " + in_quotes(node.name) + " (" +
                        node.op + ")")) {}

  [[nodiscard]] const Where& where() const noexcept { return where_; }
  [[nodiscard]] Index opset() const noexcept { return opset_; }
  [[nodiscard]] std::size_t inputs() const noexcept { return node_->inputs.size(); }
  [[nodiscard]] std::size_t outputs() const noexcept { return node_->outputs.size(); }

  /// The name of operand i; empty where the node does not have it.
  [[nodiscard]] std::string operand(std::size_t i) const {
    return i < node_->inputs.size() ? node_->inputs[i] : std::string();
  }
  [[nodiscard]] bool has(std::size_t i) const {
    return i < node_->inputs.size() && !node_->inputs[i].empty();
  }
  /// The place of operand i, for messages.
  [[nodiscard]] Where where(std::size_t i) const {
    return where_.in("input " + std::to_string(i) +
                     (has(i) ? " " + in_quotes(node_->inputs[i]) : std::string()));
  }

  [[nodiscard]] const OnnxValue& value(std::size_t i) {
    read_inputs_.insert(i);
    if (!has(i)) where(i).refuse("is missing");
    const auto found = values_->find(node_->inputs[i]);
    if (found == values_->end()) {
      where(i).refuse("is the output of no node before this one");
    }
    if (std::holds_alternative<std::monostate>(found->second)) {
      where(i).refuse("strata's layers have no such output");
    }
    return found->second;
  }
  template <class T>
  [[nodiscard]] const T* find(std::size_t i) {
    return has(i) ? std::get_if<T>(&value(i)) : nullptr;
  }
  [[nodiscard]] const OnnxData& data(std::size_t i) {
    if (const auto* found = find<OnnxData>(i)) return *found;
    expected(i, "a tensor that comes from the graph's input");
  }
  [[nodiscard]] const Numbers& numbers(std::size_t i) {
    if (const auto* found = find<Numbers>(i)) return *found;
    expected(i, "constant numbers");
  }
  [[nodiscard]] const OnnxIntegers& sizes(std::size_t i) {
    if (const auto* found = find<OnnxIntegers>(i)) return *found;
    expected(i, "whole numbers known from the file, such as sizes");
  }
  /// Operand i as whole numbers without B and T.
  [[nodiscard]] std::vector<Index> integers(std::size_t i) {
    std::vector<Index> list;
    for (const OnnxSize& size : sizes(i).values) {
      if (!size.is_number()) where(i).expected("a constant", size_text(size));
      list.push_back(size.number);
    }
    return list;
  }

  /// The value of an attribute, or `otherwise` where the node does not have it.
  template <class T>
  [[nodiscard]] T attribute(const char* name, T otherwise) {
    const OnnxAttribute* found = find_attribute(name);
    if (!found) return otherwise;
    const auto* value = std::get_if<T>(&found->value);
    if (!value) attribute_where(name).refuse("is of another type than this attribute has");
    return *value;
  }
  [[nodiscard]] double number(const char* name, double otherwise) {
    return static_cast<double>(attribute<float>(name, static_cast<float>(otherwise)));
  }
  [[nodiscard]] bool has_attribute(const char* name) { return find_attribute(name) != nullptr; }
  [[nodiscard]] Where attribute_where(std::string_view name) const {
    return where_.in("attribute " + std::string(name));
  }
  /// Throws FormatError unless an attribute has this value, the only one that strata has.
  /// `otherwise`: the value of an attribute that is absent.
  void require(const char* name, Index value, Index otherwise) {
    const Index found = attribute<Index>(name, otherwise);
    if (found != value) {
      attribute_where(name).expected(std::to_string(value), std::to_string(found));
    }
  }
  /// Accepts an attribute that changes no output of the model.
  void ignore(const char* name) { (void)find_attribute(name); }

  /// The axes that the node works on: operand i from opset `newer` on, the attribute "axes" before.
  [[nodiscard]] std::vector<Index> axes(std::size_t i, Index newer) {
    if (opset_ >= newer) return has(i) ? integers(i) : std::vector<Index>();
    return attribute<std::vector<Index>>("axes", {});
  }
  /// An axis of a tensor of rank `rank`, counted from the end where it is negative.
  [[nodiscard]] std::size_t axis(Index axis, std::size_t rank) const {
    const auto size = static_cast<Index>(rank);
    if (axis < -size || axis >= size) {
      where_.in("axis").expected(std::to_string(-size) + " to " + std::to_string(size - 1),
                                 std::to_string(axis));
    }
    return static_cast<std::size_t>(axis < 0 ? axis + size : axis);
  }

  /// To be called before a node computes this number of constants. Throws FormatError beyond the
  /// budget.
  void spend(std::size_t numbers) const { budget_->spend(numbers, where_); }

  /// Throws FormatError on an operand or attribute that nobody asked for.
  void finish() const {
    for (const OnnxAttribute& one : node_->attributes) {
      if (!read_attributes_.contains(one.name)) {
        attribute_where(in_quotes(one.name)).refuse("is not known");
      }
    }
    for (std::size_t i = 0; i < node_->inputs.size(); ++i) {
      if (has(i) && !read_inputs_.contains(i)) where(i).refuse("is not known");
    }
  }

  /// Throws FormatError: operand i is not `what`.
  [[noreturn]] void expected(std::size_t i, const std::string& what) {
    if (!has(i)) where(i).expected(what, "nothing");
    constexpr const char* kinds[] = {"nothing",
                                     "constant numbers",
                                     "whole numbers",
                                     "one number in all places",
                                     "a tensor that comes from the graph's input",
                                     "the states of several layers",
                                     "initial states, an input of the graph",
                                     "whole numbers of rank 2"};
    where(i).expected(what, kinds[value(i).index()]);
  }

 private:
  [[nodiscard]] const OnnxAttribute* find_attribute(const std::string& name) {
    read_attributes_.insert(name);
    for (const OnnxAttribute& one : node_->attributes) {
      if (one.name == name) return &one;
    }
    return nullptr;
  }

  const OnnxNode* node_;
  const Values* values_;
  Index opset_;
  OnnxBudget* budget_;
  Where where_;
  std::set<std::string> read_attributes_;
  std::set<std::size_t> read_inputs_;
};

}  // namespace strata::inline STRATA_RUNTIME::io
