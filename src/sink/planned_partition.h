// One partition by plans: files in progress for each folder of the partitioner, closed all together as one generation.
// The contracts: intake.h. A generation's boundaries may depend on clocks and memory; its bytes depend only on the
// records, the settings, the boundaries and the wall-clock time that its plan holds.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "connect/encoding.h"
#include "sink/intake.h"
#include "sink/plan.h"
#include "sink/sink.h"

namespace pinflow::sink {

class PlannedPartition final : public Intake {
 public:
  // `options` and `encoding` (the thread's own) outlive it. `unfinished` begins at `start`: it is followed first.
  PlannedPartition(const SinkOptions& options, std::string fingerprint, connect::Encoding& encoding, int64_t start,
                   std::optional<Plan> unfinished, Give give);

  Result<> take(const kafka::Message& record, const Now& now) override;
  void reach(int64_t offset) override;
  void close_due(const Now& now) override;
  void close_all(Cause cause) override;

  int64_t start() const override { return start_; }
  int64_t position() const override { return position_; }
  int64_t reached() const override { return reached_; }
  int64_t taken() const override { return taken_; }
  int64_t passed_over() const override { return 0; }
  int64_t ignored() const override { return ignored_; }
  int64_t open_bytes() const override { return memory_; }
  int64_t open_records() const override { return open_ ? open_->records + open_->plan.dead : 0; }
  bool has_open() const override { return open_ != nullptr; }
  int64_t given() const override { return open_ ? open_->plan.first : position_; }

 private:
  void open(int64_t first, const Now& now);
  void close(int64_t next, Cause cause);
  std::optional<Cause> before_record() const;
  std::optional<Cause> behind_record(const OpenFile* file) const;
  OpenFile& file_for_record(int64_t offset);
  void bury(const kafka::Message& record, std::string_view reason);

  const SinkOptions& options_;
  const std::string fingerprint_;
  connect::Encoding& encoding_;
  const int64_t start_;
  const Give give_;
  std::optional<Plan> followed_;  // the generation that is open is made by it
  int64_t position_;
  int64_t reached_;
  int64_t taken_ = 0;
  int64_t ignored_ = 0;

  std::shared_ptr<Generation> open_;
  std::map<std::string, size_t, std::less<>> by_folder_;  // in open_->files
  Now opened_;
  int64_t touched_ms_ = 0;
  int64_t base_ms_ = -1;  // the time of the first record
  std::string last_folder_;
  size_t last_file_ = 0;
  int64_t memory_ = 0;
};

}  // namespace pinflow::sink
