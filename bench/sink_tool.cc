// For bench/sink.py, over librdkafka as it is: fills a topic, and counts its records, which is the most that a sink
// could do.
//
//   sink_tool produce SERVER TOPIC RECORDS   records of about 450 bytes of JSON, in all of the topic's partitions
//   sink_tool count SERVER TOPIC RECORDS     reads so many from the topic's start; prints seconds and bytes
#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

[[noreturn]] void die(std::string_view what) {
  fmt::print(stderr, "sink_tool: {}\n", what);
  std::exit(1);
}

rd_kafka_t* open(rd_kafka_type_t type, const std::vector<std::pair<std::string, std::string>>& settings) {
  char error[512];
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  for (const auto& [key, value] : settings)
    if (rd_kafka_conf_set(conf, key.c_str(), value.c_str(), error, sizeof error) != RD_KAFKA_CONF_OK) die(error);
  rd_kafka_t* handle = rd_kafka_new(type, conf, error, sizeof error);
  if (!handle) die(error);
  return handle;
}

int partitions_of(rd_kafka_t* handle, const char* topic) {
  rd_kafka_topic_t* one = rd_kafka_topic_new(handle, topic, nullptr);
  const struct rd_kafka_metadata* metadata = nullptr;
  if (rd_kafka_metadata(handle, 0, one, &metadata, 10'000) != RD_KAFKA_RESP_ERR_NO_ERROR) die("no metadata");
  const int partitions = metadata->topics[0].partition_cnt;
  rd_kafka_metadata_destroy(metadata);
  rd_kafka_topic_destroy(one);
  return partitions;
}

// Like a post: a number, a time, a category, texts of words. From the number alone, always the same.
void append_record(std::string& to, int64_t n) {
  static constexpr std::string_view kWords[] = {"summer", "garden", "recipe", "vintage", "living", "travel",  "holiday",
                                                "paint",  "wooden", "sketch", "bright",  "simple", "kitchen", "autumn"};
  uint64_t state = static_cast<uint64_t>(n) * 0x9E3779B97F4A7C15u + 1;
  const auto next = [&state] { return (state = state * 6364136223846793005u + 1442695040888963407u) >> 33; };
  to += fmt::format(R"({{"index":{},"unique_id":"{:016x}","timestamp":{},"category":"{}","title":")", n, state,
                    1'600'000'000'000 + n * 50, kWords[next() % std::size(kWords)]);
  for (int i = 0; i < 6; ++i) (to += kWords[next() % std::size(kWords)]) += ' ';
  to += R"(","description":")";
  for (int i = 0; i < 28; ++i) (to += kWords[next() % std::size(kWords)]) += ' ';
  to += fmt::format(R"(","follower_count":{},"is_image":true,"save_to":"Local save in /data/{}"}})", next() % 100'000,
                    kWords[next() % std::size(kWords)]);
}

void produce(const char* server, const char* topic, int64_t count) {
  rd_kafka_t* handle = open(RD_KAFKA_PRODUCER, {{"bootstrap.servers", server},
                                                {"enable.idempotence", "true"},
                                                {"linger.ms", "20"},
                                                {"batch.size", "524288"},
                                                {"queue.buffering.max.messages", "200000"},
                                                {"queue.buffering.max.kbytes", "131072"}});
  const int partitions = partitions_of(handle, topic);
  rd_kafka_topic_t* to = rd_kafka_topic_new(handle, topic, nullptr);
  std::string value;
  for (int64_t n = 0; n < count; ++n) {
    value.clear();
    append_record(value, n);
    while (rd_kafka_produce(to, static_cast<int32_t>(n % partitions), RD_KAFKA_MSG_F_COPY, value.data(), value.size(),
                            nullptr, 0, nullptr) != 0)
      rd_kafka_poll(handle, 10);
    if (n % 1000 == 0) rd_kafka_poll(handle, 0);
  }
  if (rd_kafka_flush(handle, 120'000) != RD_KAFKA_RESP_ERR_NO_ERROR) die("not all was written");
  rd_kafka_topic_destroy(to);
  rd_kafka_destroy(handle);
}

void count(const char* server, const char* topic, int64_t count) {
  const auto start = std::chrono::steady_clock::now();
  rd_kafka_t* handle = open(RD_KAFKA_CONSUMER, {{"bootstrap.servers", server},
                                                {"group.id", "sink-bench-count"},
                                                {"enable.auto.commit", "false"},
                                                {"queued.max.messages.kbytes", "16384"},
                                                {"queued.min.messages", "1000000"},
                                                {"fetch.wait.max.ms", "50"}});
  rd_kafka_poll_set_consumer(handle);
  const int partitions = partitions_of(handle, topic);
  rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(partitions);
  for (int one = 0; one < partitions; ++one) rd_kafka_topic_partition_list_add(list, topic, one)->offset = 0;
  rd_kafka_assign(handle, list);
  int64_t records = 0;
  int64_t bytes = 0;
  rd_kafka_queue_t* queue = rd_kafka_queue_get_consumer(handle);
  std::vector<rd_kafka_message_t*> batch(1000);
  int64_t unseen = 0;
  while (records < count) {
    const ssize_t got = rd_kafka_consume_batch_queue(queue, 100, batch.data(), batch.size());
    for (ssize_t i = 0; i < got; ++i) {
      if (batch[i]->err == RD_KAFKA_RESP_ERR_NO_ERROR) ++records, bytes += static_cast<int64_t>(batch[i]->len);
      rd_kafka_message_destroy(batch[i]);
    }
    // Behind a full queue librdkafka 2.0 sleeps for up to a second; a question wakes it, as our consumer does it.
    if (bytes - unseen < 8 << 20) continue;
    unseen = bytes;
    for (int i = 0; i < list->cnt; ++i) list->elems[i].offset = RD_KAFKA_OFFSET_END;
    rd_kafka_offsets_for_times(handle, list, 1);
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  fmt::print("{} {}\n", seconds.count(), bytes);
  rd_kafka_queue_destroy(queue);
  rd_kafka_topic_partition_list_destroy(list);
  std::fflush(stdout);
  std::_Exit(0);  // without waiting for the group's end
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc == 5 ? argv[1] : "";
  if (what == "produce") produce(argv[2], argv[3], std::atoll(argv[4]));
  else if (what == "count") count(argv[2], argv[3], std::atoll(argv[4]));
  else die("produce|count SERVER TOPIC RECORDS");
  return 0;
}
