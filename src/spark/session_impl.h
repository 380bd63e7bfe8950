// What a session is made of. Of this room.
#pragma once

#include <deque>
#include <span>
#include <string>
#include <vector>

#include "spark/rpc_impl.h"
#include "spark/session.h"

namespace pinflow::spark {

inline constexpr size_t kMaxKnownViews = 1000;  // whose texts are kept to explain errors; the oldest go first

struct Session::Impl {
  Impl(const Connection& connection, const std::string& ca_pem, const SessionOptions& options)
      : rpc(connection, ca_pem, options) {}

  // The statement first, then the views, newest first: where an error's place may lie.
  std::vector<Place> places(Place statement) const;

  // Runs one command.
  Result<> command(const proto::Command& command, std::span<const Place> places, const OnResponse& take);

  Rpc rpc;
  bool keep = false;  // the server's session outlives this
  std::string version;
  std::deque<std::pair<std::string, Place>> views;  // by name
};

}  // namespace pinflow::spark
