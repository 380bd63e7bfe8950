#include "emulate/rest.h"

#include <fmt/format.h>
#include <simdjson.h>

#include "base/utf8.h"

namespace pinflow::emulate {
namespace {

constexpr int64_t kRetriable = 50003;  // "Kafka retriable error"
constexpr int64_t kOldRetriable = 2;   // the same in the v1 and v2 documents
constexpr int64_t kThrottled = 429;
constexpr size_t kShownBytes = 300;  // of a foreign answer in a message

bool again_later(int status) { return status == 408 || status == 425 || status == 429; }

std::string shown(int status, std::string_view body) {
  return fmt::format("{} {}", status, utf8_prefix(body, kShownBytes));
}

std::string_view text_or(simdjson::dom::element slot, std::string_view key, std::string_view otherwise) {
  std::string_view text;
  return slot[key].get(text) == simdjson::SUCCESS ? text : otherwise;
}

RecordFate slot_fate(simdjson::dom::element slot) {
  simdjson::dom::element code_element;
  if (slot["error_code"].get(code_element) || code_element.is_null()) return {Fate::stored, {}};
  int64_t code = 0;
  if (code_element.get(code)) return {Fate::refused, "an error_code that is no number"};
  std::string reason = fmt::format("{}: {}", code, text_or(slot, "error", "no reason given"));
  if (code == kThrottled) return {Fate::again, std::move(reason)};
  return {code == kRetriable || code == kOldRetriable ? Fate::unclear : Fate::refused, std::move(reason)};
}

// Nothing where the answer is not the REST proxy's.
bool read_slots(std::string_view body, size_t count, std::vector<RecordFate>& fates) {
  thread_local simdjson::dom::parser parser;
  simdjson::dom::element answer;
  simdjson::dom::array slots;
  if (parser.parse(body.data(), body.size()).get(answer) || answer["offsets"].get(slots)) return false;
  if (slots.size() != count) return false;
  for (const simdjson::dom::element slot : slots) {
    if (!slot.is_object()) return false;
    fates.push_back(slot_fate(slot));
  }
  return true;
}

}  // namespace

std::string request_body(const std::vector<std::string>& values) {
  constexpr std::string_view begin = R"({"records":[)", open = R"({"value":)";
  size_t size = begin.size() + 2;
  for (const std::string& value : values) size += open.size() + value.size() + 2;
  std::string body;
  body.reserve(size);
  body += begin;
  for (size_t i = 0; i < values.size(); ++i) {
    if (i > 0) body += ',';
    body.append(open).append(values[i]).push_back('}');
  }
  body += "]}";
  return body;
}

ProduceAnswer read_answer(int status, std::string_view body, size_t count) {
  ProduceAnswer answer;
  answer.records.reserve(count);
  if (status == 200) {
    if (read_slots(body, count, answer.records)) return answer;
    answer.records.assign(count, {Fate::refused, "an answer that is not the REST proxy's: " + shown(status, body)});
    return answer;
  }
  const Fate fate = again_later(status) ? Fate::again : status >= 500 ? Fate::unclear : Fate::refused;
  answer.whole = fate == Fate::refused;
  answer.records.assign(count, {fate, shown(status, body)});
  return answer;
}

}  // namespace pinflow::emulate
