#include "kinesis/client/reader.h"

#include <algorithm>
#include <thread>

#include "kinesis/client/fetcher.h"

namespace pinflow::kinesis {
namespace {

class ShardReader final : public Reader {
 public:
  ShardReader(std::unique_ptr<Fetcher> fetcher, StreamSummary summary)
      : fetcher_(std::move(fetcher)), summary_(std::move(summary)), thread_([this] { fetcher_->run(); }) {}
  ~ShardReader() override {
    fetcher_->stop();
    thread_.join();
  }

  Result<ReadBatch> read(const ReadLimits& limits) override {
    auto batch = fetcher_->queue().take(limits);
    fetcher_->taken(batch && std::ranges::any_of(batch->blocks, &RecordBlock::ends_shard));
    return batch;
  }
  void release(const std::string& shard) override { fetcher_->release(shard); }
  void wake() override { fetcher_->queue().wake(); }
  const StreamIdentity& identity() const override { return summary_.identity; }
  const StreamSummary& summary() const override { return summary_; }
  int64_t complete_ms() const override { return fetcher_->queue().complete_ms(); }
  std::map<std::string, int64_t> complete_ms_by_shard() const override {
    return fetcher_->queue().complete_ms_by_shard();
  }
  std::string trouble() const override { return fetcher_->queue().trouble(); }

 private:
  const std::unique_ptr<Fetcher> fetcher_;
  const StreamSummary summary_;
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<Reader>> Reader::start(std::shared_ptr<const Endpoint> endpoint, ReaderOptions options) {
  Client client(endpoint);
  auto summary = client.describe(options.stream);
  if (summary && summary->status == "CREATING") {
    if (auto active = client.wait_until_active(options.stream); !active) return pass(active.error());
    summary = client.describe(options.stream);
  }
  if (!summary) {
    if (summary.error().code != Code::not_found || options.identity) return pass(summary.error());
    // Never read before, so perhaps never made, or misspelt.
    return not_found("{}{}; or mend its name: user_id, which PINFLOW_USER_ID sets, is a part of it",
                     summary.error().message,
                     endpoint->is_aws() ? "; make it, with as many shards as it needs"
                                        : "; make it, as `pinflow streams --make-streams` and `pinflow up` do");
  }
  if (options.identity) {
    if (auto same = same_stream(options.stream, *options.identity, summary->identity); !same) return pass(same.error());
  }
  auto shards = client.list_shards(options.stream);
  if (!shards) return pass(shards.error());
  auto courier = Courier::create(endpoint);
  if (!courier) return pass(courier.error());
  auto fetcher = std::make_unique<Fetcher>(std::move(options), std::move(*courier), endpoint->is_aws(), *summary);
  if (auto begun = fetcher->begin(*shards); !begun) return pass(begun.error());
  return std::make_unique<ShardReader>(std::move(fetcher), std::move(*summary));
}

}  // namespace pinflow::kinesis
