// One record at a time: where it goes, and what is written of it. Pure: the same record, the same settings and the same
// wall clock give the same bytes and the same folder, always; the sink's way of being exact rests on that.
// Keeps scratch memory: one thread uses an Encoding at a time.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "connect/parquet.h"
#include "connect/settings.h"
#include "connect/time_path.h"
#include "gate/json_gate.h"
#include "kafka/client/consumer.h"

namespace pinflow::connect {

// Beside the gate's reasons (gate::text_of).
inline constexpr std::string_view kNullValue = "null value";

// The longest name of a folder (of one part between '/', and in all), in bytes: what file systems and S3's keys of
// 1,024 bytes take, with room for the topic. A record that makes a longer one is refused.
inline constexpr size_t kLongestPart = 255;
inline constexpr size_t kLongestFolder = 512;

// Where a record was refused, as Connect has it in the headers of a dead letter.
enum class Stage { value_converter, key_converter, task_put };

// Appended lines of one object in progress, and of its siblings.
struct Lines {
  std::string value;
  std::string keys;
  std::string headers;
  int64_t records = 0;
  size_t schema = 0;  // which of the settings'

  int64_t bytes() const { return static_cast<int64_t>(value.size() + keys.size() + headers.size()); }
};

// An object's bytes when it is closed: ".json" and the like, and what stands in it.
struct Piece {
  std::string extension;
  std::string bytes;
};

class Encoding {
 public:
  // invalid: settings that do not fit together, in the words of their properties.
  static Result<Encoding> make(Settings settings);

  // Looks at a record. `wall_ms` is only used by the Wallclock extractor. False: the record is left out (null values
  // that are ignored). Refused: the reason, for a dead letter. When true, folder() is its folder and append() writes
  // it.
  std::expected<bool, std::string> look(const kafka::Message& record, int64_t wall_ms);
  const std::string& folder() const { return folder_; }
  void append(Lines& to) const;
  Stage refused_at() const { return stage_; }  // of the record that was refused

  // The time by which rotate.interval.ms is counted: the extractor's, or the record's own; -1: none.
  int64_t time_of_record() const { return time_ms_; }

  // Records of different spans must not share an object: 0 where the wall clock decides nothing.
  int64_t wall_span(int64_t wall_ms) const;
  bool uses_wall_clock() const;

  // The objects of closed lines. Thread-safe, also while another thread looks and appends. Where it fails, the lines
  // are as they were: full and unavailable may be tried again.
  Result<std::vector<Piece>> finish(Lines&& lines) const;
  // Of the first of them: ".json", ".json.gz", ".bin", ".snappy.parquet".
  std::string extension() const;

  const Settings& settings() const { return settings_; }

 private:
  explicit Encoding(Settings settings) : settings_(std::move(settings)) {}
  std::expected<void, std::string> convert_value(const kafka::Message& record);
  std::expected<void, std::string> convert_key(const kafka::Message& record);
  void convert_headers(const kafka::Message& record);
  std::expected<void, std::string> find_folder(const kafka::Message& record, int64_t wall_ms);
  std::expected<void, std::string> find_schema(const kafka::Message& record);
  std::expected<void, std::string> find_fields();
  std::expected<void, std::string> find_time(const kafka::Message& record, int64_t wall_ms);

  Settings settings_;
  std::optional<TimePath> time_path_;
  std::shared_ptr<ParquetMaker> parquet_;  // nothing for another format
  gate::JsonGate gate_;
  std::string value_, key_, headers_, scratch_, folder_;  // of the record that was looked at
  bool is_null_ = false;
  size_t schema_ = 0;
  int64_t time_ms_ = -1;
  Stage stage_ = Stage::value_converter;
};

}  // namespace pinflow::connect
