// Bodies of requests and responses as values. Pure.
//
// Each API has a file of its own with plain structs, which hold the fields of all versions: a field that a version
// does not have keeps its default when read, and is left out when written. Names follow Kafka's message definitions
// (common/message/*.json in kafka-clients). `M::api` names the API of a message.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "kafka/codec/api.h"

namespace pinflow::kafka {

// Instantiated for each message in the file that describes its fields; called through the two functions below.
template <class M>
struct Codec {
  static Result<M> read(std::string_view body, int16_t version);
  static void write(const M& message, int16_t version, std::string& to);
};

// `version` is one that the API's entry in all_apis() spans. invalid: the bytes are no such message; bytes that
// follow it are ignored, as are tagged fields that are not known.
template <class M>
Result<M> decode(std::string_view body, int16_t version) {
  return Codec<M>::read(body, version);
}

// Appends the message.
template <class M>
void encode(const M& message, int16_t version, std::string& to) {
  Codec<M>::write(message, version, to);
}

}  // namespace pinflow::kafka
