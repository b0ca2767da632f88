#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <strata/io/common/element.hpp>
#include <strata/io/common/where.hpp>
#include <strata/io/torch/pickle_value.hpp>
#include <strata/language/bit_cast.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

// The pickles of torch.save: programs for a small machine with a stack. Of its instructions those
// are understood that build numbers, texts, lists, dictionaries and tensors. A pickle may also name
// functions of Python; only names that rebuild tensors, and a few that hold plain data, are known,
// and nothing is ever run.

namespace strata::inline STRATA_RUNTIME::io {

/// Runs the program of a pickle.
class PickleReader {
 public:
  PickleReader(std::span<const std::byte> bytes, const Where& where)
      : bytes_(bytes), where_(where) {}

  /// Throws FormatError on instructions and names that do not rebuild tensors, and on a program
  /// that is cut off or wrong.
  [[nodiscard]] Pickle read() {
    while (true) {
      const auto instruction = static_cast<unsigned char>(byte());
      if (instruction == '.') break;
      run(instruction);
    }
    return {std::move(values_), pop()};
  }

 private:
  using Kind = PickleValue::Kind;

  [[noreturn]] void damaged() const { where_.refuse("the pickle is cut off or damaged"); }

  [[nodiscard]] std::span<const std::byte> take(std::uint64_t count) {
    if (count > bytes_.size() - at_) damaged();
    const auto part = bytes_.subspan(at_, static_cast<std::size_t>(count));
    at_ += static_cast<std::size_t>(count);
    return part;
  }
  [[nodiscard]] std::byte byte() { return take(1)[0]; }
  template <class Word>
  [[nodiscard]] Word word() {
    return read_word<Word>(take(sizeof(Word)).data());
  }
  [[nodiscard]] std::string text(std::uint64_t count) {
    const auto part = take(count);
    return {reinterpret_cast<const char*>(part.data()), part.size()};
  }
  [[nodiscard]] std::string line() {
    std::string read;
    for (char letter = static_cast<char>(byte()); letter != '\n';
         letter = static_cast<char>(byte())) {
      read += letter;
    }
    return read;
  }

  void push(PickleValue value) {
    values_.push_back(std::move(value));
    stack_.push_back(values_.size() - 1);
  }
  void push_whole(std::int64_t number) { push({.kind = Kind::whole, .whole = number}); }
  void push_text(std::string letters) { push({.kind = Kind::text, .text = std::move(letters)}); }
  [[nodiscard]] std::size_t pop() {
    if (stack_.empty() || (!marks_.empty() && stack_.size() <= marks_.back())) damaged();
    const std::size_t top = stack_.back();
    stack_.pop_back();
    return top;
  }
  [[nodiscard]] std::size_t top() const {
    if (stack_.empty()) damaged();
    return stack_.back();
  }
  /// The values above the last mark.
  [[nodiscard]] std::vector<std::size_t> pop_to_mark() {
    if (marks_.empty() || marks_.back() > stack_.size()) damaged();
    const auto first = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<std::size_t> above(first, stack_.end());
    stack_.erase(first, stack_.end());
    marks_.pop_back();
    return above;
  }
  void push_tuple(std::size_t count) {
    std::vector<std::size_t> parts(count);
    for (std::size_t i = count; i-- > 0;) parts[i] = pop();
    push({.kind = Kind::list, .parts = std::move(parts)});
  }
  void remember(std::uint64_t number) { memory_[number] = top(); }
  void recall(std::uint64_t number) {
    const auto found = memory_.find(number);
    if (found == memory_.end()) damaged();
    stack_.push_back(found->second);
  }

