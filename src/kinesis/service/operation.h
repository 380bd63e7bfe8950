// The operations of the service, each a function from a checked request to the answer's text. All but the puts block
// (for the disk, or for puts under way) and are called on the service's workers.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "kinesis/api/token.h"
#include "kinesis/api/value.h"
#include "kinesis/service/catalogue.h"
#include "kinesis/service/service.h"

namespace pinflow::kinesis {

// What all requests share; outlives the last of them.
struct Shared {
  Shared(ServiceOptions given, std::unique_ptr<Catalogue> streams)
      : options(std::move(given)), catalogue(std::move(streams)), seal(catalogue->seal_key()) {}

  int64_t now() const { return options.now(); }
  const std::string& account() const { return options.account; }

  const ServiceOptions options;
  const std::unique_ptr<Catalogue> catalogue;
  const TokenSeal seal;
  std::atomic<size_t> put_bytes = 0;     // of puts under way
  std::atomic<size_t> answer_bytes = 0;  // of answers that their clients have not taken yet
  std::atomic<int64_t> requests = 0, requests_refused = 0, records_put = 0, records_read = 0;
};

// naming.cc. The stream that StreamName or StreamARN names, or both.
struct Named {
  std::string name;
  std::shared_ptr<LiveStream> live;
};
Answer<std::string> name_in(const Shared& shared, const Value& request);  // whether it is there or not
Answer<Named> stream_of(const Shared& shared, const Value& request);
Answer<Named> resource_of(const Shared& shared, const Value& request);  // ResourceARN; streams are the only resources
Refused stream_not_found(const Shared& shared, std::string_view name);
// The number of a shard that a request names; it need not be there.
Answer<int32_t> shard_in(const Shared& shared, std::string_view stream, std::string_view shard);

using Text = Answer<std::string>;

// put.cc. `answer` is called once, perhaps on a thread of the log.
using Answered = std::function<void(Text)>;
void put_record(const std::shared_ptr<Shared>& shared, Value& request, size_t body_bytes, Answered answer);
void put_records(const std::shared_ptr<Shared>& shared, Value& request, size_t body_bytes, Answered answer);

// iterator.cc, read.cc
Text get_shard_iterator(Shared& shared, const Value& request);
Text get_records(Shared& shared, const Value& request);

// describe.cc
Text describe_stream(Shared& shared, const Value& request);
Text describe_stream_summary(Shared& shared, const Value& request);
Text describe_limits(Shared& shared, const Value& request);
Text describe_account_settings(Shared& shared, const Value& request);

// list.cc
Text list_streams(Shared& shared, const Value& request);
Text list_shards(Shared& shared, const Value& request);

// change.cc
Text create_stream(Shared& shared, const Value& request);
Text delete_stream(Shared& shared, const Value& request);
Text split_shard(Shared& shared, const Value& request);
Text merge_shards(Shared& shared, const Value& request);
Text update_shard_count(Shared& shared, const Value& request);
Text update_stream_mode(Shared& shared, const Value& request);
Text increase_retention(Shared& shared, const Value& request);
Text decrease_retention(Shared& shared, const Value& request);

// tags.cc
Answer<> check_tags(const std::map<std::string, std::string>& tags);
Text add_tags(Shared& shared, const Value& request);
Text remove_tags(Shared& shared, const Value& request);
Text list_tags(Shared& shared, const Value& request);
Text tag_resource(Shared& shared, const Value& request);
Text untag_resource(Shared& shared, const Value& request);
Text list_resource_tags(Shared& shared, const Value& request);

}  // namespace pinflow::kinesis
