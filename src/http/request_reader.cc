#include "http/request_reader.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <optional>
#include <string>

namespace pinflow::http {
namespace {

namespace beast = boost::beast;

constexpr size_t kKeptBodyBytes = 64 << 10;  // a body's buffer up to this size is kept for the next request

struct Refusal {
  int status = 0;
  std::string_view message;
};

bool same_text(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return (x | 0x20) == (y | 0x20); });
}

// Puts one request together in `request`. Header fields reuse the strings of the request before.
class Parser final : public beast::http::basic_parser<true> {
 public:
  Parser(Request& request, const ReaderLimits& limits) : request_(request) {
    eager(true);
    body_limit(limits.body_bytes);
    header_limit(static_cast<uint32_t>(limits.header_bytes));
    request_.body.clear();
  }

  void finish_fields() { request_.headers.resize(fields_); }
  bool http10() const { return version_ == 10; }
  bool wants_continue() const { return expects_continue_ && version_ == 11; }
  const Refusal& refusal() const { return refusal_; }

 private:
  using error_code = beast::error_code;
  using string_view = beast::string_view;

  void refuse(int status, std::string_view message, error_code& ec) {
    refusal_ = {status, message};
    ec = beast::http::error::bad_value;
  }

  void on_request_impl(beast::http::verb, string_view method, string_view target, int version, error_code&) override {
    request_.method.assign(method.data(), method.size());
    request_.target.assign(target.data(), target.size());
    version_ = version;
  }

  void on_response_impl(int, string_view, int, error_code&) override {}

  void on_field_impl(beast::http::field field, string_view name, string_view value, error_code& ec) override {
    if (fields_ == request_.headers.size()) request_.headers.emplace_back();
    HeaderField& to = request_.headers[fields_++];
    to.name.assign(name.data(), name.size());
    to.value.assign(value.data(), value.size());
    switch (field) {
      case beast::http::field::host: has_host_ = true; break;
      case beast::http::field::expect: expects_continue_ = same_text(to.value, "100-continue"); break;
      case beast::http::field::transfer_encoding:
        if (!same_text(to.value, "chunked")) {
          refuse(501, "The only transfer coding taken is chunked.", ec);
        }
        break;
      default: break;
    }
  }

  void on_header_impl(error_code& ec) override {
    finish_fields();
    if (version_ == 11 && !has_host_) refuse(400, "An HTTP/1.1 request must have a Host header field.", ec);
    if (chunked() && version_ == 10) refuse(400, "An HTTP/1.0 request cannot be chunked.", ec);
  }

  void on_body_init_impl(const boost::optional<uint64_t>& length, error_code&) override {
    // Reserved is what the client must prove by sending it.
    if (length) request_.body.reserve(std::min<uint64_t>(*length, kKeptBodyBytes));
  }

  size_t on_body_impl(string_view bytes, error_code&) override {
    request_.body.append(bytes.data(), bytes.size());
    return bytes.size();
  }

  void on_chunk_header_impl(uint64_t, string_view, error_code&) override {}

  size_t on_chunk_body_impl(uint64_t, string_view bytes, error_code&) override {
    request_.body.append(bytes.data(), bytes.size());
    return bytes.size();
  }

  void on_finish_impl(error_code&) override {}

  Request& request_;
  size_t fields_ = 0;
  int version_ = 11;
  bool has_host_ = false;
  bool expects_continue_ = false;
  Refusal refusal_;
};

Refusal refusal_of(const beast::error_code& ec, std::string_view bytes) {
  using beast::http::error;
  if (ec == error::body_limit) return {413, "The request's body is too large."};
  if (ec == error::header_limit) return {431, "The request's header is too large."};
  if (ec == error::bad_version && bytes.find(" HTTP/") != bytes.npos)
    return {505, "Only HTTP/1.0 and HTTP/1.1 are spoken here."};
  if (ec == error::bad_method) return {400, "Malformed request: the request line has no valid method."};
  if (ec == error::bad_target) return {400, "Malformed request: the request line has no valid target."};
  if (ec == error::bad_content_length) return {400, "Malformed request: a bad Content-Length."};
  if (ec == error::bad_transfer_encoding) return {400, "Malformed request: a bad Transfer-Encoding."};
  if (ec == error::bad_chunk || ec == error::bad_chunk_extension) return {400, "Malformed request: a bad chunk."};
  return {400, "Malformed request: this is not HTTP."};
}

}  // namespace

struct RequestReader::State {
  explicit State(ReaderLimits limits) : limits(limits) { parser.emplace(request, limits); }

  ReaderLimits limits;
  Request request;
  std::optional<Parser> parser;
  size_t header_bytes = 0;  // consumed of this request's header
  bool started = false;
  bool continue_told = false;
  Refusal refusal;
};

RequestReader::RequestReader(ReaderLimits limits) : state_(std::make_unique<State>(limits)) {}
RequestReader::~RequestReader() = default;

RequestReader::Progress RequestReader::feed(std::string_view bytes, size_t& used) {
  State& s = *state_;
  used = 0;
  if (!s.started) {
    // An empty line before a request is left over from a sloppy client (RFC 9112, 2.2).
    while (used < bytes.size() && (bytes[used] == '\r' || bytes[used] == '\n')) ++used;
    bytes.remove_prefix(used);
    if (bytes.empty()) return Progress::need_more;
    s.started = true;
  }
  const bool was_in_body = s.parser->is_header_done();
  beast::error_code ec;
  const size_t taken = s.parser->put(boost::asio::const_buffer(bytes.data(), bytes.size()), ec);
  used += taken;
  if (ec && ec != beast::http::error::need_more) {
    s.refusal = s.parser->refusal().status != 0 ? s.parser->refusal() : refusal_of(ec, bytes);
    return Progress::refused;
  }
  if (s.parser->is_done()) return Progress::complete;
  if (!was_in_body && !s.parser->is_header_done()) {
    // Beast bounds a line; the sum of the lines is bounded here.
    s.header_bytes += taken;
    if (s.header_bytes + (bytes.size() - taken) >= s.limits.header_bytes) {
      s.refusal = refusal_of(beast::http::make_error_code(beast::http::error::header_limit), bytes);
      return Progress::refused;
    }
  }
  return Progress::need_more;
}

const Request& RequestReader::request() const { return state_->request; }
bool RequestReader::keep_alive() const { return state_->parser->keep_alive(); }
bool RequestReader::http10() const { return state_->parser->http10(); }

void RequestReader::next() {
  State& s = *state_;
  if (s.request.body.capacity() > kKeptBodyBytes) std::string().swap(s.request.body);
  s.parser.emplace(s.request, s.limits);
  s.header_bytes = 0;
  s.started = s.continue_told = false;
}

void RequestReader::trim() {
  if (idle()) std::string().swap(state_->request.body);
}

bool RequestReader::idle() const { return !state_->started; }
bool RequestReader::in_body() const { return state_->parser->is_header_done() && !state_->parser->is_done(); }

bool RequestReader::wants_continue() {
  State& s = *state_;
  if (s.continue_told || !in_body() || !s.parser->wants_continue()) return false;
  s.continue_told = true;
  return s.request.body.empty();
}

size_t RequestReader::body_bytes() const { return state_->request.body.size(); }
int RequestReader::status() const { return state_->refusal.status; }
std::string_view RequestReader::message() const { return state_->refusal.message; }

}  // namespace pinflow::http
