#include "kafka/codec/topic_admin.h"

#include "kafka/codec/fields.h"

namespace pinflow::kafka {

template <class F>
void fields(F& f, CreateTopicsRequest::Topic::Assignment& m) {
  f(m.partition, m.brokers);
}

template <class F>
void fields(F& f, CreateTopicsRequest::Topic::Config& m) {
  f(m.name, m.value);
}

template <class F>
void fields(F& f, CreateTopicsRequest::Topic& m) {
  f(m.name, m.partitions, m.replication_factor, m.assignments, m.configs);
}

template <class F>
void fields(F& f, CreateTopicsRequest& m) {
  f(m.topics, m.timeout_ms);
  f.since(1, m.validate_only);
}
template struct Codec<CreateTopicsRequest>;

template <class F>
void fields(F& f, CreateTopicsResponse::Topic::Config& m) {
  f(m.name, m.value, m.read_only, m.config_source, m.is_sensitive);
}

template <class F>
void fields(F& f, CreateTopicsResponse::Topic& m) {
  f(m.name);
  f.since(7, m.topic_id);
  f(m.error_code);
  f.since(1, m.error_message);
  f.since(5, m.partitions, m.replication_factor, m.configs);
  if (f.version() >= 5) f.tagged(0, m.config_error_code);
}

template <class F>
void fields(F& f, CreateTopicsResponse& m) {
  f.since(2, m.throttle_time_ms);
  f(m.topics);
}
template struct Codec<CreateTopicsResponse>;

template <class F>
void fields(F& f, DeleteTopicsRequest::Topic& m) {
  f(m.name, m.topic_id);
}

template <class F>
void fields(F& f, DeleteTopicsRequest& m) {
  f.since(6, m.topics);
  f.between(0, 5, m.topic_names);
  f(m.timeout_ms);
}
template struct Codec<DeleteTopicsRequest>;

template <class F>
void fields(F& f, DeleteTopicsResponse::Topic& m) {
  f(m.name);
  f.since(6, m.topic_id);
  f(m.error_code);
  f.since(5, m.error_message);
}

template <class F>
void fields(F& f, DeleteTopicsResponse& m) {
  f.since(1, m.throttle_time_ms);
  f(m.topics);
}
template struct Codec<DeleteTopicsResponse>;

template <class F>
void fields(F& f, DeleteRecordsRequest::Topic::Partition& m) {
  f(m.partition, m.offset);
}

template <class F>
void fields(F& f, DeleteRecordsRequest::Topic& m) {
  f(m.name, m.partitions);
}

template <class F>
void fields(F& f, DeleteRecordsRequest& m) {
  f(m.topics, m.timeout_ms);
}
template struct Codec<DeleteRecordsRequest>;

template <class F>
void fields(F& f, DeleteRecordsResponse::Topic::Partition& m) {
  f(m.partition, m.low_watermark, m.error_code);
}

template <class F>
void fields(F& f, DeleteRecordsResponse::Topic& m) {
  f(m.name, m.partitions);
}

template <class F>
void fields(F& f, DeleteRecordsResponse& m) {
  f(m.throttle_time_ms, m.topics);
}
template struct Codec<DeleteRecordsResponse>;

template <class F>
void fields(F& f, CreatePartitionsRequest::Topic::Assignment& m) {
  f(m.brokers);
}

template <class F>
void fields(F& f, CreatePartitionsRequest::Topic& m) {
  f(m.name, m.count, m.assignments);
}

template <class F>
void fields(F& f, CreatePartitionsRequest& m) {
  f(m.topics, m.timeout_ms, m.validate_only);
}
template struct Codec<CreatePartitionsRequest>;

template <class F>
void fields(F& f, CreatePartitionsResponse::Topic& m) {
  f(m.name, m.error_code, m.error_message);
}

template <class F>
void fields(F& f, CreatePartitionsResponse& m) {
  f(m.throttle_time_ms, m.topics);
}
template struct Codec<CreatePartitionsResponse>;

}  // namespace pinflow::kafka
