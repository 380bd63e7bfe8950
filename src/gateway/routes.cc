#include "gateway/routes.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

namespace pinflow::gateway {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

// Of the path alone, as they are written; empty ones are left out.
std::vector<std::string_view> segments_of(std::string_view target) {
  target = target.substr(0, target.find_first_of("?#"));
  if (const size_t scheme = target.find("://"); scheme != target.npos && scheme < target.find('/')) {
    // The absolute form (RFC 9112, 3.2.2), as clients behind a proxy send it.
    target.remove_prefix(std::min(target.find('/', scheme + 3), target.size()));
  }
  std::vector<std::string_view> segments;
  for (size_t at = 0; at < target.size();) {
    const size_t slash = std::min(target.find('/', at), target.size());
    if (slash > at) segments.push_back(target.substr(at, slash - at));
    at = slash + 1;
  }
  return segments;
}

// What a path's first segment names where it is not served; empty for every other word.
std::string_view not_yet(std::string_view first) {
  if (first == "consumers") return "the consumers of the REST proxy's v2 API";
  if (first == "brokers") return "the list of brokers";
  if (first == "v3" || first == "kafka") return "the REST proxy's v3 API";
  if (first == "clusters") return "the REST proxy's v3 API";
  return {};
}

bool is_known(std::string_view segment) {
  return segment == "topics" || segment == "streams" || !not_yet(segment).empty();
}

Route topics_route(std::vector<std::string>& rest) {
  if (rest.size() == 1) return {Resource::topics};
  Route route{Resource::topic, std::move(rest[1])};
  if (rest.size() == 2) return route;
  if (rest[2] != "partitions") return {};
  if (rest.size() == 3) {
    route.resource = Resource::partitions;
    return route;
  }
  const std::string& number = rest[3];
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), route.partition);
  if (error != std::errc() || end != number.data() + number.size()) return {};
  if (rest.size() == 4) {
    route.resource = Resource::partition;
    return route;
  }
  if (rest.size() == 5 && rest[4] == "offsets")
    return {.resource = Resource::not_yet, .not_yet = "a partition's offsets"};
  return {};
}

// "a=b&c" with percent escapes and '+' for a blank. Nothing where an escape is broken.
std::optional<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> query;
  while (!text.empty()) {
    const size_t end = std::min(text.find('&'), text.size());
    std::string part(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (part.empty()) continue;
    std::ranges::replace(part, '+', ' ');
    const size_t equals = std::min(part.find('='), part.size());
    auto name = percent_decoded(std::string_view(part).substr(0, equals));
    auto value = percent_decoded(std::string_view(part).substr(std::min(equals + 1, part.size())));
    if (!name || !value) return std::nullopt;
    query.emplace_back(std::move(*name), std::move(*value));
  }
  return query;
}

Route streams_route(std::vector<std::string>& rest, std::vector<std::pair<std::string, std::string>> query) {
  Route route{.resource = Resource::streams, .query = std::move(query)};
  if (rest.size() == 1) return route;
  const auto inner = [](std::string_view name) {
    if (name == "record") return Resource::record;
    if (name == "records") return Resource::records;
    if (name == "sharditerator") return Resource::shard_iterator;
    return Resource::unknown;
  };
  const std::string named(route.parameter("stream-name"));
  if (rest.size() == 2 && !named.empty() && inner(rest[1]) != Resource::unknown) {
    route.resource = inner(rest[1]);
    route.stream = named;
    return route;
  }
  route.stream = std::move(rest[1]);
  route.resource = rest.size() == 2 ? Resource::stream : rest.size() == 3 ? inner(rest[2]) : Resource::unknown;
  return route;
}

}  // namespace

std::string_view Route::parameter(std::string_view name) const {
  const auto found = std::ranges::find(query, name, &std::pair<std::string, std::string>::first);
  return found == query.end() ? std::string_view() : found->second;
}

Result<Route> route(std::string_view target) {
  target = target.substr(0, target.find('#'));
  std::string_view query;
  if (const size_t mark = target.find('?'); mark != target.npos) query = target.substr(mark + 1);
  std::vector<std::string> segments;
  for (const std::string_view raw : segments_of(target)) {
    auto segment = percent_decoded(raw);
    if (!segment) return invalid("the path has a broken percent escape");
    segments.push_back(std::move(*segment));
  }
  if (segments.empty()) return Route{Resource::root};
  if (!is_known(segments[0])) {
    segments.erase(segments.begin());  // the stage
    if (segments.empty()) return Route{Resource::stage};
  }
  if (segments[0] == "topics") return topics_route(segments);
  if (segments[0] == "streams") {
    auto parameters = parse_query(query);
    if (!parameters) return invalid("the query has a broken percent escape");
    return streams_route(segments, std::move(*parameters));
  }
  if (const std::string_view what = not_yet(segments[0]); !what.empty()) {
    return Route{.resource = Resource::not_yet, .not_yet = what};
  }
  return Route{};
}

bool is_under_streams(std::string_view target) {
  const std::vector<std::string_view> segments = segments_of(target);
  if (segments.empty()) return false;
  return (is_known(segments[0]) ? segments[0] : segments.size() > 1 ? segments[1] : "") == "streams";
}

std::string_view methods_of(Resource resource) {
  switch (resource) {
    case Resource::stage:
    case Resource::topics:
    case Resource::partitions: return "GET,OPTIONS";
    case Resource::root:
    case Resource::topic:
    case Resource::partition: return "GET,OPTIONS,POST";
    case Resource::streams:
    case Resource::shard_iterator: return "GET,OPTIONS";
    case Resource::stream: return "DELETE,GET,OPTIONS,POST";
    case Resource::record: return "OPTIONS,POST,PUT";
    case Resource::records: return "GET,OPTIONS,POST,PUT";
    case Resource::not_yet:
    case Resource::unknown: return {};
  }
  std::unreachable();
}

}  // namespace pinflow::gateway
