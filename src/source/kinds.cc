#include "source/kinds.h"

#include <algorithm>
#include <charconv>
#include <numeric>

#include "base/utf8.h"

namespace pinflow::source {
namespace {

using pipeline::SourceType;

void append_integer(std::string& to, int64_t value) {
  char text[24];
  to.append(text, std::to_chars(text, text + sizeof text, value).ptr);
}

void append_hex(std::string& to, uint64_t bits, int digits) {
  for (int i = 0; i < digits; ++i) {
    to += "0123456789abcdef"[bits & 15];
    bits >>= 4;
  }
}

void append_plain(std::string& to, const Value& value) {
  switch (value.kind) {
    case Value::Kind::null: return;
    case Value::Kind::integer: return append_integer(to, value.integer);
    case Value::Kind::real: return append_real(to, value.real);
    case Value::Kind::text: to += value.text; return;
  }
}

// Puts a whole number into a value of the column's type.
void set_number(Value& to, int64_t number, SourceType type) {
  const auto real = static_cast<double>(number);
  if (type == SourceType::integer || type == SourceType::bigint) to.set(number);
  else to.set(type == SourceType::float_ ? as_single(real).value_or(real) : real);
}

bool is_text(SourceType type) { return type == SourceType::text || type == SourceType::datetime; }

class Choice : public Kind {
 public:
  Choice(std::vector<Value> values, Picker picker) : values_(std::move(values)), picker_(std::move(picker)) {}
  void append(Random& random, const PostState&, std::string& to) const override {
    append_plain(to, values_[picker_.pick(random)]);
  }
  void make(Random& random, const PostState&, Value& to) const override { to = values_[picker_.pick(random)]; }

 private:
  std::vector<Value> values_;
  Picker picker_;
};

class Sequence : public Kind {
 public:
  explicit Sequence(int64_t start) : start_(start) {}
  void append(Random&, const PostState& post, std::string& to) const override {
    append_integer(to, start_ + post.number);
  }
  void make(Random&, const PostState& post, Value& to) const override { to.set(start_ + post.number); }

 private:
  int64_t start_;
};

class ThingNumber : public Kind {
 public:
  ThingNumber(size_t thing, int64_t start) : thing_(thing), start_(start) {}
  void append(Random&, const PostState& post, std::string& to) const override { append_integer(to, number(post)); }
  void make(Random&, const PostState& post, Value& to) const override { to.set(number(post)); }

 private:
  int64_t number(const PostState& post) const { return start_ + static_cast<int64_t>(post.things[thing_]); }
  size_t thing_;
  int64_t start_;
};

class Number : public Kind {
 public:
  Number(int64_t from, int64_t to, int skew, std::string suffix, SourceType type)
      : from_(from),
        range_(static_cast<uint64_t>(to - from) + 1),
        skew_(skew),
        suffix_(std::move(suffix)),
        type_(type) {}
  void append(Random& random, const PostState&, std::string& to) const override {
    append_integer(to, draw(random));
    to += suffix_;
  }
  void make(Random& random, const PostState& post, Value& to) const override {
    if (is_text(type_)) Kind::make(random, post, to);
    else set_number(to, draw(random), type_);
  }

 private:
  int64_t draw(Random& random) const { return from_ + static_cast<int64_t>(random.below(range_, skew_)); }
  int64_t from_;
  uint64_t range_;
  int skew_;
  std::string suffix_;
  SourceType type_;
};

class Decimal : public Kind {
 public:
  Decimal(int64_t from, int64_t to, int digits, SourceType type)
      : from_(from), range_(static_cast<uint64_t>(to - from) + 1), type_(type) {
    for (int i = 0; i < digits; ++i) limit_ *= 10;
  }
  void append(Random& random, const PostState&, std::string& to) const override {
    const int64_t millionths = rounded(from_ + static_cast<int64_t>(random.below(range_)));
    if (millionths < 0) to += '-';
    const auto size = static_cast<uint64_t>(millionths < 0 ? -millionths : millionths);
    append_integer(to, static_cast<int64_t>(size / 1'000'000));
    uint64_t rest = size % 1'000'000;
    if (rest == 0) return;
    to += '.';
    for (uint64_t unit = 100'000; rest != 0; unit /= 10) {
      to += static_cast<char>('0' + rest / unit);
      rest %= unit;
    }
  }
  void make(Random& random, const PostState& post, Value& to) const override {
    Kind::make(random, post, to);
    if (is_text(type_)) return;
    double number = 0;
    std::from_chars(to.text.data(), to.text.data() + to.text.size(), number);
    to.set(number == 0 ? 0.0 : number);
  }

