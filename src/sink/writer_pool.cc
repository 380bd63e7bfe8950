#include "sink/writer_pool.h"

#include <algorithm>

#include "base/logging.h"
#include "sink/lake_writer.h"

namespace pinflow::sink {
namespace {

using namespace std::chrono_literals;
constexpr auto kFirstPause = 100ms;
constexpr auto kLongestPause = 5s;
constexpr auto kSayAgain = 60s;
constexpr auto kSayOther = 5s;

int64_t cost_of(const File& file) { return file.memory() + static_cast<int64_t>(sizeof(File)); }

bool can_be_tried_again(Code code, bool wait_when_denied) {
  switch (code) {
    case Code::unavailable:
    case Code::full:
    case Code::not_found:
    case Code::cancelled: return true;
    case Code::denied: return wait_when_denied;
    case Code::invalid:
    case Code::already_exists:
    case Code::conflict:
    case Code::corrupt:
    case Code::unsupported: return false;
  }
  return false;
}

}  // namespace

std::optional<int64_t> Outbox::first_waiting() const {
  std::lock_guard lock(mutex_);
  std::optional<int64_t> first;
  for (const File& file : waiting_) first = std::min(first.value_or(file.first), file.first);
  for (const File& file : writing_) first = std::min(first.value_or(file.first), file.first);
  return first;
}

bool Outbox::is_overtaken() const {
  std::lock_guard lock(mutex_);
  return overtaken_;
}

Outbox::Tally Outbox::tally() const {
  std::lock_guard lock(mutex_);
  Tally tally{.counts = counts_, .waiting = 0, .given_up = given_up_};
  for (const File& file : waiting_) tally.waiting += file.records;
  for (const File& file : writing_) tally.waiting += file.records;
  return tally;
}

WriterPool::WriterPool(int threads, bool wait_when_denied) : wait_when_denied_(wait_when_denied) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

WriterPool::~WriterPool() { stop(); }

void WriterPool::put(const std::shared_ptr<Outbox>& outbox, File file) {
  bytes_ += cost_of(file);
  {
    std::lock_guard lock(outbox->mutex_);
    outbox->waiting_.push_back(std::move(file));
    if (outbox->scheduled_ || outbox->overtaken_) return;
    outbox->scheduled_ = true;
  }
  {
    std::lock_guard lock(mutex_);
    ready_.push_back(outbox);
  }
  wake_.notify_one();
}

void WriterPool::abandon(const std::shared_ptr<Outbox>& outbox) {
  std::lock_guard lock(outbox->mutex_);
  outbox->abandoned_ = true;
  for (const File& file : outbox->writing_) outbox->given_up_ += file.records;
  for (const File& file : outbox->waiting_) {
    outbox->given_up_ += file.records;
    bytes_ -= cost_of(file);
  }
  outbox->waiting_.clear();
}

bool WriterPool::wait_until_empty(const std::vector<std::shared_ptr<Outbox>>& outboxes,
                                  std::chrono::milliseconds at_most) {
  const auto until = std::chrono::steady_clock::now() + at_most;
  std::unique_lock lock(mutex_);
  const auto all_empty = [&] {
    return std::ranges::all_of(outboxes, [](const auto& outbox) { return outbox->empty(); });
  };
  progressed_.wait_until(lock, until, [&] { return failure_ || stopping_ || all_empty(); });
  return all_empty();
}

bool WriterPool::wait_until_below(int64_t bytes, std::chrono::milliseconds at_most) {
  std::unique_lock lock(mutex_);
  progressed_.wait_for(lock, at_most, [&] { return failure_ || stopping_ || bytes_ <= bytes; });
  return bytes_ <= bytes;
}

std::optional<Error> WriterPool::failure() const {
  std::lock_guard lock(mutex_);
  return failure_;
}

std::optional<Error> WriterPool::trouble() const {
  std::lock_guard lock(mutex_);
  return trouble_;
}

void WriterPool::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  stopping_now_.notify_all();
  progressed_.notify_all();
  threads_.clear();
}

void WriterPool::work() {
  for (;;) {
    std::shared_ptr<Outbox> outbox;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !ready_.empty(); });
      if (stopping_) return;
      outbox = std::move(ready_.front());
      ready_.pop_front();
    }
    write(*outbox);
    bool more;
    {
      std::lock_guard lock(outbox->mutex_);
      more = !outbox->waiting_.empty() && !outbox->overtaken_;
      outbox->scheduled_ = more;
    }
    std::lock_guard lock(mutex_);
    if (more) ready_.push_back(std::move(outbox));  // behind the others: each has its turn
    progressed_.notify_all();
  }
}

// One turn: some files from the front, until they are durable or given up.
void WriterPool::write(Outbox& outbox) {
  std::deque<File> files;
  int64_t before = 0;
  const auto remember = [&] {  // under the outbox's lock
    outbox.writing_.clear();
    for (const File& file : files) {
      File& one = outbox.writing_.emplace_back();
      one.kind = file.kind, one.first = file.first, one.next = file.next, one.records = file.records;
    }
  };
  {
    std::lock_guard lock(outbox.mutex_);
    int64_t size = 0;
    while (!outbox.waiting_.empty() && files.size() < kFilesOfAPut && (files.empty() || size < kBytesOfAPut)) {
      size += outbox.waiting_.front().size();
      before += cost_of(outbox.waiting_.front());
      files.push_back(std::move(outbox.waiting_.front()));
      outbox.waiting_.pop_front();
    }
    remember();
  }
  std::chrono::milliseconds pause = kFirstPause;
  while (!files.empty()) {
    WriteCounts counts;
    const size_t left = files.size();
    const auto written = outbox.writer_->write(files, counts);
    if (files.size() < left) pause = kFirstPause;
    int64_t after = 0;
    for (const File& file : files) after += cost_of(file);
    bytes_ -= std::exchange(before, after) - after;
    bool abandoned;
    {
      std::lock_guard lock(outbox.mutex_);
      abandoned = outbox.abandoned_;
      if (!abandoned) outbox.counts_ += counts;
      outbox.overtaken_ = outbox.writer_->is_overtaken();
      remember();
    }
    if (written) {
      note_success();
      break;
    }
    if (outbox.writer_->is_overtaken()) break;
    std::unique_lock lock(mutex_);
    if (!can_be_tried_again(written.error().code, wait_when_denied_)) {
      if (!failure_) failure_ = written.error();
      progressed_.notify_all();
    } else if (!abandoned && !stopping_) {
      note_trouble(written.error());
      stopping_now_.wait_for(lock, pause, [this] { return stopping_; });
      pause = std::min<std::chrono::milliseconds>(pause * 2, kLongestPause);
    }
    if (failure_ || abandoned || stopping_) break;
  }
  if (files.empty()) return;
  // Given up: it stays counted as not durable, but its bytes are let go.
  bytes_ -= before;
}

// Under mutex_. Says it once, and again when it is another error or after a while; a store that fails and works in
// turns does not flood the log.
void WriterPool::note_trouble(const Error& error) {
  const auto now = std::chrono::steady_clock::now();
  const bool is_new = !trouble_ || trouble_->code != error.code;
  if (!said_ || now - *said_ >= (is_new ? kSayOther : kSayAgain)) {
    warn("sink: objects cannot be written: {}; trying again until they can", error.message);
    said_ = now;
    good_news_due_ = true;
  }
  trouble_ = error;
}

void WriterPool::note_success() {
  std::lock_guard lock(mutex_);
  trouble_.reset();
  if (std::exchange(good_news_due_, false)) info("sink: objects are written again");
}

}  // namespace pinflow::sink
