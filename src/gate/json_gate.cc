#include "gate/json_gate.h"

#include <simdjson.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>

#include "gate/json_scan.h"

namespace pinflow::gate {
namespace {

// Up to this many names of an object are compared each with each; more are sorted.
constexpr size_t kCompareAll = 32;

// Scratch memory for more names than this is given back after the record.
constexpr size_t kKeepNames = 4096;

// Equal names have equal marks, and few others do: the length with the first and the last eight bytes.
uint64_t mark_of(std::string_view name) {
  uint64_t first = 0;
  uint64_t last = 0;
  if (name.size() >= 8) {
    std::memcpy(&first, name.data(), 8);
    std::memcpy(&last, name.data() + name.size() - 8, 8);
  } else {
    for (const char byte : name) first = first << 8 | static_cast<uint8_t>(byte);
  }
  return (first * 0x9E3779B97F4A7C15u) ^ std::rotl(last, 29) ^ (static_cast<uint64_t>(name.size()) << 56);
}

// Copies to `out` all that is between the blanks: what was not yet copied goes when a blank is met.
class Copier {
 public:
  Copier(std::string& out, const char* at) : out_(out), from_(at) {}
  const char* skip_blanks(const char* at, const char* end) {
    if (at == end || !is_blank(*at)) return at;
    copy_until(at);
    do ++at;
    while (at != end && is_blank(*at));
    from_ = at;
    return at;
  }
  void copy_until(const char* at) {
    if (at != from_) out_.append(from_, static_cast<size_t>(at - from_));
  }

 private:
  std::string& out_;
  const char* from_;
};

}  // namespace

std::string_view text_of(Refusal refusal) {
  switch (refusal) {
    case Refusal::empty: return "empty";
    case Refusal::not_utf8: return "not UTF-8";
    case Refusal::not_json: return "not JSON";
    case Refusal::several_values: return "more than one JSON value";
    case Refusal::too_deep: return "nested deeper than 100";
    case Refusal::lone_surrogate: return "lone surrogate";
    case Refusal::duplicate_key: return "duplicate key";
    case Refusal::too_long: return "longer than 16 MiB";
  }
  std::abort();
}
static_assert(kMaxDepth == 100 && kMaxRecordBytes == 16 << 20, "text_of names them");

std::expected<void, Refusal> JsonGate::accept(std::string_view record, std::string& out) {
  if (record.size() > kMaxRecordBytes) return std::unexpected(Refusal::too_long);
  const char* at = record.data();
  const char* end = at + record.size();
  if (std::all_of(at, end, is_blank)) return std::unexpected(Refusal::empty);
  if (!simdjson::validate_utf8(record.data(), record.size())) return std::unexpected(Refusal::not_utf8);
  open_.clear();
  names_.clear();
  marks_.clear();
  unescaped_.clear();
  const size_t before = out.size();
  auto scanned = scan_values(at, end, out);
  if (names_.capacity() > kKeepNames) {
    names_ = {};
    marks_ = {};
    unescaped_ = {};
  }
  if (scanned) return {};
  out.resize(before);
  return std::unexpected(scanned.error());
}

// One loop over all values of the record, nesting kept in open_. Names which place in the grammar `at` is in:
//   value    a value must follow        name     a name must follow: after '{' (or '}') and after ','
//   behind   a value has ended
JsonGate::Step JsonGate::scan_values(const char* at, const char* end, std::string& out) {
  enum class Place { value, first_element, first_name, name, behind };
  const auto not_json = std::unexpected(Refusal::not_json);
  Copier copier(out, at);
  Place place = Place::value;
  int values = 0;
  for (;;) {
    at = copier.skip_blanks(at, end);
    if (place == Place::behind && open_.empty()) {
      ++values;
      if (at == end) break;
      place = Place::value;
    }
    if (at == end) return not_json;
    switch (place) {
      case Place::first_name:
      case Place::name: {
        if (*at == '}' && place == Place::first_name) {
          ++at;
          open_.pop_back();
          place = Place::behind;
          break;
        }
        if (*at != '"') return not_json;
        auto behind = scan_name(at + 1, end);
        if (!behind) return behind;
        at = copier.skip_blanks(*behind, end);
        if (at == end || *at != ':') return not_json;
        ++at;
        place = Place::value;
        break;
      }
      case Place::first_element:
        if (*at == ']') {
          ++at;
          open_.pop_back();
          place = Place::behind;
          break;
        }
        [[fallthrough]];
      case Place::value:
        if (*at == '"') {
          bool escaped = false;
          auto behind = scan_string(at + 1, end, escaped);
          if (!behind) return behind;
          at = *behind;
          place = Place::behind;
        } else if (*at == '{' || *at == '[') {
          if (open_.size() == kMaxDepth) return std::unexpected(Refusal::too_deep);
          open_.push_back({*at == '{', names_.size()});
          place = *at == '{' ? Place::first_name : Place::first_element;
          ++at;
        } else {
          auto behind = scan_scalar(at, end);
          if (!behind) return behind;
          at = *behind;
          place = Place::behind;
        }
        break;
      case Place::behind: {
        const Frame frame = open_.back();
        if (*at == ',') {
          place = frame.object ? Place::name : Place::value;
        } else if (*at == (frame.object ? '}' : ']')) {
          if (frame.object) {
            if (has_duplicate(frame.first_name)) return std::unexpected(Refusal::duplicate_key);
            names_.resize(frame.first_name);
            marks_.resize(frame.first_name);
          }
          open_.pop_back();
        } else {
          return not_json;
        }
        ++at;
        break;
      }
    }
  }
  if (values > 1) return std::unexpected(Refusal::several_values);
  copier.copy_until(end);
  return end;
}

JsonGate::Step JsonGate::scan_name(const char* at, const char* end) {
  bool escaped = false;
  auto behind = scan_string(at, end, escaped);
  if (!behind) return behind;
  std::string_view name(at, static_cast<size_t>(*behind - 1 - at));
  if (escaped) name = unescaped_.emplace_back(unescape(name));
  names_.push_back(name);
  marks_.push_back(mark_of(name));
  return behind;
}

bool JsonGate::has_duplicate(size_t first) {
  const size_t count = names_.size() - first;
  if (count > kCompareAll) {
    const auto begin = names_.begin() + static_cast<std::ptrdiff_t>(first);
    std::sort(begin, names_.end());
    return std::adjacent_find(begin, names_.end()) != names_.end();
  }
  for (size_t i = first; i < names_.size(); ++i)
    for (size_t j = i + 1; j < names_.size(); ++j)
      if (marks_[i] == marks_[j] && names_[i] == names_[j]) return true;
  return false;
}

}  // namespace pinflow::gate
