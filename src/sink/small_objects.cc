#include "sink/small_objects.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace pinflow::sink {
namespace {

constexpr int64_t kHourMs = 3'600'000;

}  // namespace

std::string_view remedy_of(Cause cause) {
  switch (cause) {
    case Cause::size: return "raise flush.size";
    case Cause::bytes: return "raise flush.bytes";
    case Cause::age: return "raise flush.interval.ms";
    case Cause::idle: return "raise flush.idle.ms";
    case Cause::schedule: return "raise rotate.schedule.interval.ms";
    case Cause::record_time: return "raise rotate.interval.ms";
    case Cause::folder_change: return "set rotate.file.on.partition.change=false";
    case Cause::open_files: return "raise partitioner.max.open.files";
    case Cause::memory: return "raise buffer.memory.bytes";
    case Cause::gap: return "use a topic without refused records, or store.kafka.keys=true";
    case Cause::told: return "stop and start the sink less often";
  }
  return "";
}

std::optional<std::string> SmallObjects::note(std::string_view topic, Cause cause, int64_t objects, int64_t bytes,
                                              int64_t steady_ms) {
  std::lock_guard lock(mutex_);
  auto place = topics_.find(topic);
  if (place == topics_.end()) place = topics_.emplace(topic, Topic{}).first;
  Topic& one = place->second;
  one.objects += objects;
  one.bytes += bytes;
  one.causes[static_cast<size_t>(cause)] += objects;
  if (one.objects < kObjectsToJudge) return std::nullopt;
  const Topic judged = std::exchange(one, {});
  const int64_t mean = judged.bytes / judged.objects;
  if (mean >= kSmallObjectBytes || (said_ms_ && steady_ms - *said_ms_ < kHourMs)) return std::nullopt;
  said_ms_ = steady_ms;
  const auto most = std::ranges::max_element(judged.causes) - judged.causes.begin();
  return fmt::format(
      "topic {}: the last {} objects have {} bytes in the mean: small objects cost requests, and time of everyone who "
      "reads them. To get larger ones {}",
      topic, judged.objects, mean, remedy_of(static_cast<Cause>(most)));
}

}  // namespace pinflow::sink
