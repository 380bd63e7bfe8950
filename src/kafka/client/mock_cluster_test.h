// For the tests of this room: librdkafka's own cluster of mock brokers on loopback. It knows produce, fetch, offsets,
// groups and metadata; topics are made on first use.
#pragma once

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <cstdlib>
#include <string>

#include "kafka/client/config.h"

namespace pinflow::kafka {

class MockCluster {
 public:
  MockCluster() {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, [](const rd_kafka_t*, int, const char*, const char*) {});
    rk_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, nullptr, 0);
    if (!rk_) std::abort();
    cluster_ = rd_kafka_mock_cluster_new(rk_, 1);
    if (!cluster_) std::abort();
  }
  ~MockCluster() {
    rd_kafka_mock_cluster_destroy(cluster_);
    rd_kafka_destroy(rk_);
  }
  MockCluster(const MockCluster&) = delete;
  MockCluster& operator=(const MockCluster&) = delete;

  ClientConfig config() const { return {rd_kafka_mock_cluster_bootstraps(cluster_), {}}; }
  rd_kafka_mock_cluster_t* get() const { return cluster_; }
  void create_topic(const std::string& name, int partitions) {
    if (rd_kafka_mock_topic_create(cluster_, name.c_str(), partitions, 1)) std::abort();
  }

 private:
  rd_kafka_t* rk_ = nullptr;
  rd_kafka_mock_cluster_t* cluster_ = nullptr;
};

}  // namespace pinflow::kafka
