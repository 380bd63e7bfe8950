#include "http/server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/buffer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <ctime>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/json.h"
#include "http/connection.h"
#include "http/inbox.h"
#include "http/listen.h"
#include "http/response_bytes.h"

namespace pinflow::http {

Response json_error(int status, std::string_view message) {
  return {
      status, "application/json", {}, fmt::format(R"({{"error_code":{},"message":{}}})", status, json_string(message))};
}

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using Socket = asio::basic_stream_socket<tcp, asio::io_context::executor_type>;
using Acceptor = asio::basic_socket_acceptor<tcp, asio::io_context::executor_type>;
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>,
                                         asio::io_context::executor_type>;

constexpr int kMinTickMs = 10;
constexpr int kMaxTickMs = 1'000;
constexpr int kAcceptsAtOnce = 64;
constexpr int kAcceptRetryMs = 100;  // after the process or the machine ran out of descriptors

// What the workers share.
struct Shared {
  ServerOptions options;
  Handler handler;
  std::atomic<int> open_connections = 0;
  std::atomic<bool> accept_paused = false;
  std::function<void()> resume_accept;
  std::mutex mutex;
  std::condition_variable all_closed;

  void connection_closed() {
    if (open_connections.fetch_sub(1) == 1) {
      const std::lock_guard lock(mutex);
      all_closed.notify_all();
    }
    if (accept_paused.exchange(false)) resume_accept();
  }
};

class Worker;

class AsioWire final : public Wire {
 public:
  AsioWire(Worker& worker, Socket socket) : worker_(worker), socket_(std::move(socket)) {}
  void attach(Connection& connection) { connection_ = &connection; }

  void read(char* to, size_t bytes) override;
  void wait_writable() override;
  ptrdiff_t send(const char* bytes, size_t size) override {
    for (;;) {
      const ssize_t n = ::send(socket_.native_handle(), bytes, size, MSG_NOSIGNAL);
      if (n >= 0) return n;
      if (errno == EAGAIN || errno == EWOULDBLOCK) return 0;
      if (errno != EINTR) return -1;
    }
  }
  void end_output() override { ::shutdown(socket_.native_handle(), SHUT_WR); }
  void close() override {
    error_code ignored;
    socket_.close(ignored);
  }

 private:
  Worker& worker_;
  Socket socket_;
  Connection* connection_ = nullptr;  // owns this
};

// One thread, its io_context and its connections. What belongs to a connection is touched by this thread alone, so
// nothing on a request's way takes a lock; answers from other threads come through the inbox.
class Worker {
 public:
  explicit Worker(Shared& shared);

  void run();
  void tick();
  void add(Fd fd, sa_family_t family);
  void settle();  // at the end of every entry from the io_context
  void close_when_answered();
  void drop_all() { places_.clear(); }  // after its thread has ended

  asio::io_context& io() { return io_; }
  Inbox& inbox() { return *turn_.inbox; }
  // Connections here or on their way; counted by the acceptor when it hands one over.
  size_t load() const { return load_.load(std::memory_order_relaxed); }
  void expect_one() { load_.fetch_add(1, std::memory_order_relaxed); }

 private:
  struct Place {
    std::unique_ptr<Connection> connection;
    uint32_t generation = 0;
  };
  Connection* find(uint64_t id);
  void drain_inbox();
  void deliver(std::vector<Answer>& answers);
  void delete_closed();
  void update_clock();
  void forget_one();

