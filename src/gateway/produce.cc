#include "gateway/produce.h"

#include <algorithm>
#include <cstdlib>
#include <utility>
#include <vector>

#include "gateway/produce_request.h"

namespace pinflow::gateway {
namespace {

using kafka::KafkaError;
using kafka::NewRecord;
using kafka::Written;

constexpr auto kRelaxed = std::memory_order_relaxed;

// A request whose records are with the writer.
struct UnderWay {
  std::shared_ptr<Shared> shared;
  http::Respond respond;
  std::string_view answer_type;
  Route route;
  size_t bytes;  // counted in bytes_in_flight
  bool partitions_named = false;
  std::vector<Slot> slots;     // of all records, where some were too large to be sent; else empty
  std::vector<uint32_t> sent;  // then: the places of those that were sent
};

size_t bytes_of(const NewRecord& record) {
  return (record.key ? record.key->size() : 0) + (record.value ? record.value->size() : 0);
}

// Takes the records that are too large out; each gets its error in its slot.
void set_aside_too_large(UnderWay& u, std::vector<NewRecord>& records) {
  const size_t most = u.shared->options.max_record_bytes;
  if (std::ranges::none_of(records, [&](const NewRecord& r) { return bytes_of(r) > most; })) return;
  u.slots.resize(records.size());
  std::vector<NewRecord> fit;
  for (size_t i = 0; i < records.size(); ++i) {
    if (const size_t bytes = bytes_of(records[i]); bytes > most) {
      u.slots[i].error_code = meaning_of(KafkaError::message_too_large).slot_code;
      u.slots[i].error = fmt::format("The record has {} bytes; at most {} are taken.", bytes, most);
    } else {
      u.sent.push_back(static_cast<uint32_t>(i));
      fit.push_back(std::move(records[i]));
    }
  }
  records = std::move(fit);
}

void fill(Slot& slot, Written& written) {
  if (written.error == KafkaError::none) {
    slot.partition = written.partition;
    slot.offset = written.offset;
  } else {
    slot.error_code = meaning_of(written.error).slot_code;
    slot.error = std::move(written.message);
  }
}

void answer_slots(const UnderWay& u, const std::vector<Slot>& slots) {
  const auto failed = std::ranges::count_if(slots, [](const Slot& s) { return s.error_code != 0; });
  u.shared->records_failed.fetch_add(failed, kRelaxed);
  u.shared->records_acknowledged.fetch_add(static_cast<int64_t>(slots.size()) - failed, kRelaxed);
  u.respond({200, std::string(u.answer_type), {}, produce_answer(slots)});
}

void answer_refusal(const UnderWay& u, size_t records, const RestError& error) {
  u.shared->records_failed.fetch_add(static_cast<int64_t>(records), kRelaxed);
  u.respond(refusal(*u.shared, error, u.answer_type));
}

// Nothing was stored for a reason that concerns the whole request: that is its answer, so that a client that looks at
// the status alone does not take it for stored.
bool failed_as_a_whole(const UnderWay& u, const std::vector<Written>& written) {
  return u.slots.empty() && std::ranges::all_of(written, [](const Written& w) {
           return w.error != KafkaError::none && meaning_of(w.error).request_code != 0;
         });
}

void answer_topic_not_found(const UnderWay& u, size_t records) {
  answer_refusal(u, records,
                 {404, kTopicNotFound,
                  fmt::format("Topic not found: there is no topic {}; create it, or let the broker create topics on "
                              "first use.",
                              u.route.topic)});
}

// Either the topic or the partition is not there; where a partition was named, only the topic's description tells
// which.
void answer_not_found(const std::shared_ptr<UnderWay>& u, std::vector<Written> written) {
  const size_t records = written.size();
  if (u->route.resource != Resource::partition && !u->partitions_named) {
    answer_topic_not_found(*u, records);
    return;
  }
  const bool asked = u->shared->side.submit([u, written]() mutable {
    if (!u->shared->writer.describe_topic(u->route.topic)) {
      answer_topic_not_found(*u, written.size());
    } else if (u->route.resource == Resource::partition) {
      answer_refusal(
          *u, written.size(),
          {404, kPartitionNotFound,
           fmt::format("Partition not found: topic {} has no partition {}.", u->route.topic, u->route.partition)});
    } else {
      std::vector<Slot> slots(written.size());
      for (size_t i = 0; i < slots.size(); ++i) fill(slots[i], written[i]);
      answer_slots(*u, slots);
    }
  });
  if (!asked) answer_topic_not_found(*u, records);
}

void finish(const std::shared_ptr<UnderWay>& u, std::vector<Written> written) {
  u->shared->bytes_in_flight.fetch_sub(u->bytes, kRelaxed);
  if (failed_as_a_whole(*u, written)) {
    const RestMeaning meaning = meaning_of(written[0].error);
    if (meaning.request_code == kTopicNotFound) {
      answer_not_found(u, std::move(written));
    } else {
      answer_refusal(*u, written.size(), {meaning.status(), meaning.request_code, written[0].message});
    }
    return;
  }
  if (u->slots.empty()) {
    std::vector<Slot> slots(written.size());
    for (size_t i = 0; i < slots.size(); ++i) fill(slots[i], written[i]);
    answer_slots(*u, slots);
    return;
  }
  for (size_t i = 0; i < written.size(); ++i) fill(u->slots[u->sent[i]], written[i]);
  answer_slots(*u, u->slots);
}

// Counts the request's bytes in; false where they do not fit. One request always fits.
bool admit(Shared& shared, size_t bytes) {
  const size_t before = shared.bytes_in_flight.fetch_add(bytes, kRelaxed);
  if (before == 0 || before + bytes <= shared.options.max_bytes_in_flight) return true;
  shared.bytes_in_flight.fetch_sub(bytes, kRelaxed);
  return false;
}

}  // namespace

void produce(const std::shared_ptr<Shared>& shared, Route route, const http::Request& request,
             std::string_view answer_type, http::Respond respond) {
  const auto refuse = [&](const RestError& error) { respond(refusal(*shared, error, answer_type)); };
  const auto embedded = embedded_format(request.header("Content-Type"));
  if (!embedded) return refuse(embedded.error());
  if (const std::string_view coding = request.header("Content-Encoding"); !coding.empty() && coding != "identity") {
    return refuse(
        {415, 415, "HTTP 415 Unsupported Media Type: a body with Content-Encoding is not taken; send it plain."});
  }
  const size_t bytes = request.body.size();
  if (!admit(*shared, bytes)) {
    return refuse({429, 429, "Too many records are waiting to be stored; send these again later."});
  }
  auto records = parse_produce(request.body, {.embedded = *embedded,
                                              .partition_in_path = route.resource == Resource::partition,
                                              .max_records = shared->options.max_records});
  if (!records) {
    shared->bytes_in_flight.fetch_sub(bytes, kRelaxed);
    return refuse(records.error());
  }
  auto u = std::make_shared<UnderWay>(shared, std::move(respond), answer_type, std::move(route), bytes);
  if (u->route.resource == Resource::partition) {
    for (NewRecord& record : *records) record.partition = u->route.partition;
  } else {
    u->partitions_named = std::ranges::any_of(*records, [](const NewRecord& r) { return r.partition.has_value(); });
  }
  set_aside_too_large(*u, *records);
  const size_t sent = records->size();
  if (sent == 0) return finish(u, {});
  std::string topic = u->route.topic;
  shared->writer.write(std::move(topic), std::move(*records), [u, sent](std::vector<Written> written) {
    if (written.size() != sent) std::abort();  // the writer broke its promise of one answer for each record
    finish(u, std::move(written));
  });
}

}  // namespace pinflow::gateway