  void run(unsigned char instruction) {
    switch (instruction) {
      case 0x80:  // PROTO
        if (const auto version = static_cast<unsigned>(byte()); version > 5) {
          where_.refuse("the pickle has the version " + std::to_string(version) +
                        "; versions to 5 are read");
        }
        return;
      case 0x95:  // FRAME
        (void)word<std::uint64_t>();
        return;
      case '}':  // EMPTY_DICT
        return push({.kind = Kind::dictionary});
      case ']':  // EMPTY_LIST
      case ')':  // EMPTY_TUPLE
        return push({.kind = Kind::list});
      case '(':  // MARK
        marks_.push_back(stack_.size());
        return;
      case '0':  // POP
        (void)pop();
        return;
      case 'X':  // BINUNICODE
        return push_text(text(word<std::uint32_t>()));
      case 0x8c:  // SHORT_BINUNICODE
        return push_text(text(word<std::uint8_t>()));
      case 0x8d:  // BINUNICODE8
        return push_text(text(word<std::uint64_t>()));
      case 'q':  // BINPUT
        return remember(word<std::uint8_t>());
      case 'r':  // LONG_BINPUT
        return remember(word<std::uint32_t>());
      case 0x94:  // MEMOIZE
        return remember(memory_.size());
      case 'h':  // BINGET
        return recall(word<std::uint8_t>());
      case 'j':  // LONG_BINGET
        return recall(word<std::uint32_t>());
      case 'c': {  // GLOBAL
        const std::string module = line();
        return push_name(module + "." + line());
      }
      case 0x93: {  // STACK_GLOBAL
        const std::size_t name = pop(), module = pop();
        if (values_[name].kind != Kind::text || values_[module].kind != Kind::text) damaged();
        return push_name(values_[module].text + "." + values_[name].text);
      }
      case 't':  // TUPLE
        return push({.kind = Kind::list, .parts = pop_to_mark()});
      case 0x85:  // TUPLE1
      case 0x86:
      case 0x87:
        return push_tuple(static_cast<std::size_t>(instruction - 0x84));
      case 'Q':  // BINPERSID
        return push_storage(pop());
      case 'R': {  // REDUCE
        const std::size_t arguments = pop(), function = pop();
        return reduce(function, arguments);
      }
      case 0x81: {  // NEWOBJ
        const std::size_t arguments = pop(), function = pop();
        return reduce(function, arguments);
      }
      case 'b':  // BUILD: attributes of an object, such as the versions of a state_dict
        (void)pop();
        if (values_[top()].kind != Kind::dictionary && values_[top()].kind != Kind::opaque) {
          damaged();
        }
        return;
      case 's': {  // SETITEM
        const std::size_t value = pop(), key = pop();
        return set_items({key, value});
      }
      case 'u':  // SETITEMS
        return set_items(pop_to_mark());
      case 'a':  // APPEND
        return append({pop()});
      case 'e':  // APPENDS
        return append(pop_to_mark());
      case 'J':  // BININT
        return push_whole(static_cast<std::int32_t>(word<std::uint32_t>()));
      case 'K':  // BININT1
        return push_whole(word<std::uint8_t>());
      case 'M':  // BININT2
        return push_whole(word<std::uint16_t>());
      case 0x8a:  // LONG1
        return push_long(word<std::uint8_t>());
      case 'G': {  // BINFLOAT, the only number with its first byte first
        std::uint64_t bits = 0;
        for (const std::byte part : take(8))
          bits = bits << 8 | std::to_integer<std::uint64_t>(part);
        return push({.kind = Kind::real, .real = detail::bit_cast<double>(bits)});
      }
      case 0x88:  // NEWTRUE
      case 0x89:  // NEWFALSE
        return push({.kind = Kind::boolean, .whole = instruction == 0x88});
      case 'N':  // NONE
        return push({});
      default: {
        constexpr const char* digits = "0123456789abcdef";
        const std::string code{digits[instruction / 16], digits[instruction % 16]};
        where_.refuse("the pickle has the instruction 0x" + code +
                      ", which does not rebuild tensors; " + advice);
      }
    }
  }

  void push_long(std::size_t count) {
    const auto part = take(count);
    if (count > 8) {  // No size of a tensor; a seed, perhaps.
      push({.kind = Kind::opaque});
      return;
    }
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < count; ++i) {
      bits |= std::to_integer<std::uint64_t>(part[i]) << (8 * i);
    }
    const bool is_negative =
        count > 0 && count < 8 && (part.back() & std::byte{0x80}) != std::byte{0};
    if (is_negative) bits |= ~std::uint64_t{0} << (8 * count);
    push_whole(static_cast<std::int64_t>(bits));
  }

