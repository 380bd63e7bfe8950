#include "kafka/codec/fields.h"

namespace pinflow::kafka {
namespace {

constexpr uint32_t kMaxTags = 64;  // of one struct; Kafka's largest has five

}  // namespace

void FieldReader::read_tags() {
  tags_.emplace();
  const uint32_t count = in_.varint();
  if (count > kMaxTags) return in_.fail("a struct has more than 64 tagged fields");
  for (uint32_t i = 0; i < count && in_.ok(); ++i) {
    const uint32_t tag = in_.varint();
    const std::string_view bytes = in_.take(in_.varint());
    if (in_.ok()) tags_->emplace_back(tag, bytes);
  }
}

void FieldWriter::write_tags() {
  out_.varint(static_cast<uint32_t>(tags_.size()));
  for (const auto& [tag, bytes] : tags_) {
    out_.varint(tag);
    out_.varint(static_cast<uint32_t>(bytes.size()));
    out_.raw(bytes);
  }
}

Error bad_message(Api api, int16_t version, const char* fault) {
  return {Code::invalid, fmt::format("{} version {}: {}", spec_of(api).name, version, fault)};
}

}  // namespace pinflow::kafka