  Shared& shared_;
  asio::io_context io_{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO};
  Timer timer_;
  Turn turn_;
  std::vector<Place> places_;  // a connection's id is generation << 32 | place
  std::vector<uint32_t> free_places_;
  std::vector<uint64_t> deletable_;
  std::vector<Answer> taken_;  // empty but for its memory
  int64_t date_seconds_ = 0;
  int tick_ms_ = 0;
  std::atomic<size_t> load_ = 0;
  bool stopping_ = false;
};

void AsioWire::read(char* to, size_t bytes) {
  socket_.async_read_some(asio::buffer(to, bytes), [this](error_code ec, size_t got) {
    connection_->on_read(!ec ? static_cast<ptrdiff_t>(got) : ec == asio::error::eof ? 0 : -1);
    worker_.settle();
  });
}

void AsioWire::wait_writable() {
  socket_.async_wait(Socket::wait_write, [this](error_code) {
    connection_->on_writable();
    worker_.settle();
  });
}

Worker::Worker(Shared& shared)
    : shared_(shared),
      timer_(io_),
      turn_{
          .options = shared.options,
          .handler = shared.handler,
          .inbox = std::make_shared<Inbox>([this] { asio::post(io_, [this] { drain_inbox(); }); },
                                           shared.options.error_response),
          .unfinished_budget = shared.options.max_unfinished_body_bytes / static_cast<size_t>(shared.options.threads)} {
  const ServerOptions& o = shared.options;
  tick_ms_ = std::clamp(std::min({o.idle_ms, o.header_ms, o.stall_ms}) / 4, kMinTickMs, kMaxTickMs);
}

void Worker::run() {
  turn_.inbox->own_this_thread(true);
  const auto work = asio::make_work_guard(io_);
  update_clock();
  tick();
  io_.run();
  turn_.inbox->own_this_thread(false);
}

void Worker::update_clock() {
  using namespace std::chrono;
  turn_.now_ms = duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
  const int64_t seconds = std::time(nullptr);
  if (seconds == date_seconds_) return;
  date_seconds_ = seconds;
  turn_.common_fields.clear();
  append_field(turn_.common_fields, "Date", http_date(seconds));
  for (const HeaderField& field : shared_.options.headers) append_field(turn_.common_fields, field.name, field.value);
}

void Worker::tick() {
  update_clock();
  for (const Place& place : places_) {
    if (place.connection) place.connection->check_times();
  }
  settle();
  timer_.expires_after(std::chrono::milliseconds(tick_ms_));
  timer_.async_wait([this](error_code ec) {
    if (!ec) tick();
  });
}

void Worker::add(Fd fd, sa_family_t family) {
  error_code ec;
  Socket socket(io_);
  if (!stopping_) socket.assign(family == AF_INET6 ? tcp::v6() : tcp::v4(), fd.get(), ec);
  if (stopping_ || ec) {
    forget_one();
    return;
  }
  fd.release();
  const int on = 1;
  ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (free_places_.empty()) {
    free_places_.push_back(static_cast<uint32_t>(places_.size()));
    places_.emplace_back();
  }
  const uint32_t index = free_places_.back();
  free_places_.pop_back();
  Place& place = places_[index];
  const uint64_t id = (uint64_t{++place.generation} << 32) | index;
  auto wire = std::make_unique<AsioWire>(*this, std::move(socket));
  AsioWire& its_wire = *wire;
  place.connection = std::make_unique<Connection>(turn_, std::move(wire), id);
  its_wire.attach(*place.connection);
  place.connection->start();
  settle();
}

void Worker::forget_one() {
  load_.fetch_sub(1, std::memory_order_relaxed);
  shared_.connection_closed();
}

Connection* Worker::find(uint64_t id) {
  const auto index = static_cast<uint32_t>(id);
  if (index >= places_.size() || places_[index].generation != id >> 32) return nullptr;
  return places_[index].connection.get();
}

void Worker::drain_inbox() {
  turn_.inbox->take(taken_);
  deliver(taken_);
  settle();
}

void Worker::deliver(std::vector<Answer>& answers) {
  for (Answer& answer : answers) {
    if (Connection* c = find(answer.connection))
      c->answered(answer.number, std::move(answer.response), std::move(answer.held));
  }
  answers.clear();
}

// Brings everything that this turn has caused to its end: answers to their connections, bytes to the sockets, closed
// connections to the heap.
void Worker::settle() {
  std::vector<Answer>& local = turn_.inbox->local();
  while (!local.empty() || !turn_.dirty.empty()) {
    // Neither answering nor flushing puts an answer here, but for the handler, which only flush() calls.
    deliver(local);
    for (size_t i = 0; i < turn_.dirty.size(); ++i) {
      turn_.dirty[i]->dirty = false;
      turn_.dirty[i]->flush();
    }
    turn_.dirty.clear();
  }
  delete_closed();
}

void Worker::delete_closed() {
  for (Connection* c : turn_.closed) {
    if (c->deletable()) deletable_.push_back(c->id());
  }
  turn_.closed.clear();
  for (const uint64_t id : deletable_) {
    if (find(id) == nullptr) continue;  // it was there twice
    const auto index = static_cast<uint32_t>(id);
    places_[index].connection.reset();
    free_places_.push_back(index);
    forget_one();
  }
  deletable_.clear();
}

void Worker::close_when_answered() {
  stopping_ = true;
  for (const Place& place : places_) {
    if (place.connection) place.connection->end_after_answers();
  }
  settle();
}

// Accepts on worker 0's thread and deals the sockets out to the worker with the fewest.
class AsioServer final : public Server {
 public:
  AsioServer(ServerOptions options, Handler handler, Listening listening) : port_(listening.port) {
    shared_.options = std::move(options);
    shared_.handler = std::move(handler);
    for (int i = 0; i < shared_.options.threads; ++i) workers_.push_back(std::make_unique<Worker>(shared_));
    listening_fd_ = std::move(listening.fd);
    acceptor_.emplace(workers_[0]->io());
    shared_.resume_accept = [this] { asio::post(workers_[0]->io(), [this] { accept_soon(); }); };
  }

