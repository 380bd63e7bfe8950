// Asks one broker for metadata, in the newest form that both sides speak.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kafka/client/broker_connection.h"
#include "kafka/codec/metadata.h"

namespace pinflow::kafka {

struct ToldMetadata {
  MetadataResponse answer;
  int16_t version;
};

// Of these topics (none: of the cluster alone), none of which is created by asking. Versions up to `newest`; before
// version 4 all topics are told. `with_operations`: what may be done, from version 8 to 10 on.
Result<ToldMetadata> ask_metadata(BrokerConnection& broker, const std::vector<std::string>& topics, int16_t newest,
                                  bool with_operations);

}  // namespace pinflow::kafka
