// The part of the worker that serves run_until_caught_up.
#include <regex.h>

#include <algorithm>

#include "base/logging.h"
#include "kafka/client/pattern.h"
#include "sink/worker.h"

namespace pinflow::sink {
namespace {

constexpr int64_t kQuestionMs = 250;  // between two questions to the cluster

int64_t steady_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// A compiled pattern of kafka::topic_pattern.
class Pattern {
 public:
  explicit Pattern(const std::string& pattern) {
    good_ = ::regcomp(&regex_, pattern.c_str(), REG_EXTENDED | REG_NOSUB) == 0;
  }
  ~Pattern() {
    if (good_) ::regfree(&regex_);
  }
  Pattern(const Pattern&) = delete;
  Pattern& operator=(const Pattern&) = delete;
  bool matches(const std::string& text) const { return good_ && ::regexec(&regex_, text.c_str(), 0, nullptr, 0) == 0; }

 private:
  regex_t regex_;
  bool good_ = false;
};

}  // namespace

Result<> Sink::Worker::run_until_caught_up() {
  CatchUp mine;
  std::unique_lock lock(mutex_);
  catch_ups_.push_back(&mine);
  catching_up_ = true;
  changed_.wait(lock, [&] { return mine.done || ended_; });
  catch_ups_.remove(&mine);
  catching_up_ = !catch_ups_.empty();
  if (mine.done) return {};
  if (failure_) return std::unexpected(*failure_);
  return fail(Code::cancelled, "the sink was stopped before it had caught up");
}

void Sink::Worker::serve_catch_ups() {
  if (!catching_up_) return;
  const bool may_ask = steady_ms() - last_question_ms_ >= kQuestionMs;
  bool asked = false;
  std::vector<CatchUp*> waiting;
  {
    std::lock_guard lock(mutex_);
    waiting.assign(catch_ups_.begin(), catch_ups_.end());
  }
  std::vector<CatchUp*> finished;
  for (CatchUp* one : waiting) {
    if (!one->targets) {
      if (!may_ask) continue;
      auto ends = ends_now();
      asked = true;
      if (!ends) {
        if (std::exchange(said_, ends.error().message) != ends.error().message) warn("sink: {}", ends.error().message);
        continue;
      }
      one->targets = std::move(*ends);
    }
    std::vector<kafka::TopicPartition> elsewhere;
    std::erase_if(*one->targets, [&](const auto& target) {
      const auto reached = is_reached(target.first, target.second);
      if (!reached) elsewhere.push_back(target.first);
      return reached.value_or(false);
    });
    if (!elsewhere.empty() && may_ask && ever_assigned_) {
      asked = true;
      if (auto committed = consumer_->committed(elsewhere))
        for (const auto& [at, offset] : *committed)
          if (const auto target = one->targets->find(at); offset >= target->second) one->targets->erase(target);
    }
    const bool reached = one->targets->empty();
    if (reached) finished.push_back(one);
  }
  if (asked) last_question_ms_ = steady_ms();
  if (finished.empty()) return;
  if (auto committed = commit(true); !committed && committed.error().code != Code::conflict) return;  // again next time
  std::lock_guard lock(mutex_);
  for (CatchUp* one : finished) one->done = true;
  changed_.notify_all();
}

// The partitions that hold records now, with their ends.
Result<std::map<kafka::TopicPartition, int64_t>> Sink::Worker::ends_now() {
  auto topics = questioner_->topics();
  if (!topics) return pass(topics.error());
  std::optional<Pattern> pattern;
  if (!options_.topics_regex.empty()) {
    auto text = kafka::topic_pattern(options_.topics_regex);
    if (!text) return pass(text.error());
    pattern.emplace(*text);
  }
  std::map<kafka::TopicPartition, int64_t> ends;
  for (const auto& [topic, partitions] : *topics) {
    const bool ours =
        pattern ? pattern->matches(topic) : std::ranges::find(options_.topics, topic) != options_.topics.end();
    for (int32_t partition = 0; ours && partition < partitions; ++partition) {
      auto marks = questioner_->watermarks({topic, partition});
      if (!marks) return pass(marks.error());
      if (marks->low < marks->high) ends[{topic, partition}] = marks->high;
    }
  }
  return ends;
}

// Is all before `target` durable? Where a file in progress holds what lacks, it is closed. Nothing: the partition is
// another member's, or nobody's yet.
std::optional<bool> Sink::Worker::is_reached(const kafka::TopicPartition& at, int64_t target) {
  std::lock_guard lock(mutex_);
  const auto owned = owned_.find(at);
  if (owned == owned_.end()) return std::nullopt;
  if (owned->second.partition->reached() < target) return false;
  if (owned->second.partition->given() < target) owned->second.partition->close_all(Cause::told);
  return owned->second.outbox->first_waiting().value_or(target) >= target;
}

}  // namespace pinflow::sink
