#include "kinesis/api/stream.h"

#include <algorithm>
#include <cassert>
#include <charconv>

namespace pinflow::kinesis {
namespace {

// The open shards in the order of their ranges.
std::vector<int32_t> open_in_order(const Stream& stream) {
  std::vector<int32_t> open;
  for (size_t i = 0; i < stream.shards.size(); ++i) {
    if (stream.shards[i].open()) open.push_back(static_cast<int32_t>(i));
  }
  std::ranges::sort(open, {}, [&](int32_t shard) { return stream.shards[static_cast<size_t>(shard)].range.first; });
  return open;
}

Shard& at(Stream& stream, int32_t shard) { return stream.shards[static_cast<size_t>(shard)]; }
const Shard& at(const Stream& stream, int32_t shard) { return stream.shards[static_cast<size_t>(shard)]; }

void split_here(Stream& stream, int32_t shard, HashKey key, int64_t now_ms) {
  const HashKeyRange range = at(stream, shard).range;
  at(stream, shard).closed_ms = now_ms;
  stream.shards.push_back({{range.first, key - 1}, shard, -1, now_ms});
  stream.shards.push_back({{key, range.last}, shard, -1, now_ms});
}

void merge_here(Stream& stream, int32_t shard, int32_t adjacent, int64_t now_ms) {
  const HashKeyRange a = at(stream, shard).range, b = at(stream, adjacent).range;
  at(stream, shard).closed_ms = at(stream, adjacent).closed_ms = now_ms;
  stream.shards.push_back({{std::min(a.first, b.first), std::max(a.last, b.last)}, shard, adjacent, now_ms});
}

Answer<> has_room(const Stream& stream, size_t more) {
  if (stream.shards.size() + more <= static_cast<size_t>(kMaxShards)) return {};
  return limit_exceeded("Stream {} would have over {} shards, closed ones too. Make a new stream.", stream.name,
                        kMaxShards);
}

}  // namespace

std::string shard_id(int32_t shard) { return fmt::format("shardId-{:012}", shard); }

std::optional<int32_t> parse_shard_id(std::string_view text) {
  if (const size_t dash = text.find('-'); dash != text.npos) text.remove_prefix(dash + 1);
  int32_t shard = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), shard);
  if (error != std::errc() || end != text.data() + text.size() || shard < 0) return std::nullopt;
  return shard;
}

int32_t open_shards(const Stream& stream) {
  return static_cast<int32_t>(std::ranges::count_if(stream.shards, &Shard::open));
}

int32_t shard_for(const Stream& stream, HashKey key) {
  for (size_t i = 0; i < stream.shards.size(); ++i) {
    const Shard& shard = stream.shards[i];
    if (shard.open() && shard.range.first <= key && key <= shard.range.last) return static_cast<int32_t>(i);
  }
  assert(false && "the open shards cover all keys");
  std::unreachable();
}

bool within_retention(const Stream& stream, int32_t shard, int64_t now_ms) {
  const Shard& s = at(stream, shard);
  return s.open() || s.closed_ms + stream.retention_hours * 3'600'000 >= now_ms;
}

SequenceNumber sequence_of(const Stream& stream, int32_t shard, int64_t offset, int64_t time_ms) {
  // The stream's mark: two digits of its id, which is hexadecimal.
  uint8_t mark = 0;
  std::from_chars(stream.id.data() + stream.id.size() - 2, stream.id.data() + stream.id.size(), mark, 16);
  return {at(stream, shard).opened_ms / 1000, offset + 1, mark, time_ms / 1000, shard};
}

SequenceNumber first_sequence(const Stream& stream, int32_t shard) {
  return sequence_of(stream, shard, -1, at(stream, shard).opened_ms);
}

SequenceNumber last_sequence(const Stream& stream, int32_t shard) {
  return sequence_of(stream, shard, kLastIndex - 1, at(stream, shard).closed_ms);
}

std::vector<int32_t> children_of(const Stream& stream, int32_t shard) {
  std::vector<int32_t> children;
  for (size_t i = 0; i < stream.shards.size(); ++i) {
    if (stream.shards[i].parent == shard || stream.shards[i].adjacent == shard)
      children.push_back(static_cast<int32_t>(i));
  }
  return children;
}

