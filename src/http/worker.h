// Inside of the HTTP server: one thread, io_context and set of connections a worker. What belongs to a connection is
// touched by its worker's thread alone, so nothing on a request's way takes a lock; answers from other threads go through
// the worker's inbox, which wakes it once for all that are there. Included by this room's .cc files only (Asio).
#pragma once

#include <sys/socket.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/files.h"
#include "http/answer_queue.h"
#include "http/request_reader.h"
#include "http/server.h"

namespace pinflow::http {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using Socket = asio::basic_stream_socket<tcp, asio::io_context::executor_type>;
using Acceptor = asio::basic_socket_acceptor<tcp, asio::io_context::executor_type>;
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>,
                                         asio::io_context::executor_type>;

class Worker;

struct Answer {
  uint64_t connection;
  uint64_t number;
  Response response;
};

// Where answers wait for their worker. Outlives it, held by the requests under way.
class Inbox {
 public:
  Inbox(Worker* worker, ErrorResponse error_response) : error_response(std::move(error_response)), worker_(worker) {}

  void put(Answer answer);
  void take(std::vector<Answer>& answers) {
    const std::lock_guard lock(mutex_);
    answers.swap(answers_);
    woken_ = false;
  }
  void close() {
    const std::lock_guard lock(mutex_);
    worker_ = nullptr;
    answers_.clear();
  }

  const ErrorResponse error_response;

 private:
  std::mutex mutex_;
  Worker* worker_;  // null after close
  bool woken_ = false;
  std::vector<Answer> answers_;
};

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

class Connection {
 public:
  Connection(Worker& worker, Socket socket, uint64_t id, const ServerOptions& options)
      : worker_(worker), socket_(std::move(socket)), id_(id), reader_({options.max_header_bytes, options.max_body_bytes}) {}

  void start();
  void answered(uint64_t number, Response response);
  void flush();
  void check_times(int64_t now_ms);
  void end_after_answers();  // the server is stopping
  void close();

  uint64_t id() const { return id_; }
  bool closed() const { return closed_; }
  bool deletable() const { return closed_ && !reading_ && !waiting_to_write_; }
  bool dirty = false;  // in the worker's list of those to flush

 private:
  void read();
  void on_read(error_code ec, size_t bytes);
  void take_requests();
  void take_one();
  void refuse(int status, std::string_view message);
  void finish();
  bool make_room();
  bool may_take() const;
  size_t unsent() const { return out_.size() - sent_; }

  Worker& worker_;
  Socket socket_;
  const uint64_t id_;
  RequestReader reader_;
  AnswerQueue answers_;
  std::vector<char> in_;  // [begin_, end_) is read and not yet taken
  size_t begin_ = 0, end_ = 0;
  std::string out_;  // [sent_, size) is not yet sent
  size_t sent_ = 0;
  size_t unfinished_ = 0;  // body bytes counted in the worker's sum
  size_t lingered_ = 0;
  int64_t began_ms_ = 0;     // the request being read
  int64_t progress_ms_ = 0;  // the last byte in or out
  bool reading_ = false, waiting_to_write_ = false;
  bool last_ = false;         // no further request is taken
  bool input_ended_ = false;  // the client has closed its side
  bool refused_ = false;      // unread bytes may be on their way: linger before closing
  bool lingering_ = false;
  bool closed_ = false;
};

class Worker {
 public:
  explicit Worker(Shared& shared);

  void run();
  void tick();
  void add(Fd fd, sa_family_t family);
  void drain_inbox();
  void settle();
  void close_when_answered();
  void drop_all() { places_.clear(); }  // after its thread has ended
  void mark(Connection& connection) {
    if (!connection.dirty) dirty_.push_back(&connection);
    connection.dirty = true;
  }
  void bury(Connection& connection) { closed_.push_back(&connection); }

  asio::io_context& io() { return io_; }
  const std::shared_ptr<Inbox>& inbox() const { return inbox_; }
  Shared& shared() { return shared_; }
  void put_local(Answer answer) { local_.push_back(std::move(answer)); }
  const std::string& common_fields() const { return common_fields_; }  // of every answer, with the date
  int64_t now_ms() const { return now_ms_; }
  // Connections here or on their way; counted by the acceptor when it hands one over.
  size_t load() const { return load_.load(std::memory_order_relaxed); }
  void expect_one() { load_.fetch_add(1, std::memory_order_relaxed); }

  size_t unfinished_bytes = 0;
  size_t budget() const { return budget_; }

 private:
  struct Place {
    std::unique_ptr<Connection> connection;
    uint32_t generation = 0;
  };
  Connection* find(uint64_t id);
  void update_clock();
  void forget_one();

  Shared& shared_;
  asio::io_context io_{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO};
  const std::shared_ptr<Inbox> inbox_;
  Timer timer_;
  std::vector<Place> places_;  // a connection's id is generation << 32 | place
  std::vector<uint32_t> free_places_;
  std::vector<Answer> local_, taken_;  // answers given on this thread, and those just taken from the inbox
  std::vector<Connection*> dirty_, closed_;
  std::string common_fields_;
  int64_t now_ms_ = 0;
  int64_t date_seconds_ = 0;
  int tick_ms_ = 0;
  size_t budget_ = 0;
  std::atomic<size_t> load_ = 0;
  bool settling_ = false;
  bool stopping_ = false;
};

}  // namespace pinflow::http
