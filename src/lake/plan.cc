#include "lake/plan.h"

#include <openssl/evp.h>
#include <simdjson.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/json.h"
#include "object/numbered.h"

namespace pinflow::lake {
namespace {

constexpr std::string_view kFolder = "state/plans/batch/";

std::string sha256(std::string_view text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha256(), nullptr);
  return to_hex({reinterpret_cast<const char*>(digest), size});
}

// Throws simdjson_error where something is missing or of another type.
std::string text_in(const simdjson::dom::object& object, const char* key) {
  return std::string(std::string_view(object[key]));
}
int64_t number_in(const simdjson::dom::object& object, const char* key) { return int64_t(object[key]); }

Plan plan_in(const simdjson::dom::object& json) {
  Plan plan{number_in(json, "plan"), text_in(json, "pipeline"), text_in(json, "date"), number_in(json, "made_ms"), {}};
  for (const simdjson::dom::object topic : simdjson::dom::array(json["topics"])) {
    TopicPlan& each = plan.topics.emplace_back();
    each.record = text_in(topic, "record");
    each.topic = text_in(topic, "topic");
    each.identity = {text_in(topic, "cluster_id"), text_in(topic, "topic_id")};
    each.cleaning = text_in(topic, "cleaning");
    for (const simdjson::dom::object range : simdjson::dom::array(topic["partitions"])) {
      each.partitions.push_back({static_cast<int32_t>(number_in(range, "partition")), number_in(range, "from"),
                                 number_in(range, "to"), number_in(range, "objects"), number_in(range, "bytes")});
    }
  }
  return plan;
}

// The partition's range; a new, empty one where it has none.
PartitionRange& range_of(TopicPlan& topic, int32_t partition) {
  const auto found = std::ranges::find(topic.partitions, partition, &PartitionRange::partition);
  return found != topic.partitions.end() ? *found : topic.partitions.emplace_back(PartitionRange{partition});
}

Result<> check_identity(const TopicPlan& now, const TopicPlan* before) {
  if (before == nullptr || !before->identity.known() || !now.identity.known() || before->identity == now.identity) {
    return {};
  }
  return fail(Code::conflict,
              "the topic {} is not the one that the lake was filled from (topic {} of cluster {}, now {} of {}): its "
              "offsets mean other records. Use another lake for the new topic, or another user_id",
              now.topic, before->identity.topic_id, before->identity.cluster_id, now.identity.topic_id,
              now.identity.cluster_id);
}

// Of each partition what is not in its range yet, in order: the ranges must know the partitions.
Result<std::vector<TopicObject>> new_objects(object::Store& store, const TopicPlan& topic,
                                             const std::vector<TopicObject>& listed) {
  std::vector<TopicObject> found;
  for (const PartitionRange& range : topic.partitions) {
    const auto objects = objects_from(store, listed, range.partition, range.from);
    if (!objects) return pass(objects.error());
    found.insert(found.end(), objects->begin(), objects->end());
  }
  return found;
}

// Adds what the lake holds behind the topic's ranges, up to the limits.
// Whether some had to be left.
Result<bool> take_objects(object::Store& store, TopicPlan& topic, int64_t most_bytes) {
  const auto listed = list_topic(store, topic.topic);
  if (!listed) return pass(listed.error());
  for (const TopicObject& object : *listed) range_of(topic, object.partition);
  std::ranges::sort(topic.partitions, {}, &PartitionRange::partition);
  const auto objects = new_objects(store, topic, *listed);
  if (!objects) return pass(objects.error());
  std::vector<const TopicObject*> last;  // taken of each partition that has something new
  int64_t bytes = 0;
  int64_t count = 0;
  bool more = false;
  for (const TopicObject& object : *objects) {
    PartitionRange& range = range_of(topic, object.partition);
    if (count > 0 && (bytes + object.size > most_bytes || count == kPlanObjects)) {
      more = true;
      break;
    }
    bytes += object.size;
    ++count;
    range.bytes += object.size;
    ++range.objects;
    if (last.empty() || last.back()->partition != object.partition) last.push_back(&object);
    else last.back() = &object;
  }
  for (const TopicObject* object : last) {
    const auto end = end_of(store, *object);
    if (!end) return pass(end.error());
    range_of(topic, object->partition).to = *end;
  }
  std::erase_if(topic.partitions, [](const PartitionRange& range) { return range == PartitionRange{range.partition}; });
  return more;
}

}  // namespace

int64_t TopicPlan::bytes() const {
  int64_t sum = 0;
  for (const PartitionRange& range : partitions) sum += range.bytes;
  return sum;
}

bool Plan::empty() const {
  return std::ranges::all_of(topics, [](const TopicPlan& topic) {
    return std::ranges::all_of(topic.partitions, [](const PartitionRange& range) { return range.from == range.to; });
  });
}

