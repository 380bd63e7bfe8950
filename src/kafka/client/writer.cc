#include "kafka/client/writer.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <thread>
#include <unordered_set>

#include "base/logging.h"
#include "kafka/client/describe.h"
#include "kafka/client/rd.h"

namespace pinflow::kafka {
namespace {

constexpr int kPollMs = 50;
constexpr int kAskTimeoutMs = 500;        // delivery reports wait meanwhile
constexpr size_t kMaxMetTopics = 10'000;  // beyond, a topic's first record waits up to a second

// One call of write: its records' fates, and who is told when the last one is known. Frees itself.
struct Batch {
  struct Slot {
    Batch* batch;
    size_t index;
  };

  Batch(size_t size, TopicWriter::Done then) : written(size), left(size), done(std::move(then)) {
    slots.reserve(size);
    for (size_t i = 0; i < size; ++i) slots.push_back({this, i});
  }

  void settle(size_t index, Written fate) {
    written[index] = std::move(fate);
    if (left.fetch_sub(1) > 1) return;
    done(std::move(written));
    delete this;
  }

  std::vector<Written> written;
  std::vector<Slot> slots;
  std::atomic<size_t> left;
  TopicWriter::Done done;
};

// On the writer's thread, once for each record that was queued.
void on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void*) noexcept {
  auto* slot = static_cast<Batch::Slot*>(message->_private);
  Written fate;
  if (message->err) {
    fate.error = kafka_error(message->err);
    fate.message = text_of(message->err);
  }
  fate.partition = message->partition;
  fate.offset = message->err ? -1 : message->offset;
  slot->batch->settle(slot->index, std::move(fate));
}

// Queues one record; 0 or why it could not be.
int enqueue(rd_kafka_t* rk, const std::string& topic, const NewRecord& record, Batch::Slot& slot) {
  std::array<rd_kafka_vu_t, 7> arguments;
  size_t count = 0;
  auto next = [&](rd_kafka_vtype_t type) -> rd_kafka_vu_t& {
    arguments[count].vtype = type;
    return arguments[count++];
  };
  next(RD_KAFKA_VTYPE_TOPIC).u.cstr = topic.c_str();
  next(RD_KAFKA_VTYPE_PARTITION).u.i32 = record.partition.value_or(RD_KAFKA_PARTITION_UA);
  next(RD_KAFKA_VTYPE_MSGFLAGS).u.i = RD_KAFKA_MSG_F_COPY;
  next(RD_KAFKA_VTYPE_OPAQUE).u.ptr = &slot;
  // A null and an empty value differ: data() of an empty string is not a null pointer.
  if (record.value) {
    auto& value = next(RD_KAFKA_VTYPE_VALUE).u.mem;
    value.ptr = const_cast<char*>(record.value->data());
    value.size = record.value->size();
  }
  if (record.key) {
    auto& key = next(RD_KAFKA_VTYPE_KEY).u.mem;
    key.ptr = const_cast<char*>(record.key->data());
    key.size = record.key->size();
  }
  rd_kafka_headers_t* headers = nullptr;
  if (!record.headers.empty()) {
    headers = rd_kafka_headers_new(record.headers.size());
    for (const Header& header : record.headers) {
      rd_kafka_header_add(headers, header.name.data(), static_cast<ssize_t>(header.name.size()),
                          header.value ? header.value->data() : nullptr,
                          header.value ? static_cast<ssize_t>(header.value->size()) : 0);
    }
    next(RD_KAFKA_VTYPE_HEADERS).u.headers = headers;
  }
  rd_kafka_error_t* error = rd_kafka_produceva(rk, arguments.data(), count);
  if (!error) return 0;
  const int code = rd_kafka_error_code(error);
  rd_kafka_error_destroy(error);
  if (headers) rd_kafka_headers_destroy(headers);  // librdkafka takes them only where it takes the record
  return code;
}

// Waits for the records under way, then fails those that are left; each has been answered at the end.
void drain(rd_kafka_t* rk, int timeout_ms) {
  if (rd_kafka_flush(rk, timeout_ms) == RD_KAFKA_RESP_ERR_NO_ERROR) return;
  rd_kafka_purge(rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  while (rd_kafka_outq_len(rk) > 0) rd_kafka_poll(rk, kPollMs);
}

}  // namespace

struct RdTopicWriter::State {
  State(ClientConfig given, WriterOptions chosen) : config(std::move(given)), options(std::move(chosen)) {}

  ClientConfig config;
  WriterOptions options;
  FaultLog faults{"Kafka producer"};
  std::mutex mutex;  // guards the next three
  std::shared_ptr<rd_kafka_s> handle;
  std::unordered_set<std::string> met;  // topics written to
  std::vector<std::string> fresh;       // those of them that the poller shall ask about
  std::atomic<bool> stopping{false};
  std::atomic<bool> broken{false};  // the handle has met an error that only a new one mends
  std::thread poller;

