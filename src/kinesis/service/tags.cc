// AddTagsToStream, RemoveTagsFromStream, ListTagsForStream, and the same by a resource's ARN: TagResource,
// UntagResource, ListTagsForResource.
#include <algorithm>

#include "kinesis/service/answer.h"
#include "kinesis/service/operation.h"

namespace pinflow::kinesis {
namespace {

constexpr size_t kMostTags = 50;  // of a stream

// Letters, digits, blanks and _ . / = + - % @ : of ASCII; of the rest all, which are mostly letters.
bool is_tag_text(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return letter || static_cast<unsigned char>(c) >= 0x80 || std::string_view(" _./=+-%@:").contains(c);
  });
}

Text change_tags(Shared& shared, const Answer<Named>& to, const std::function<Answer<>(Stream&)>& edit) {
  if (!to) return Refused(to.error());
  auto changed = shared.catalogue->change(to->name, [&](Stream stream) -> Answer<Stream> {
    if (auto edited = edit(stream); !edited) return Refused(edited.error());
    return stream;
  });
  if (!changed) return Refused(changed.error());
  return "";
}

Text add_tags(Shared& shared, const Answer<Named>& to, const Value& request) {
  std::map<std::string, std::string> added;
  const Value& given = *request.find("Tags");
  for (size_t i = 0; i < given.items.size(); ++i)
    added.insert_or_assign(std::string(given.names[i]), given.items[i].text);
  return change_tags(shared, to, [&](Stream& stream) {
    for (const auto& [name, value] : added) stream.tags[name] = value;
    return check_tags(stream.tags);
  });
}

Text remove_tags(Shared& shared, const Answer<Named>& to, const Value& request) {
  return change_tags(shared, to, [&](Stream& stream) -> Answer<> {
    for (const Value& key : request.find("TagKeys")->items) stream.tags.erase(std::string(key.text));
    return {};
  });
}

void write_tag(const std::pair<const std::string, std::string>& tag, AnswerWriter& out) {
  out.begin_object().key("Key").string(tag.first).key("Value").string(tag.second).end_object();
}

}  // namespace

Answer<> check_tags(const std::map<std::string, std::string>& tags) {
  for (const auto& [name, value] : tags) {
    if (!is_tag_text(name) || !is_tag_text(value)) {
      return invalid_argument(
          "Some tags contain invalid characters. Valid characters: Unicode letters, digits, white "
          "space, _ . / = + - % @ :");
    }
    if (name.starts_with("aws:"))
      return invalid_argument("The tag {} cannot begin with aws:, which is AWS's own.", name);
  }
  if (tags.size() <= kMostTags) return {};
  return invalid_argument("A stream cannot have more than {} tags associated with it.", kMostTags);
}

Text add_tags(Shared& shared, const Value& request) { return add_tags(shared, stream_of(shared, request), request); }

Text remove_tags(Shared& shared, const Value& request) {
  return remove_tags(shared, stream_of(shared, request), request);
}

Text tag_resource(Shared& shared, const Value& request) {
  return add_tags(shared, resource_of(shared, request), request);
}

Text untag_resource(Shared& shared, const Value& request) {
  return remove_tags(shared, resource_of(shared, request), request);
}

Text list_resource_tags(Shared& shared, const Value& request) {
  const auto to = resource_of(shared, request);
  if (!to) return Refused(to.error());
  const StatePtr state = to->live->now();
  AnswerWriter out;
  out.begin_object().key("Tags").begin_array();
  for (const auto& tag : state->stream.tags) write_tag(tag, out);
  out.end_array();
  return out.end_object().take();
}

Text list_tags(Shared& shared, const Value& request) {
  const auto to = stream_of(shared, request);
  if (!to) return Refused(to.error());
  const StatePtr state = to->live->now();
  const auto& tags = state->stream.tags;
  const auto after = request.text_of("ExclusiveStartTagKey");
  auto at = after ? tags.upper_bound(std::string(*after)) : tags.begin();
  AnswerWriter out;
  out.begin_object().key("Tags").begin_array();
  for (auto left = static_cast<int64_t>(request.number_of("Limit").value_or(kMostTags)); left > 0 && at != tags.end();
       ++at, --left) {
    write_tag(*at, out);
  }
  out.end_array().key("HasMoreTags").boolean(at != tags.end());
  return out.end_object().take();
}

}  // namespace pinflow::kinesis