const TopicPlan* Plan::find(std::string_view record) const {
  const auto found = std::ranges::find(topics, record, &TopicPlan::record);
  return found == topics.end() ? nullptr : &*found;
}

std::string digest_of(const pipeline::Pipeline& pipeline, const pipeline::RecordType& record) {
  JsonWriter json;  // a text in which nothing can pass for something else
  json.begin_array();
  for (const std::string& field : record.fields) json.string(field);
  json.string(record.cleaning.text);
  for (const auto& [engine, prelude] : pipeline.preludes) json.string(engine).string(prelude.text);
  for (const pipeline::Column& column : record.columns) json.string(column.name).string(name_of(column.type));
  json.end_array();
  return sha256(json.text());
}

std::string write_plan(const Plan& plan) {
  JsonWriter json;
  json.begin_object();
  json.key("plan").number(plan.number);
  json.key("pipeline").string(plan.pipeline);
  json.key("date").string(plan.date);
  json.key("made").string(iso_time(plan.made_ms));
  json.key("made_ms").number(plan.made_ms);
  json.key("topics").begin_array();
  for (const TopicPlan& topic : plan.topics) {
    json.begin_object();
    json.key("record").string(topic.record);
    json.key("topic").string(topic.topic);
    json.key("cluster_id").string(topic.identity.cluster_id);
    json.key("topic_id").string(topic.identity.topic_id);
    json.key("cleaning").string(topic.cleaning);
    json.key("partitions").begin_array();
    for (const PartitionRange& range : topic.partitions) {
      json.begin_object();
      json.key("partition").number(int64_t{range.partition});
      json.key("from").number(range.from);
      json.key("to").number(range.to);
      json.key("objects").number(range.objects);
      json.key("bytes").number(range.bytes);
      json.end_object();
    }
    json.end_array().end_object();
  }
  json.end_array().end_object();
  return json.take() + "\n";
}

Result<Plan> parse_plan(std::string_view json, std::string_view source) {
  simdjson::dom::parser parser;
  const simdjson::padded_string padded(json);
  try {
    return plan_in(parser.parse(padded));
  } catch (const simdjson::simdjson_error& fault) {
    return corrupt("{}: not a plan: {}", source, fault.what());
  }
}

std::string plan_name(int64_t number) { return object::numbered_name(kFolder, number); }

Result<std::vector<int64_t>> list_plans(object::Store& store) {
  auto numbers = object::list_numbers(store, std::string(kFolder), "a plan");
  if (!numbers) return pass(numbers.error(), "listing the plans");
  return numbers;
}

Result<Plan> read_plan(object::Store& store, int64_t number) {
  const auto text = store.get(plan_name(number));
  if (!text) return pass(text.error(), "plan {}", number);
  auto plan = parse_plan(*text, store.url() + "/" + plan_name(number));
  if (plan && plan->number != number) return corrupt("{}: it holds plan {}", plan_name(number), plan->number);
  return plan;
}

Result<Proposal> next_plan(object::Store& store, const pipeline::Pipeline& pipeline, const std::optional<Plan>& last,
                           const std::string& date, int64_t most_bytes) {
  Proposal proposal{{last ? last->number + 1 : 1, pipeline.id, date, now_ms(), {}}};
  for (const pipeline::RecordType& record : pipeline.records) {
    const TopicPlan* before = last ? last->find(record.name) : nullptr;
    if (before != nullptr && before->topic != record.topic) before = nullptr;  // a new topic is read from its start
    TopicPlan topic{record.name, record.topic, {}, digest_of(pipeline, record), {}};
    auto identity = identity_of(store, record.topic);
    if (!identity) return pass(identity.error());
    topic.identity = *identity;
    if (auto same = check_identity(topic, before); !same) return pass(same.error());
    if (before != nullptr) {
      if (!topic.identity.known()) topic.identity = before->identity;
      for (const PartitionRange& range : before->partitions)
        topic.partitions.push_back({range.partition, range.to, range.to});
    }
    const auto left = take_objects(store, topic, most_bytes);
    if (!left) return pass(left.error());
    proposal.more = proposal.more || *left;
    proposal.plan.topics.push_back(std::move(topic));
  }
  return proposal;
}

Result<Plan> put_plan(object::Store& store, const Plan& plan) {
  const auto put = store.put_if_absent(plan_name(plan.number), write_plan(plan));
  if (put) return plan;
  // Taken, or an answer that was lost: what is there now is the plan.
  if (put.error().code != Code::already_exists && put.error().code != Code::unavailable) {
    return pass(put.error(), "putting plan {}", plan.number);
  }
  auto there = read_plan(store, plan.number);
  if (!there && there.error().code == Code::not_found) return pass(put.error(), "putting plan {}", plan.number);
  return there;
}

}  // namespace pinflow::lake
