#include "http/client.h"

#include <curl/curl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>
#include <unordered_set>

#include "base/files.h"

namespace pinflow::http {
namespace {

using Clock = std::chrono::steady_clock;

// Once a process, before any other thread may use it; never undone, as other libraries may use libcurl as well.
bool start_curl() {
  static const bool started = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  return started;
}

// Loopback is never reached through a proxy, whatever the environment says.
std::string no_proxy() {
  std::string list = "localhost,127.0.0.1,::1";
  for (const char* name : {"no_proxy", "NO_PROXY"}) {
    if (const char* more = std::getenv(name)) return list + "," + more;
  }
  return list;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r' || text.back() == '\n')) {
    text.remove_suffix(1);
  }
  return text;
}

Code code_of(CURLcode code) {
  switch (code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL: return Code::invalid;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM: return Code::denied;
    default: return Code::unavailable;
  }
}

// "http://user:secret@host/path?token" -> "http://host/path": what may stand in a message.
std::string shown(std::string_view url) {
  std::string out(url.substr(0, url.find('?')));
  const size_t scheme = out.find("://");
  const size_t begin = scheme == std::string::npos ? 0 : scheme + 3;
  const size_t at = out.rfind('@', out.find('/', begin));
  if (at != std::string::npos && at >= begin) out.erase(begin, at + 1 - begin);
  return out;
}

// One request under way, and the libcurl handle that is used again for later ones.
struct Transfer {
  CURL* easy = curl_easy_init();
  curl_slist* headers = nullptr;
  std::string kind;  // of request that `easy` is set for: the method, and "+" where there is a body
  ClientRequest request;
  Client::Done done;
  Response response;
  size_t max_bytes = 0;
  int attempts = 0;
  bool too_long = false;
  std::array<char, CURL_ERROR_SIZE> reason{};

  ~Transfer() {
    curl_slist_free_all(headers);
    curl_easy_cleanup(easy);
  }
};

// libcurl's callbacks, C functions: nothing may be thrown through them.

size_t on_body(char* bytes, size_t size, size_t count, void* user) noexcept {
  auto& transfer = *static_cast<Transfer*>(user);
  if (transfer.response.body.size() + size * count > transfer.max_bytes) {
    transfer.too_long = true;
    return 0;
  }
  transfer.response.body.append(bytes, size * count);
  return size * count;
}

size_t on_header(char* bytes, size_t size, size_t count, void* user) noexcept {
  auto& response = static_cast<Transfer*>(user)->response;
  const std::string_view line(bytes, size * count);
  if (line.starts_with("HTTP/")) {  // also after a 1xx: what came before is not the answer's
    response.headers.clear();
    return size * count;
  }
  if (const size_t colon = line.find(':'); colon != std::string_view::npos) {
    response.headers.push_back({std::string(line.substr(0, colon)), std::string(trimmed(line.substr(colon + 1)))});
  }
  return size * count;
}

// Before a request goes out on a connection. libcurl would send it again where a kept connection turns out to be dead.
int on_connected(void* user, char*, char*, int, int) noexcept {
  return static_cast<Transfer*>(user)->attempts++ == 0 ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

}  // namespace

struct Client::State {
  explicit State(ClientOptions given) : options(std::move(given)) {}
  ~State() {
    idle.clear();
    if (multi) curl_multi_cleanup(multi);
  }

  ClientOptions options;
  std::string no_proxy_list = no_proxy();
  Fd epoll;
  Fd alarm;  // an eventfd: wake()
  CURLM* multi = nullptr;
  std::optional<Clock::time_point> timer;  // when libcurl wants to be called
  std::vector<std::unique_ptr<Transfer>> idle;
  std::unordered_set<Transfer*> busy;

