#include "http/connection.h"

#include <algorithm>
#include <utility>

namespace pinflow::http {
namespace {

constexpr size_t kSmallBuffer = 8 << 10;      // read buffer of a connection
constexpr size_t kLargeBuffer = 64 << 10;     // the same while a body arrives
constexpr size_t kMaxUnsentBytes = 1 << 20;   // answers the client does not read: from here no request is taken
constexpr size_t kMaxLingerBytes = 64 << 20;  // read and dropped after a refusal, so that the client sees the answer
constexpr int kLingerMs = 5'000;
constexpr int kTrimAfterMs = 1'000;  // an idle connection gives its body buffer back

}  // namespace

Connection::Connection(Turn& turn, std::unique_ptr<Wire> wire, uint64_t id)
    : turn_(turn),
      wire_(std::move(wire)),
      id_(id),
      reader_({turn.options.max_header_bytes, turn.options.max_body_bytes}) {}

void Connection::mark() {
  if (!dirty) turn_.dirty.push_back(this);
  dirty = true;
}

void Connection::start() {
  progress_ms_ = turn_.now_ms;
  read();
}

bool Connection::may_take() const {
  return !last_ && !closed_ && unsent() < kMaxUnsentBytes &&
         answers_.size() < static_cast<size_t>(turn_.options.max_pipelined);
}

// Room to read into; false where a header line (or a chunk's) does not end within the buffer's limit.
bool Connection::make_room() {
  if (begin_ == end_) begin_ = end_ = 0;
  const size_t wanted = reader_.in_body() ? kLargeBuffer : kSmallBuffer;
  if (in_.size() < wanted) in_.resize(wanted);
  if (end_ < in_.size()) return true;
  if (begin_ > 0) {
    std::copy(in_.begin() + static_cast<ptrdiff_t>(begin_), in_.begin() + static_cast<ptrdiff_t>(end_), in_.begin());
    end_ -= begin_;
    begin_ = 0;
    return true;
  }
  const size_t limit = kLargeBuffer + turn_.options.max_header_bytes;
  if (in_.size() >= limit) return false;
  in_.resize(std::min(in_.size() * 2, limit));
  return true;
}

void Connection::read() {
  if (reading_ || closed_ || input_ended_ || (!lingering_ && !may_take())) return;
  if (lingering_) begin_ = end_ = 0;
  if (!make_room()) {
    refuse(431, "The request's header is too large.");
    return;
  }
  reading_ = true;
  wire_->read(in_.data() + end_, in_.size() - end_);
}

void Connection::on_read(ptrdiff_t bytes) {
  reading_ = false;
  if (closed_) {
    turn_.closed.push_back(this);
  } else if (lingering_) {
    lingered_ += bytes > 0 ? static_cast<size_t>(bytes) : 0;
    if (bytes <= 0 || lingered_ > kMaxLingerBytes) close();
    else read();
  } else if (bytes == 0) {
    input_ended_ = true;
    mark();
  } else if (bytes < 0) {
    close();
  } else {
    end_ += static_cast<size_t>(bytes);
    progress_ms_ = turn_.now_ms;
    take_requests();
    read();
  }
}

void Connection::on_writable() {
  waiting_to_write_ = false;
  if (closed_) turn_.closed.push_back(this);
  else mark();
}

void Connection::take_requests() {
  while (begin_ < end_ && may_take()) {
    const bool fresh = reader_.idle();
    const size_t before = reader_.body_bytes();
    size_t used = 0;
    const auto progress = reader_.feed({in_.data() + begin_, end_ - begin_}, used);
    begin_ += used;
    if (fresh) began_ms_ = turn_.now_ms;
    if (progress == RequestReader::Progress::complete) {
      turn_.unfinished_bytes -= std::exchange(unfinished_, 0);
      take_one();
      continue;
    }
    if (progress == RequestReader::Progress::refused) {
      refuse(reader_.status(), reader_.message());
      return;
    }
    const size_t more = reader_.body_bytes() - before;
    unfinished_ += more;
    turn_.unfinished_bytes += more;
    if (turn_.unfinished_bytes > turn_.unfinished_budget) {
      refuse(429, "Too many large requests are arriving at once; send this one again later.");
      return;
    }
    if (begin_ == end_ && reader_.wants_continue()) {
      answers_.push_interim(out_);
      mark();
    }
    return;
  }
}

void Connection::take_one() {
  const Request& request = reader_.request();
  const bool keep_alive = reader_.keep_alive();
  const uint64_t number = answers_.push({reader_.http10(), keep_alive, request.method == "HEAD"});
  if (!keep_alive) last_ = true;
  turn_.handler(request, way_back(turn_.inbox, id_, number));
  reader_.next();
}

void Connection::refuse(int status, std::string_view message) {
  turn_.unfinished_bytes -= std::exchange(unfinished_, 0);
  last_ = refused_ = true;
  const uint64_t number = answers_.push({.keep_alive = false});
  answered(number, turn_.options.error_response(status, message));
}

void Connection::answered(uint64_t number, Response response, Respond::Held held) {
  if (closed_) return;
  if (held.use_count() > 0) held_.push_back(std::move(held));  // its pointer may be null: what counts is its end
  answers_.put(number, std::move(response), out_, turn_.common_fields);
  mark();
}

void Connection::flush() {
  if (closed_ || waiting_to_write_) return;
  while (unsent() > 0) {
    const ptrdiff_t taken = wire_->send(out_.data() + sent_, unsent());
    if (taken < 0) {
      close();
      return;
    }
    if (taken == 0) {
      waiting_to_write_ = true;
      wire_->wait_writable();
      return;
    }
    sent_ += static_cast<size_t>(taken);
    progress_ms_ = turn_.now_ms;
  }
  if (out_.capacity() > kMaxUnsentBytes) std::string().swap(out_);
  out_.clear();
  sent_ = 0;
  if (answers_.empty()) held_.clear();
  if (!lingering_) {
    take_requests();
    if (answers_.empty() && unsent() == 0 && (last_ || input_ended_)) finish();
    else read();
  }
}

// All answers are sent and no request will follow.
void Connection::finish() {
  if (!refused_ || input_ended_) {
    close();
    return;
  }
  // Closing with unread input would reset the connection, and the client might never see the answer.
  lingering_ = true;
  progress_ms_ = turn_.now_ms;
  wire_->end_output();
  read();
}

void Connection::check_times() {
  if (closed_) return;
  const ServerOptions& o = turn_.options;
  const int64_t quiet = turn_.now_ms - progress_ms_;
  if (lingering_) {
    if (quiet > kLingerMs) close();
  } else if (waiting_to_write_) {
    if (quiet > o.stall_ms) close();
  } else if (last_) {
    return;  // its answers are the handler's to give
  } else if (reader_.in_body()) {
    if (quiet > o.stall_ms && may_take()) refuse(408, "The request's body did not arrive in time.");
  } else if (!reader_.idle()) {
    if (turn_.now_ms - began_ms_ > o.header_ms && may_take())
      refuse(408, "The request's header did not arrive in time.");
  } else if (answers_.empty()) {
    if (quiet > o.idle_ms) close();
    else if (quiet > kTrimAfterMs) reader_.trim();
  }
}

void Connection::end_after_answers() {
  last_ = true;
  answers_.close_after_last();
  mark();
}

void Connection::close() {
  if (closed_) return;
  closed_ = true;
  held_.clear();
  turn_.unfinished_bytes -= std::exchange(unfinished_, 0);
  wire_->close();
  turn_.closed.push_back(this);
}

}  // namespace pinflow::http
