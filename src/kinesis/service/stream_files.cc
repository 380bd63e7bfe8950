#include "kinesis/service/stream_files.h"

#include <openssl/rand.h>
#include <simdjson.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "base/bytes.h"
#include "base/files.h"
#include "base/json.h"

namespace pinflow::kinesis {
namespace fs = std::filesystem;

namespace {

constexpr std::string_view kSuffix = ".json", kDeleted = ".deleted";

std::string random_bytes(size_t count) {
  std::string bytes(count, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count)) != 1) std::abort();
  return bytes;
}

bool read_shard(simdjson::dom::element element, Shard& shard) {
  std::string_view first, last;
  int64_t parent = -1, adjacent = -1;
  if (element["first"].get(first) || element["last"].get(last) || element["parent"].get(parent) ||
      element["adjacent"].get(adjacent) || element["opened_ms"].get(shard.opened_ms) ||
      element["closed_ms"].get(shard.closed_ms)) {
    return false;
  }
  const auto from = parse_hash_key(first), to = parse_hash_key(last);
  if (!from || !to || *to < *from || parent < -1 || adjacent < -1 || parent >= kMaxShards || adjacent >= kMaxShards)
    return false;
  shard.range = {*from, *to};
  shard.parent = static_cast<int32_t>(parent);
  shard.adjacent = static_cast<int32_t>(adjacent);
  return true;
}

// Every key is some open shard's.
bool is_whole(const Stream& stream) {
  std::vector<HashKeyRange> open;
  for (const Shard& shard : stream.shards) {
    if (shard.open()) open.push_back(shard.range);
  }
  std::sort(open.begin(), open.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  if (open.empty() || open.front().first != 0 || open.back().last != kLastHashKey) return false;
  for (size_t i = 1; i < open.size(); ++i) {
    if (open[i].first != open[i - 1].last + 1) return false;
  }
  return true;
}

}  // namespace

std::string new_stream_id() { return to_hex(random_bytes(16)); }

std::string to_json(const Stream& stream) {
  JsonWriter json;
  json.begin_object();
  json.key("id").string(stream.id);
  json.key("created_ms").number(stream.created_ms);
  json.key("retention_hours").number(stream.retention_hours);
  json.key("on_demand").boolean(stream.mode == Mode::on_demand);
  json.key("tags").begin_object();
  for (const auto& [name, value] : stream.tags) json.key(name).string(value);
  json.end_object();
  json.key("shards").begin_array();
  for (const Shard& shard : stream.shards) {
    json.begin_object();
    json.key("first").string(text_of(shard.range.first));
    json.key("last").string(text_of(shard.range.last));
    json.key("parent").number(int64_t{shard.parent});
    json.key("adjacent").number(int64_t{shard.adjacent});
    json.key("opened_ms").number(shard.opened_ms);
    json.key("closed_ms").number(shard.closed_ms);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return json.take() + "\n";
}

Result<Stream> parse_stream(std::string name, std::string_view text) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  Stream stream;
  stream.name = std::move(name);
  std::string_view id;
  bool on_demand = false;
  simdjson::dom::object tags;
  simdjson::dom::array shards;
  if (parser.parse(text.data(), text.size()).get(root) || root["id"].get(id) ||
      root["created_ms"].get(stream.created_ms) || root["retention_hours"].get(stream.retention_hours) ||
      root["on_demand"].get(on_demand) || root["tags"].get(tags) || root["shards"].get(shards)) {
    return corrupt("it is not a stream's description");
  }
  stream.id = id;
  stream.mode = on_demand ? Mode::on_demand : Mode::provisioned;
  for (const auto& [key, element] : tags) {
    std::string_view value;
    if (element.get(value)) return corrupt("a tag is no text");
    stream.tags.emplace(key, value);
  }
  for (const simdjson::dom::element element : shards) {
    if (!read_shard(element, stream.shards.emplace_back())) return corrupt("a shard cannot be read");
  }
  if (id.size() != 32 || id.find_first_not_of("0123456789abcdef") != id.npos || !is_whole(stream))
    return corrupt("its shards do not cover the hash keys, or its id is wrong");
  return stream;
}

Result<StreamFiles> StreamFiles::open(fs::path dir) {
  if (auto made = make_folders(dir / "streams"); !made) return pass(made.error());
  return StreamFiles(std::move(dir));
}

fs::path StreamFiles::path_of(const std::string& name) const {
  return dir_ / "streams" / (name + std::string(kSuffix));
}
fs::path StreamFiles::mark_of(const std::string& id) const { return dir_ / "streams" / (id + std::string(kDeleted)); }

Result<std::string> StreamFiles::seal_key() const {
  const fs::path path = dir_ / "seal.key";
  auto there = read_file(path);
  if (there && there->size() == 32) return there;
  if (there) return corrupt("{} is not 32 bytes: remove it; iterators under way end then", path.string());
  if (there.error().code != Code::not_found) return there;
  std::string key = random_bytes(32);
  if (auto made = create_file(path, key); !made) return pass(made.error());
  return key;
}

Result<std::vector<Stream>> StreamFiles::read() const {
  std::vector<Stream> streams;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(dir_ / "streams", error)) {
    const std::string file = entry.path().filename().string();
    if (!file.ends_with(kSuffix)) continue;  // a temporary file of a write that a crash cut
    auto text = read_file(entry.path());
    if (!text) return pass(text.error());
    auto stream = parse_stream(file.substr(0, file.size() - kSuffix.size()), *text);
    if (!stream) return pass(stream.error(), "{}: restore it from a copy", entry.path().string());
    streams.push_back(std::move(*stream));
  }
  if (error) return system_error(error.value(), "list " + (dir_ / "streams").string());
  std::sort(streams.begin(), streams.end(), [](const Stream& a, const Stream& b) { return a.name < b.name; });
  return streams;
}

Result<> StreamFiles::write(const Stream& stream) const { return replace_file(path_of(stream.name), to_json(stream)); }

Result<> StreamFiles::remove(const Stream& stream) const {
  const fs::path from = path_of(stream.name), to = mark_of(stream.id);
  if (::rename(from.c_str(), to.c_str()) != 0) return system_error(errno, "rename " + from.string());
  return sync_folder(dir_ / "streams");
}

std::vector<std::string> StreamFiles::deleted() const {
  std::vector<std::string> ids;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(dir_ / "streams", error)) {
    if (entry.path().extension() == kDeleted) ids.push_back(entry.path().stem().string());
  }
  return ids;
}

void StreamFiles::forget(const std::string& id) const {
  std::error_code error;  // a mark that stays is looked at again by the next start
  fs::remove(mark_of(id), error);
}

}  // namespace pinflow::kinesis
