// What the tests of the log share: a folder that goes away, batches, appends that are waited for.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/files.h"
#include "log/batch.h"
#include "log/log.h"
#include "log/open.h"

namespace pinflow::log {

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "pinflow-log-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path partition(const std::string& topic, int p) const {
    return path_ / "topics" / topic / std::to_string(p);
  }

 private:
  std::filesystem::path path_;
};

// A batch of these values, all at `timestamp_ms`.
inline std::string batch_of(const std::vector<std::string>& values, int64_t timestamp_ms = 1000) {
  BatchBuilder builder(timestamp_ms);
  for (const auto& value : values) builder.add(timestamp_ms, std::nullopt, value);
  return builder.finish();
}

// The same from an idempotent producer.
inline std::string batch_of(const std::vector<std::string>& values, int64_t producer, int16_t epoch, int32_t sequence) {
  std::string batch = batch_of(values);
  store_big(batch.data() + 43, producer);
  store_big(batch.data() + 51, epoch);
  store_big(batch.data() + 53, sequence);
  store_big(batch.data() + 17, crc32c(std::string_view(batch).substr(21)));
  return batch;
}

inline std::future<Result<Appended>> append_async(Log& log, const std::string& topic, int p, std::string batch) {
  auto promise = std::make_shared<std::promise<Result<Appended>>>();
  auto future = promise->get_future();
  log.append(topic, p, std::move(batch), [promise](Result<Appended> appended) { promise->set_value(appended); });
  return future;
}

inline Result<Appended> append(Log& log, const std::string& topic, int p, std::string batch) {
  return append_async(log, topic, p, std::move(batch)).get();
}

// The base offset; -1 and a failed test where it is refused.
inline int64_t append_values(Log& log, const std::vector<std::string>& values, int64_t timestamp_ms = 1000) {
  auto appended = append(log, "t", 0, batch_of(values, timestamp_ms));
  EXPECT_TRUE(appended) << appended.error().message;
  return appended ? appended->base_offset : -1;
}

// A log of one topic "t" with one partition, unless it is there.
inline std::unique_ptr<Log> open_with_topic(const Folder& folder, LogOptions options = {}) {
  auto log = Log::open(folder.path(), options);
  EXPECT_TRUE(log) << log.error().message;
  if (!log) return nullptr;
  if (!(*log)->find_topic("t")) {
    EXPECT_TRUE((*log)->create_topic("t", 1, {}));
  }
  return std::move(*log);
}

struct Value {
  int64_t offset;
  std::string text;
  bool operator==(const Value&) const = default;
};

// Every record from `from` (default: the start) to the end, read in pieces of about `max_bytes`; checks each batch.
inline std::vector<Value> read_values(Log& log, const std::string& topic = "t", int p = 0, int64_t from = -1,
                                      int64_t max_bytes = 1 << 20) {
  std::vector<Value> values;
  const auto offsets = log.offsets(topic, p);
  EXPECT_TRUE(offsets);
  if (!offsets) return values;
  for (int64_t next = from < 0 ? offsets->start : from; next < offsets->end;) {
    auto bytes = log.read(topic, p, next, max_bytes);
    EXPECT_TRUE(bytes) << bytes.error().message;
    if (!bytes || bytes->empty()) break;
    for (std::string_view rest = *bytes; !rest.empty();) {
      const auto header = check_batch(rest);
      EXPECT_TRUE(header) << header.error().message;
      if (!header) return values;
      EXPECT_EQ(header->leader_epoch, 0);
      const auto records = read_records(rest);
      EXPECT_TRUE(records);
      for (const auto& record : *records) {
        if (record.offset >= next) values.push_back({record.offset, std::string(record.value.value_or(""))});
      }
      next = header->last_offset() + 1;
      rest.remove_prefix(static_cast<size_t>(header->bytes()));
    }
  }
  return values;
}

}  // namespace pinflow::log
