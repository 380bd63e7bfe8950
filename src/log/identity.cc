#include "log/identity.h"

#include <simdjson.h>

#include <algorithm>
#include <random>

#include "base/bytes.h"
#include "base/files.h"
#include "base/json.h"

namespace pinflow::log {
namespace fs = std::filesystem;

namespace {

constexpr int64_t kBlock = 1000;

}  // namespace

std::string new_uuid() {
  std::random_device random;
  std::string uuid;
  do {
    uuid.clear();
    for (int i = 0; i < 4; ++i) append_big(uuid, static_cast<uint32_t>(random()));
  } while (uuid_text(uuid).starts_with('-'));
  return uuid;
}

std::string uuid_text(std::string_view uuid) {
  std::string text = base64_encode(uuid);
  while (text.ends_with('=')) text.pop_back();
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  return text;
}

Result<std::string> parse_uuid(std::string_view text) {
  std::string padded(text);
  std::ranges::replace(padded, '-', '+');
  std::ranges::replace(padded, '_', '/');
  std::string uuid;
  if (text.size() != 22 || !base64_decode(padded + "==", uuid) || uuid_text(uuid) != text) {
    return invalid("'{}' is not an identity (22 characters, url-safe base64)", text);
  }
  return uuid;
}

Result<std::string> load_cluster_id(const fs::path& folder) {
  const fs::path path = folder / "cluster.json";
  auto text = read_file(path);
  if (text) {
    simdjson::dom::parser parser;
    std::string_view id;
    if (parser.parse(*text)["cluster_id"].get(id) || !parse_uuid(id)) {
      return corrupt("{} does not hold a cluster_id", path.string());
    }
    return std::string(id);
  }
  if (text.error().code != Code::not_found) return text;
  auto id = uuid_text(new_uuid());
  JsonWriter json;
  json.begin_object().key("cluster_id").string(id).end_object();
  if (auto put = replace_file(path, json.text() + "\n"); !put) return pass(put.error());
  return id;
}

Result<> ProducerIds::load() {
  auto text = read_file(file_);
  if (!text && text.error().code == Code::not_found) return {};
  if (!text) return pass(text.error());
  simdjson::dom::parser parser;
  if (parser.parse(*text)["next"].get(next_) || next_ < 0) {
    return corrupt("{} does not hold the next producer id", file_.string());
  }
  block_end_ = next_;
  return {};
}

Result<int64_t> ProducerIds::next() {
  const std::lock_guard lock(mutex_);
  if (next_ == block_end_) {
    JsonWriter json;
    json.begin_object().key("next").number(block_end_ + kBlock).end_object();
    if (auto put = replace_file(file_, json.text() + "\n"); !put) return pass(put.error());
    block_end_ += kBlock;
  }
  return next_++;
}

}  // namespace pinflow::log
