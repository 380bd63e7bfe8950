#include "sink/start.h"

#include <chrono>

#include "base/logging.h"
#include "gate/json_gate.h"
#include "kafka/client/identity.h"
#include "sink/plan_reader.h"

namespace pinflow::sink {
namespace {

using namespace std::chrono_literals;
constexpr auto kRecordLimit = 10s;      // how long one record may take to come
constexpr int64_t kGenerationSpan = 2;  // offsets of one file or generation, in flush sizes (one of them dead letters)

std::unexpected<Error> refuse_holes(std::string_view where, int64_t offset) {
  return unsupported(
      "{}: the lake holds records behind offset {} that were written with other settings, and lacks that one. Run the "
      "sink with the old settings until it is caught up, then change them",
      where, offset);
}

std::unexpected<Error> refuse_unfinished(const Plan& plan, const kafka::TopicPartition& at, const std::string& url) {
  return unsupported(
      "{}/{}: the objects of offsets {} to {} were begun with other settings and are not all made. Run the sink with "
      "the old settings until it is caught up, then change them; or remove {}/{} and the objects that it names, to "
      "have "
      "them made anew",
      at.topic, at.partition, plan.first, plan.next - 1, url, plan_name(at.topic, at.partition, plan.first));
}

}  // namespace

Result<Start> Starter::begin(const kafka::TopicPartition& at) {
  Facts facts{.where = fmt::format("{}/{}", at.topic, at.partition), .log = {}, .committed = {}};
  auto ids = ids_of(at.topic);
  if (!ids) return pass(ids.error());
  auto claimed = claim_topic(store_, at.topic, *ids);
  if (!claimed) return pass(claimed.error());
  facts.sameness = claimed->sameness;
  tell_of_another_group(at.topic, claimed->group);

  auto marks = questioner_.watermarks(at);
  if (!marks) return pass(marks.error());
  facts.log = *marks;
  auto committed = consumer_.committed({at});
  if (!committed) return pass(committed.error());
  if (committed->front().offset >= 0) facts.committed = committed->front().offset;

  auto last = last_plan(store_, at.topic, at.partition, near(facts.committed));
  if (!last) return pass(last.error());
  const bool by_plans = !fingerprint_.empty();
  return by_plans && *last ? begin_plans(at, facts, **last) : begin_chain(at, facts, *last);
}

// Also where there will be plans and is none yet: what a chain has written stays.
Result<Start> Starter::begin_chain(const kafka::TopicPartition& at, const Facts& known_facts,
                                   const std::optional<Plan>& last) {
  const std::string& where = known_facts.where;
  std::optional<int64_t> committed = known_facts.committed;
  if (last) {
    auto finished = is_finished(store_, *last, false);
    if (!finished) return pass(finished.error());
    if (!*finished) return refuse_unfinished(*last, at, store_.url());
    committed = std::max(committed.value_or(0), last->next);
  }
  LakeReader lake(store_, options_.layout, at.topic, at.partition);
  if (last) {
    if (auto listed = lake.list_from(last->next); !listed) return pass(listed.error());
  } else if (auto listed = list(lake, committed); !listed) {
    return pass(listed.error());
  }
  auto end = lake.end();
  if (!end) return pass(end.error());

  StartFacts facts{.committed = committed,
                   .low = known_facts.log.low,
                   .high = known_facts.log.high,
                   .lake_first = lake.first(),
                   .lake_end = end->value_or(0),
                   .accept_lost = options_.accept_lost};
  if (last) {
    facts.lake_first = last->first;
    facts.lake_end = std::max(facts.lake_end, *committed);
  }
  auto known = lake.coverage_from(begin_of_search(facts));
  if (!known) return pass(known.error());
  const int64_t uncovered = known->first_uncovered(begin_of_search(facts));
  auto offset = start_position(facts, uncovered, where);
  if (!offset) return pass(offset.error());
  if (uncovered < *offset)
    warn("sink: {}: offsets {} to {} are given up: gone from the log and not in the lake", where, uncovered,
         *offset - 1);

  if (known_facts.sameness == Sameness::unknown) {
    auto line = lake.last_line();
    if (!line) return pass(line.error());
    if (*line && (*line)->offset >= facts.low) {
      auto same = compare_last_record(at, (*line)->offset, (*line)->text, (*line)->object);
      if (!same) return pass(same.error());
    }
  }
  const bool by_plans = !fingerprint_.empty();
  if (by_plans && !known->empty() && known->end() > *offset) return refuse_holes(where, *offset);
  debug("sink: {}: begins at offset {} (group {}, lake {}, log {} to {})", where, *offset, facts.committed.value_or(-1),
        facts.lake_end, facts.low, facts.high);
  return Start{*offset, std::move(*known), std::nullopt};
}

Result<Start> Starter::begin_plans(const kafka::TopicPartition& at, const Facts& facts, const Plan& last) {
  if (last.next > facts.log.high)
    return fail(Code::conflict,
                "{}: the lake holds records up to offset {}, but the log ends before offset {}: the topic was made "
                "anew or its log was lost. Use another lake, or move the topic's objects and its state away",
                facts.where, last.next - 1, facts.log.high);
  Start start{.offset = std::max(last.next, facts.committed.value_or(0)), .known = {}, .unfinished = {}};
  if (facts.committed.value_or(0) < last.next) {
    auto finished = is_finished(store_, last, !options_.dead_letter_topic.empty());
    if (!finished) return pass(finished.error());
    if (!*finished) {
      if (last.settings != fingerprint_) return refuse_unfinished(last, at, store_.url());
      start.offset = last.first;
      start.unfinished = last;
    }
  }
  if (!start.unfinished) {  // a chain may have gone on behind the plans
    LakeReader lake(store_, options_.layout, at.topic, at.partition);
    if (auto listed = lake.list_from(start.offset); !listed) return pass(listed.error());
    auto known = lake.coverage_from(start.offset);
    if (!known) return pass(known.error());
    start.offset = known->first_uncovered(start.offset);
    if (!known->empty() && known->end() > start.offset) return refuse_holes(facts.where, start.offset);
  }
  if (start.offset < facts.log.low) {
    const std::string_view what =
        start.unfinished ? "their objects are planned and not all made" : "are not in the lake";
    if (!options_.accept_lost)
      return not_found(
          "{}: offsets {} to {} are gone from the log (retention), and {}. To go on without them set "
          "on.lost.offsets=continue",
          facts.where, start.offset, facts.log.low - 1, what);
    warn("sink: {}: offsets {} to {} are given up: gone from the log, and {}", facts.where, start.offset,
         facts.log.low - 1, what);
    if (start.unfinished) start.offset = start.unfinished->next;
    start.unfinished.reset();
    start.offset = std::max(start.offset, facts.log.low);
  }
  debug("sink: {}: begins at offset {}{} (group {}, last plan {} to {}, log {} to {})", facts.where, start.offset,
        start.unfinished ? " by an unfinished plan" : "", facts.committed.value_or(-1), last.first, last.next,
        facts.log.low, facts.log.high);
  return start;
}

int64_t Starter::near(const std::optional<int64_t>& committed) const {
  return std::max<int64_t>(committed.value_or(0) - kGenerationSpan * options_.rotation.flush_size, 0);
}

Result<> Starter::list(LakeReader& lake, const std::optional<int64_t>& committed) {
  if (near(committed) > 0) {
    if (auto listed = lake.list_from(near(committed)); !listed) return listed;
    auto end = lake.end();
    if (!end) return pass(end.error());
    if (*end && **end >= *committed) return {};
  }
  return lake.list();
}

void Starter::tell_of_another_group(const std::string& topic, const std::string& group) {
  const std::string ours = "connect-" + options_.name;
  if (group.empty() || group == ours || !told_.insert(topic).second) return;
  warn(
      "sink: topic {}: its objects in {} were begun by the group {}, this sink is of the group {}. Each record is "
      "there once, but "
      "where both run, both read everything: give them one name, or each a store of its own",
      topic, store_.url(), group, ours);
}

Result<Marker> Starter::ids_of(const std::string& topic) {
  if (const auto known = ids_.find(topic); known != ids_.end()) return known->second;
  auto identities = kafka::read_identities(config_, {topic});
  if (!identities) return pass(identities.error());
  const kafka::TopicIdentity& identity = identities->at(topic);
  Marker ids{.cluster_id = identity.cluster_id, .topic_id = {}, .group = "connect-" + options_.name};
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
