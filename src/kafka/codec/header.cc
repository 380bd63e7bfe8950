#include "kafka/codec/header.h"

#include "kafka/codec/wire.h"

namespace pinflow::kafka {
namespace {

void skip_tags(Reader& in) {
  const uint32_t count = in.varint();
  for (uint32_t i = 0; i < count && in.ok(); ++i) {
    in.varint();
    in.take(in.varint());
  }
}

bool has_tagged_response_header(Api api, int16_t version) {
  return api != Api::api_versions && is_flexible(api, version);
}

}  // namespace

Result<Request> read_request(std::string_view frame) {
  Request request;
  Reader in(frame);
  request.header.api_key = in.integer<int16_t>();
  request.header.api_version = in.integer<int16_t>();
  request.header.correlation_id = in.integer<int32_t>();
  if (!in.ok()) return invalid("a request of {} bytes is shorter than its header", frame.size());
  request.api = find_api(request.header.api_key);
  if (request.api == nullptr) return request;
  const int16_t version = request.header.api_version;
  request.in_range = version >= request.api->min && version <= request.api->max;
  if (!request.in_range) return request;
  if (const auto id = in.string(false)) request.header.client_id.emplace(*id);
  if (is_flexible(request.api->api, version)) skip_tags(in);
  if (!in.ok()) return invalid("the header of a {} request is broken: {}", request.api->name, in.fault());
  request.body = frame.substr(frame.size() - in.remaining());
  return request;
}

void write_request_header(const RequestHeader& header, std::string& to) {
  Writer out(to);
  out.integer(header.api_key);
  out.integer(header.api_version);
  out.integer(header.correlation_id);
  out.string(header.client_id, false);
  if (is_flexible(static_cast<Api>(header.api_key), header.api_version)) out.varint(0);
}

void write_response_header(Api api, int16_t version, int32_t correlation_id, std::string& to) {
  Writer out(to);
  out.integer(correlation_id);
  if (has_tagged_response_header(api, version)) out.varint(0);
}

Result<Response> read_response(Api api, int16_t version, std::string_view frame) {
  Response response;
  Reader in(frame);
  response.correlation_id = in.integer<int32_t>();
  if (has_tagged_response_header(api, version)) skip_tags(in);
  if (!in.ok()) return invalid("the header of a {} response is broken: {}", spec_of(api).name, in.fault());
  response.body = frame.substr(frame.size() - in.remaining());
  return response;
}

}  // namespace pinflow::kafka
