#include "kafka/client/consumer.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <random>
#include <set>

#include "base/logging.h"
#include "kafka/client/pattern.h"
#include "kafka/client/rd.h"

namespace pinflow::kafka {
namespace {

constexpr int kWakeTimeoutMs = 1;
constexpr std::chrono::seconds kCloseLimit(3);  // how long leaving the group may take
constexpr int kClosePollMs = 20;
// librdkafka holds a commit, and the end of the consumer behind it, back for ten seconds where no broker is there.
constexpr std::chrono::seconds kDownFor(10);

struct MessageDelete {
  void operator()(rd_kafka_message_t* message) const { rd_kafka_message_destroy(message); }
};
using Held = std::unique_ptr<rd_kafka_message_t, MessageDelete>;

struct ListDelete {
  void operator()(rd_kafka_topic_partition_list_t* list) const { rd_kafka_topic_partition_list_destroy(list); }
};
using List = std::unique_ptr<rd_kafka_topic_partition_list_t, ListDelete>;

struct QueueDelete {
  void operator()(rd_kafka_queue_t* queue) const { rd_kafka_queue_destroy(queue); }
};
using Queue = std::unique_ptr<rd_kafka_queue_t, QueueDelete>;

struct EventDelete {
  void operator()(rd_kafka_event_t* event) const { rd_kafka_event_destroy(event); }
};
using Event = std::unique_ptr<rd_kafka_event_t, EventDelete>;

List list_of(const std::vector<PartitionOffset>& partitions) {
  List list(rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size())));
  for (const PartitionOffset& one : partitions) {
    rd_kafka_topic_partition_list_add(list.get(), one.at.topic.c_str(), one.at.partition)->offset = one.offset;
  }
  return list;
}

List list_of(const std::vector<TopicPartition>& partitions) {
  List list(rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size())));
  for (const TopicPartition& one : partitions) {
    rd_kafka_topic_partition_list_add(list.get(), one.topic.c_str(), one.partition);
  }
  return list;
}

TopicPartition partition_of(const rd_kafka_topic_partition_t& one) { return {one.topic, one.partition}; }

std::vector<TopicPartition> partitions_of(const rd_kafka_topic_partition_list_t& list) {
  std::vector<TopicPartition> out;
  for (int i = 0; i < list.cnt; ++i) out.push_back(partition_of(list.elems[i]));
  return out;
}

// The first error that stands at a partition of the list.
Result<> partition_errors(const rd_kafka_topic_partition_list_t& list, std::string_view what) {
  for (int i = 0; i < list.cnt; ++i) {
    const auto& one = list.elems[i];
    if (one.err) return rd_error(one.err, fmt::format("{} {}/{}", what, one.topic, one.partition));
  }
  return {};
}

std::string_view reset_name(Reset reset) {
  switch (reset) {
    case Reset::earliest: return "earliest";
    case Reset::latest: return "latest";
    case Reset::none: return "error";
  }
  return "error";
}

// librdkafka keeps an assignment by hand in a group object too; nothing is ever committed under this name.
std::string lone_group() { return fmt::format("pinflow-{:08x}", std::random_device()()); }

}  // namespace

struct Consumer::State {
  State(std::string who, ConsumerOptions given, ClientConfig to)
      : options(std::move(given)), faults(std::move(who)), config(std::move(to)) {}

  ConsumerOptions options;
  FaultLog faults;
  ClientConfig config;
  Handle handle;
  Handle asker;  // made at the first question
  RebalanceCallbacks callbacks;
  std::vector<Held> held;        // what the views of the last poll point into
  std::optional<Error> failure;  // for the next poll to return

  // When no broker could be reached, lately.
  std::optional<std::chrono::steady_clock::time_point> down_since;
  bool is_down() const { return down_since && std::chrono::steady_clock::now() - *down_since < kDownFor; }

  int64_t handed_out = 0;  // bytes, since the fetcher was woken
  void rebalance(int error, rd_kafka_topic_partition_list_t& list);
  void wake_fetcher();
  void take(rd_kafka_message_t* message);
  void fault(int error, std::string_view text);
  // Of what this poll has taken so far, nothing of these partitions shall be seen.
  void drop(const rd_kafka_topic_partition_list_t& list);
  void fail_with(Error error) {
    if (!failure) failure = std::move(error);
  }
  // A client on connections of its own: on the consumer's an answer may wait behind that of a fetch for news.
  Result<rd_kafka_s*> for_questions();
  Result<> open_check() const {
    if (handle) return {};
    return fail(Code::cancelled, "the consumer is closed");
  }
  std::string name() const { return fmt::format("consumer group '{}'", options.group); }
};

