#include "kinesis/api/token.h"

#include "aws/digest.h"
#include "base/bytes.h"

namespace pinflow::kinesis {
namespace {

constexpr size_t kMacBytes = 16;

void put(std::string& to, std::string_view text) {
  append_big(to, static_cast<uint16_t>(text.size()));
  to += text;
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  template <class T>
  T number() {
    if (rest_.size() < sizeof(T)) return fail<T>();
    const T value = load_big<T>(rest_.data());
    rest_.remove_prefix(sizeof(T));
    return value;
  }
  std::string text() {
    const auto size = number<uint16_t>();
    if (rest_.size() < size) return fail<std::string>();
    std::string value(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return value;
  }
  bool ended() const { return !failed_ && rest_.empty(); }

 private:
  template <class T>
  T fail() {
    failed_ = true;
    rest_ = {};
    return T();
  }
  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace

std::string TokenSeal::close(std::string body) const {
  body += aws::hmac_sha256(key_, body).substr(0, kMacBytes);
  return base64_encode(body);
}

bool TokenSeal::open(std::string_view text, std::string& body) const {
  if (!base64_decode(text, body) || body.size() < kMacBytes) return false;
  const std::string mac = body.substr(body.size() - kMacBytes);
  body.resize(body.size() - kMacBytes);
  return aws::equal_in_constant_time(mac, aws::hmac_sha256(key_, body).substr(0, kMacBytes));
}

std::string TokenSeal::seal(const ShardIterator& iterator) const {
  std::string body = "i";
  append_big(body, iterator.made_ms);
  append_big(body, iterator.offset);
  append_big(body, iterator.shard);
  put(body, iterator.stream);
  put(body, iterator.stream_id);
  return close(std::move(body));
}

std::string TokenSeal::seal(const NextToken& token) const {
  std::string body(1, token.list);
  append_big(body, token.made_ms);
  put(body, token.stream);
  put(body, token.stream_id);
  put(body, token.after);
  put(body, token.filter);
  return close(std::move(body));
}

std::expected<ShardIterator, TokenProblem> TokenSeal::open_iterator(std::string_view text, int64_t now_ms,
                                                                    int64_t* made_ms) const {
  std::string body;
  if (!open(text, body) || body.empty() || body[0] != 'i') return std::unexpected(TokenProblem::invalid);
  Reader reader(std::string_view(body).substr(1));
  ShardIterator iterator;
  iterator.made_ms = reader.number<int64_t>();
  iterator.offset = reader.number<int64_t>();
  iterator.shard = reader.number<int32_t>();
  iterator.stream = reader.text();
  iterator.stream_id = reader.text();
  if (!reader.ended()) return std::unexpected(TokenProblem::invalid);
  if (made_ms) *made_ms = iterator.made_ms;
  if (now_ms - iterator.made_ms > kTokenMs) return std::unexpected(TokenProblem::expired);
  return iterator;
}

std::expected<NextToken, TokenProblem> TokenSeal::open_next(std::string_view text, int64_t now_ms) const {
  std::string body;
  if (!open(text, body) || body.empty() || body[0] == 'i') return std::unexpected(TokenProblem::invalid);
  Reader reader(std::string_view(body).substr(1));
  NextToken token;
  token.list = body[0];
  token.made_ms = reader.number<int64_t>();
  token.stream = reader.text();
  token.stream_id = reader.text();
  token.after = reader.text();
  token.filter = reader.text();
  if (!reader.ended()) return std::unexpected(TokenProblem::invalid);
  if (now_ms - token.made_ms > kTokenMs) return std::unexpected(TokenProblem::expired);
  return token;
}

}  // namespace pinflow::kinesis