Answer<Stream> split(Stream stream, int32_t shard, HashKey key, int64_t now_ms, std::string_view account) {
  if (shard >= static_cast<int32_t>(stream.shards.size())) {
    return resource_not_found("Could not find shard {} in stream {} under account {}.", shard_id(shard), stream.name,
                              account);
  }
  if (!at(stream, shard).open()) {
    return invalid_argument(
        "Shard {} in stream {} under account {} has already been merged or split, and thus is not "
        "eligible for merging or splitting.",
        shard_id(shard), stream.name, account);
  }
  const HashKeyRange range = at(stream, shard).range;
  if (key <= range.first || key - range.first < 2 || key >= range.last) {
    return invalid_argument(
        "NewStartingHashKey {} used in SplitShard() on shard {} in stream {} under account {} is "
        "not both greater than one plus the shard's StartingHashKey {} and less than the shard's "
        "EndingHashKey {}.",
        text_of(key), shard_id(shard), stream.name, account, text_of(range.first), text_of(range.last));
  }
  if (auto room = has_room(stream, 2); !room) return Refused(room.error());
  split_here(stream, shard, key, now_ms);
  return stream;
}

Answer<Stream> merge(Stream stream, int32_t shard, int32_t adjacent, int64_t now_ms, std::string_view account) {
  for (const int32_t each : {shard, adjacent}) {
    if (each >= static_cast<int32_t>(stream.shards.size())) {
      return resource_not_found("Could not find shard {} in stream {} under account {}.", shard_id(each), stream.name,
                                account);
    }
    if (!at(stream, each).open()) {
      return invalid_argument(
          "Shard {} in stream {} under account {} has already been merged or split, and thus is "
          "not eligible for merging or splitting.",
          shard_id(each), stream.name, account);
    }
  }
  const HashKeyRange a = at(stream, shard).range, b = at(stream, adjacent).range;
  const bool touching =
      (a.last != kLastHashKey && a.last + 1 == b.first) || (b.last != kLastHashKey && b.last + 1 == a.first);
  if (!touching) {
    return invalid_argument(
        "Shards {} and {} in stream {} under account {} are not an adjacent pair of shards eligible for merging",
        shard_id(shard), shard_id(adjacent), stream.name, account);
  }
  if (auto room = has_room(stream, 1); !room) return Refused(room.error());
  merge_here(stream, shard, adjacent, now_ms);
  return stream;
}

Answer<Stream> resize(Stream stream, int32_t count, int64_t now_ms, std::string_view account) {
  const int32_t open = open_shards(stream);
  if (count > int64_t{2} * open) {
    return invalid_argument(
        "UpdateShardCount cannot scale up over double your current open shard count. Current open "
        "shard count: {} Target shard count: {} (stream {} under account {})",
        open, count, stream.name, account);
  }
  if (int64_t{2} * count < open) {
    return invalid_argument(
        "UpdateShardCount cannot scale down below half your current open shard count. Current open "
        "shard count: {} Target shard count: {} (stream {} under account {})",
        open, count, stream.name, account);
  }
  const std::vector<HashKeyRange> wanted = uniform_ranges(count);
  const auto is_wanted = [&](HashKey first) {
    return std::ranges::binary_search(wanted, first, {}, &HashKeyRange::first);
  };
  if (auto room = has_room(stream, static_cast<size_t>(count + open) * 3); !room) return Refused(room.error());
  for (const HashKeyRange& range : wanted) {
    const int32_t shard = shard_for(stream, range.first);
    if (at(stream, shard).range.first != range.first) split_here(stream, shard, range.first, now_ms);
  }
  // What begins where no shard should is merged with the one before it.
  std::vector<int32_t> order = open_in_order(stream);
  for (size_t i = 1; i < order.size();) {
    if (is_wanted(at(stream, order[i]).range.first)) {
      ++i;
      continue;
    }
    merge_here(stream, order[i - 1], order[i], now_ms);
    order[i - 1] = static_cast<int32_t>(stream.shards.size()) - 1;
    order.erase(order.begin() + static_cast<ptrdiff_t>(i));
  }
  return stream;
}

}  // namespace pinflow::kinesis