void Consumer::State::fault(int error, std::string_view text) {
  std::array<char, 512> reason;
  if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) down_since = std::chrono::steady_clock::now();
  if (error == RD_KAFKA_RESP_ERR__FATAL) {
    error = rd_kafka_fatal_error(handle.get(), reason.data(), reason.size());
    fail_with({code_of(error), fmt::format("Kafka consumer: {}", reason.data())});
  } else if (code_of(error) == Code::denied) {
    fail_with({Code::denied, fmt::format("Kafka consumer: {}", text)});
  } else {
    faults.passing(error, text);
  }
}

Result<rd_kafka_s*> Consumer::State::for_questions() {
  if (auto open = open_check(); !open) return pass(open.error());
  if (!asker) {
    auto conf = make_conf(config, {{"client.id", options.client_id}});
    if (!conf) return pass(conf.error());
    auto made = make_handle(Role::producer, std::move(*conf));
    if (!made) return pass(made.error());
    asker = std::move(*made);
  }
  return asker.get();
}

void Consumer::State::drop(const rd_kafka_topic_partition_list_t& list) {
  std::set<std::pair<std::string_view, int32_t>> gone;
  for (int i = 0; i < list.cnt; ++i) gone.emplace(list.elems[i].topic, list.elems[i].partition);
  std::erase_if(held, [&](const Held& one) { return gone.contains({rd_kafka_topic_name(one->rkt), one->partition}); });
}

void Consumer::State::rebalance(int error, rd_kafka_topic_partition_list_t& list) {
  rd_kafka_t* rk = handle.get();
  const std::string_view protocol = rd_kafka_rebalance_protocol(rk);
  const bool incremental = protocol == "COOPERATIVE";
  rd_kafka_error_t* failed = nullptr;
  if (error == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
    std::vector<PartitionOffset> assigned;
    for (auto& at : partitions_of(list)) assigned.push_back({std::move(at), kOffsetStored});
    Result<> taken;
    if (callbacks.assigned) taken = callbacks.assigned(assigned);
    if (!taken) {
      fail_with(taken.error());
      assigned.clear();
    }
    const List from = list_of(assigned);
    if (incremental) failed = rd_kafka_incremental_assign(rk, from.get());
    else if (const auto e = rd_kafka_assign(rk, from.get())) fail_with(rd_error(e, "assigning partitions").error());
  } else {
    const bool lost = rd_kafka_assignment_lost(rk) != 0;
    const std::vector<TopicPartition> revoked = partitions_of(list);
    drop(list);
    if (lost && callbacks.lost) callbacks.lost(revoked);
    else if (callbacks.revoked) callbacks.revoked(revoked);
    if (incremental) failed = rd_kafka_incremental_unassign(rk, &list);
    else rd_kafka_assign(rk, nullptr);
  }
  if (failed) {
    fail_with(rd_error(rd_kafka_error_code(failed), "assigning partitions", rd_kafka_error_string(failed)).error());
    rd_kafka_error_destroy(failed);
  }
}

// A message, an end of partition, or an error that librdkafka hands over like one.
void Consumer::State::take(rd_kafka_message_t* message) {
  Held one(message);
  if (one->err == RD_KAFKA_RESP_ERR_NO_ERROR || one->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
    down_since.reset();
    handed_out += static_cast<int64_t>(one->len + one->key_len);
    held.push_back(std::move(one));
    return;
  }
  const char* detail = rd_kafka_message_errstr(one.get());
  const std::string text = fmt::format("{}{}", one->rkt ? fmt::format("topic {}: ", rd_kafka_topic_name(one->rkt)) : "",
                                       detail ? detail : text_of(one->err));
  switch (one->err) {
    case RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED:  // librdkafka joins again by itself; `lost` has been or will be called
      warn("{}: not polled for more than {} ms, so the group went on without this member", name(),
           options.max_poll_interval_ms);
      return;
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE: fail_with({Code::conflict, text}); return;
    default: break;
  }
  switch (code_of(one->err)) {
    case Code::not_found:
    case Code::conflict:
    case Code::corrupt:
    case Code::invalid:
    case Code::unsupported: fail_with({code_of(one->err), text}); return;
    default: fault(one->err, text);
  }
}