  void start() {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    ::getsockname(listening_fd_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    acceptor_->assign(address.ss_family == AF_INET6 ? tcp::v6() : tcp::v4(), listening_fd_.release());
    retry_.emplace(workers_[0]->io());
    accept_soon();
    for (const auto& worker : workers_) {
      threads_.emplace_back([w = worker.get()] { w->run(); });
    }
  }

  ~AsioServer() override { stop(0); }
  uint16_t port() const override { return port_; }
  void stop(int drain_ms) override;

 private:
  void accept_soon();
  void accept_some();

  Shared shared_;
  const uint16_t port_;
  Fd listening_fd_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::optional<Acceptor> acceptor_;  // of worker 0's thread
  std::optional<Timer> retry_;        // the same
  std::vector<std::thread> threads_;
};

void AsioServer::accept_soon() {
  if (!acceptor_->is_open()) return;
  acceptor_->async_wait(Acceptor::wait_read, [this](error_code ec) {
    if (!ec) accept_some();
  });
}

void AsioServer::accept_some() {
  for (int i = 0; i < kAcceptsAtOnce; ++i) {
    if (shared_.open_connections.load() >= shared_.options.max_connections) {
      shared_.accept_paused = true;
      // A connection may have closed between the two lines above.
      if (shared_.open_connections.load() >= shared_.options.max_connections ||
          !shared_.accept_paused.exchange(false)) {
        return;
      }
    }
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    Fd fd(::accept4(acceptor_->native_handle(), reinterpret_cast<sockaddr*>(&address), &size,
                    SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd) {
      if (errno == EAGAIN || errno == EWOULDBLOCK) break;
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        retry_->expires_after(std::chrono::milliseconds(kAcceptRetryMs));
        retry_->async_wait([this](error_code ec) {
          if (!ec) accept_soon();
        });
        return;
      }
      continue;  // that client has gone already
    }
    shared_.open_connections.fetch_add(1);
    Worker& worker = **std::ranges::min_element(workers_, {}, [](const auto& w) { return w->load(); });
    worker.expect_one();
    asio::post(worker.io(), [&worker, family = address.ss_family, handed = std::move(fd)]() mutable {
      worker.add(std::move(handed), family);
    });
  }
  accept_soon();
}

void AsioServer::stop(int drain_ms) {
  if (threads_.empty()) return;
  // The workers first: what is accepted meanwhile they close at once.
  const auto left = std::make_shared<std::atomic<size_t>>(workers_.size());
  for (const auto& worker : workers_) {
    asio::post(worker->io(), [this, w = worker.get(), left] {
      w->close_when_answered();
      if (left->fetch_sub(1) > 1) return;
      asio::post(workers_[0]->io(), [this] {
        error_code ignored;
        acceptor_->close(ignored);
        retry_->cancel();
      });
    });
  }
  {
    std::unique_lock lock(shared_.mutex);
    shared_.all_closed.wait_for(lock, std::chrono::milliseconds(drain_ms),
                                [this] { return shared_.open_connections.load() == 0; });
  }
  for (const auto& worker : workers_) worker->inbox().close();
  for (const auto& worker : workers_) worker->io().stop();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  // Where no connection was left to wait for, the threads may have ended before it came to this.
  error_code ignored;
  acceptor_->close(ignored);
  for (const auto& worker : workers_) worker->drop_all();
}

}  // namespace

Result<std::unique_ptr<Server>> Server::start(ServerOptions options, Handler handler) {
  if (options.threads < 1 || options.max_connections < 1 || options.max_pipelined < 1) {
    return invalid("an HTTP server needs at least one thread, one connection and one request at a time");
  }
  auto listening = listen_on(options.host, options.port);
  if (!listening) return pass(listening.error());
  try {
    auto server = std::make_unique<AsioServer>(std::move(options), std::move(handler), std::move(*listening));
    server->start();
    return server;
  } catch (const boost::system::system_error& e) {
    return unavailable("cannot start the HTTP server: {}", e.what());
  }
}

}  // namespace pinflow::http
