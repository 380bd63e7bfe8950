// The kinds of generators that a generator profile is made of (docs/source.md). Each makes one value for a post from a
// stream of random numbers. Immutable once read, so any thread may use them. Internal to the room.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "source/random.h"
#include "source/value.h"

namespace pinflow::source {

// What is known of the post that is being made.
struct PostState {
  int64_t number = 0;
  std::vector<char> chances;     // by chance: whether it has come
  std::vector<uint64_t> things;  // by thing: which one this post has
  std::vector<Value> values;     // by node; those of earlier nodes are made
};

class Kind {
 public:
  virtual ~Kind() = default;
  // The value as text, appended.
  virtual void append(Random& random, const PostState& post, std::string& to) const = 0;
  // The value in the type of its column.
  virtual void make(Random& random, const PostState& post, Value& to) const;
};

// A kind with what may be laid over it: other values where a chance has come, and a longest length.
struct Maker {
  struct Cut {
    size_t at = 0;     // characters; 0 for no limit
    std::string then;  // the ending of what was cut, within those characters
    size_t then_length = 0;
  };

  std::unique_ptr<Kind> kind;
  std::vector<std::pair<size_t, std::unique_ptr<Maker>>>
      when;  // chance, and what is made if it came: the first that did
  Cut cut;

  void append(Random& random, const PostState& post, std::string& to) const;
  void make(Random& random, const PostState& post, Value& to) const;

 private:
  const Maker& chosen(const PostState& post) const;
  void shorten(std::string& text, size_t from) const;
};

// Picks an index by weight, or evenly with a lean to the first (skew 1: none).
class Picker {
 public:
  Picker() = default;
  explicit Picker(size_t size, int skew = 1) : size_(size), skew_(skew) {}
  explicit Picker(const std::vector<double>& weights);  // some weight is above 0
  size_t pick(Random& random) const;

 private:
  size_t size_ = 0;
  int skew_ = 1;
  std::vector<uint64_t> ends_;  // of each share, in 1 / 2^64; empty where even
};

// A share of 0 to 1 in 1 / 2^64, for Random::chance.
uint64_t as_threshold(double share);

struct Template {
  struct Part {
    std::string text;                                      // a literal
    std::shared_ptr<const std::vector<std::string>> list;  // or any of these
    int node = -1;                                         // or what an earlier node made …
    size_t from = 0, length = std::string::npos;           // … these bytes of it
  };
  std::vector<Part> parts;
};

std::unique_ptr<Kind> make_constant(Value value);
std::unique_ptr<Kind> make_choice(std::vector<Value> values, Picker picker);
std::unique_ptr<Kind> make_sequence(int64_t start);
std::unique_ptr<Kind> make_thing_number(size_t thing, int64_t start);
std::unique_ptr<Kind> make_number(int64_t from, int64_t to, int skew, std::string suffix, pipeline::SourceType type);
// Between from and to, in millionths, rounded to so many significant digits (at most 6 for a float column, which gives
// those back unchanged).
std::unique_ptr<Kind> make_decimal(int64_t from, int64_t to, int digits, pipeline::SourceType type);
std::unique_ptr<Kind> make_datetime(int64_t from, int64_t to);  // seconds since 1970
std::unique_ptr<Kind> make_uuid();                              // RFC 9562, version 4
std::unique_ptr<Kind> make_hex(size_t digits);
std::unique_ptr<Kind> make_template(std::vector<Template> templates, Picker picker);
std::unique_ptr<Kind> make_list(Maker item, int64_t from, int64_t to, std::string separator);
std::unique_ptr<Kind> make_mix(std::vector<Maker> makers, Picker picker);

}  // namespace pinflow::source