// Behind a full queue librdkafka 2.0's fetcher sleeps for up to a second, however soon the queue is emptied. Any
// question to the partitions' leaders wakes it: one is asked each time that half of a full queue has been handed out.
// Its answer does not matter, and may be stuck behind that of a fetch, so it is hardly waited for.
void Consumer::State::wake_fetcher() {
  if (handed_out < options.queue_kbytes * 512) return;
  handed_out = 0;
  rd_kafka_topic_partition_list_t* assigned = nullptr;
  if (rd_kafka_assignment(handle.get(), &assigned) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
  const List owned(assigned);
  for (int i = 0; i < assigned->cnt; ++i) assigned->elems[i].offset = kOffsetEnd;
  rd_kafka_offsets_for_times(handle.get(), assigned, kWakeTimeoutMs);
}

Consumer::Consumer(std::unique_ptr<State> state) : state_(std::move(state)) {}
Consumer::~Consumer() { close(); }

Result<std::unique_ptr<Consumer>> Consumer::open(const ClientConfig& config, ConsumerOptions options) {
  auto state = std::make_unique<State>("Kafka consumer", options, config);
  const auto text = [](int64_t number) { return fmt::to_string(number); };
  const int64_t answer_bytes = std::max<int64_t>({options.queue_kbytes << 10, options.fetch_bytes, 1'000'000});
  auto conf =
      make_conf(config,
                {
                    {"client.id", options.client_id},
                    {"group.id", options.group.empty() ? lone_group() : options.group},
                    {"enable.auto.commit", "false"},
                    {"enable.auto.offset.store", "false"},
                    {"enable.partition.eof", "true"},
                    {"auto.offset.reset", std::string(reset_name(options.reset))},
                    {"allow.auto.create.topics", "false"},
                    {"topic.blacklist", "^__.*"},
                    {"queued.max.messages.kbytes", text(options.queue_kbytes)},
                    {"queued.min.messages", "1000000"},  // the bytes above are the limit, not a number of messages
                    {"max.partition.fetch.bytes", text(options.fetch_bytes)},
                    {"fetch.max.bytes", text(answer_bytes)},
                    {"receive.message.max.bytes", text(answer_bytes + (16 << 20))},  // one larger record is sent whole
                    {"fetch.error.backoff.ms", "100"},
                    {"fetch.wait.max.ms", text(options.fetch_wait_ms)},
                    {"topic.metadata.refresh.interval.ms", text(options.metadata_refresh_ms)},
                    {"session.timeout.ms", text(options.session_timeout_ms)},
                    {"heartbeat.interval.ms", text(std::max(1, options.session_timeout_ms / 4))},
                    {"max.poll.interval.ms", text(std::max(options.max_poll_interval_ms, options.session_timeout_ms))},
                },
                state.get());
  if (!conf) return pass(conf.error());
  rd_kafka_conf_set_rebalance_cb(conf->get(),
                                 [](rd_kafka_t*, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t* list,
                                    void* opaque) noexcept { user_of<State>(opaque).rebalance(error, *list); });
  rd_kafka_conf_set_error_cb(conf->get(), [](rd_kafka_t*, int error, const char* reason, void* opaque) noexcept {
    user_of<State>(opaque).fault(error, reason);
  });
  auto handle = make_handle(Role::consumer, std::move(*conf));
  if (!handle) return pass(handle.error());
  state->handle = std::move(*handle);
  rd_kafka_poll_set_consumer(state->handle.get());  // callbacks come with poll, on the caller's thread
  return std::unique_ptr<Consumer>(new Consumer(std::move(state)));
}

Result<> Consumer::subscribe(const std::vector<std::string>& topics, RebalanceCallbacks callbacks) {
  if (auto open = state_->open_check(); !open) return open;
  state_->callbacks = std::move(callbacks);
  const List list(rd_kafka_topic_partition_list_new(static_cast<int>(topics.size())));
  for (const std::string& topic : topics) {
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
  }
  if (const auto error = rd_kafka_subscribe(state_->handle.get(), list.get())) {
    return rd_error(error, state_->name() + ": subscribing");
  }
  return {};
}

Result<> Consumer::subscribe_pattern(const std::string& regex, RebalanceCallbacks callbacks) {
  auto pattern = topic_pattern(regex);
  if (!pattern) return pass(pattern.error());
  return subscribe({*pattern}, std::move(callbacks));
}

Result<> Consumer::assign(const std::vector<PartitionOffset>& from) {
  if (auto open = state_->open_check(); !open) return open;
  state_->held.clear();
  const List list = list_of(from);
  if (const auto error = rd_kafka_assign(state_->handle.get(), from.empty() ? nullptr : list.get())) {
    return rd_error(error, "assigning partitions");
  }
  return {};
}

Result<std::vector<Message>> Consumer::poll(std::chrono::milliseconds timeout) {
  State& state = *state_;
  if (auto open = state.open_check(); !open) return pass(open.error());
  state.held.clear();
  // One at a time: in librdkafka 2.0 the batch call may give messages of partitions that were revoked meanwhile.
  int wait_ms = static_cast<int>(timeout.count());
  while (!state.failure && static_cast<int>(state.held.size()) < state.options.max_batch) {
    rd_kafka_message_t* message = rd_kafka_consumer_poll(state.handle.get(), wait_ms);
    if (!message) break;
    state.take(message);
    wait_ms = 0;
  }
  state.wake_fetcher();
  if (state.failure && state.held.empty()) {
    const Error error = *std::exchange(state.failure, std::nullopt);
    return pass(error);
  }
  std::vector<Message> batch;
  batch.reserve(state.held.size());
  for (const Held& one : state.held) {
    Message message;
    message.topic = rd_kafka_topic_name(one->rkt);
    message.partition = one->partition;
    message.offset = one->offset;
    if (one->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      message.end_of_partition = true;
      batch.push_back(std::move(message));
      continue;
    }
    rd_kafka_timestamp_type_t type;
    message.timestamp_ms = rd_kafka_message_timestamp(one.get(), &type);
    if (one->key) message.key = {static_cast<const char*>(one->key), one->key_len};
    if (one->payload) message.value = {static_cast<const char*>(one->payload), one->len};
    rd_kafka_headers_t* headers = nullptr;
    if (rd_kafka_message_headers(one.get(), &headers) == RD_KAFKA_RESP_ERR_NO_ERROR) {
      const char* name = nullptr;
      const void* value = nullptr;
      size_t size = 0;
      for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
        HeaderView header{name, std::nullopt};
        if (value) header.value = {static_cast<const char*>(value), size};
        message.headers.push_back(header);
      }
    }
    batch.push_back(std::move(message));
  }
  return batch;
}

