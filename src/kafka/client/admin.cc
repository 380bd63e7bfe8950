#include "kafka/client/admin.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>

#include "kafka/client/describe.h"
#include "kafka/client/rd.h"

namespace pinflow::kafka {
namespace {

template <auto destroy>
struct Deleter {
  template <class T>
  void operator()(T* one) const {
    destroy(one);
  }
};
using Queue = std::unique_ptr<rd_kafka_queue_t, Deleter<rd_kafka_queue_destroy>>;
using Options = std::unique_ptr<rd_kafka_AdminOptions_t, Deleter<rd_kafka_AdminOptions_destroy>>;
using Event = std::unique_ptr<rd_kafka_event_t, Deleter<rd_kafka_event_destroy>>;
using Created = std::unique_ptr<rd_kafka_NewTopic_t, Deleter<rd_kafka_NewTopic_destroy>>;
using Deleted = std::unique_ptr<rd_kafka_DeleteTopic_t, Deleter<rd_kafka_DeleteTopic_destroy>>;
using Asked = std::unique_ptr<rd_kafka_ListConsumerGroupOffsets_t, Deleter<rd_kafka_ListConsumerGroupOffsets_destroy>>;

Result<> topic_result(const rd_kafka_topic_result_t* const* results, size_t count, std::string_view what) {
  if (count != 1) return unavailable("{}: the broker answered for {} topics instead of one", what, count);
  const int error = rd_kafka_topic_result_error(results[0]);
  if (!error) return {};
  const char* detail = rd_kafka_topic_result_error_string(results[0]);
  return rd_error(error, what, detail ? detail : "");
}

}  // namespace

struct Admin::State {
  State(Handle made, ClientConfig from, int timeout)
      : handle(std::move(made)), config(std::move(from)), timeout_ms(timeout) {}

  Handle handle;
  ClientConfig config;
  int timeout_ms;

  Options options(rd_kafka_admin_op_t operation) const {
    Options made(rd_kafka_AdminOptions_new(handle.get(), operation));
    rd_kafka_AdminOptions_set_request_timeout(made.get(), timeout_ms, nullptr, 0);
    if (operation == RD_KAFKA_ADMIN_OP_CREATETOPICS || operation == RD_KAFKA_ADMIN_OP_DELETETOPICS) {
      rd_kafka_AdminOptions_set_operation_timeout(made.get(), timeout_ms, nullptr, 0);
    }
    return made;
  }

  // The operation's answer, or why there is none.
  Result<Event> answer(rd_kafka_queue_t* queue, std::string_view what) const {
    Event event(rd_kafka_queue_poll(queue, timeout_ms + 1000));
    if (!event) return unavailable("{}: no answer after {} ms", what, timeout_ms);
    if (const int error = rd_kafka_event_error(event.get())) {
      return rd_error(error, what, rd_kafka_event_error_string(event.get()));
    }
    return event;
  }

  Result<std::vector<PartitionOffset>> ask_group(rd_kafka_t* member, const std::string& group) const;
};

Admin::Admin(std::unique_ptr<State> state) : state_(std::move(state)) {}
Admin::~Admin() = default;

Result<std::unique_ptr<Admin>> Admin::open(const ClientConfig& config, int timeout_ms) {
  auto conf = make_conf(config, {{"client.id", "pinflow-admin"}});
  if (!conf) return pass(conf.error());
  auto handle = make_handle(Role::producer, std::move(*conf));
  if (!handle) return pass(handle.error());
  return std::unique_ptr<Admin>(new Admin(std::make_unique<State>(std::move(*handle), config, timeout_ms)));
}

Result<> Admin::create_topic(const NewTopic& topic) {
  const std::string what = fmt::format("creating topic {}", topic.name);
  if (topic.name.empty()) return invalid("creating a topic: its name is empty");
  std::array<char, 512> reason;
  const Created wanted(rd_kafka_NewTopic_new(topic.name.c_str(), topic.partitions, topic.replication_factor,
                                             reason.data(), reason.size()));
  if (!wanted) return invalid("{}: {}", what, reason.data());
  for (const auto& [name, value] : topic.configs) {
    if (const int error = rd_kafka_NewTopic_set_config(wanted.get(), name.c_str(), value.c_str())) {
      return rd_error(error, what);
    }
  }
  const Queue queue(rd_kafka_queue_new(state_->handle.get()));
  const Options options = state_->options(RD_KAFKA_ADMIN_OP_CREATETOPICS);
  rd_kafka_NewTopic_t* one = wanted.get();
  rd_kafka_CreateTopics(state_->handle.get(), &one, 1, options.get(), queue.get());
  auto event = state_->answer(queue.get(), what);
  if (!event) return pass(event.error());
  size_t count = 0;
  auto** results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event->get()), &count);
  return topic_result(results, count, what);
}

