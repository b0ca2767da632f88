#pragma once

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <strata/io/torch_module.hpp>
#include <strata/io/where.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET::io {

/// The order in which modules run, where the file does not keep it: the only one in which
///
/// - the outputs of each module are as many as the inputs of the next,
/// - an embedding is the first,
/// - names that differ by their last number alone are in the order of the numbers: "lstm" before
///   "lstm2", "net.2" before "net.10".
///
/// and, if there are such orders, nn.Linear comes after all that is recurrent: the sizes of LSTM(1
/// to 8), Linear(8 to 1) would allow the other way round too. Where there is no such order, or more
/// than one, it throws FormatError.
class TorchOrder {
 public:
  TorchOrder(const std::vector<TorchModule>& modules, const Where& where)
      : modules_(&modules), where_(&where), used_(modules.size(), false) {
    for (const auto& module : modules) names_.push_back(split(module.name));
  }

  [[nodiscard]] std::vector<TorchModule> find() {
    search();
    if (found_.empty() && steps_ <= most_steps) {
      linear_last_ = false;
      search();
    }
    if (steps_ > most_steps && found_.empty()) {
      where_->refuse(
          "its modules may join in too many orders to try; name them in their order by "
          ".modules");
    }
    if (found_.empty()) {
      where_->refuse("its modules do not join one after the other by their sizes: " +
                     text(all_in_turn()) + "; name them in their order by .modules");
    }
    if (found_.size() > 1 || steps_ > most_steps) {
      where_->refuse("its modules may run in more than one order: " + text(found_.front()) +
                     (found_.size() > 1 ? "; or " + text(found_.back()) : std::string()) +
                     "; name them in their order by .modules");
    }
    std::vector<TorchModule> ordered;
    for (const std::size_t i : found_.front()) ordered.push_back((*modules_)[i]);
    return ordered;
  }

 private:
  using Order = std::vector<std::size_t>;

  /// A name without its last number, and that number as text without leading zeros.
  struct Name {
    std::string stem;
    std::string number;

    [[nodiscard]] bool is_before(const Name& other) const {
      return stem == other.stem &&
             std::pair(number.size(), number) < std::pair(other.number.size(), other.number);
    }
  };

  [[nodiscard]] static Name split(const std::string& name) {
    const auto is_digit = [](char letter) {
      return std::isdigit(static_cast<unsigned char>(letter)) != 0;
    };
    const auto last = std::find_if(name.rbegin(), name.rend(), is_digit);
    const auto before = std::find_if_not(last, name.rend(), is_digit);
    const std::string digits(before.base(), last.base());
    const std::size_t zeros = std::min(digits.find_first_not_of('0'), digits.size());
    // "x0" comes after "x": its number is not empty.
    return {std::string(name.begin(), before.base()) + std::string(last.base(), name.end()),
            digits.empty() ? std::string() : "#" + digits.substr(zeros)};
  }

  void search() {
    if (order_.size() == modules_->size()) return found_.push_back(order_);
    for (std::size_t i = 0; i < modules_->size(); ++i) {
      if (found_.size() > 1 || ++steps_ > most_steps) return;
      if (used_[i] || !may_be_next(i)) continue;
      used_[i] = true;
      order_.push_back(i);
      search();
      order_.pop_back();
      used_[i] = false;
    }
  }

  [[nodiscard]] bool may_be_next(std::size_t i) const {
    const TorchModule& module = (*modules_)[i];
    if (!order_.empty() && (module.kind == TorchModule::Kind::Embedding ||
                            (*modules_)[order_.back()].outputs() != module.inputs)) {
      return false;
    }
    for (std::size_t other = 0; other < names_.size(); ++other) {
      if (used_[other] || other == i) continue;
      if (names_[other].is_before(names_[i])) return false;
      if (linear_last_ && module.kind == TorchModule::Kind::Linear &&
          (*modules_)[other].is_recurrent()) {
        return false;
      }
    }
    return true;
  }

  [[nodiscard]] Order all_in_turn() const {
    Order order(modules_->size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    return order;
  }

  [[nodiscard]] std::string text(const Order& order) const {
    std::vector<std::string> words;
    for (const std::size_t i : order) words.push_back((*modules_)[i].text());
    return list_text(words);
  }

  static constexpr std::size_t most_steps = 100'000;

  const std::vector<TorchModule>* modules_;
  const Where* where_;
  std::vector<Name> names_;
  std::vector<bool> used_;
  Order order_;
  std::vector<Order> found_;
  std::size_t steps_ = 0;
  bool linear_last_ = true;
};

}  // namespace strata::inline STRATA_TARGET::io