  void push_name(std::string name) {
    switch (kind_of_name(name)) {
      case PickleName::rebuilds:
        return push({.kind = Kind::name, .text = std::move(name)});
      case PickleName::plain:
        return push({.kind = Kind::opaque, .text = std::move(name)});
      case PickleName::unknown:
        break;
    }
    where_.refuse("the pickle names " + in_quotes(name) + ", which does not rebuild tensors; " +
                  advice);
  }

  /// ("storage", type, entry, device, length)
  void push_storage(std::size_t place) {
    const PickleValue& tuple = values_[place];
    if (tuple.kind != Kind::list || tuple.parts.size() < 5) damaged();
    const auto part = [&](std::size_t i) -> const PickleValue& { return values_[tuple.parts[i]]; };
    if (part(0).text != "storage" || part(1).kind != Kind::name || part(2).kind != Kind::text ||
        part(4).kind != Kind::whole || part(4).whole < 0) {
      damaged();
    }
    push({.kind = Kind::storage,
          .text = part(2).text,
          .element = element_of_storage(part(1).text),
          .offset = part(4).whole});
  }

  [[nodiscard]] Element element_of_storage(const std::string& name) const {
    if (const auto element = element_of_torch_storage(name)) return *element;
    where_.refuse("numbers of the type " + in_quotes(name) + " are not read");
  }

  void reduce(std::size_t function, std::size_t arguments) {
    const PickleValue& called = values_[function];
    if (called.kind == Kind::opaque) return push({.kind = Kind::opaque, .text = called.text});
    const PickleValue& given = values_[arguments];
    if (called.kind != Kind::name || given.kind != Kind::list) damaged();
    if (called.text == "collections.OrderedDict") return push({.kind = Kind::dictionary});
    if (given.parts.empty()) damaged();
    if (called.text == "torch._utils._rebuild_tensor_v2") return push_tensor(given.parts);
    // A parameter is its tensor, and torch.Size a tuple.
    stack_.push_back(given.parts[0]);
  }

  /// (storage, offset, sizes, strides, ...)
  void push_tensor(const std::vector<std::size_t>& parts) {
    if (parts.size() < 4) damaged();
    const PickleValue& storage = values_[parts[0]];
    const PickleValue& offset = values_[parts[1]];
    const PickleValue& sizes = values_[parts[2]];
    const PickleValue& strides = values_[parts[3]];
    if (storage.kind != Kind::storage || offset.kind != Kind::whole || offset.whole < 0 ||
        sizes.kind != Kind::list || strides.kind != Kind::list ||
        sizes.parts.size() != strides.parts.size() || sizes.parts.size() > most_axes) {
      damaged();
    }
    PickleValue tensor{.kind = Kind::tensor,
                       .text = storage.text,
                       .parts = sizes.parts,
                       .element = storage.element,
                       .offset = offset.whole};
    tensor.parts.insert(tensor.parts.end(), strides.parts.begin(), strides.parts.end());
    for (const std::size_t size : tensor.parts) {
      if (values_[size].kind != Kind::whole || values_[size].whole < 0) damaged();
    }
    push(std::move(tensor));
  }

  void set_items(const std::vector<std::size_t>& items) {
    PickleValue& to = values_[top()];
    if (to.kind == Kind::opaque) return;
    if (to.kind != Kind::dictionary || items.size() % 2 != 0) damaged();
    to.parts.insert(to.parts.end(), items.begin(), items.end());
  }
  void append(const std::vector<std::size_t>& items) {
    PickleValue& to = values_[top()];
    if (to.kind == Kind::opaque) return;
    if (to.kind != Kind::list) damaged();
    to.parts.insert(to.parts.end(), items.begin(), items.end());
  }

  /// PyTorch has no more either.
  static constexpr std::size_t most_axes = 64;
  static constexpr const char* advice =
      "nothing of it was run. Where this is a whole module, or holds objects beside the tensors, "
      "write the tensors alone: torch.save(model.state_dict(), \"model.pt\")";

  std::span<const std::byte> bytes_;
  Where where_;
  std::size_t at_ = 0;
  std::vector<PickleValue> values_;
  std::vector<std::size_t> stack_;
  /// The heights of the stack at its marks.
  std::vector<std::size_t> marks_;
  std::map<std::uint64_t, std::size_t> memory_;
};

}  // namespace strata::inline STRATA_RUNTIME::io
