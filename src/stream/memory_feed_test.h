// A stream in memory for the tests of this room: shards that split, records that are trimmed, a name that is given to
// another stream. Thread-safe.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "stream/feed.h"

namespace pinflow::stream {

class MemoryStream {
 public:
  struct Record {
    int64_t number = 0;
    std::string position, key, data;
  };
  struct Shard {
    std::vector<Record> records;
    std::string parent;
    bool closed = false;
    int64_t trimmed = 0;  // the last record that is gone
  };

  explicit MemoryStream(int shards = 1) {
    for (int i = 0; i < shards; ++i) shards_["shard-" + std::to_string(i)];
  }

  // Into that open shard; an empty name is the first one.
  void put(const std::string& data, const std::string& key = "any", std::string shard = {}) {
    const std::lock_guard lock(mutex_);
    if (shard.empty()) {
      for (const auto& [name, each] : shards_) {
        if (!each.closed && shard.empty()) shard = name;
      }
    }
    const int64_t number = ++last_;
    shards_.at(shard).records.push_back({number, std::to_string(number), key, data});
    changed_.notify_all();
  }
  // Ends the shard; its child goes on.
  void split(const std::string& shard, const std::string& child) {
    const std::lock_guard lock(mutex_);
    shards_.at(shard).closed = true;
    shards_[child].parent = shard;
    changed_.notify_all();
  }
  void trim(const std::string& shard, size_t records) {
    const std::lock_guard lock(mutex_);
    auto& all = shards_.at(shard).records;
    shards_.at(shard).trimmed = all.at(records - 1).number;
    all.erase(all.begin(), all.begin() + static_cast<long>(records));
  }
  // Another stream under the name: its records are not the ones before.
  void make_anew() {
    const std::lock_guard lock(mutex_);
    for (auto& [name, shard] : shards_) shard.records.clear(), shard.trimmed = 0;
    ++made_;
  }
  // Shards in the order in which a reading began with them.
  std::vector<std::string> begun() const {
    const std::lock_guard lock(mutex_);
    return begun_;
  }

 private:
  friend class MemoryReading;
  friend class MemoryFeed;
  Identity identity() const { return {"memory", std::to_string(made_)}; }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Shard> shards_;
  std::vector<std::string> begun_;
  int64_t last_ = 0;
  int made_ = 1;
};

class MemoryReading final : public Reading {
 public:
  MemoryReading(std::shared_ptr<MemoryStream> stream, const std::map<std::string, Progress>& progress)
      : stream_(std::move(stream)), progress_(progress) {
    const std::lock_guard lock(stream_->mutex_);
    identity_ = stream_->identity();
    for (const auto& [shard, where] : progress_) {
      if (where.ended) released_.insert(shard);
    }
  }

  Result<std::vector<FeedBlock>> read(const ReadLimits& limits) override {
    std::unique_lock lock(stream_->mutex_);
    const auto deadline = std::chrono::steady_clock::now() + limits.wait;
    for (;;) {
      if (stream_->identity() != identity_) return fail(Code::conflict, "the stream was made anew");
      auto blocks = take(limits);
      if (!blocks || !blocks->empty() || woken_ || std::chrono::steady_clock::now() >= deadline) {
        woken_ = false;
        return blocks;
      }
      stream_->changed_.wait_until(lock, deadline);
    }
  }
  void release(const std::string& shard) override { released_.insert(shard); }
  void wake() override {
    const std::lock_guard lock(stream_->mutex_);
    woken_ = true;
    stream_->changed_.notify_all();
  }
  const Identity& identity() const override { return identity_; }
  int64_t complete_ms() const override { return complete_ms_; }
  std::map<std::string, int64_t> complete_ms_by_shard() const override { return {}; }
  std::string trouble() const override { return {}; }

 private:
  Result<std::vector<FeedBlock>> take(const ReadLimits& limits) {
    const int64_t now = now_ms();
    std::vector<FeedBlock> blocks;
    size_t left = limits.records;
    bool all = true;
    for (const auto& [name, shard] : stream_->shards_) {
      if (!shard.parent.empty() && !released_.contains(shard.parent)) {
        all = false;
        continue;
      }
      Progress& where = progress_[name];
      if (where.ended) continue;
      if (begun_.insert(name).second) stream_->begun_.push_back(name);
      const int64_t after = where.after.empty() ? 0 : std::stoll(where.after);
      if (!where.after.empty() && shard.trimmed > after)
        return corrupt("{}: records were trimmed before they were read", name);
      auto lines = std::make_shared<std::vector<MemoryStream::Record>>();
      for (const auto& record : shard.records) {
        if (record.number > after && lines->size() < left) lines->push_back(record);
      }
      left -= lines->size();
      if (left == 0) all = false;
      const bool ends = shard.closed && left > 0;
      if (lines->empty() && !ends) continue;
      FeedBlock block;
      block.shard = name;
      for (const auto& record : *lines) {
        block.records.push_back({record.position, record.key, record.data, now});
        block.bytes += record.data.size();
        where.after = record.position;
      }
      block.owner = lines;
      block.ends_shard = where.ended = ends;
      blocks.push_back(std::move(block));
      if (left == 0) break;
    }
    if (all) complete_ms_ = now;
    return blocks;
  }

  const std::shared_ptr<MemoryStream> stream_;
  std::map<std::string, Progress> progress_;
  std::set<std::string> released_, begun_;
  Identity identity_;
  bool woken_ = false;
  int64_t complete_ms_ = 0;
};

class MemoryFeed final : public Feed {
 public:
  MemoryFeed(std::string name, std::shared_ptr<MemoryStream> stream)
      : name_(std::move(name)), stream_(std::move(stream)) {}

  const std::string& name() const override { return name_; }
  std::string key() const override { return name_; }
  std::string title() const override { return "stream " + name_; }
  Result<std::unique_ptr<Reading>> start(const std::optional<Identity>&,
                                         const std::map<std::string, Progress>& progress) override {
    return std::make_unique<MemoryReading>(stream_, progress);
  }
  Result<> read_range(const ShardRange& range, const std::function<Result<>(const FeedBlock&)>& take) override {
    auto lines = std::make_shared<std::vector<MemoryStream::Record>>();
    {
      const std::lock_guard lock(stream_->mutex_);
      const int64_t after = range.after.empty() ? 0 : std::stoll(range.after);
      for (const auto& record : stream_->shards_.at(range.shard).records) {
        if (record.number > after && record.number <= std::stoll(range.through)) lines->push_back(record);
      }
    }
    if (lines->empty() || lines->back().position != range.through) return corrupt("{} is gone", range.through);
    for (const auto& record : *lines) {  // one by one: blocks may be cut anywhere
      FeedBlock block;
      block.shard = range.shard;
      block.records.push_back({record.position, record.key, record.data, 0});
      block.bytes = record.data.size();
      block.owner = lines;
      if (auto taken = take(block); !taken) return taken;
    }
    return {};
  }

 private:
  const std::string name_;
  const std::shared_ptr<MemoryStream> stream_;
};

}  // namespace pinflow::stream
