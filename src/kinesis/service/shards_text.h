// Parts of answers that several operations write. Pure.
#pragma once

#include <cstdint>

#include "kinesis/api/stream.h"
#include "kinesis/service/answer.h"

namespace pinflow::kinesis {

// {"ShardId":…,"HashKeyRange":…,"SequenceNumberRange":…}, with parents where it has some.
void write_shard(const Stream& stream, int32_t shard, AnswerWriter& out);
void write_range(const HashKeyRange& range, AnswerWriter& out);
// "StreamModeDetails":{"StreamMode":…}
void write_mode(const Stream& stream, AnswerWriter& out);

}  // namespace pinflow::kinesis
