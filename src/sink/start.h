// Where a partition is begun: the lake, the group and the log are asked, and compared. I/O; no state of its own.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/error.h"
#include "kafka/client/consumer.h"
#include "object/store.h"
#include "sink/coverage.h"
#include "sink/marker.h"
#include "sink/sink.h"

namespace pinflow::sink {

struct Start {
  int64_t offset = 0;
  Coverage known;  // what the lake holds behind it: records to be passed over
};

class Starter {
 public:
  // All outlive it. `consumer` is the group's, `questioner` fetches nothing; a third one is made where records must be
  // compared.
  Starter(const SinkOptions& options, object::Store& store, const kafka::ClientConfig& config,
          kafka::Consumer& consumer, kafka::Consumer& questioner)
      : options_(options), store_(store), config_(config), consumer_(consumer), questioner_(questioner) {}

  // Asks for the topics' ids again from now on: a topic may have been made anew since.
  void forget_ids() { ids_.clear(); }

  // Claims the topic in the lake (marker.h), then finds the start (coverage.h). unavailable, full, denied: try again.
  Result<Start> begin(const kafka::TopicPartition& at);

 private:
  Result<Marker> ids_of(const std::string& topic);
  // Where ids cannot tell: the lake's last record against the log's at the same offset.
  Result<> compare_last_record(const kafka::TopicPartition& at, int64_t offset, const std::string& line,
                               const std::string& object);

  const SinkOptions& options_;
  object::Store& store_;
  const kafka::ClientConfig& config_;
  kafka::Consumer& consumer_;
  kafka::Consumer& questioner_;
  std::map<std::string, Marker> ids_;
};

}  // namespace pinflow::sink
