#include "http/worker.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <ctime>

#include "http/response_bytes.h"

namespace pinflow::http {
namespace {

constexpr int kMinTickMs = 10;
constexpr int kMaxTickMs = 1'000;

thread_local Worker* this_worker = nullptr;

}  // namespace

void Inbox::put(Answer answer) {
  if (this_worker != nullptr && this_worker->inbox().get() == this) {
    this_worker->put_local(std::move(answer));
    return;
  }
  const std::lock_guard lock(mutex_);
  if (worker_ == nullptr) return;
  answers_.push_back(std::move(answer));
  if (woken_) return;
  woken_ = true;
  asio::post(worker_->io(), [worker = worker_] { worker->drain_inbox(); });
}

Worker::Worker(Shared& shared)
    : shared_(shared), inbox_(std::make_shared<Inbox>(this, shared.options.error_response)), timer_(io_) {
  const ServerOptions& o = shared.options;
  tick_ms_ = std::clamp(std::min({o.idle_ms, o.header_ms, o.stall_ms}) / 4, kMinTickMs, kMaxTickMs);
  budget_ = o.max_unfinished_body_bytes / static_cast<size_t>(o.threads);
}

void Worker::run() {
  this_worker = this;
  const auto work = asio::make_work_guard(io_);
  update_clock();
  tick();
  io_.run();
  this_worker = nullptr;
}

void Worker::update_clock() {
  using namespace std::chrono;
  now_ms_ = duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
  const int64_t seconds = std::time(nullptr);
  if (seconds == date_seconds_) return;
  date_seconds_ = seconds;
  common_fields_.clear();
  append_field(common_fields_, "Date", http_date(seconds));
  for (const HeaderField& field : shared_.options.headers) append_field(common_fields_, field.name, field.value);
}

void Worker::tick() {
  update_clock();
  for (const Place& place : places_) {
    if (place.connection) place.connection->check_times(now_ms_);
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
  place.connection = std::make_unique<Connection>(*this, std::move(socket), id, shared_.options);
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
  inbox_->take(taken_);
  for (Answer& answer : taken_) {
    if (Connection* c = find(answer.connection)) c->answered(answer.number, std::move(answer.response));
  }
  taken_.clear();
  settle();
}

// Brings everything that this turn has caused to its end: answers to their connections, bytes to the sockets, closed
// connections to the heap. Every entry from the io_context ends here.
void Worker::settle() {
  if (settling_) return;
  settling_ = true;
  for (std::vector<Answer> answers; !local_.empty() || !dirty_.empty();) {
    answers.swap(local_);
    for (Answer& answer : answers) {
      if (Connection* c = find(answer.connection)) c->answered(answer.number, std::move(answer.response));
    }
    answers.clear();
    if (local_.empty()) local_.swap(answers);  // keeps the memory
    for (size_t i = 0; i < dirty_.size(); ++i) {
      dirty_[i]->dirty = false;
      dirty_[i]->flush();
    }
    dirty_.clear();
  }
  for (size_t i = 0; i < closed_.size(); ++i) {
    Connection& c = *closed_[i];
    if (!c.deletable()) continue;
    const auto index = static_cast<uint32_t>(c.id());
    if (find(c.id()) != &c) continue;
    places_[index].connection.reset();
    free_places_.push_back(index);
    forget_one();
  }
  closed_.clear();
  settling_ = false;
}

void Worker::close_when_answered() {
  stopping_ = true;
  for (const Place& place : places_) {
    if (place.connection) place.connection->end_after_answers();
  }
  settle();
}

}  // namespace pinflow::http