  std::shared_ptr<rd_kafka_s> current() {
    const std::lock_guard lock(mutex);
    return handle;
  }
  void wake() {  // the poller, from its waiting
    rd_kafka_queue_t* queue = rd_kafka_queue_get_main(current().get());
    rd_kafka_queue_yield(queue);
    rd_kafka_queue_destroy(queue);
  }
  void meet(const std::string& topic);
  void ask_about_fresh();
  Result<Handle> make();
  void run();
  void replace();
};

Result<Handle> RdTopicWriter::State::make() {
  const auto text = [](auto number) { return fmt::to_string(number); };
  auto conf = make_conf(config,
                        {
                            {"client.id", options.client_id},
                            {"enable.idempotence", "true"},
                            {"acks", "all"},
                            {"partitioner", "murmur2_random"},
                            {"linger.ms", text(options.linger_ms)},
                            {"queue.buffering.max.messages", text(options.queue_messages)},
                            {"queue.buffering.max.kbytes", text(options.queue_kbytes)},
                            {"message.max.bytes", text(options.max_message_bytes)},
                            {"delivery.timeout.ms", text(options.delivery_timeout_ms)},
                            {"topic.metadata.propagation.max.ms", text(options.unknown_topic_ms)},
                        },
                        this);
  if (!conf) return pass(conf.error());
  rd_kafka_conf_set_dr_msg_cb(conf->get(), on_delivery);
  rd_kafka_conf_set_error_cb(conf->get(), [](rd_kafka_t*, int error, const char* reason, void* opaque) noexcept {
    auto& state = user_of<State>(opaque);
    if (error == RD_KAFKA_RESP_ERR__FATAL) state.broken = true;
    else state.faults.passing(error, reason);
  });
  return make_handle(Role::producer, std::move(*conf));
}

// librdkafka looks for the partitions of a topic that is new to it once a second: asking at once spares the first
// record that wait.
void RdTopicWriter::State::meet(const std::string& topic) {
  {
    const std::lock_guard lock(mutex);
    if (met.size() >= kMaxMetTopics || !met.insert(topic).second) return;
    fresh.push_back(topic);
  }
  wake();
}

void RdTopicWriter::State::ask_about_fresh() {
  std::vector<std::string> topics;
  {
    const std::lock_guard lock(mutex);
    topics.swap(fresh);
  }
  for (const std::string& topic : topics) {
    rd_kafka_topic_t* local = rd_kafka_topic_new(handle.get(), topic.c_str(), nullptr);
    if (!local) continue;
    const struct rd_kafka_metadata* metadata = nullptr;
    if (rd_kafka_metadata(handle.get(), 0, local, &metadata, kAskTimeoutMs) == RD_KAFKA_RESP_ERR_NO_ERROR) {
      rd_kafka_metadata_destroy(metadata);
    }
    rd_kafka_topic_destroy(local);
  }
}

// An idempotent producer ends for good when the broker has lost its state (a log cut short, say): what was under way
// fails, and a new producer goes on.
void RdTopicWriter::State::replace() {
  std::array<char, 512> reason;
  rd_kafka_fatal_error(handle.get(), reason.data(), reason.size());
  warn("Kafka producer: {}; going on with a new one", reason.data());
  auto fresh = make();
  if (!fresh) return error("Kafka producer: {}", fresh.error().message);
  std::shared_ptr<rd_kafka_s> old(std::move(*fresh));
  {
    const std::lock_guard lock(mutex);
    std::swap(handle, old);
    broken = false;
  }
  drain(old.get(), 0);  // takes no record any more, so this ends
}

void RdTopicWriter::State::run() {
  while (!stopping) {
    rd_kafka_poll(handle.get(), kPollMs);
    ask_about_fresh();
    if (broken) replace();
  }
  drain(handle.get(), options.close_timeout_ms);
}

RdTopicWriter::RdTopicWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<RdTopicWriter>> RdTopicWriter::open(const ClientConfig& config, WriterOptions options) {
  auto state = std::make_unique<State>(config, std::move(options));
  auto handle = state->make();
  if (!handle) return pass(handle.error());
  state->handle = std::move(*handle);
  state->poller = std::thread([raw = state.get()] { raw->run(); });
  return std::unique_ptr<RdTopicWriter>(new RdTopicWriter(std::move(state)));
}

RdTopicWriter::~RdTopicWriter() {
  state_->stopping = true;
  state_->wake();
  state_->poller.join();
}

void RdTopicWriter::write(std::string topic, std::vector<NewRecord> records, Done done) {
  if (records.empty()) return done({});
  auto* batch = new Batch(records.size(), std::move(done));
  const auto handle = state_->current();
  std::vector<std::pair<size_t, int>> refused;  // told after the loop: the last one told frees the batch
  for (size_t i = 0; i < records.size(); ++i) {
    if (const int error = enqueue(handle.get(), topic, records[i], batch->slots[i])) refused.emplace_back(i, error);
  }
  state_->meet(topic);
  for (const auto& [index, error] : refused) batch->settle(index, {kafka_error(error), text_of(error)});
}

Result<> RdTopicWriter::flush(int timeout_ms) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  const auto handle = state_->current();
  while (const int left = rd_kafka_outq_len(handle.get())) {
    if (std::chrono::steady_clock::now() > until) {
      return unavailable("{} records are not acknowledged after {} ms", left, timeout_ms);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return {};
}

std::expected<std::vector<std::string>, TopicFailure> RdTopicWriter::list_topics() {
  const auto handle = state_->current();
  int error = 0;
  const Metadata metadata = all_metadata(handle.get(), state_->options.answer_timeout_ms, error);
  if (!metadata) return std::unexpected(TopicFailure{kafka_error(error), text_of(error)});
  std::vector<std::string> names;
  for (int i = 0; i < metadata->topic_cnt; ++i) {
    if (!std::string_view(metadata->topics[i].topic).starts_with("__")) names.emplace_back(metadata->topics[i].topic);
  }
  std::ranges::sort(names);
  return names;
}

std::expected<TopicInfo, TopicFailure> RdTopicWriter::describe_topic(const std::string& name) {
  const auto handle = state_->current();
  return kafka::describe_topic(handle.get(), name, Configs::all, state_->options.answer_timeout_ms);
}

}  // namespace pinflow::kafka
