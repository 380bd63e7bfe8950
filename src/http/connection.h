// One client's connection, between a socket and the handler, without knowing how either thread or socket are run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http/answer_queue.h"
#include "http/inbox.h"
#include "http/request_reader.h"
#include "http/server.h"

namespace pinflow::http {

class Connection;

// A non-blocking socket.
class Wire {
 public:
  virtual ~Wire() = default;
  virtual void read(char* to, size_t bytes) = 0;  // ends in Connection::on_read, once
  virtual void wait_writable() = 0;               // ends in Connection::on_writable, once
  // How many bytes were taken; 0: none for now; below 0: the client has gone.
  virtual ptrdiff_t send(const char* bytes, size_t size) = 0;
  virtual void end_output() = 0;
  virtual void close() = 0;  // what is under way ends soon, with an error
};

// What the connections of one thread share.
struct Turn {
  const ServerOptions& options;
  const Handler& handler;
  const std::shared_ptr<Inbox> inbox;
  size_t unfinished_budget;         // max_unfinished_body_bytes of this thread
  size_t unfinished_bytes = 0;      // of the bodies still arriving
  int64_t now_ms = 0;               // a clock that only goes forward, a second late at most
  std::string common_fields;        // of every answer: Date and the options' headers
  std::vector<Connection*> dirty;   // to be flushed at the end of this turn of the thread
  std::vector<Connection*> closed;  // perhaps to be deleted then
};

// One client. Takes requests from its bytes, gives them to the handler, sends the answers in their order. Belongs to
// one thread, and so does everything it touches.
class Connection {
 public:
  Connection(Turn& turn, std::unique_ptr<Wire> wire, uint64_t id);

  void start();
  // What has become of read() and of wait_writable(). `bytes` is 0 at the end of the input, below 0 after an error.
  void on_read(ptrdiff_t bytes);
  void on_writable();

  void answered(uint64_t number, Response response, Respond::Held held = nullptr);
  void flush();              // sends what is ready, takes what there is room for
  void check_times();        // now and then
  void end_after_answers();  // the server is stopping
  void close();

  uint64_t id() const { return id_; }
  // Closed, and nothing that was asked of the wire is still to come back.
  bool deletable() const { return closed_ && !reading_ && !waiting_to_write_; }
  bool dirty = false;  // in turn.dirty

 private:
  void mark();
  void read();
  void take_requests();
  void take_one();
  void refuse(int status, std::string_view message);
  void finish();
  bool make_room();
  bool may_take() const;
  size_t unsent() const { return out_.size() - sent_; }

  Turn& turn_;
  const std::unique_ptr<Wire> wire_;
  const uint64_t id_;
  RequestReader reader_;
  AnswerQueue answers_;
  std::vector<char> in_;  // [begin_, end_) is read and not yet taken
  size_t begin_ = 0, end_ = 0;
  std::string out_;  // [sent_, size) is not yet sent
  size_t sent_ = 0;
  std::vector<Respond::Held> held_;  // of answers that are not all sent
  size_t unfinished_ = 0;            // body bytes counted in turn.unfinished_bytes
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

}  // namespace pinflow::http