  static int on_socket(CURL*, curl_socket_t socket, int what, void* user, void* known) noexcept;
  static int on_timer(CURLM*, long ms, void* user) noexcept;
  void configure(Transfer& transfer, bool with_body);
  void prepare(Transfer& transfer);
  void finish(Transfer* transfer, CURLcode code);
  int reap();
  void act(curl_socket_t socket, int events) {
    int running = 0;
    curl_multi_socket_action(multi, socket, events, &running);
  }
};

int Client::State::on_socket(CURL*, curl_socket_t socket, int what, void* user, void* known) noexcept {
  auto& state = *static_cast<State*>(user);
  if (what == CURL_POLL_REMOVE) {
    ::epoll_ctl(state.epoll.get(), EPOLL_CTL_DEL, socket, nullptr);
    curl_multi_assign(state.multi, socket, nullptr);
    return 0;
  }
  epoll_event event{};
  event.data.fd = socket;
  if (what & CURL_POLL_IN) event.events |= EPOLLIN;
  if (what & CURL_POLL_OUT) event.events |= EPOLLOUT;
  ::epoll_ctl(state.epoll.get(), known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, socket, &event);
  curl_multi_assign(state.multi, socket, &state);
  return 0;
}

int Client::State::on_timer(CURLM*, long ms, void* user) noexcept {
  auto& timer = static_cast<State*>(user)->timer;
  timer.reset();
  if (ms >= 0) timer = Clock::now() + std::chrono::milliseconds(ms);
  return 0;
}

// All that does not change from a request to the next of the same kind: setting it each time would cost libcurl a
// twentieth of a small request.
void Client::State::configure(Transfer& transfer, bool with_body) {
  const std::string& method = transfer.request.method;
  CURL* easy = transfer.easy;
  curl_easy_reset(easy);  // keeps connections and the DNS cache
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(easy, CURLOPT_NOPROXY, no_proxy_list.c_str());
  curl_easy_setopt(easy, CURLOPT_USERAGENT, options.user_agent.c_str());
  if (method == "HEAD") curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  else if (with_body) curl_easy_setopt(easy, CURLOPT_POST, 1L);
  if (method != "GET" && method != "HEAD" && method != "POST") {
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method.c_str());
  }
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_connected);
  curl_easy_setopt(easy, CURLOPT_PREREQDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer.reason.data());
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_timeout_ms));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(options.timeout_ms));
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  if (!options.ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, options.ca_file.c_str());
  curl_easy_setopt(easy, CURLOPT_PRIVATE, &transfer);
}

void Client::State::prepare(Transfer& transfer) {
  const ClientRequest& request = transfer.request;
  CURL* easy = transfer.easy;
  const std::string_view body = request.body.empty() ? request.body_view : std::string_view(request.body);
  const bool with_body =
      request.method != "HEAD" && (!body.empty() || request.method == "POST" || request.method == "PUT");
  std::string kind = request.method + (with_body ? "+" : "");
  if (transfer.kind != kind) {
    configure(transfer, with_body);
    transfer.kind = std::move(kind);
  }
  curl_slist_free_all(transfer.headers);
  transfer.headers = curl_slist_append(nullptr, "Expect:");  // never waits for a 100
  std::string line;
  for (const HeaderField& field : request.headers) {
    line.assign(field.name).append(field.value.empty() ? ";" : ": ").append(field.value);
    transfer.headers = curl_slist_append(transfer.headers, line.c_str());
  }
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer.headers);
  curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
  if (with_body) {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.data());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  }
  transfer.response = {};
  transfer.response.content_type.clear();
  transfer.max_bytes = options.max_response_bytes;
  transfer.attempts = 0;
  transfer.too_long = false;
  transfer.reason[0] = '\0';
}

void Client::State::finish(Transfer* transfer, CURLcode code) {
  busy.erase(transfer);
  std::unique_ptr<Transfer> owned(transfer);
  curl_multi_remove_handle(multi, owned->easy);
  Outcome answer;
  answer.sent = owned->attempts > 0;
  if (code == CURLE_OK) {
    long status = 0;
    curl_easy_getinfo(owned->easy, CURLINFO_RESPONSE_CODE, &status);
    owned->response.status = static_cast<int>(status);
    owned->response.content_type = find_header(owned->response.headers, "Content-Type");
    answer.response = std::move(owned->response);
  } else if (owned->too_long) {
    answer.response = fail(Code::full, "{} {}: the answer is longer than {} bytes", owned->request.method,
                           shown(owned->request.url), options.max_response_bytes);
  } else {
    const std::string reason = owned->attempts > 1        ? "the connection broke before the answer came"
                               : owned->reason[0] != '\0' ? owned->reason.data()
                                                          : curl_easy_strerror(code);
    answer.response = fail(code_of(code), "{} {}: {}", owned->request.method, shown(owned->request.url), reason);
  }
  const Done done = std::move(owned->done);
  owned->done = nullptr;
  if (idle.size() < static_cast<size_t>(options.max_connections)) idle.push_back(std::move(owned));
  done(std::move(answer));
}

int Client::State::reap() {
  int ended = 0;
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;  // `message` is gone once the handle is removed
    Transfer* transfer = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
    finish(transfer, code);
    ++ended;
  }
  return ended;
}