 private:
  int64_t rounded(int64_t value) const {
    int64_t unit = 1;
    for (int64_t size = value < 0 ? -value : value; size / unit >= limit_;) unit *= 10;
    const int64_t half = unit / 2;
    return (value < 0 ? (value - half) / unit : (value + half) / unit) * unit;
  }
  int64_t from_;
  uint64_t range_;
  int64_t limit_ = 1;  // the first whole number with too many digits
  SourceType type_;
};

class Datetime : public Kind {
 public:
  Datetime(int64_t from, int64_t to) : from_(from), range_(static_cast<uint64_t>(to - from) + 1) {}
  void append(Random& random, const PostState&, std::string& to) const override {
    append_datetime(to, from_ + static_cast<int64_t>(random.below(range_)));
  }

 private:
  int64_t from_;
  uint64_t range_;
};

class Uuid : public Kind {
 public:
  void append(Random& random, const PostState&, std::string& to) const override {
    const uint64_t high = random.next(), low = random.next();
    append_hex(to, high, 8);
    to += '-';
    append_hex(to, high >> 32, 4);
    to += "-4";
    append_hex(to, high >> 48, 3);
    to += '-';
    to += "89ab"[low & 3];
    append_hex(to, low >> 2, 3);
    to += '-';
    append_hex(to, low >> 16, 12);
  }
};

class Hex : public Kind {
 public:
  explicit Hex(size_t digits) : digits_(digits) {}
  void append(Random& random, const PostState&, std::string& to) const override {
    for (size_t left = digits_; left > 0;) {
      const size_t now = std::min<size_t>(left, 16);
      append_hex(to, random.next(), static_cast<int>(now));
      left -= now;
    }
  }

 private:
  size_t digits_;
};

class Templates : public Kind {
 public:
  Templates(std::vector<Template> templates, Picker picker)
      : templates_(std::move(templates)), picker_(std::move(picker)) {}
  void append(Random& random, const PostState& post, std::string& to) const override {
    for (const Template::Part& part : templates_[picker_.pick(random)].parts) {
      if (part.list) {
        to += (*part.list)[random.below(part.list->size())];
      } else if (part.node < 0) {
        to += part.text;
      } else if (part.from == 0 && part.length == std::string::npos) {
        append_plain(to, post.values[static_cast<size_t>(part.node)]);
      } else {
        const std::string& text = post.values[static_cast<size_t>(part.node)].text;
        to.append(text, std::min(part.from, text.size()), part.length);
      }
    }
  }

 private:
  std::vector<Template> templates_;
  Picker picker_;
};

class List : public Kind {
 public:
  List(Maker item, int64_t from, int64_t to, std::string separator)
      : item_(std::move(item)),
        from_(from),
        range_(static_cast<uint64_t>(to - from) + 1),
        separator_(std::move(separator)) {}
  void append(Random& random, const PostState& post, std::string& to) const override {
    const int64_t count = from_ + static_cast<int64_t>(random.below(range_));
    for (int64_t i = 0; i < count; ++i) {
      if (i > 0) to += separator_;
      item_.append(random, post, to);
    }
  }

 private:
  Maker item_;
  int64_t from_;
  uint64_t range_;
  std::string separator_;
};

class Mix : public Kind {
 public:
  Mix(std::vector<Maker> makers, Picker picker) : makers_(std::move(makers)), picker_(std::move(picker)) {}
  void append(Random& random, const PostState& post, std::string& to) const override {
    makers_[picker_.pick(random)].append(random, post, to);
  }
  void make(Random& random, const PostState& post, Value& to) const override {
    makers_[picker_.pick(random)].make(random, post, to);
  }

