#include "sink/planned_partition.h"

#include <algorithm>
#include <utility>

#include "sink/dead_letter.h"

namespace pinflow::sink {
namespace {

constexpr int64_t kFolderCost = 128;  // of a folder's place in the map, about

}  // namespace

PlannedPartition::PlannedPartition(const SinkOptions& options, std::string fingerprint, connect::Encoding& encoding,
                                   int64_t start, std::optional<Plan> unfinished, Give give)
    : options_(options),
      fingerprint_(std::move(fingerprint)),
      encoding_(encoding),
      start_(start),
      give_(std::move(give)),
      followed_(std::move(unfinished)),
      position_(start),
      reached_(start) {
  if (followed_) open(followed_->first, {});
}

Result<> PlannedPartition::take(const kafka::Message& record, const Now& now) {
  if (record.offset < position_) return {};
  if (followed_ && record.offset >= followed_->next) close(followed_->next, Cause::told);
  if (open_ && !followed_ && encoding_.wall_span(now.wall_ms) != encoding_.wall_span(open_->plan.wallclock_ms))
    close(position_, Cause::schedule);
  const auto looked = encoding_.look(record, open_ ? open_->plan.wallclock_ms : now.wall_ms);
  if (!looked && options_.stop_at_bad_record) return bad_record(record, looked.error());
  if (looked && *looked)
    if (const auto cause = before_record()) close(position_, *cause);
  if (!open_ && !(looked && !*looked)) open(position_, now);
  ++taken_;
  position_ = record.offset + 1;
  reached_ = std::max(reached_, position_);
  if (looked && !*looked) {
    ++ignored_;
  } else if (!looked) {
    bury(record, looked.error());
    touched_ms_ = now.steady_ms;
    if (const auto cause = behind_record(nullptr)) close(position_, *cause);
  } else {
    OpenFile& file = file_for_record(record.offset);
    memory_ -= memory_of(file);
    encoding_.append(file.lines);
    memory_ += memory_of(file);
    if (open_->records++ == 0) base_ms_ = encoding_.time_of_record();
    touched_ms_ = now.steady_ms;
    if (const auto cause = behind_record(&file)) close(position_, *cause);
  }
  if (followed_ && position_ >= followed_->next) close(followed_->next, Cause::told);
  return {};
}

void PlannedPartition::reach(int64_t offset) {
  reached_ = std::max(reached_, offset);
  if (followed_ && offset >= followed_->next) close(followed_->next, Cause::told);
}

void PlannedPartition::close_due(const Now& now) {
  if (!open_ || followed_) return;
  const Progress progress{open_->records, 0, opened_, touched_ms_};
  if (const auto due = is_due(options_.rotation, progress, now)) close(position_, *due);
  else if (encoding_.wall_span(now.wall_ms) != encoding_.wall_span(open_->plan.wallclock_ms))
    close(position_, Cause::schedule);
}

void PlannedPartition::close_all(Cause cause) {
  if (open_ && !followed_) close(position_, cause);
}

void PlannedPartition::open(int64_t first, const Now& now) {
  open_ = std::make_shared<Generation>();
  open_->plan.first = first;
  open_->plan.settings = fingerprint_;
  open_->plan.wallclock_ms = followed_ ? followed_->wallclock_ms : encoding_.uses_wall_clock() ? now.wall_ms : 0;
  open_->repeated = followed_.has_value();
  opened_ = now;
  touched_ms_ = now.steady_ms;
  base_ms_ = -1;
  memory_ = open_->memory();
}

void PlannedPartition::close(int64_t next, Cause cause) {
  position_ = std::max(position_, next);
  reached_ = std::max(reached_, next);
  open_->plan.next = next;
  followed_.reset();
  by_folder_.clear();
  memory_ = 0;
  File file;
  file.first = open_->plan.first;
  file.next = next;
  file.cause = cause;
  file.records = open_->records + open_->plan.dead;
  file.generation = std::exchange(open_, nullptr);
  give_(std::move(file));
}

// Asked of the record that was just looked at.
std::optional<Cause> PlannedPartition::before_record() const {
  if (!open_ || followed_ || open_->records == 0) return std::nullopt;
  const Rotation& rotation = options_.rotation;
  if (is_over(rotation, base_ms_, encoding_.time_of_record())) return Cause::record_time;
  if (encoding_.folder() == last_folder_) return std::nullopt;
  if (rotation.record_interval.count() > 0 && options_.rotate_on_change) return Cause::folder_change;
  if (options_.max_open_files > 0 && static_cast<int64_t>(open_->files.size()) >= options_.max_open_files &&
      !by_folder_.contains(encoding_.folder()))
    return Cause::open_files;
  return std::nullopt;
}

std::optional<Cause> PlannedPartition::behind_record(const OpenFile* file) const {
  if (followed_) return std::nullopt;
  const auto dead_bytes = static_cast<int64_t>(open_->dead_lines.size());
  if (open_->plan.dead >= options_.rotation.flush_size) return Cause::size;
  return is_full(options_.rotation,
                 {.records = open_->records, .bytes = file ? file->lines.bytes() : dead_bytes, .opened = opened_});
}

OpenFile& PlannedPartition::file_for_record(int64_t offset) {
  const std::string& folder = encoding_.folder();
  if (!by_folder_.empty() && folder == last_folder_) return open_->files[last_file_];
  const auto [place, is_new] = by_folder_.try_emplace(folder, open_->files.size());
  last_folder_ = folder;
  last_file_ = place->second;
  if (is_new) {
    OpenFile& file = open_->files.emplace_back();
    file.folder = folder;
    file.first = offset;
    memory_ += memory_of(file) + static_cast<int64_t>(folder.size()) + kFolderCost;
  }
  return open_->files[last_file_];
}

void PlannedPartition::bury(const kafka::Message& record, std::string_view reason) {
  if (options_.log_bad_records) log_bad_record(record, reason);
  if (open_->plan.dead++ == 0) open_->dead_first = record.offset;
  if (options_.dead_letter_topic.empty()) {
    memory_ -= static_cast<int64_t>(open_->dead_lines.capacity());
    append_dead_letter(open_->dead_lines, record, reason);
    memory_ += static_cast<int64_t>(open_->dead_lines.capacity());
    return;
  }
  const connect::Stage stage = encoding_.refused_at();
  const Refuser refuser{options_.name, stage,
                        stage == connect::Stage::key_converter ? options_.shape.key : options_.shape.value};
  open_->dead_records.push_back(dead_letter_record(record, reason, refuser, options_.dead_letter_headers));
  memory_ += memory_of(open_->dead_records.back());
}

}  // namespace pinflow::sink
