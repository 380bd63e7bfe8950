// Where a partition is begun: the lake, the group and the log are asked, and compared. I/O. Of one thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/error.h"
#include "kafka/client/consumer.h"
#include "object/store.h"
#include "sink/coverage.h"
#include "sink/lake_reader.h"
#include "sink/marker.h"
#include "sink/plan.h"
#include "sink/sink.h"

namespace pinflow::sink {

struct Start {
  int64_t offset = 0;
  Coverage known;                  // what the lake holds behind it: records to be passed over
  std::optional<Plan> unfinished;  // begins at `offset`; what it says is to be made first
};

class Starter {
 public:
  // All outlive it. `consumer` is the group's, `questioner` fetches nothing; a third one is made where records must be
  // compared.
  // `fingerprint` is that of the settings, empty in a chain.
  Starter(const SinkOptions& options, std::string fingerprint, object::Store& store, const kafka::ClientConfig& config,
          kafka::Consumer& consumer, kafka::Consumer& questioner)
      : options_(options),
        fingerprint_(std::move(fingerprint)),
        store_(store),
        config_(config),
        consumer_(consumer),
        questioner_(questioner) {}

  // Asks for the topics' ids again from now on: a topic may have been made anew since.
  void forget_ids() { ids_.clear(); }

  // Claims the topic in the lake (marker.h), then finds the start (coverage.h). unavailable, full, denied: try again.
  Result<Start> begin(const kafka::TopicPartition& at);

 private:
  // What is known of a partition before the lake is asked.
  struct Facts {
    std::string where;  // for messages
    kafka::Watermarks log;
    std::optional<int64_t> committed;
    Sameness sameness = Sameness::unknown;
  };

  Result<Marker> ids_of(const std::string& topic);
  Result<Start> begin_chain(const kafka::TopicPartition& at, const Facts& facts, const std::optional<Plan>& last);
  Result<Start> begin_plans(const kafka::TopicPartition& at, const Facts& facts, const Plan& last);
  // Lists what a chain's start is judged by: where the group's offset is borne out, only the objects near it.
  Result<> list(LakeReader& lake, const std::optional<int64_t>& committed);
  int64_t near(const std::optional<int64_t>& committed) const;
  void tell_of_another_group(const std::string& topic, const std::string& group);
  // Where ids cannot tell: the lake's last record against the log's at the same offset.
  Result<> compare_last_record(const kafka::TopicPartition& at, int64_t offset, const std::string& line,
                               const std::string& object);

  const SinkOptions& options_;
  const std::string fingerprint_;
  object::Store& store_;
  const kafka::ClientConfig& config_;
  kafka::Consumer& consumer_;
  kafka::Consumer& questioner_;
  std::map<std::string, Marker> ids_;
  std::set<std::string> told_;  // topics of another group
};

}  // namespace pinflow::sink
