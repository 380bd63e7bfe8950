#include "stream/kinesis_feed.h"

#include <cstdlib>
#include <utility>

#include "kinesis/client/reader.h"

namespace pinflow::stream {
namespace {

FeedBlock block_of(const kinesis::RecordBlock& read) {
  FeedBlock block;
  block.shard = read.shard;
  block.records.reserve(read.records.size());
  for (const kinesis::ReadRecord& record : read.records)
    block.records.push_back({record.sequence, record.partition_key, record.data, record.arrived_ms});
  block.owner = read.owner;
  block.bytes = read.bytes;
  block.ends_shard = read.ends_shard;
  return block;
}

Identity identity_of(const kinesis::StreamIdentity& identity) {
  return {identity.arn, std::to_string(identity.created_ms)};
}

class KinesisReading final : public Reading {
 public:
  explicit KinesisReading(std::unique_ptr<kinesis::Reader> reader)
      : reader_(std::move(reader)), identity_(identity_of(reader_->identity())) {}

  Result<std::vector<FeedBlock>> read(const ReadLimits& limits) override {
    auto batch = reader_->read({limits.records, limits.bytes, limits.wait});
    if (!batch) return pass(batch.error());
    std::vector<FeedBlock> blocks;
    for (const kinesis::RecordBlock& block : batch->blocks) blocks.push_back(block_of(block));
    return blocks;
  }
  void release(const std::string& shard) override { reader_->release(shard); }
  void wake() override { reader_->wake(); }
  const Identity& identity() const override { return identity_; }
  int64_t complete_ms() const override { return reader_->complete_ms(); }
  std::map<std::string, int64_t> complete_ms_by_shard() const override { return reader_->complete_ms_by_shard(); }
  std::string trouble() const override { return reader_->trouble(); }

 private:
  const std::unique_ptr<kinesis::Reader> reader_;
  const Identity identity_;
};

class KinesisFeed final : public Feed {
 public:
  KinesisFeed(std::shared_ptr<const kinesis::Endpoint> endpoint, std::string stream, size_t buffer_bytes)
      : endpoint_(std::move(endpoint)), stream_(std::move(stream)), buffer_bytes_(buffer_bytes) {}

  const std::string& name() const override { return stream_; }
  std::string key() const override { return stream_; }
  std::string title() const override { return "stream " + stream_; }

  Result<std::unique_ptr<Reading>> start(const std::optional<Identity>& identity,
                                         const std::map<std::string, Progress>& progress) override {
    kinesis::ReaderOptions options;
    options.stream = stream_;
    options.max_buffer_bytes = buffer_bytes_;
    if (identity) options.identity = {identity->place, std::atoll(identity->id.c_str())};
    for (const auto& [shard, where] : progress) options.progress[shard] = {where.after, where.ended, where.complete_ms};
    auto reader = kinesis::Reader::start(endpoint_, std::move(options));
    if (!reader) return pass(reader.error());
    return std::make_unique<KinesisReading>(std::move(*reader));
  }

  Result<> read_range(const ShardRange& range, const std::function<Result<>(const FeedBlock&)>& take) override {
    return kinesis::read_range(endpoint_, stream_, {range.shard, range.after, range.through},
                               [&](const kinesis::RecordBlock& block) { return take(block_of(block)); });
  }

 private:
  const std::shared_ptr<const kinesis::Endpoint> endpoint_;
  const std::string stream_;
  const size_t buffer_bytes_;
};

}  // namespace

std::unique_ptr<Feed> kinesis_feed(std::shared_ptr<const kinesis::Endpoint> endpoint, std::string stream,
                                   size_t buffer_bytes) {
  return std::make_unique<KinesisFeed>(std::move(endpoint), std::move(stream), buffer_bytes);
}

}  // namespace pinflow::stream
