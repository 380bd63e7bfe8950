#include "http/listen.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace pinflow::http {
namespace {

constexpr int kBacklog = 1024;  // connections the kernel keeps until they are accepted

std::unexpected<Error> listen_error(const std::string& host, uint16_t port, int error_number) {
  const std::string where = fmt::format("{}:{}", host.find(':') == host.npos ? host : "[" + host + "]", port);
  switch (error_number) {
    case EADDRINUSE:
      return unavailable(
          "cannot listen on {}: the port is in use; end the program that has it or choose another port "
          "(0 takes any free one)",
          where);
    case EACCES: return fail(Code::denied, "cannot listen on {}: not allowed; choose a port above 1023", where);
    case EADDRNOTAVAIL: return invalid("cannot listen on {}: this machine does not have that address", where);
    default: return system_error(error_number, fmt::format("cannot listen on {}", where));
  }
}

uint16_t port_of(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(address).sin6_port
                                             : reinterpret_cast<sockaddr_in&>(address).sin_port);
}

}  // namespace

Result<Listening> listen_on(const std::string& host, uint16_t port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found); error != 0) {
    return invalid("cannot listen on {}:{}: {}", host, port, gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(found, freeaddrinfo);

  int last_error = EADDRNOTAVAIL;
  // IPv4 first: where a name has both, clients try 127.0.0.1 too.
  for (const int family : {AF_INET, AF_INET6}) {
    for (const addrinfo* a = addresses.get(); a != nullptr; a = a->ai_next) {
      if (a->ai_family != family) continue;
      Fd fd(socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      const int on = 1;
      if (fd && setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
          bind(fd.get(), a->ai_addr, a->ai_addrlen) == 0 && listen(fd.get(), kBacklog) == 0) {
        const uint16_t taken = port_of(fd.get());
        return Listening{std::move(fd), taken};
      }
      last_error = errno;
    }
  }
  return listen_error(host, port, last_error);
}

}  // namespace pinflow::http
