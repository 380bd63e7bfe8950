#include <atomic>
#include <memory>

#include "base/bytes.h"
#include "base/logging.h"
#include "kafka/broker/errors.h"
#include "kafka/broker/handlers.h"
#include "log/batch.h"

namespace pinflow::kafka {
namespace {

constexpr int16_t kFirstZstdVersion = 7;
constexpr int kZstd = 4;
constexpr int16_t kTransactional = 0x10;
constexpr int16_t kControl = 0x20;
constexpr size_t kLeaderEpochAt = 12;  // in a batch; not covered by its CRC

using Part = ProduceResponse::Topic::Partition;

// One request whose batches are on their way to the disk.
struct Pending {
  ProduceResponse response;
  std::atomic<size_t> left = 1;  // batches not yet done, and 1 until all are handed over
  std::atomic<bool> failed = false;
  int16_t acks = 1;
  Answer answer;

  void refuse(Part& part, KafkaError error, std::string why) {
    part.error_code = wire(error);
    part.error_message = std::move(why);
    failed = true;
  }

  void one_done() {
    if (left.fetch_sub(1) != 1) return;
    if (acks != 0) answer.send(response);
    else if (failed) answer.hang_up();  // the only way to tell a producer that asked for no answer
    else answer.send_nothing();
  }
};

// What is wrong with a batch before the log looks at it.
std::optional<TopicFailure> fault(const log::BatchHeader& header, const std::string& batch, int64_t max_bytes,
                                  int16_t version) {
  if (static_cast<int64_t>(batch.size()) > max_bytes) {
    return TopicFailure{
        KafkaError::message_too_large,
        fmt::format("a batch of {} bytes: the topic takes {} (max.message.bytes)", batch.size(), max_bytes)};
  }
  if (header.bytes() != static_cast<int64_t>(batch.size())) {
    return TopicFailure{KafkaError::invalid_record, "a partition's records must be exactly one record batch"};
  }
  if ((header.attributes & (kTransactional | kControl)) != 0) {
    return TopicFailure{KafkaError::invalid_record, "transactions are not supported by this broker"};
  }
  if (header.compression() > kZstd || (header.compression() == kZstd && version < kFirstZstdVersion)) {
    return TopicFailure{KafkaError::unsupported_compression_type,
                        fmt::format("compression {} with Produce version {}", header.compression(), version)};
  }
  return std::nullopt;
}

void append(Services& services, const std::shared_ptr<Pending>& pending, const std::string& topic, int64_t max_bytes,
            int16_t version, Part& part, std::optional<Bytes> records) {
  if (!records || records->data.empty()) return pending->refuse(part, KafkaError::invalid_record, "no records");
  std::string batch = std::move(records->data);
  const auto header = log::read_batch_header(batch);
  if (!header) {
    return pending->refuse(part, KafkaError::invalid_record, header.error().message);
  }
  if (auto bad = fault(*header, batch, max_bytes, version)) {
    return pending->refuse(part, bad->error, std::move(bad->message));
  }
  store_big(batch.data() + kLeaderEpochAt, kLeaderEpoch);
  ++pending->left;
  // `part` stays where it is: the response's lists have their final sizes.
  services.log.append(topic, part.index, std::move(batch), [pending, &part](Result<log::Appended> appended) {
    if (appended) part.base_offset = appended->base_offset;
    else pending->refuse(part, append_error(appended.error()), appended.error().message);
    pending->one_done();
  });
}

}  // namespace

void handle(Services& services, const Call& call, ProduceRequest request, Answer answer) {
  const bool good_acks = request.acks >= -1 && request.acks <= 1;
  const std::shared_ptr<Pending> pending(new Pending{.acks = request.acks, .answer = std::move(answer)});
  auto& topics = pending->response.topics;
  topics.reserve(request.topics.size());
  for (auto& asked : request.topics) {
    auto& topic = topics.emplace_back();
    topic.name = asked.name;
    topic.partitions.reserve(asked.partitions.size());
    const auto known = services.topics.find(asked.name);
    for (auto& partition : asked.partitions) {
      Part& part = topic.partitions.emplace_back();
      part.index = partition.index;
      if (!good_acks) {
        pending->refuse(part, KafkaError::invalid_required_acks, "acks must be -1, 0 or 1");
      } else if (request.transactional_id) {
        pending->refuse(part, KafkaError::invalid_request, "transactions are not supported by this broker");
      } else if (!known) {
        pending->refuse(part, known.error().error, known.error().message);
      } else {
        append(services, pending, asked.name, known->max_message_bytes, call.version, part,
               std::move(partition.records));
      }
    }
  }
  pending->one_done();
}

InitProducerIdResponse handle(Services& services, const Call& call, InitProducerIdRequest request) {
  InitProducerIdResponse response;
  if (request.transactional_id) {
    warn("broker: {} asks for the transactional id {}: transactions are not supported", call.client_id,
         *request.transactional_id);
    response.error_code = wire(KafkaError::invalid_request);
    return response;
  }
  // A producer that asks again with its id wants a new start; a new id is one, and needs no memory of the old.
  const auto id = services.log.new_producer_id();
  if (!id) {
    error("broker: no producer id can be given: {}", id.error().message);
    response.error_code = wire(KafkaError::coordinator_not_available);  // clients retry
    return response;
  }
  response.producer_id = *id;
  response.producer_epoch = 0;
  return response;
}

}  // namespace pinflow::kafka