Client::Client(std::unique_ptr<State> state) : state_(std::move(state)) {}
Client::~Client() { cancel(); }

Result<std::unique_ptr<Client>> Client::create(ClientOptions options) {
  if (!start_curl()) return unavailable("the HTTP client (libcurl) could not be started");
  auto state = std::make_unique<State>(std::move(options));
  state->epoll = Fd(::epoll_create1(EPOLL_CLOEXEC));
  if (!state->epoll) return system_error(errno, "epoll_create1");
  state->alarm = Fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!state->alarm) return system_error(errno, "eventfd");
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = state->alarm.get();
  if (::epoll_ctl(state->epoll.get(), EPOLL_CTL_ADD, state->alarm.get(), &event) < 0)
    return system_error(errno, "epoll_ctl");
  state->multi = curl_multi_init();
  if (!state->multi) return unavailable("the HTTP client (libcurl) could not be started");
  curl_multi_setopt(state->multi, CURLMOPT_SOCKETFUNCTION, State::on_socket);
  curl_multi_setopt(state->multi, CURLMOPT_SOCKETDATA, state.get());
  curl_multi_setopt(state->multi, CURLMOPT_TIMERFUNCTION, State::on_timer);
  curl_multi_setopt(state->multi, CURLMOPT_TIMERDATA, state.get());
  curl_multi_setopt(state->multi, CURLMOPT_MAXCONNECTS, static_cast<long>(state->options.max_connections));
  return std::unique_ptr<Client>(new Client(std::move(state)));
}

void Client::send(ClientRequest request, Done done) {
  std::unique_ptr<Transfer> transfer;
  if (state_->idle.empty()) {
    transfer = std::make_unique<Transfer>();
  } else {
    transfer = std::move(state_->idle.back());
    state_->idle.pop_back();
  }
  transfer->request = std::move(request);
  transfer->done = std::move(done);
  state_->prepare(*transfer);
  curl_multi_add_handle(state_->multi, transfer->easy);  // sets the timer: the next wait begins it
  state_->busy.insert(transfer.release());
}

size_t Client::under_way() const { return state_->busy.size(); }

int Client::wait(std::chrono::milliseconds at_most) {
  State& state = *state_;
  const auto until = Clock::now() + at_most;
  std::array<epoll_event, 256> events;
  int ended = state.reap();
  bool late = false;
  while (ended == 0 && !late) {
    auto now = Clock::now();
    late = now >= until;
    if (state.timer && *state.timer <= now) {
      state.timer.reset();
      state.act(CURL_SOCKET_TIMEOUT, 0);
      ended += state.reap();
      continue;
    }
    const auto wake = state.timer ? std::min(*state.timer, until) : until;
    const auto sleep = std::chrono::ceil<std::chrono::milliseconds>(wake - now).count();
    const int count = ::epoll_wait(state.epoll.get(), events.data(), static_cast<int>(events.size()),
                                   static_cast<int>(std::clamp<int64_t>(sleep, 0, 60'000)));
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<size_t>(i)];
      if (event.data.fd == state.alarm.get()) {
        uint64_t times = 0;
        [[maybe_unused]] const auto taken = ::read(state.alarm.get(), &times, sizeof times);
        late = true;
        continue;
      }
      int what = 0;
      if (event.events & EPOLLIN) what |= CURL_CSELECT_IN;
      if (event.events & EPOLLOUT) what |= CURL_CSELECT_OUT;
      if (event.events & (EPOLLERR | EPOLLHUP)) what |= CURL_CSELECT_ERR;
      state.act(event.data.fd, what);
    }
    ended += state.reap();
  }
  return ended;
}

void Client::wake() {
  const uint64_t once = 1;
  [[maybe_unused]] const auto written = ::write(state_->alarm.get(), &once, sizeof once);
}

void Client::cancel() {
  for (Transfer* transfer : std::exchange(state_->busy, {})) {
    const std::unique_ptr<Transfer> owned(transfer);
    curl_multi_remove_handle(state_->multi, owned->easy);
    owned->done({fail(Code::cancelled, "{} {}: cancelled", owned->request.method, shown(owned->request.url)),
                 owned->attempts > 0});
  }
}

Outcome Client::request(ClientRequest request) {
  std::optional<Outcome> answer;
  send(std::move(request), [&](Outcome got) { answer = std::move(got); });
  while (!answer) wait(std::chrono::seconds(10));
  return std::move(*answer);
}

}  // namespace pinflow::http