 private:
  std::vector<Maker> makers_;
  Picker picker_;
};

}  // namespace

void Kind::make(Random& random, const PostState& post, Value& to) const {
  to.kind = Value::Kind::text;
  to.text.clear();
  append(random, post, to.text);
}

const Maker& Maker::chosen(const PostState& post) const {
  for (const auto& [chance, maker] : when) {
    if (post.chances[chance] != 0) return *maker;
  }
  return *this;
}

void Maker::shorten(std::string& text, size_t from) const {
  if (cut.at == 0 || text.size() - from <= cut.at) return;  // no more bytes than characters
  size_t keep = from, at = from, characters = 0;
  while (at < text.size() && characters < cut.at) {
    if (characters == cut.at - cut.then_length) keep = at;
    at += std::max<size_t>(1, utf8_length(std::string_view(text).substr(at)));
    ++characters;
  }
  if (at >= text.size()) return;
  if (cut.then_length == 0) keep = at;
  text.resize(keep);
  text += cut.then;
}

void Maker::append(Random& random, const PostState& post, std::string& to) const {
  const Maker& maker = chosen(post);
  const size_t from = to.size();
  maker.kind->append(random, post, to);
  maker.shorten(to, from);
}

void Maker::make(Random& random, const PostState& post, Value& to) const {
  const Maker& maker = chosen(post);
  maker.kind->make(random, post, to);
  if (to.kind == Value::Kind::text) maker.shorten(to.text, 0);
}

uint64_t as_threshold(double share) {
  if (share <= 0) return 0;
  if (share >= 1) return UINT64_MAX;
  return static_cast<uint64_t>(share * 18446744073709551616.0);
}

Picker::Picker(const std::vector<double>& weights) : size_(weights.size()) {
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  double sum = 0;
  for (const double weight : weights) {
    sum += weight;
    ends_.push_back(as_threshold(sum / total));
  }
}

size_t Picker::pick(Random& random) const {
  if (ends_.empty()) return random.below(size_, skew_);
  const auto found = std::upper_bound(ends_.begin(), ends_.end(), random.next());
  if (found != ends_.end()) return static_cast<size_t>(found - ends_.begin());
  return static_cast<size_t>(std::lower_bound(ends_.begin(), ends_.end(), ends_.back()) - ends_.begin());
}

std::unique_ptr<Kind> make_constant(Value value) { return make_choice({std::move(value)}, Picker(1)); }
std::unique_ptr<Kind> make_choice(std::vector<Value> values, Picker picker) {
  return std::make_unique<Choice>(std::move(values), std::move(picker));
}
std::unique_ptr<Kind> make_sequence(int64_t start) { return std::make_unique<Sequence>(start); }
std::unique_ptr<Kind> make_thing_number(size_t thing, int64_t start) {
  return std::make_unique<ThingNumber>(thing, start);
}
std::unique_ptr<Kind> make_number(int64_t from, int64_t to, int skew, std::string suffix, SourceType type) {
  return std::make_unique<Number>(from, to, skew, std::move(suffix), type);
}
std::unique_ptr<Kind> make_decimal(int64_t from, int64_t to, int digits, SourceType type) {
  return std::make_unique<Decimal>(from, to, digits, type);
}
std::unique_ptr<Kind> make_datetime(int64_t from, int64_t to) { return std::make_unique<Datetime>(from, to); }
std::unique_ptr<Kind> make_uuid() { return std::make_unique<Uuid>(); }
std::unique_ptr<Kind> make_hex(size_t digits) { return std::make_unique<Hex>(digits); }
std::unique_ptr<Kind> make_template(std::vector<Template> templates, Picker picker) {
  return std::make_unique<Templates>(std::move(templates), std::move(picker));
}
std::unique_ptr<Kind> make_list(Maker item, int64_t from, int64_t to, std::string separator) {
  return std::make_unique<List>(std::move(item), from, to, std::move(separator));
}
std::unique_ptr<Kind> make_mix(std::vector<Maker> makers, Picker picker) {
  return std::make_unique<Mix>(std::move(makers), std::move(picker));
}

}  // namespace pinflow::source
