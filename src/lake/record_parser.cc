#include "lake/record_parser.h"

#include <simdjson.h>

#include <algorithm>
#include <utility>

#include "gate/json_scan.h"

namespace pinflow::lake {
namespace {

const char* skip_blanks(const char* at, const char* end) {
  while (at != end && gate::is_blank(*at)) ++at;
  return at;
}

// Behind an array or object that the gate has judged: only strings and brackets need to be looked at.
const char* skip_nested(const char* at, const char* end) {
  int depth = 0;
  while (at != end) {
    const char byte = *at++;
    if (byte == '"') {
      bool escaped = false;
      at = *gate::scan_string(at, end, escaped);
    } else if (byte == '{' || byte == '[') {
      ++depth;
    } else if ((byte == '}' || byte == ']') && --depth == 0) {
      return at;
    }
  }
  return nullptr;
}

}  // namespace

RecordParser::RecordParser(std::vector<std::string> fields)
    : fields_(std::move(fields)), values_(fields_.size()), seen_(fields_.size()) {}

void RecordParser::clear() {
  std::ranges::fill(values_, std::string_view());
  std::fill(seen_.begin(), seen_.end(), false);
  unknown_names_.clear();
  next_ = 0;
  missing_ = 0;
  unknown_ = 0;
}

bool RecordParser::parse(std::string_view line) {
  clear();
  if (line.size() > gate::kMaxRecordBytes || !simdjson::validate_utf8(line.data(), line.size())) return false;
  unescaped_.clear();
  if (unescaped_.capacity() < line.size()) unescaped_.reserve(line.size());
  if (parse_object(line.data(), line.data() + line.size(), false)) {
    missing_ = static_cast<int>(std::count(seen_.begin(), seen_.end(), false));
    return true;
  }
  clear();
  return false;
}

bool RecordParser::parse_object(const char* at, const char* end, bool judged) {
  const std::string_view line(at, static_cast<size_t>(end - at));
  at = skip_blanks(at, end);
  const bool listed = at != end && *at == '[';
  if (listed) at = skip_blanks(at + 1, end);
  if (at == end || *at != '{') return false;
  at = skip_blanks(at + 1, end);
  bool nested = false;
  if (at != end && *at == '}') {
    ++at;
  } else {
    for (;;) {
      if (at == end || *at != '"') return false;
      bool escaped = false;
      const auto behind = gate::scan_string(at + 1, end, escaped);
      if (!behind) return false;
      const std::string_view inside(at + 1, static_cast<size_t>(*behind - at - 2));
      size_t field = kNone;
      if (!(escaped ? take_name(gate::unescape(inside), field) : take_name(inside, field))) return false;
      at = skip_blanks(*behind, end);
      if (at == end || *at != ':') return false;
      at = parse_value(skip_blanks(at + 1, end), end, field, judged, nested);
      if (at == nullptr) break;
      at = skip_blanks(at, end);
      if (at == end) return false;
      if (*at == '}') {
        ++at;
        break;
      }
      if (*at != ',') return false;
      at = skip_blanks(at + 1, end);
    }
  }
  if (nested) {  // rare: the gate judges the whole line, and the compact record is read instead
    compact_.clear();
    clear();
    unescaped_.clear();
    return gate_.accept(line, compact_) && parse_object(compact_.data(), compact_.data() + compact_.size(), true);
  }
  if (at == nullptr) return false;
  at = skip_blanks(at, end);
  if (listed) {
    if (at == end || *at != ']') return false;
    at = skip_blanks(at + 1, end);
  }
  return at == end && unknown_names_differ();
}

const char* RecordParser::parse_value(const char* at, const char* end, size_t field, bool judged, bool& nested) {
  if (at == end) return nullptr;
  std::string_view text;
  const char* behind = nullptr;
  if (*at == '"') {
    bool escaped = false;
    const auto scanned = gate::scan_string(at + 1, end, escaped);
    if (!scanned) return nullptr;
    behind = *scanned;
    text = {at + 1, static_cast<size_t>(behind - at - 2)};
    if (escaped && field != kNone) {
      const size_t begin = unescaped_.size();
      unescaped_ += gate::unescape(text);
      text = std::string_view(unescaped_).substr(begin);
    }
  } else if (*at == '{' || *at == '[') {
    if (!judged) {
      nested = true;
      return nullptr;
    }
    behind = skip_nested(at, end);
    if (behind == nullptr) return nullptr;
    text = {at, static_cast<size_t>(behind - at)};
  } else {
    const auto scanned = gate::scan_scalar(at, end);
    if (!scanned) return nullptr;
    behind = *scanned;
    text = *at == 'n' ? std::string_view() : std::string_view(at, static_cast<size_t>(behind - at));
  }
  if (field != kNone) values_[field] = text;
  return behind;
}

// False where the record has the name a second time.
bool RecordParser::take_name(std::string_view name, size_t& field) {
  const size_t count = fields_.size();
  for (size_t i = 0; i < count; ++i) {
    const size_t candidate = next_ + i < count ? next_ + i : next_ + i - count;
    if (fields_[candidate] != name) continue;
    if (seen_[candidate]) return false;
    seen_[candidate] = true;
    next_ = candidate + 1 == count ? 0 : candidate + 1;
    field = candidate;
    return true;
  }
  ++unknown_;
  unknown_names_.emplace_back(name);
  field = kNone;
  return true;
}

bool RecordParser::unknown_names_differ() {
  if (unknown_names_.size() < 2) return true;
  std::ranges::sort(unknown_names_);
  return std::ranges::adjacent_find(unknown_names_) == unknown_names_.end();
}

}  // namespace pinflow::lake