Result<> Admin::delete_topic(const std::string& name) {
  const std::string what = fmt::format("deleting topic {}", name);
  const Deleted wanted(rd_kafka_DeleteTopic_new(name.c_str()));
  const Queue queue(rd_kafka_queue_new(state_->handle.get()));
  const Options options = state_->options(RD_KAFKA_ADMIN_OP_DELETETOPICS);
  rd_kafka_DeleteTopic_t* one = wanted.get();
  rd_kafka_DeleteTopics(state_->handle.get(), &one, 1, options.get(), queue.get());
  auto event = state_->answer(queue.get(), what);
  if (!event) return pass(event.error());
  size_t count = 0;
  auto** results = rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event->get()), &count);
  return topic_result(results, count, what);
}

Result<std::vector<std::string>> Admin::list_topics(bool internal) {
  int error = 0;
  const Metadata metadata = all_metadata(state_->handle.get(), state_->timeout_ms, error);
  if (!metadata) return rd_error(error, "listing topics");
  std::vector<std::string> names;
  for (int i = 0; i < metadata->topic_cnt; ++i) {
    std::string name = metadata->topics[i].topic;
    if (internal || !name.starts_with("__")) names.push_back(std::move(name));
  }
  std::ranges::sort(names);
  return names;
}

Result<TopicInfo> Admin::describe_topic(const std::string& name) {
  auto info = kafka::describe_topic(state_->handle.get(), name, Configs::set, state_->timeout_ms);
  if (!info) {
    return fail(code_of(static_cast<int>(info.error().error)), "describing topic {}: {}", name, info.error().message);
  }
  return std::move(*info);
}

Result<Watermarks> Admin::watermarks(const TopicPartition& at) {
  Watermarks marks;
  if (const int error = rd_kafka_query_watermark_offsets(state_->handle.get(), at.topic.c_str(), at.partition,
                                                         &marks.low, &marks.high, state_->timeout_ms)) {
    return rd_error(error, fmt::format("asking for the offsets of {}/{}", at.topic, at.partition));
  }
  return marks;
}

Result<std::vector<PartitionOffset>> Admin::State::ask_group(rd_kafka_t* member, const std::string& group) const {
  const std::string what = fmt::format("asking for the offsets of group {}", group);
  const Asked asked(rd_kafka_ListConsumerGroupOffsets_new(group.c_str(), nullptr));
  const Queue queue(rd_kafka_queue_new(member));
  const Options made = options(RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS);
  rd_kafka_ListConsumerGroupOffsets_t* one = asked.get();
  rd_kafka_ListConsumerGroupOffsets(member, &one, 1, made.get(), queue.get());
  auto event = answer(queue.get(), what);
  if (!event) return pass(event.error());
  size_t count = 0;
  auto** groups = rd_kafka_ListConsumerGroupOffsets_result_groups(
      rd_kafka_event_ListConsumerGroupOffsets_result(event->get()), &count);
  if (count != 1) return unavailable("{}: the broker answered for {} groups instead of one", what, count);
  if (const rd_kafka_error_t* error = rd_kafka_group_result_error(groups[0])) {
    return rd_error(rd_kafka_error_code(error), what, rd_kafka_error_string(error));
  }
  std::vector<PartitionOffset> out;
  const auto* list = rd_kafka_group_result_partitions(groups[0]);
  for (int i = 0; list && i < list->cnt; ++i) {
    const auto& from = list->elems[i];
    if (from.err) return rd_error(from.err, what);
    if (from.offset >= 0) out.push_back({{from.topic, from.partition}, from.offset});
  }
  std::ranges::sort(out, {}, &PartitionOffset::at);
  return out;
}

Result<std::vector<PartitionOffset>> Admin::group_offsets(const std::string& group) {
  // A client with a group of its own: without one, librdkafka 2.0 dies of the answer NOT_COORDINATOR (its issue 5040).
  auto conf = make_conf(state_->config, {{"client.id", "pinflow-admin"}, {"group.id", group}});
  if (!conf) return pass(conf.error());
  auto member = make_handle(Role::consumer, std::move(*conf));
  if (!member) return pass(member.error());
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(state_->timeout_ms);
  while (true) {  // a broker that has just started looks for the group's coordinator for seconds
    auto offsets = state_->ask_group(member->get(), group);
    if (offsets || offsets.error().code != Code::unavailable || std::chrono::steady_clock::now() >= until)
      return offsets;
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
}

Result<std::string> Admin::cluster_id() {
  char* id = rd_kafka_clusterid(state_->handle.get(), state_->timeout_ms);
  if (!id) return std::string();
  std::string out(id);
  rd_kafka_mem_free(state_->handle.get(), id);
  return out;
}

}  // namespace pinflow::kafka
