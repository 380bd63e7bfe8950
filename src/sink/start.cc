#include "sink/start.h"

#include <chrono>

#include "base/logging.h"
#include "gate/json_gate.h"
#include "kafka/client/identity.h"
#include "sink/lake_reader.h"

namespace pinflow::sink {
namespace {

using namespace std::chrono_literals;
constexpr auto kRecordLimit = 10s;  // how long one record may take to come

}  // namespace

Result<Start> Starter::begin(const kafka::TopicPartition& at) {
  const std::string where = fmt::format("{}/{}", at.topic, at.partition);
  auto ids = ids_of(at.topic);
  if (!ids) return pass(ids.error());
  auto claimed = claim_topic(store_, at.topic, *ids);
  if (!claimed) return pass(claimed.error());

  auto marks = questioner_.watermarks(at);
  if (!marks) return pass(marks.error());
  auto committed = consumer_.committed({at});
  if (!committed) return pass(committed.error());
  LakeReader lake(store_, options_.layout, at.topic, at.partition);
  if (auto listed = lake.list(); !listed) return pass(listed.error());
  auto end = lake.end();
  if (!end) return pass(end.error());

  StartFacts facts{.low = marks->low,
                   .high = marks->high,
                   .lake_first = lake.first(),
                   .lake_end = end->value_or(0),
                   .accept_lost = options_.accept_lost};
  if (committed->front().offset >= 0) facts.committed = committed->front().offset;
  auto known = lake.coverage_from(begin_of_search(facts));
  if (!known) return pass(known.error());
  const int64_t uncovered = known->first_uncovered(begin_of_search(facts));
  auto offset = start_position(facts, uncovered, where);
  if (!offset) return pass(offset.error());
  if (uncovered < *offset)
    warn("sink: {}: offsets {} to {} are given up: gone from the log and not in the lake", where, uncovered,
         *offset - 1);

  if (*claimed == Sameness::unknown) {
    auto last = lake.last_line();
    if (!last) return pass(last.error());
    if (*last && (*last)->offset >= marks->low) {
      auto same = compare_last_record(at, (*last)->offset, (*last)->text, (*last)->object);
      if (!same) return pass(same.error());
    }
  }
  debug("sink: {}: begins at offset {} (group {}, lake {}, log {} to {})", where, *offset, facts.committed.value_or(-1),
        facts.lake_end, facts.low, facts.high);
  return Start{*offset, std::move(*known)};
}

Result<Marker> Starter::ids_of(const std::string& topic) {
  if (const auto known = ids_.find(topic); known != ids_.end()) return known->second;
  auto identities = kafka::read_identities(config_, {topic});
  if (!identities) return pass(identities.error());
  const kafka::TopicIdentity& identity = identities->at(topic);
  Marker ids{.cluster_id = identity.cluster_id, .topic_id = {}};
  if (!identity.topic_id.empty()) ids.topic_id = kafka::topic_id_text(identity.topic_id);
  if (ids.cluster_id.empty()) {
    auto cluster_id = questioner_.cluster_id();
    if (!cluster_id) return pass(cluster_id.error());
    ids.cluster_id = std::move(*cluster_id);
  }
  ids_[topic] = ids;
  return ids;
}

Result<> Starter::compare_last_record(const kafka::TopicPartition& at, int64_t offset, const std::string& line,
                                      const std::string& object) {
  auto reader = kafka::Consumer::open(config_, {.client_id = "pinflow-sink-check", .max_batch = 1});
  if (!reader) return pass(reader.error());
  if (auto assigned = (*reader)->assign({{at, offset}}); !assigned) return assigned;
  const auto until = std::chrono::steady_clock::now() + kRecordLimit;
  while (std::chrono::steady_clock::now() < until) {
    auto batch = (*reader)->poll(200ms);
    if (!batch) return pass(batch.error());
    if (batch->empty()) continue;
    const kafka::Message& record = batch->front();
    if (record.end_of_partition || record.offset != offset) return {};  // compacted away: nothing to compare
    gate::JsonGate gate;
    std::string compact;
    if (record.value && gate.accept(*record.value, compact) && compact == line) return {};
    return fail(
        Code::conflict,
        "{}/{}: the record at offset {} is not the one that the lake holds in {}: the topic is another one. Use "
        "another lake, or move the topic's objects, dead letters and state/topics object away",
        at.topic, at.partition, offset, object);
  }
  return unavailable("{}/{}: the record at offset {} did not come", at.topic, at.partition, offset);
}

}  // namespace pinflow::sink