Result<> Consumer::seek(const TopicPartition& at, int64_t offset) {
  if (auto open = state_->open_check(); !open) return open;
  const List list = list_of(std::vector<PartitionOffset>{{at, offset}});
  const std::string what = fmt::format("seeking {}/{} to {}", at.topic, at.partition, offset);
  if (rd_kafka_error_t* error = rd_kafka_seek_partitions(state_->handle.get(), list.get(), kAnswerTimeoutMs)) {
    auto failed = rd_error(rd_kafka_error_code(error), what, rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
    return failed;
  }
  return partition_errors(*list, "seeking");
}

Result<> Consumer::pause(const std::vector<TopicPartition>& which) {
  if (auto open = state_->open_check(); !open) return open;
  const List list = list_of(which);
  rd_kafka_pause_partitions(state_->handle.get(), list.get());
  return partition_errors(*list, "pausing");
}

Result<> Consumer::resume(const std::vector<TopicPartition>& which) {
  if (auto open = state_->open_check(); !open) return open;
  const List list = list_of(which);
  rd_kafka_resume_partitions(state_->handle.get(), list.get());
  return partition_errors(*list, "resuming");
}

Result<> Consumer::commit(const std::vector<PartitionOffset>& next, std::chrono::milliseconds at_most) {
  if (auto open = state_->open_check(); !open) return open;
  if (state_->options.group.empty()) return invalid("a consumer without a group cannot commit");
  if (next.empty()) return {};
  const List list = list_of(next);
  const std::string what = state_->name() + ": committing";
  if (state_->is_down()) return unavailable("{}: no broker can be reached", what);
  // Through a queue of its own: the plain call waits for a coordinator that is gone, however long.
  const Queue answers(rd_kafka_queue_new(state_->handle.get()));
  if (const auto error = rd_kafka_commit_queue(state_->handle.get(), list.get(), answers.get(), nullptr, nullptr))
    return rd_error(error, what);
  const Event answer(rd_kafka_queue_poll(answers.get(), static_cast<int>(at_most.count())));
  if (!answer) return unavailable("{}: no answer in {} ms", what, at_most.count());
  if (const auto error = rd_kafka_event_error(answer.get())) return rd_error(error, what);
  const rd_kafka_topic_partition_list_t* committed = rd_kafka_event_topic_partition_list(answer.get());
  return committed ? partition_errors(*committed, what) : Result<>{};
}

Result<std::vector<PartitionOffset>> Consumer::committed(const std::vector<TopicPartition>& which) {
  if (auto open = state_->open_check(); !open) return pass(open.error());
  const List list = list_of(which);
  const std::string what = state_->name() + ": reading its committed offsets";
  if (const auto error = rd_kafka_committed(state_->handle.get(), list.get(), kAnswerTimeoutMs))
    return rd_error(error, what);
  if (auto ok = partition_errors(*list, what); !ok) return pass(ok.error());
  std::vector<PartitionOffset> out;
  for (int i = 0; i < list->cnt; ++i) {
    const auto& one = list->elems[i];
    out.push_back({partition_of(one), one.offset >= 0 ? one.offset : kOffsetStored});
  }
  return out;
}

Result<Watermarks> Consumer::watermarks(const TopicPartition& at) {
  auto asker = state_->for_questions();
  if (!asker) return pass(asker.error());
  Watermarks marks;
  if (const auto error = rd_kafka_query_watermark_offsets(*asker, at.topic.c_str(), at.partition, &marks.low,
                                                          &marks.high, kAnswerTimeoutMs)) {
    return rd_error(error, fmt::format("asking for the offsets of {}/{}", at.topic, at.partition));
  }
  return marks;
}

std::vector<TopicPartition> Consumer::assignment() const {
  rd_kafka_topic_partition_list_t* list = nullptr;
  if (!state_->handle || rd_kafka_assignment(state_->handle.get(), &list) != RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  const List owned(list);
  return partitions_of(*list);
}

Result<std::vector<std::pair<std::string, int32_t>>> Consumer::topics() {
  auto asker = state_->for_questions();
  if (!asker) return pass(asker.error());
  int error = 0;
  const Metadata metadata = all_metadata(*asker, kAnswerTimeoutMs, error);
  if (!metadata) return rd_error(error, "listing topics");
  std::vector<std::pair<std::string, int32_t>> out;
  for (int i = 0; i < metadata->topic_cnt; ++i) {
    const std::string name = metadata->topics[i].topic;
    if (!name.starts_with("__")) out.emplace_back(name, metadata->topics[i].partition_cnt);
  }
  std::ranges::sort(out);
  return out;
}

Result<std::string> Consumer::cluster_id() {
  if (auto open = state_->open_check(); !open) return pass(open.error());
  char* id = rd_kafka_clusterid(state_->handle.get(), kAnswerTimeoutMs);
  if (!id) return std::string();
  std::string out(id);
  rd_kafka_mem_free(state_->handle.get(), id);
  return out;
}

void Consumer::close() {
  if (!state_->handle) return;
  state_->held.clear();
  // As rd_kafka_consumer_close, which waits ten seconds for a coordinator that is gone.
  rd_kafka_t* rk = state_->handle.get();
  bool closed = true;
  if (const Queue queue(rd_kafka_queue_new(rk)); !state_->options.group.empty()) {
    if (rd_kafka_error_t* error = rd_kafka_consumer_close_queue(rk, queue.get())) rd_kafka_error_destroy(error);
    const auto until = std::chrono::steady_clock::now() + kCloseLimit;
    while (!(closed = rd_kafka_consumer_closed(rk) != 0) && std::chrono::steady_clock::now() < until)
      rd_kafka_queue_poll_callback(queue.get(), kClosePollMs);  // calls `revoked`
  } else {
    rd_kafka_consumer_close(rk);
  }
  state_->held.clear();
  if (closed) state_->handle.reset();
  else rd_kafka_destroy_flags(state_->handle.release(), RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
  state_->asker.reset();
}

}  // namespace pinflow::kafka
