#include "kafka/codec/configs.h"

#include "kafka/codec/fields.h"

namespace pinflow::kafka {

template <class F>
void fields(F& f, DescribeConfigsRequest::Resource& m) {
  f(m.type, m.name, m.keys);
}

template <class F>
void fields(F& f, DescribeConfigsRequest& m) {
  f(m.resources);
  f.since(1, m.include_synonyms);
  f.since(3, m.include_documentation);
}
template struct Codec<DescribeConfigsRequest>;

template <class F>
void fields(F& f, DescribeConfigsResponse::Result::Config::Synonym& m) {
  f(m.name, m.value, m.source);
}

template <class F>
void fields(F& f, DescribeConfigsResponse::Result::Config& m) {
  f(m.name, m.value, m.read_only);
  f.since(1, m.source);
  f(m.is_sensitive);
  f.since(1, m.synonyms);
  f.since(3, m.config_type, m.documentation);
}

template <class F>
void fields(F& f, DescribeConfigsResponse::Result& m) {
  f(m.error_code, m.error_message, m.type, m.name, m.configs);
}

template <class F>
void fields(F& f, DescribeConfigsResponse& m) {
  f(m.throttle_time_ms, m.results);
}
template struct Codec<DescribeConfigsResponse>;

template <class F>
void fields(F& f, AlterConfigsRequest::Resource::Config& m) {
  f(m.name, m.value);
}

template <class F>
void fields(F& f, AlterConfigsRequest::Resource& m) {
  f(m.type, m.name, m.configs);
}

template <class F>
void fields(F& f, AlterConfigsRequest& m) {
  f(m.resources, m.validate_only);
}
template struct Codec<AlterConfigsRequest>;

template <class F>
void fields(F& f, AlterConfigsResponse::Resource& m) {
  f(m.error_code, m.error_message, m.type, m.name);
}

template <class F>
void fields(F& f, AlterConfigsResponse& m) {
  f(m.throttle_time_ms, m.resources);
}
template struct Codec<AlterConfigsResponse>;

template <class F>
void fields(F& f, IncrementalAlterConfigsRequest::Resource::Config& m) {
  f(m.name, m.operation, m.value);
}

template <class F>
void fields(F& f, IncrementalAlterConfigsRequest::Resource& m) {
  f(m.type, m.name, m.configs);
}

template <class F>
void fields(F& f, IncrementalAlterConfigsRequest& m) {
  f(m.resources, m.validate_only);
}
template struct Codec<IncrementalAlterConfigsRequest>;

template <class F>
void fields(F& f, IncrementalAlterConfigsResponse::Resource& m) {
  f(m.error_code, m.error_message, m.type, m.name);
}

template <class F>
void fields(F& f, IncrementalAlterConfigsResponse& m) {
  f(m.throttle_time_ms, m.resources);
}
template struct Codec<IncrementalAlterConfigsResponse>;

}  // namespace pinflow::kafka
