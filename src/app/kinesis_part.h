// The Kinesis service as one process holds it: the streams under DATA/log/kinesis. Owned by a command (run, up,
// streams); started and stopped by its thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "app/context.h"
#include "aws/credentials.h"
#include "base/error.h"
#include "kinesis/service/service.h"
#include "pipeline/pipeline.h"

namespace pinflow::app {

class EmbeddedStreams {
 public:
  // Opens the folder (conflict when another process has it) and listens. Takes the keys of --keys or of the setting
  // kinesis.keys; without any: everybody on this machine, and refuses an address beyond it. `warns` of that. `flag` is
  // what names another address.
  static Result<std::unique_ptr<EmbeddedStreams>> start(const Context& context, const Address& listen,
                                                        bool warns = true,
                                                        std::string_view flag = "--listen streams=HOST:PORT");
  ~EmbeddedStreams() { stop(); }

  std::string address() const;                                    // "127.0.0.1:4567"
  std::string url() const { return "http://" + address(); }       // the endpoint of a client on this machine
  std::optional<aws::Credentials> keys() const { return keys_; }  // some that it takes; nothing where it takes any
  const std::string& region() const { return region_; }
  // Makes those of the pipeline's streams that are not there, of one shard each.
  Result<> make_streams(const pipeline::Pipeline& pipeline);
  kinesis::ServiceCounts counts() const { return service_->counts(); }
  void stop() {
    if (service_) service_->stop();
  }

 private:
  EmbeddedStreams() = default;

  std::unique_ptr<kinesis::Service> service_;
  std::string host_, region_;
  std::optional<aws::Credentials> keys_;
};

// `pinflow streams`: the service by itself, until it is stopped.
Result<int> run_streams(const Context& context);

}  // namespace pinflow::app
