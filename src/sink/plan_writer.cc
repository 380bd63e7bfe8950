#include "sink/plan_writer.h"

#include <future>
#include <optional>
#include <utility>
#include <vector>

#include "sink/lake_writer.h"
#include "sink/plan.h"

namespace pinflow::sink {
namespace {

// Dead letters that are sent at once; the writer's queue has room for more.
constexpr size_t kLettersOfAWrite = 5'000;
constexpr int64_t kBytesOfAWrite = 8 << 20;

bool is_dead(const PlannedObject& object) { return object.name.starts_with("dead/"); }

// A record that the topic will never take is an error that stays; all else may pass.
Code code_of(kafka::KafkaError error) {
  using enum kafka::KafkaError;
  switch (error) {
    case message_too_large:
    case invalid_topic:
    case invalid_record:
    case record_list_too_large: return Code::invalid;
    case topic_authorization_failed:
    case cluster_authorization_failed:
    case sasl_authentication_failed: return Code::denied;
    default: return Code::unavailable;
  }
}

// Without them a record is as long as it was in its own topic. False: it has none.
bool drop_reasons(kafka::NewRecord& record) {
  return std::erase_if(record.headers,
                       [](const kafka::Header& one) { return one.name.starts_with("__connect.errors."); }) > 0;
}

}  // namespace

Result<> PlanWriter::write(std::deque<File>& files, WriteCounts& counts) {
  while (!files.empty()) {
    Generation& generation = *files.front().generation;
    if (auto finished = finish(generation); !finished) return finished;
    if (auto planned = put_plan(generation); !planned) return planned;
    if (auto made = put_objects(generation, counts); !made) return made;
    if (auto sent = send_dead_records(generation); !sent) return sent;
    counts.in_objects += generation.records;
    counts.dead += generation.plan.dead;
    files.pop_front();
  }
  return {};
}

// The lines become objects' bytes; each is named by its folder and its first offset.
Result<> PlanWriter::finish(Generation& generation) {
  if (generation.finished) return {};
  for (; generation.packed < generation.files.size(); ++generation.packed) {
    OpenFile& file = generation.files[generation.packed];
    const int64_t records = file.lines.records;
    auto pieces = finish_(file.lines);
    if (!pieces) return pass(pieces.error(), "{}/{}: offsets from {} on", topic_, partition_, file.first);
    file.lines = {};
    for (connect::Piece& piece : *pieces) {
      generation.plan.objects.push_back(
          {object_name(layout_, topic_, partition_, file.folder, file.first, piece.extension), records});
      generation.bytes.push_back(std::move(piece.bytes));
    }
  }
  generation.files = {};
  if (!generation.dead_lines.empty()) {
    generation.plan.objects.push_back(
        {Names(layout_, Kind::dead, topic_, partition_).name(generation.dead_first), generation.plan.dead});
    generation.bytes.push_back(std::exchange(generation.dead_lines, {}));
  }
  generation.finished = true;
  return {};
}

Result<> PlanWriter::put_plan(Generation& generation) {
  if (generation.planned) return {};
  const std::string name = plan_name(topic_, partition_, generation.plan.first);
  const std::string text = plan_text(generation.plan);
  auto put = store_.put_if_absent(name, text);
  if (!put) {
    if (put.error().code != Code::already_exists) return put;
    auto there = store_.get(name);
    if (!there) return pass(there.error());
    if (*there != text) {
      auto plan = parse_plan(*there);
      if (!plan) return pass(plan.error(), "{}/{}", store_.url(), name);
      if (generation.repeated)
        return fail(Code::conflict,
                    "{}/{}: what the plan says cannot be made again from the log's offsets {} to {}: other records "
                    "stand there, or other settings made it. Use another lake, or move the topic's objects and its "
                    "state away",
                    store_.url(), name, plan->first, plan->next - 1);
      overtaken_ = true;
      return fail(Code::cancelled, "{}/{} is another sink's plan", store_.url(), name);
    }
  }
  generation.planned = true;
  return {};
}

Result<> PlanWriter::put_objects(Generation& generation, WriteCounts& counts) {
  const auto& planned = generation.plan.objects;
  while (generation.made < planned.size()) {
    std::vector<object::NewObject> objects;
    int64_t size = 0;
    for (size_t i = generation.made; i < planned.size() && objects.size() < kFilesOfAPut; ++i) {
      size += static_cast<int64_t>(generation.bytes[i].size());
      if (!objects.empty() && size > kBytesOfAPut) break;
      objects.push_back({planned[i].name, generation.bytes[i]});
    }
    const auto made = store_.put_all_if_absent(objects);
    for (size_t i = 0; i < made.count; ++i) {
      ++(is_dead(planned[generation.made]) ? counts.dead_objects : counts.objects);
      counts.bytes += static_cast<int64_t>(std::exchange(generation.bytes[generation.made++], {}).size());
    }
    if (made.rest) continue;
    if (made.rest.error().code != Code::already_exists) return made.rest;
    if (auto met = meet(generation, generation.made); !met) return met;
    generation.bytes[generation.made++] = {};
  }
  return {};
}

// The name of an object is taken: by an earlier try, or by another sink that follows the same plan.
Result<> PlanWriter::meet(const Generation& generation, size_t object) {
  const std::string& name = generation.plan.objects[object].name;
  auto there = store_.stat(name);
  if (!there) return pass(there.error());
  if (there->size == static_cast<int64_t>(generation.bytes[object].size())) return {};
  return fail(Code::conflict,
              "{}/{}: the object has {} bytes, and not the {} that the topic's records make: it is another topic's, or "
              "was changed. Use another lake, or move the topic's objects and its state away",
              store_.url(), name, there->size, generation.bytes[object].size());
}

// At least once: a sink that dies between the answer and the commit sends them again.
Result<> PlanWriter::send_dead_records(Generation& generation) {
  std::vector<kafka::NewRecord>& all = generation.dead_records;
  while (generation.dead_sent < all.size()) {
    std::vector<kafka::NewRecord> some;
    int64_t size = 0;
    for (size_t i = generation.dead_sent; i < all.size() && some.size() < kLettersOfAWrite && size < kBytesOfAWrite;
         ++i)
      size += memory_of(some.emplace_back(all[i]));
    const size_t count = some.size();
    std::promise<std::vector<kafka::Written>> promise;
    auto answer = promise.get_future();
    dead_.writer->write(dead_.topic, std::move(some),
                        [&promise](std::vector<kafka::Written> written) { promise.set_value(std::move(written)); });
    std::optional<kafka::Written> failed;
    size_t sent = generation.dead_sent;
    const auto answers = answer.get();
    // Those that were written are not sent again; those that their reasons have made too long are, without them.
    for (size_t i = 0; i < count; ++i) {
      kafka::NewRecord& record = all[generation.dead_sent + i];
      if (answers[i].error == kafka::KafkaError::none) std::swap(all[sent++], record);
      else if (answers[i].error != kafka::KafkaError::message_too_large || !drop_reasons(record)) failed = answers[i];
    }
    generation.dead_sent = sent;
    if (failed) return fail(code_of(failed->error), "the topic {} for dead letters: {}", dead_.topic, failed->message);
  }
  return {};
}

}  // namespace pinflow::sink
