// The yardstick of the gateway's bench: a bare HTTP server in Beast's usual style, which parses the same request body
// with simdjson and answers as many bytes, but stores nothing.
//   beast_bare [THREADS]     prints its port; ends with its standard input
#include <fmt/format.h>
#include <simdjson.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/strand.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

std::string answer_for(size_t records) {
  std::string body = R"({"offsets":[)";
  for (size_t i = 0; i < records; ++i) {
    if (i > 0) body += ',';
    body += R"({"partition":0,"offset":1234567,"error_code":null,"error":null})";
  }
  return body + R"(],"key_schema_id":null,"value_schema_id":null})";
}

class Session : public std::enable_shared_from_this<Session> {
 public:
  explicit Session(tcp::socket socket) : stream_(std::move(socket)) {
    stream_.socket().set_option(tcp::no_delay(true));
  }
  void start() {
    asio::dispatch(stream_.get_executor(), [self = shared_from_this()] { self->read(); });
  }

 private:
  void read() {
    request_.emplace();
    request_->body_limit(16 << 20);
    http::async_read(stream_, buffer_, *request_, [self = shared_from_this()](beast::error_code ec, size_t) {
      if (!ec) self->answer();
    });
  }

  void answer() {
    response_ = {};
    response_.version(request_->get().version());
    response_.keep_alive(request_->get().keep_alive());
    size_t records = 0;
    std::string& body = request_->get().body();
    body.reserve(body.size() + simdjson::SIMDJSON_PADDING);
    simdjson::dom::array list;
    if (json_.parse(body)["records"].get(list) == simdjson::SUCCESS) {
      for (const auto record : list) {
        simdjson::dom::element value;
        if (record["value"].get(value) == simdjson::SUCCESS) ++records;
      }
      response_.result(http::status::ok);
      response_.body() = answer_for(records);
    } else {
      response_.result(http::status::bad_request);
    }
    response_.set(http::field::content_type, "application/vnd.kafka.v2+json");
    response_.prepare_payload();
    http::async_write(stream_, response_, [self = shared_from_this()](beast::error_code ec, size_t) {
      if (ec || !self->response_.keep_alive()) return;
      self->read();
    });
  }

  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> request_;
  http::response<http::string_body> response_;
  simdjson::dom::parser json_;
};

void accept(asio::io_context& io, tcp::acceptor& acceptor) {
  acceptor.async_accept(asio::make_strand(io), [&](beast::error_code ec, tcp::socket socket) {
    if (ec) return;
    std::make_shared<Session>(std::move(socket))->start();
    accept(io, acceptor);
  });
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::atoi(argv[1]) : 2;
  asio::io_context io(threads);
  tcp::acceptor acceptor(io, {asio::ip::make_address("127.0.0.1"), 0});
  acceptor.listen(1024);
  accept(io, acceptor);
  fmt::print("{}\n", acceptor.local_endpoint().port());
  std::fflush(stdout);
  std::vector<std::jthread> running;
  for (int i = 0; i < threads; ++i) running.emplace_back([&] { io.run(); });
  for (char c; ::read(STDIN_FILENO, &c, 1) > 0;) {
  }
  io.stop();
}
