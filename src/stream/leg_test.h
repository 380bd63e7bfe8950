// The leg over streams in memory, into a lake in memory: a fixture of the tests of this room.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "lake/query.h"
#include "object/memory_store.h"
#include "pipeline/load.h"
#include "stream/memory_feed_test.h"
#include "stream/plan.h"
#include "stream/streams.h"

namespace pinflow::stream {

inline constexpr const char* kName = "weather-test-reading";

class Leg : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto root = std::filesystem::path(__FILE__).parent_path().parent_path().parent_path();
    auto loaded = pipeline::load(root / "tests/pipelines/tiny");
    ASSERT_TRUE(loaded) << loaded.error().message;
    pipeline_ = std::move(*loaded);
    options_.trigger = std::chrono::milliseconds(10);
    options_.threads = 1;
    options_.lease = std::chrono::milliseconds(400);
  }

  // One stream for these record types.
  Result<std::unique_ptr<Streams>> start(std::vector<std::string> records = {"reading"}, const char* name = kName) {
    std::vector<FeedOfRecords> feeds;
    feeds.push_back({std::make_unique<MemoryFeed>(name, stream_), std::move(records)});
    return Streams::start(pipeline_, store_, std::move(feeds), options_);
  }
  // Until all is in the tables; then stopped.
  FeedCounts run(std::vector<std::string> records = {"reading"}) {
    auto streams = start(std::move(records));
    EXPECT_TRUE(streams);
    const auto done = (*streams)->catch_up(std::chrono::seconds(60));
    EXPECT_TRUE(done && *done) << (done ? "not in a minute" : done.error().message);
    const auto stopped = (*streams)->stop();
    EXPECT_TRUE(stopped) << stopped.error().message;
    return (*streams)->counts().feeds[0];
  }
  Error failure(std::vector<std::string> records = {"reading"}) {
    auto streams = start(std::move(records));
    const auto done = (*streams)->catch_up(std::chrono::seconds(60));
    EXPECT_FALSE(done) << "all well";
    return done ? Error{} : done.error();
  }

  std::string rows(const std::string& sql) {
    const auto table = lake::run_sql(pipeline_, store_, sql);
    if (!table) return "error: " + table.error().message;
    std::string out;
    for (const auto& row : table->rows) {
      for (size_t i = 0; i < row.size(); ++i) out += (i == 0 ? "" : "|") + (row[i].null() ? "NULL" : text_of(row[i]));
      out += "\n";
    }
    return out;
  }

  static std::string reading(int number, const std::string& remark = "fine") {
    return fmt::format(R"({{"number":{},"station":1,"taken":"2026-11-21 07:00:00","celsius":"1.5","remark":"{}"}})",
                       number, remark);
  }

  pipeline::Pipeline pipeline_;
  object::MemoryStore store_;
  std::shared_ptr<MemoryStream> stream_ = std::make_shared<MemoryStream>(2);
  StreamOptions options_;
};

}  // namespace pinflow::stream
