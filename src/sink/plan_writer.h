// Makes closed generations durable, in order and exactly once, whoever else writes there: its objects are made in
// memory, the plan is put if absent,
// then its objects, then the dead letters' topic is told. An object that is there already was made by the same plan
// from the same log, so it is what we would have put. A plan that is there already and differs is another sink's: it
// was first, and the generation is thrown away. I/O.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "connect/encoding.h"
#include "kafka/client/topic_writer.h"
#include "object/store.h"
#include "sink/file_writer.h"
#include "sink/names.h"

namespace pinflow::sink {

// Where dead letters go that are no objects; `writer` is nothing where there is no such topic.
struct DeadLetterTopic {
  kafka::TopicWriter* writer = nullptr;
  std::string topic;
};

// Makes the objects of closed lines. Called by several threads at once. Where it fails, the lines are as they were.
using Finish = std::function<Result<std::vector<connect::Piece>>(connect::Lines&)>;

class PlanWriter final : public FileWriter {
 public:
  // The store and the topic's writer must outlive it.
  PlanWriter(object::Store& store, const Layout& layout, Finish finish, DeadLetterTopic dead, std::string_view topic,
             int32_t partition)
      : store_(store),
        layout_(layout),
        finish_(std::move(finish)),
        dead_(std::move(dead)),
        topic_(topic),
        partition_(partition) {}

  Result<> write(std::deque<File>& files, WriteCounts& counts) override;
  bool is_overtaken() const override { return overtaken_; }

 private:
  Result<> finish(Generation& generation);
  Result<> put_plan(Generation& generation);
  Result<> put_objects(Generation& generation, WriteCounts& counts);
  Result<> meet(const Generation& generation, size_t object);
  Result<> send_dead_records(Generation& generation);

  object::Store& store_;
  const Layout layout_;
  const Finish finish_;
  const DeadLetterTopic dead_;
  const std::string topic_;
  const int32_t partition_;
  bool overtaken_ = false;
};

}  // namespace pinflow::sink
