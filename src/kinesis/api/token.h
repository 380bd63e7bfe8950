// Shard iterators and next tokens: opaque texts that only this service makes, sealed with its key (HMAC-SHA-256), good
// for 300 s. Pure; time comes as a number.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace pinflow::kinesis {

inline constexpr int64_t kTokenMs = 300'000;

enum class TokenProblem { invalid, expired };

struct ShardIterator {
  std::string stream;     // its name
  std::string stream_id;  // a stream made anew under the name has another
  int32_t shard = 0;
  int64_t offset = 0;  // the next to be read
  int64_t made_ms = 0;
};

// The next page of a list: where it goes on, and what the first page was asked for.
struct NextToken {
  char list = 's';        // 's' shards, 'n' names of streams
  std::string stream;     // of shards: the name
  std::string stream_id;  // of shards
  std::string after;      // the last element of the page before
  std::string filter;     // of shards: the filter, in the words of filter_text
  int64_t made_ms = 0;
};

class TokenSeal {
 public:
  explicit TokenSeal(std::string key) : key_(std::move(key)) {}  // 32 random bytes

  std::string seal(const ShardIterator& iterator) const;
  std::string seal(const NextToken& token) const;
  // An expired one is given too, by its problem alone; `made_ms` is then set where it is asked for.
  std::expected<ShardIterator, TokenProblem> open_iterator(std::string_view text, int64_t now_ms,
                                                           int64_t* made_ms = nullptr) const;
  std::expected<NextToken, TokenProblem> open_next(std::string_view text, int64_t now_ms) const;

 private:
  std::string close(std::string body) const;
  bool open(std::string_view text, std::string& body) const;

  const std::string key_;
};

}  // namespace pinflow::kinesis
